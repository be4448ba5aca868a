#!/usr/bin/env bash
# The linearizability checker beside porcupine-rs and todc-utils, on the same histories in the same run.
# usage: ci/linearizability.sh [part of a row's name ...]
set -euo pipefail
cd "$(dirname "$0")/peers"
exec cargo run --release --quiet -- "$@"
