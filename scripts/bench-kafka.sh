#!/usr/bin/env bash
# Measures applications on Kafka beside the same jobs in Kafka Streams, on one broker and the same records.
#
#   scripts/bench-kafka.sh [WORD]   only the jobs whose names contain WORD, such as pass, filter, COUNT
#
# It prints a table of records for each second of CPU time. The two run in turn, never side by side; CPU
# time depends less on what else the machine does than the clock, but a quiet machine is better. The jobs
# in Kafka Streams are those of benches/kafka-streams, which Maven builds the first time and when they change.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
JOBS=$PWD/benches/kafka-streams

built() { # whether the last build is newer than all that it is made of
  [[ -e $JOBS/target/built && -z $(find "$JOBS/pom.xml" "$JOBS/src" -newer "$JOBS/target/built") ]]
}

scripts/setup.sh test
scripts/build-rocksdb.sh > /dev/null
if ! built; then
  echo "bench-kafka: building the jobs in Kafka Streams, with libraries from Maven Central (95 MB)" >&2
  rm -rf "$JOBS/target"
  mvn -q -B -f "$JOBS/pom.xml" package dependency:copy-dependencies >&2
  touch "$JOBS/target/built"
fi
. scripts/env.sh
export FERRIS_KAFKA_STREAMS="$JOBS/target/classes:$JOBS/target/dependency/*"
cargo bench -p ferrisstreams --bench applications --no-run # so that no broker waits for the compiler
exec scripts/with-services.sh --kafka-only cargo bench --quiet -p ferrisstreams --bench applications -- "$@"
