"""Checks what a log proves, in one of three ways; KEY is a file with the public key of the log, as signed notes have it.

    python3 check.py ENTRY PROOF [KEY]      an entry is in the log: its file, and its .tlog-proof
    python3 check.py OLD PROOF [KEY]        the log has only grown since a checkpoint: that, and the proof of it
    python3 check.py FOLDER [KEY]           an exported log: its entries, its tiles and its checkpoint are one
    python3 check.py --opens CONTENT        the commitment that a content opens, and its value

The hashes need nothing but Python; the signature is checked by the command openssl, from version 3 on.
"""

import base64
import hashlib
import json
import os
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


def roots_of(old, size, root, hashes):
    """The roots of then and of now that the hashes lead to, from the root of then; None if they are too many or too few."""
    if old == size:
        return (root, root) if not hashes else None
    # A whole tree is one node, which whoever has the root of then has already.
    hashes = [root] + hashes if old & (old - 1) == 0 else hashes
    if not hashes:
        return None
    node, last = old - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    then = now = hashes[0]
    for other in hashes[1:]:
        if last == 0:
            return None
        if node & 1 or node == last:
            then, now = sha(b"\1" + other + then), sha(b"\1" + other + now)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            now = sha(b"\1" + now + other)
        node, last = node >> 1, last >> 1
    return (then, now) if last == 0 else None


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


def head_of(checkpoint, key):
    """What a checkpoint says: whose log, how many entries, which root. If a key is given, it has to have signed that."""
    text, signatures = checkpoint.split("\n\n", 1)
    origin, size, root = text.split("\n")[:3]
    if key is not None:
        assert key.split("+", 1)[0] == origin, "the key is that of another log"
        assert is_signed(text + "\n", signatures, key), "the head is not signed with this key"
    return origin, int(size), base64.b64decode(root)


def check_entry(entry, proof, key):
    head, checkpoint = proof.split("\n\n", 1)
    mark, index, *hashes = head.split("\n")
    assert mark == "c2sp.org/tlog-proof@v1", "it is no proof"
    origin, size, root = head_of(checkpoint, key)
    index = int(index.removeprefix("index "))
    assert 0 <= index < size, "the entry is not below this head"
    # No entry ends in the newline that editors, and `pdl log show`, put behind it.
    found = root_of(entry.removesuffix(b"\n"), index, size, [base64.b64decode(hash) for hash in hashes])
    assert found == root, "the entry is not in this log"
    return f"entry {index} is among the {size} of {origin}"


def check_growth(kept, proof, key):
    head, checkpoint = proof.split("\n\n", 1)
    old, *hashes = head.split("\n")
    old = int(old.removeprefix("old "))
    then, now = head_of(kept.decode(), key), head_of(checkpoint, key)
    assert then[0] == now[0] and then[1] == old, "the proof does not begin at this checkpoint"
    assert 0 < old <= now[1], "the log was longer then"
    found = roots_of(old, now[1], then[2], [base64.b64decode(hash) for hash in hashes])
    assert found == (then[2], now[2]), "the log of now is not a continuation of that one"
    return f"the {now[1]} of {now[0]} begin with the {old} of then"


def tile(folder, level, index, width):
    """The bytes of a file of an exported log; None if it is not there."""
    digits = f"{index:03}"
    digits = "0" * (-len(digits) % 3) + digits
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
    path = f"{folder}/tile/{level}/{path}" + (f".p/{width}" if width < 256 else "")
    if not os.path.exists(path):
        return None
    with open(path, "rb") as file:
        return file.read()


def check_folder(folder, key):
    with open(f"{folder}/checkpoint", encoding="utf-8") as file:
        origin, size, root = head_of(file.read(), key)
    level, lacking, dropped = [], 0, 0
    for start in range(0, size, 256):
        width = min(256, size - start)
        hashes = tile(folder, 0, start // 256, width)
        assert hashes is not None and len(hashes) == 32 * width, f"the hashes of the entries from {start} on are not there"
        hashes = [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
        level += hashes
        entries = tile(folder, "entries", start // 256, width)
        if entries is None:
            assert lacking == start, f"the entries from {start} on are not there"
            lacking = start + width
            continue
        for index in range(start, start + width):
            length = int.from_bytes(entries[:2], "big")
            entry, entries = entries[2 : 2 + length], entries[2 + length :]
            assert sha(b"\0" + entry) == hashes[index - start], f"entry {index} was changed"
            entry = json.loads(entry)
            assert entry["index"] == index, f"entry {index} belongs elsewhere"
            if entry["kind"] == "log.compacted":
                dropped = max(dropped, entry["body"]["before"])
        assert not entries, f"something stands behind the entry {start + width - 1}"
    assert lacking <= dropped, f"the entries {dropped} to {lacking - 1} are not there, and the log does not say why"
    height = 0
    while len(level) > 1:
        # What has no neighbour goes up as it is.
        level = [sha(b"\1" + b"".join(level[at : at + 2])) if at + 1 < len(level) else level[at] for at in range(0, len(level), 2)]
        height += 1
        for start in range(0, size >> height if height % 8 == 0 else 0, 256):
            there = level[start : min(start + 256, size >> height)]
            kept = tile(folder, height // 8, start // 256, len(there))
            assert kept == b"".join(there), f"the hashes of level {height // 8} from {start} on were changed"
    assert (level[0] if level else sha(b"")) == root, "the entries are not those of the checkpoint"
    return f"the {size} entries of {origin} are what its head says" + (f"; {lacking} were dropped" if lacking else "")


def opens(content):
    """What a content is of: a salt of 32 bytes, and the value behind it."""
    return f"sha256:{sha(content).hex()} is a commitment to {content[32:].decode()}"


def main(first=None, *others):
    if first is None or not (others or os.path.isdir(first)):
        sys.exit(__doc__.strip())
    read = lambda path: open(path, encoding="utf-8").read()
    if first == "--opens":
        return print(opens(open(others[0], "rb").read()))
    key = read(others[-1]) if len(others) > (0 if os.path.isdir(first) else 1) else None
    if os.path.isdir(first):
        print(check_folder(first, key))
    else:
        proof = read(others[0])
        check = check_growth if proof.startswith("old ") else check_entry
        print(check(open(first, "rb").read(), proof, key))
    if key is not None:
        print("and its head is signed")


try:
    main(*sys.argv[1:])
except AssertionError as error:
    sys.exit(f"no: {error}")
except (IndexError, KeyError, TypeError, ValueError) as error:
    sys.exit(f"no: it can't be read: {error}")
except OSError as error:
    sys.exit(f"{error.filename} can't be read: {error.strerror}")
