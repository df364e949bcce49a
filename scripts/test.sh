#!/usr/bin/env bash
# Builds and runs all tests of the workspace beside a real Kafka broker and a PostgreSQL server.
#
#   scripts/test.sh [ARGUMENT...]   arguments are those of cargo test (default: --workspace)
#
# For each test binary it prints one line, and failures in full; all output is kept in test.log beside
# cargo's other output. The last line is `N passed, N failed`, the sum over everything that ran.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh test
LOG_DIR=$(mktemp -d)
trap 'rm -rf "$LOG_DIR"' EXIT

# Fetching the broker is waiting for the network, and goes on beside the compilation.
scripts/kafka.sh prepare > "$LOG_DIR/kafka.log" 2>&1 &
KAFKA=$!
scripts/build-rocksdb.sh > /dev/null
. scripts/env.sh
TARGET=${CARGO_TARGET_DIR:-target}

if (($#)); then SELECTION=("$@"); else SELECTION=(--workspace); fi
BUILT=1
echo "test: building"
cargo build --workspace --bins && cargo test --no-run "${SELECTION[@]}" || BUILT=0
wait $KAFKA || { cat "$LOG_DIR/kafka.log" >&2; exit 1; }
cat "$LOG_DIR/kafka.log"
((BUILT)) || exit 1

run() { # everything, also after a failure; the scripts' own tests only in a full run
  local status=0
  FERRIS_BIN=$(realpath "$TARGET")/debug/ferris scripts/with-services.sh cargo test --no-fail-fast "${SELECTION[@]}" || status=1
  if [[ ${SELECTION[*]} == --workspace ]]; then scripts/tests/run.sh || status=1; fi
  return $status
}

echo "test: running"
STATUS=0
run 2>&1 | tee "$TARGET/test.log" | awk -v counts="$LOG_DIR/counts" -f scripts/test-summary.awk || STATUS=1
read -r PASSED FAILED IGNORED < "$LOG_DIR/counts"
if ((PASSED + FAILED == 0)); then
  echo "test: no test ran" >&2
  STATUS=1
elif ((STATUS && FAILED == 0)); then
  echo "test: something failed outside of a test; see above, or $TARGET/test.log" >&2
  FAILED=1
fi
((STATUS == 0)) || echo "test: all output is in $TARGET/test.log"
echo "$((SECONDS / 60)) min $((SECONDS % 60)) s"
((IGNORED)) && IGNORED=", $IGNORED skipped" || IGNORED=""
echo "$PASSED passed, $FAILED failed$IGNORED"
exit $STATUS
