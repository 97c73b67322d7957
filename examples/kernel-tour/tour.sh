#!/usr/bin/env bash
# The tour that README.md tells, as it is: bash examples/kernel-tour/tour.sh
#
# It works in a folder of its own and shows each command with what it prints. It ends with 1 where a command does not end
# as it should. `pdl` is the one of the PATH, or else the one of these sources.
set -u

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
sources=$here/../..
if ! command -v pdl > /dev/null; then
    pdl() { cargo run --quiet --manifest-path "$sources/Cargo.toml" -- "$@"; }
fi
unset PDL_KERNEL PDL_PRINCIPAL

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
check=$sources/docs/kernel/check.py
[ -e "$check" ] || check=$here/../check.py
cp -R "$here" "$check" "$room"
cd "$room/kernel-tour" || exit 1

# step STATUS COMMAND: shows the command, runs it, shows what it prints and how it ends.
step() {
    local status=0
    printf '$ %s\n' "$2"
    told=$(eval "$2" 2>&1) || status=$?
    [ -z "$told" ] || printf '%s\n' "$told"
    [ "$status" = 0 ] || printf '(exit status %s)\n' "$status"
    if [ "$status" != "$1" ]; then
        echo "tour.sh: that should have ended with $1" >&2
        exit 1
    fi
}

# note NAME KIND [TEXT]: gives a name to the last id of this kind that was printed, in a line with that text.
note() {
    local id
    id=$(printf '%s\n' "$told" | grep -e "${3:-}" | grep -o "$2_[0-9A-Z]*" | tail -n 1)
    printf '$ %s=%s\n' "$1" "$id"
    eval "$1=\$id"
}

# A policy, and a kernel that decides by it.
step 0 'pdl test .'
step 0 'pdl kernel init --origin shop.example/log --founder Person::olga --founder Person::pia=auditor'
step 0 'pdl kernel activate . --entities entities.json --as Person::olga'
step 0 'cp -R .pdl ../copy'

# Denied.
step 4 'pdl kernel decide --request requests/ledger.json --as Agent::medic'
step 4 'pdl kernel activate . --as Agent::medic'

# Approved by two people.
step 3 'pdl kernel decide --request requests/orders.json --as Agent::medic'
note GATE gate
step 0 'pdl approvals list --as Person::ben'
step 0 'pdl approvals show $GATE --as Person::ben'
step 4 'pdl approvals approve $GATE --as Person::ann'
step 0 'pdl approvals approve $GATE --as Person::ben'
step 0 'pdl approvals approve $GATE --as Person::cleo'
step 0 'pdl kernel spend $GATE --permit restore.permit --as Agent::medic'
step 0 'pdl permits start - --request requests/orders.json --as Agent::medic < restore.permit'
step 0 'pdl permits complete - --as Agent::medic < restore.permit'
step 4 'pdl permits start - --request requests/orders.json --as Agent::medic < restore.permit'
step 4 'pdl kernel spend $GATE --as Agent::medic'

# A scope runs out.
step 4 'pdl kernel decide --request requests/restart.json --facts requests/facts.json --as Agent::medic'
step 0 'pdl scopes create --request requests/scope.json --as Agent::medic'
note SCOPE scope
step 0 'sed "s/SCOPE/$SCOPE/" requests/restart.json > restart.json'
step 0 'pdl kernel decide --request restart.json --facts requests/facts.json --permit first.permit --as Agent::medic'
step 0 'pdl permits start - --request restart.json --as Agent::medic < first.permit'
step 0 'pdl permits complete - --cost 0.25 --as Agent::medic < first.permit'
step 0 'pdl kernel decide --request restart.json --facts requests/facts.json --permit second.permit --as Agent::medic'
step 4 'pdl kernel decide --request restart.json --facts requests/facts.json --as Agent::medic'
step 0 'pdl permits start - --request restart.json --as Agent::medic < second.permit'
step 0 'pdl permits fail - --as Agent::medic < second.permit'
step 0 'pdl scopes show $SCOPE --as Person::olga'

# A record steps.
step 0 'pdl records create --request requests/incident.json --as Agent::medic'
step 4 'pdl records step --request requests/closed.json --as Person::ben'
step 0 'pdl records step --request requests/mended.json --as Person::ben'
step 0 'pdl records step --request requests/closed.json --as Person::ben'
step 4 'pdl records step --request requests/mended.json --as Person::ben'
step 0 'pdl records show Incident::inc-7 --as Person::olga'

# The log.
step 0 'pdl log query --kind gate.voted --as Person::pia'
note VOTE ent 'by Person::"ben"'
step 0 'pdl log show $VOTE --as Person::pia'
step 0 'pdl log checkpoint > ../checkpoint'
step 0 'pdl log verify --checkpoint ../checkpoint'
step 0 'pdl log replay --as Person::pia'

# Somebody else checks it.
step 0 'pdl log show $VOTE --format json --as Person::pia > entry.json'
step 0 'pdl log prove $VOTE --as Person::pia > entry.tlog-proof'
step 0 'python3 ../check.py entry.json entry.tlog-proof .pdl/log.pub'
step 0 'pdl log export ../exported --as Person::pia'
step 0 'python3 ../check.py ../exported .pdl/log.pub'

# Caught.
step 0 'cp -R .pdl honest'
step 0 'LC_ALL=C sed '\''s/"voter":{"id":"ben"/"voter":{"id":"dan"/'\'' honest/kernel.db > .pdl/kernel.db'
step 9 'pdl log verify'
step 0 'sed '\''s/"ben"/"dan"/'\'' entry.json > forged.json'
step 1 'python3 ../check.py forged.json entry.tlog-proof .pdl/log.pub'
step 0 'rm -r .pdl && cp -R ../copy .pdl'
step 0 'pdl log verify'
step 9 'pdl log verify --checkpoint ../checkpoint'
step 0 'rm -r .pdl && cp -R honest .pdl'
step 0 'pdl log verify --checkpoint ../checkpoint'
