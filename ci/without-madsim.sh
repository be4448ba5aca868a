#!/usr/bin/env bash
# A build without `--cfg madsim` (cargo install from a registry, RUSTFLAGS set by someone else) compiles, and the
# simulator's place is taken by a sentence that says how to get it.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR=target/without-madsim RUSTFLAGS=""
# Five seeds need no optimised packages: two minutes less.
cargo build --quiet --bin tribunal --config 'profile.dev.package."*".opt-level=0' 2>/dev/null
bin=$CARGO_TARGET_DIR/debug/tribunal
rc=0; out=$("$bin" simulate --runtime madsim --seeds 0..1 2>&1) || rc=$?
[ "$rc" = 69 ] || { echo "expected exit code 69 (unavailable), got $rc: $out"; exit 1; }
grep -q -- '--cfg madsim' <<<"$out" || { echo "the refusal does not say how to get the simulator: $out"; exit 1; }
"$bin" simulate --runtime plain --seeds 0..5 --quiet --out target/without-madsim/tribunal >/dev/null
echo "without madsim: refused with exit code 69, the plain loop works"
