#!/usr/bin/env bash
# What is too long for every push: many seeds, every planted bug from the command line, the whole grid of explorations,
# failures brought to the shortest trace, benchmarks (some beside checkers of others), memory over 100,000 runs, a
# minute of real processes, audits of Redis, libraries of others, histories in columns, and the supply chain.
# usage: ci/nightly.sh [SEEDS]      (default 100000)
set -euo pipefail
cd "$(dirname "$0")/.."
unset RUSTFLAGS
seeds=${1:-100000}

step() { printf '\n== %s\n' "$*"; "$@"; }

step cargo build --release --quiet
step target/release/tribunal simulate --workload register,kv,append --seeds "0..$seeds"
step target/release/tribunal bugs
step target/release/tribunal explore all --grid --time 30m --threads 2
step ci/shortest.sh
step target/release/tribunal simulate --runtime live --nodes 3 --nemesis kill --live-time 60s
step target/release/tribunal simulate --runtime live --nodes 3 --nemesis kill --live-time 60s --bugs CL5 --expect invalid
step cargo build --release --quiet --example maelstrom
step ci/audit.sh
step ci/redis.sh
step ci/libraries.sh
step ci/columns.sh
step cargo bench -p tribunal-histories --bench reading
step cargo bench -p tribunal-checkers --bench exploration
step cargo clippy --quiet --locked --all-targets --manifest-path ci/peers/Cargo.toml -- -D warnings
step ci/linearizability.sh
step ci/specifications.sh
step cargo bench -p tribunal --bench throughput
step cargo bench -p tribunal --bench memory
command -v cargo-deny >/dev/null || step cargo install --locked cargo-deny
step cargo deny check
