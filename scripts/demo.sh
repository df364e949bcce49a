#!/usr/bin/env bash
# Builds the command `ferris` as it is shipped, and runs the demo with it.
#
#   scripts/demo.sh [ARGUMENT...]   arguments are those of the demo
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh build
scripts/build-rocksdb.sh > /dev/null
. scripts/env.sh
cargo build --release -p ferrisstreams-cli
FERRIS_BIN=$(realpath "${CARGO_TARGET_DIR:-target}")/release/ferris
export FERRIS_BIN

exec examples/demo/run.sh "$@"
