"""Checks a proof of inclusion: python3 check.py ENTRY PROOF [KEY].

ENTRY is the file of an entry, PROOF its .tlog-proof, KEY a file with the public key of the log, as signed notes have it.
The hashes need nothing but Python; the signature is checked by the command openssl, from version 3 on.
"""

import base64
import hashlib
import subprocess
import sys
import tempfile


def sha(data):
    return hashlib.sha256(data).digest()


def root_of(entry, index, size, hashes):
    """The root that the hashes lead to from an entry; None if they are too many or too few."""
    node, last = index, size - 1
    hash = sha(b"\0" + entry)
    for other in hashes:
        if last == 0:
            return None
        if node & 1 or node == last:
            hash = sha(b"\1" + other + hash)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            hash = sha(b"\1" + hash + other)
        node, last = node >> 1, last >> 1
    return hash if last == 0 else None


def is_signed(text, signatures, key):
    """Whether one of the signatures is that of the key on the text."""
    name, number, public = key.strip().split("+", 2)
    public = base64.b64decode(public)
    assert public[0] == 1, "the key is of another sort than Ed25519"
    assert sha(name.encode() + b"\n" + public)[:4].hex() == number, "the key is not written as it should be"
    for line in signatures.splitlines():
        dash, signer, signature = line.split(" ")
        signature = base64.b64decode(signature)
        if signer != name or signature[:4].hex() != number:
            continue
        with tempfile.TemporaryDirectory() as folder:
            # What stands before the 32 bytes of an Ed25519 key in DER.
            der = bytes.fromhex("302a300506032b6570032100") + public[1:]
            for file, data in [("key", der), ("text", text.encode()), ("signature", signature[4:])]:
                with open(f"{folder}/{file}", "wb") as out:
                    out.write(data)
            command = "openssl pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in text -sigfile signature"
            return subprocess.run(command.split(), cwd=folder, capture_output=True).returncode == 0
    return False


def main(entry, proof, key=None):
    head, checkpoint = open(proof, encoding="utf-8").read().split("\n\n", 1)
    mark, index, *hashes = head.split("\n")
    assert mark == "c2sp.org/tlog-proof@v1", "it is no proof"
    text, signatures = checkpoint.split("\n\n", 1)
    origin, size, root = text.split("\n")[:3]
    index, size = int(index.removeprefix("index ")), int(size)
    assert 0 <= index < size, "the entry is not below this head"
    # No entry ends in the newline that editors, and `pdl log show`, put behind it.
    leaf = open(entry, "rb").read().removesuffix(b"\n")
    found = root_of(leaf, index, size, [base64.b64decode(hash) for hash in hashes])
    assert found == base64.b64decode(root), "the entry is not in this log"
    print(f"entry {index} is among the {size} of {origin}")
    if key is not None:
        key = open(key, encoding="utf-8").read()
        assert key.split("+", 1)[0] == origin, "the key is that of another log"
        assert is_signed(text + "\n", signatures, key), "the head is not signed with this key"
        print("and its head is signed")


try:
    main(*sys.argv[1:])
except AssertionError as error:
    sys.exit(f"no: {error}")
