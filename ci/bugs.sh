#!/usr/bin/env bash
# Every planted bug of Raft: the first seed that shows it, what it violates, and how short its trace becomes.
# usage: ci/bugs.sh path/to/tribunal     Exit code 1 if a bug is not found within its seeds.
set -euo pipefail
bin=${1:?path to the tribunal binary}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
missed=0

row() { # bug, seeds, then flags
    local log=$out/$1 bug=$1 seeds=$2
    shift 2
    if ! "$bin" simulate --jobs 1 --bugs "$bug" --seeds "0..$seeds" --expect invalid --out "$out" "$@" >"$log" 2>/dev/null; then
        printf '| %s | not found in %s seeds | | | `%s` |\n' "$bug" "$seeds" "$*"
        missed=1
        return
    fi
    local seed violated shrunk
    seed=$(sed -n 's/^ *INVALID .*seed \([0-9]*\), fingerprint.*/\1/p' "$log" | head -1)
    violated=$(sed -n 's/^ *Property: \(.*\)\.$/\1/p' "$log" | head -1)
    shrunk=$(sed -n 's/^ *shrunk \([0-9]* → [0-9]*\) steps.*/\1/p' "$log" | head -1)
    printf '| %s | %s | %s | %s | %s |\n' "$bug" "$seed" "$violated" "$shrunk" "${*:+\`$*\`}"
}

echo '| bug | first seed | violates | steps, shrunk | flags |'
echo '|---|---|---|---|---|'
for bug in RF1 RF3 RF4 RF5 RF12 RF13 RF14 RF16 RF17 RF26; do row "$bug" 100; done
row RF2 500 --workload append
row RF8 500 --workload append --nodes 3
row RF10 100 --nodes 4
row RF11 200
for bug in RD1 RD2 RD3 CL1 CL5; do row "$bug" 200; done
exit "$missed"
