#!/usr/bin/env bash
# Ten failures found by simulation, each brought to the shortest trace: how many steps it had when it was found, when no
# step could be taken out of it any more, and when its neighbourhood had been searched; each trace is replayed.
# usage: ci/shortest.sh [TRIBUNAL]      (default target/release/tribunal)
set -euo pipefail
cd "$(dirname "$0")/.."
tribunal=${1:-target/release/tribunal}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# protocol, bug, and the flags of the bug's hunt (`tribunal list bugs`)
failures='
paxos BP5
paxos BP24
multi_paxos MP3
raft RF2 --nodes 3
raft RF5
zab ZB19 --nodes 3
primary_backup PB3
two_phase_commit TP5
membership GM1 --set style=redis
gossip GD12
'

# The value of a field in a line of JSON.
field() { sed -E "s/.*\"$1\":\"?([^,\"}]*).*/\1/" <<<"$json"; }

printf '| failure | violates | simulated | shrunk | shortest | searched to the end | states | CPU seconds |\n'
printf '|---|---|--:|--:|--:|---|--:|--:|\n'
while read -r protocol bug flags; do
  [ -n "$protocol" ] || continue
  # shellcheck disable=SC2086
  "$tribunal" simulate "$protocol" --bugs "$bug" $flags --runtime plain --seeds 0..400 --expect invalid \
    --shrink off --quiet --check-determinism 0 --jobs 1 --out "$out/$bug" >/dev/null
  found=$(printf '%s\n' "$out/$bug"/latest/failures/*/trace.full.jsonl | head -n 1)
  code=0
  TIMEFORMAT='%U %S'
  { time json=$("$tribunal" explore --from "$found" -o "$out/$bug.jsonl" --states 300000 --time 10m \
    --message-format json) || code=$?; } 2>"$out/time"
  [ "$code" = 1 ] || { echo "$bug: explore --from ended with $code" >&2; exit 1; }
  code=0
  "$tribunal" replay "$out/$bug.jsonl" >/dev/null || code=$?
  [ "$code" = 1 ] || { echo "$bug: the shortest trace does not fail when it is replayed" >&2; exit 1; }
  states=$(grep -o '"distinct":[0-9]*' <<<"$json" | cut -d: -f2 | paste -sd+ | bc)
  printf '| %s %s | %s | %s | %s | %s | %s | %s | %s |\n' "$protocol" "$bug" "$(field violated)" "$(field found)" \
    "$(field shrunk)" "$(field shortest)" "$(field complete)" "$states" \
    "$(awk '{ printf "%.1f", $1 + $2 }' "$out/time")"
done <<<"$failures"
