#!/usr/bin/env bash
# Runs the benchmarks of the workspace: every file under a package's benches/.
#
#   scripts/bench.sh [ARGUMENT...]   arguments are those of cargo bench, such as -p PACKAGE or -- FILTER
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh build
compgen -G '*/benches/*.rs' > /dev/null || { echo "bench: there is no benchmark yet (PACKAGE/benches/*.rs)"; exit 0; }
scripts/build-rocksdb.sh > /dev/null
. scripts/env.sh
exec cargo bench --workspace --bench '*' "$@"
