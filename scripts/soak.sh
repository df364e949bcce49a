#!/usr/bin/env bash
# Runs the tests that repeat themselves, those with `soak` in their names, many more times than `make test` does.
#
#   scripts/soak.sh [ARGUMENT...]   arguments are those of the test binaries, such as the name of one test
#
# Such a test asks `ferrisstreams_tests::soak::rounds(quick, long)` how often to repeat; this script
# sets FERRIS_SOAK=1, which makes it the second number.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh test
scripts/build-rocksdb.sh > /dev/null
. scripts/env.sh
scripts/kafka.sh prepare
cargo build --workspace --bins
cargo test --workspace --no-run
FERRIS_SOAK=1 FERRIS_BIN=$(realpath "${CARGO_TARGET_DIR:-target}")/debug/ferris \
  exec scripts/with-services.sh cargo test --workspace --lib --bins --tests --no-fail-fast -- --nocapture --test-threads 1 soak "$@"
