#!/usr/bin/env bash
# Planted bugs that must be found, a correct cluster that must not be accused, and the same seeds twice.
# usage: ci/canary.sh path/to/tribunal
set -euo pipefail
bin=${1:?path to the tribunal binary}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

must_find() { # bugs, then flags
    "$bin" simulate --bugs "$1" --expect invalid --quiet --out "$out" "${@:2}" >"$out/log" 2>&1 ||
        { cat "$out/log"; echo "CANARY: planted bug $1 was not found"; exit 1; }
    echo "found $1"
}
must_find RD1 --seeds 0..100
must_find RF4 --seeds 0..100
must_find CL5 --seeds 0..100 --workload append

# The canary of the canary: without a bug, `--expect invalid` must go red.
if "$bin" simulate --expect invalid --seeds 0..20 --quiet --out "$out" >/dev/null 2>&1; then
    echo "CANARY: --expect invalid was green without a bug"
    exit 1
fi

# The same seeds twice: the same digests.
digests() { "$bin" simulate --seeds 0..40 --message-format json --out "$out" 2>/dev/null | grep -o '"digest":"[0-9a-f]*"'; }
[ "$(digests | sort)" = "$(digests | sort)" ] || { echo "CANARY: two runs of the same seeds differ"; exit 1; }
echo "40 seeds ran twice, identical"
