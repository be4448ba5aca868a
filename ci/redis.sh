#!/usr/bin/env bash
# Redis with two replicas, audited as harness/examples/subjects/redis/ describes it: where Sentinel makes a replica the
# primary, writes that were acknowledged are lost under a partition, and so they are where a primary without persistence
# is killed; one primary that writes to its disk before it answers passes under the same faults.
# usage: ci/redis.sh [TRIBUNAL]      (default target/release/tribunal)
set -euo pipefail
cd "$(dirname "$0")/.."
ci/install-redis.sh
tribunal=$(realpath "${1:-target/release/tribunal}")
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

audit() {
    local subject=$1 expected=$2 began=$SECONDS
    shift 2
    "$tribunal" audit file "harness/examples/subjects/redis/$subject.toml" --out "$out" --expect "$expected" "$@" >"$out/answer" ||
        { cat "$out/answer"; exit 1; }
    echo "$subject: $expected as expected, in $((SECONDS - began)) s: $(head -1 "$out/answer")"
}

audit failover invalid --nemesis partition --time-limit 12 --seed 9
audit in-memory invalid --nemesis kill --time-limit 5 --seed 0
audit one-primary valid --nemesis partition --time-limit 12 --seed 9
audit one-primary valid --nemesis all --time-limit 10 --workload register,kv --rate 100
