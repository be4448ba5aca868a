#!/usr/bin/env bash
# Audits of programs that speak Maelstrom's protocol, measured. How long it takes until a program that breaks the protocol
# is told so, from the moment in which it does. A thousand seeds of a deterministic program, each run twice, give a
# thousand identical runs. The messages a second of processor time, beside the 60,000 a second on 48 processors that
# Maelstrom's README claims; what the node programs themselves use counts, as it does there.
# usage: ci/audit.sh [SEEDS]      (default 1000), after `cargo build --release --bin tribunal --example maelstrom`
set -euo pipefail
cd "$(dirname "$0")/.."
seeds=${1:-1000}
tribunal=target/release/tribunal
example=target/release/examples/maelstrom
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# From what the program does to the line that reports it, in milliseconds.
reported_after() {
    local program=$1
    shift
    "$tribunal" audit maelstrom --workload echo --nemesis none --node-count 2 --seeds 0..1 --check-determinism 0 \
        --shrink off --out "$out" "$@" \
        -- "$example" "$program" 2>&1 >"$out/answer" |
        while read -r line; do [[ $line != "seed 0: "* ]] || date +%s%3N >"$out/reported"; done || true
    grep -q "Property: maelstrom-protocol." "$out/answer"
    local happened
    happened=$(grep -ho '^it happens at [0-9]*' "$out"/latest/nodes/0/*.stderr | cut -d' ' -f4 | sort -n | head -1)
    echo $(($(cat "$out/reported") - happened))
}

for program in writes-no-json ends floods stops-reading does-not-answer-init is-an-impostor answers-something-else; do
    echo "$program: reported after $(reported_after $program) ms in virtual time," \
        "$(reported_after $program --wall-clock --time-limit 4 --concurrency 4n --rate 100) ms by the wall clock"
done

for workload in broadcast lin-kv; do
    TIMEFORMAT='%U %S'
    { time "$tribunal" audit maelstrom --workload "$workload" --nemesis partition,packet,pause --seeds "0..$seeds" \
        --check-determinism 1 --out "$out" --message-format json -- "$example" "$workload" \
        >"$out/lines" 2>"$out/progress"; } 2>"$out/time"
    finished=$(tail -1 "$out/lines")
    field() { grep -o "\"$1\":[0-9]*" <<<"$finished" | head -1 | cut -d: -f2; }
    grep -q '"answer":"valid"' <<<"$finished"
    grep -q '"differing":\[\]' <<<"$finished"
    # The packets are those of one run of each seed.
    messages=$((2 * $(field packets)))
    cpu_ms=$(awk '{ printf "%d", 1000 * ($1 + $2) }' "$out/time")
    each=$((messages * 1000 / cpu_ms))
    echo "$workload: $(field runs) seeds, $(field repeated_same) run twice, all identical, all valid"
    echo "  $messages messages in $((cpu_ms / 1000)) s of processor time, $each a second on each processor;" \
        "Maelstrom claims 1250 on each of 48 (ours is $((each * 100 / 1250)) % of that);" \
        "$((messages * 1000 / $(field elapsed_ms))) a second by the clock"
done
