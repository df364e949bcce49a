#!/usr/bin/env bash
# Runs a command with a Kafka broker and a PostgreSQL server beside it, and stops both when it ends.
#
#   scripts/with-services.sh [--kafka-only | --postgres-only] [--brokers 1|3] COMMAND...
#
# Both are new and empty, listen on free loopback ports and live in a temporary directory, which goes
# with them. The command finds them through
#
#   FERRIS_TEST_KAFKA      host:port of each broker, separated by commas
#   FERRIS_TEST_POSTGRES   postgres://user:password@host:port/database
#   PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE, and psql of the server's version first in PATH
#
# The status is that of the command; 1 when a service could not be started, 128 + n after a signal n.
# However this script ends, by INT, TERM or KILL too, and when the process that started it is killed,
# the services are stopped, and so is everything that the command left running.
set -euo pipefail
SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# ---- the reaper: a process in a session of its own, whose input ends when this script does

# Those that carry the mark of the run in their environment: the services, the command, and all that it started.
marked() { grep -lszE "^FERRIS_SERVICES=(.*:)?$1(:.*)?\$" /proc/[0-9]*/environ | cut -d/ -f3 || true; }

reap() { # DIR
  local dir=$1 round pids pid
  cat > /dev/null
  for ((round = 0; round < 100; round++)); do
    pids=$(marked "$dir")
    [[ -n $pids ]] || break
    for pid in $pids; do
      if ((round < 60)) && [[ $(cat "/proc/$pid/comm" 2> /dev/null) == postgres ]]; then
        ((round > 0)) || kill -QUIT "$pid" 2> /dev/null || true # immediate shutdown: it takes its children along
      else
        kill -KILL "$pid" 2> /dev/null || true
      fi
    done
    sleep 0.05
  done
  rm -rf "$dir"
}

if [[ ${1:-} == --reap ]]; then
  trap '' INT TERM HUP
  reap "$2"
  exit
fi
if [[ ${1:-} != --watched ]]; then # be told when the process dies that started this one
  exec setpriv --pdeathsig TERM "$0" --watched "$@"
fi
shift

# ---- the services

start_kafka() {
  local dir=$DIR/kafka attempt i pid members status
  for attempt in 1 2 3 4 5; do
    "$SCRIPTS/kafka.sh" configure "$dir" "$BROKERS" || return 1
    members=()
    for ((i = 1; i <= BROKERS; i++)); do
      setsid "$SCRIPTS/kafka.sh" node "$dir" "$i" &
      members+=("$i=$!")
    done
    status=0
    "$SCRIPTS/kafka.sh" wait "$dir" "${members[@]}" || status=$?
    ((status == 3)) || return $status
    for pid in "${members[@]#*=}"; do kill -KILL "$pid" 2> /dev/null || true; done
  done
  echo "with-services: no free port for Kafka in $attempt attempts" >&2
  return 1
}

start_postgres() {
  local dir=$DIR/postgres attempt status
  for attempt in 1 2 3 4 5; do
    "$SCRIPTS/postgres.sh" configure "$dir" || return 1
    setsid "$SCRIPTS/postgres.sh" server "$dir" &
    status=0
    "$SCRIPTS/postgres.sh" wait "$dir" $! || status=$?
    ((status == 3)) || return $status
  done
  echo "with-services: no free port for PostgreSQL in $attempt attempts" >&2
  return 1
}

export_addresses() {
  if ((WITH_KAFKA)); then
    FERRIS_TEST_KAFKA=$("$SCRIPTS/kafka.sh" addresses "$DIR/kafka")
    export FERRIS_TEST_KAFKA
  fi
  if ((WITH_POSTGRES)); then
    FERRIS_TEST_POSTGRES=$("$SCRIPTS/postgres.sh" url "$DIR/postgres")
    [[ $FERRIS_TEST_POSTGRES =~ ^postgres://(.*):(.*)@(.*):(.*)/(.*)$ ]]
    export FERRIS_TEST_POSTGRES PGUSER=${BASH_REMATCH[1]} PGPASSWORD=${BASH_REMATCH[2]} \
      PGHOST=${BASH_REMATCH[3]} PGPORT=${BASH_REMATCH[4]} PGDATABASE=${BASH_REMATCH[5]}
    PATH=$("$SCRIPTS/postgres.sh" where):$PATH
  fi
}

# ---- the run

WITH_KAFKA=1 WITH_POSTGRES=1 BROKERS=1
while [[ ${1:-} == --* ]]; do
  case $1 in
    --kafka-only) WITH_POSTGRES=0 ;;
    --postgres-only) WITH_KAFKA=0 ;;
    --brokers) BROKERS=${2:-} && shift ;;
    *) echo "with-services: unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
(($#)) || { sed -n '2,/^set/ { /^#/ s/^# \{0,1\}//p }' "$0"; exit 2; }
[[ $BROKERS == 1 || $BROKERS == 3 ]] || { echo "with-services: --brokers takes 1 or 3, not $BROKERS" >&2; exit 2; }
((WITH_KAFKA || WITH_POSTGRES)) || { echo "with-services: --kafka-only and --postgres-only exclude each other" >&2; exit 2; }
if ((WITH_KAFKA)); then "$SCRIPTS/kafka.sh" prepare; fi

DIR=$(mktemp -d "${TMPDIR:-/tmp}/ferris-services.XXXXXX")
chmod 711 "$DIR" # PostgreSQL may have to run as another user
mkfifo "$DIR/life"
setsid "$0" --reap "$DIR" < "$DIR/life" &
REAPER=$!
exec {LIFE}> "$DIR/life"

finish() { # hands over to the reaper and waits for it
  local status=$?
  trap '' INT TERM HUP
  exec {LIFE}>&-
  wait "$REAPER" || true
  exit "${CAUGHT:-$status}"
}
trap finish EXIT

COMMAND=""
on_signal() { # NAME NUMBER: the command gets it too, and then five seconds
  CAUGHT=$((128 + $2))
  [[ -n $COMMAND ]] || exit
  kill -s "$1" "$COMMAND" 2> /dev/null || true
  (sleep 5; kill -KILL "$COMMAND" 2> /dev/null) {LIFE}>&- &
}
trap 'on_signal INT 2' INT
trap 'on_signal TERM 15' TERM
trap 'on_signal HUP 1' HUP

export FERRIS_SERVICES=${FERRIS_SERVICES:+$FERRIS_SERVICES:}$DIR FERRIS_PORT_OWNER=$$
STARTERS=()
if ((WITH_KAFKA)); then start_kafka {LIFE}>&- & STARTERS+=($!); fi
if ((WITH_POSTGRES)); then start_postgres {LIFE}>&- & STARTERS+=($!); fi
for starter in "${STARTERS[@]}"; do
  wait "$starter" || { echo "with-services: a service could not be started" >&2; exit 1; }
done
unset FERRIS_PORT_OWNER
export_addresses

# In the background, because only then does bash act on a signal before the command has ended. Bash
# makes such a command ignore INT and QUIT, which is undone here.
env --default-signal=INT,QUIT "$@" <&0 {LIFE}>&- &
COMMAND=$!
while :; do # a signal interrupts the wait, but not the command
  status=0
  wait "$COMMAND" || status=$?
  kill -0 "$COMMAND" 2> /dev/null || break
done
exit $status
