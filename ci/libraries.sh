#!/usr/bin/env bash
# Consensus libraries that others wrote, in process: builds harness/libraries and the old releases beside it, which must
# be clean under clippy, and runs each with what is expected of it. Every expected failure has a control that passes
# under the same faults.
# usage: ci/libraries.sh [SEEDS]      (default 1000)
set -euo pipefail
cd "$(dirname "$0")/.."
unset RUSTFLAGS
seeds=0..${1:-1000}
target=${CARGO_TARGET_DIR:-$PWD/target}

build() {
    printf '\n== build %s\n' "$1"
    cargo clippy --quiet --locked --all-targets --target-dir "$target" --manifest-path "$1/Cargo.toml" -- -D warnings
    cargo build --release --quiet --locked --target-dir "$target" --manifest-path "$1/Cargo.toml"
}
valid() { printf '\n== valid: %s\n' "$*"; "$target/release/$1" simulate "${@:2}"; }
invalid() { printf '\n== invalid: %s\n' "$*"; "$target/release/$1" simulate "${@:2}" --expect invalid; }

build harness/libraries
build harness/libraries/openraft
build harness/libraries/openraft-0.9.24
build harness/libraries/omnipaxos-0.2.3
libraries=tribunal-libraries

# The current releases, and misuses of them that must be found.
valid $libraries raft-rs-0.7.0 --seeds "$seeds"
invalid $libraries raft-rs-0.7.0 --bugs LR1 --seeds 0..50
invalid $libraries raft-rs-0.7.0 --bugs LR2 --seeds 0..50
valid $libraries omnipaxos-0.2.4-without-snapshots --seeds "$seeds"
invalid $libraries omnipaxos-0.2.4-without-snapshots --bugs LO1 --seeds 0..50
invalid $libraries omnipaxos-0.2.4-without-snapshots --bugs LO2 --seeds 0..50

# What was found in them: docs/findings.md.
invalid $libraries omnipaxos-0.2.4 --seeds 0..50
invalid $libraries raft-rs-0.7.0 --set shows_next_index=true --seeds 0..50

# raft-rs 0.4.3: Ready.must_sync is false though there are entries. Controls: not to trust it, and a later release.
invalid $libraries raft-rs-0.4.3 --seeds 0..100
valid $libraries raft-rs-0.4.3 --set trusts_must_sync=false --seeds "$seeds"
valid $libraries raft-rs-0.6.0 --seeds 0..300

# raft-rs 0.4.3: lease reads without check_quorum. Later releases refuse that; with check_quorum they are right.
lease=(--nemesis "packet,partition,kill" --schedule latency --set reads=lease)
invalid $libraries raft-rs-0.4.3 "${lease[@]}" --set check_quorum=false --seeds 0..100
valid $libraries raft-rs-0.7.0 "${lease[@]}" --set check_quorum=true --seeds "$seeds"

# openraft 0.9.24: an entry is acknowledged without a quorum (#1802).
quorum=(--nodes 7 --nemesis "partition,packet" --rate 1000 --concurrency 20 --ops 400)
invalid tribunal-openraft-0-9-24 openraft-0.9.24 "${quorum[@]}" --seeds 0..50
valid tribunal-openraft openraft-0.9.25 "${quorum[@]}" --seeds 0..100

# openraft under all faults, on disks that take up to 100 ms too, and a storage that does not keep the committed index,
# which its documentation leaves open: a leader that comes back leads on and reads what is old (#1511). Control: the same
# with reads through the log.
valid tribunal-openraft openraft-0.9.25 --seeds "$seeds"
valid tribunal-openraft openraft-0.9.25 --set 'sync_us=[100,100000]' --seeds 0..600
invalid tribunal-openraft openraft-0.9.25 --bugs OF1 --seeds 0..50
forgetful=(--set saves_committed=false)
invalid tribunal-openraft openraft-0.9.25 "${forgetful[@]}" --set reads_by_index=true --seeds 0..100
valid tribunal-openraft openraft-0.9.25 "${forgetful[@]}" --set reads_by_index=false --seeds 0..300

# omnipaxos 0.2.3: the decided index falls when a leader is behind. Control: the next release, which mends that and
# nothing else.
invalid tribunal-omnipaxos-0-2-3 omnipaxos-0.2.3-without-snapshots --seeds 0..100
