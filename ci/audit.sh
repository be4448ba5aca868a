#!/usr/bin/env bash
# A thousand seeds of a deterministic node program, each run twice, give a thousand identical runs; and the messages a
# second of simulated audits, beside the 60,000 on 48 processors that Maelstrom's README claims.
#
#   ci/audit.sh [path/to/tribunal] [path/to/examples/maelstrom] [seeds]
set -euo pipefail
cd "$(dirname "$0")/.."
tribunal=${1:-target/release/tribunal}
nodes=${2:-target/release/examples/maelstrom}
seeds=${3:-1000}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

for workload in broadcast lin-kv; do
    "$tribunal" audit maelstrom --workload "$workload" --nemesis partition,packet,pause --seeds "0..$seeds" \
        --check-determinism 1 --out "$out" --message-format json -- "$nodes" "$workload" |
        tail -1 | python3 -c '
import json, os, sys

finished = json.loads(sys.stdin.read())
conclusion = finished["conclusion"]
totals = conclusion["totals"]
# Every seed ran twice.
rate = 2 * totals["packets"] / (conclusion["elapsed_ms"] / 1000)
processors = os.cpu_count()
print("%-10s %s: %d seeds, %d run twice, %d differ; %.0f messages a second on %d processors, %.0f on each" % (
    sys.argv[1], conclusion["answer"], totals["runs"], totals["repeated_same"], len(totals["differing"]), rate, processors,
    rate / processors))
print("%-10s Maelstrom: 60000 on 48 processors, 1250 on each; ours is %.1f times that" % (
    "", rate / processors / 1250))
sys.exit(finished["exit_code"])
' "$workload"
done
