#!/usr/bin/env bash
# The usual exploration of every protocol must be complete and valid, with exactly the states that ci/states.tsv has: a
# count that changes is a change of the protocol, of what properties remember or of what is left out, and is to be looked
# at before it is written down anew (with --write).
# usage: ci/exploration.sh TRIBUNAL [--write]
set -euo pipefail
tribunal=$1
table=$(dirname "$0")/states.tsv

count() { grep -o "\"$1\":[0-9]*" <<<"$2" | head -1 | cut -d: -f2; }

found=$(mktemp)
trap 'rm -f "$found"' EXIT
while IFS=$'\t' read -r protocol row _; do
  json=$("$tribunal" explore "$protocol" --row "$row" --threads 2 --message-format json --time 10m)
  printf '%s\t%s\t%s\t%s\n' "$protocol" "$row" "$(count distinct "$json")" "$(count generated "$json")"
done <"$table" >"$found"
if [ "${2:-}" = --write ]; then
  cp "$found" "$table"
else
  diff -u "$table" "$found"
fi
cat "$found"
