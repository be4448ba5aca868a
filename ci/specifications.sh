#!/usr/bin/env bash
# The adapter's self-test on the largest specification: Paxos.tla with 4 ballots has 8,220,065 distinct states, as TLC,
# SPIN and stateright agree. (`cargo test` has the smaller ones.) The benchmark fails if a search counts otherwise.
# usage: ci/specifications.sh
set -euo pipefail
cd "$(dirname "$0")/.."
cargo bench -p tribunal-checkers --bench exploration -- '4 ballots'
