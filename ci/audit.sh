#!/usr/bin/env bash
# A thousand seeds of a deterministic node program, each run twice, give a thousand identical runs; and the messages a
# second of simulated audits, beside the 60,000 on 48 processors that Maelstrom's README claims.
# usage: ci/audit.sh [SEEDS]      (default 1000), after `cargo build --release --bin tribunal --example maelstrom`
set -euo pipefail
cd "$(dirname "$0")/.."
seeds=${1:-1000}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
processors=$(nproc)

for workload in broadcast lin-kv; do
    finished=$(target/release/tribunal audit maelstrom --workload "$workload" --nemesis partition,packet,pause \
        --seeds "0..$seeds" --check-determinism 1 --out "$out" --message-format json \
        -- target/release/examples/maelstrom "$workload" | tail -1)
    field() { grep -o "\"$1\":[0-9]*" <<<"$finished" | head -1 | cut -d: -f2; }
    grep -q '"answer":"valid"' <<<"$finished"
    grep -q '"differing":\[\]' <<<"$finished"
    # The packets are those of one run of each seed.
    rate=$((2 * $(field packets) * 1000 / $(field elapsed_ms)))
    each=$((rate / processors))
    echo "$workload: $(field runs) seeds, $(field repeated_same) run twice, all identical, all valid"
    echo "  $rate messages a second on $processors processors, $each on each;" \
        "Maelstrom claims 60000 on 48, 1250 on each (ours is $((each * 100 / 1250)) % of that)"
done
