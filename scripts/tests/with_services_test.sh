# shellcheck shell=bash
# with-services.sh: its status, what the command finds, and that nothing is left whatever happens.

gone() { # nothing of the run in DIR is left: no directory, no process that carries its mark
  local round
  for ((round = 0; round < 200; round++)); do
    if [[ ! -e $1 ]] && ! grep -qszE "^FERRIS_SERVICES=(.*:)?$1\$" /proc/[0-9]*/environ; then return 0; fi
    sleep 0.05
  done
  echo "left behind: $1"
  grep -lszE "^FERRIS_SERVICES=(.*:)?$1\$" /proc/[0-9]*/environ
  return 1
}

appears() { # FILE
  local round
  for ((round = 0; round < 1200; round++)); do
    [[ ! -s $1 ]] || return 0
    sleep 0.05
  done
  echo "there is still no $1"
  return 1
}

# Writes its directory to ./dir, then stays for ten minutes.
STAY='echo "${FERRIS_SERVICES##*:}" > dir.part; mv dir.part dir; exec sleep 600'

test_status_is_that_of_the_command() {
  local status=0
  "$SCRIPTS/with-services.sh" --postgres-only bash -c 'exit 7' || status=$?
  ((status == 7))
  "$SCRIPTS/with-services.sh" --postgres-only true
}

test_both_services_answer() {
  "$SCRIPTS/with-services.sh" bash -euc '
    [[ $(psql -XAtc "select current_setting(\$\$wal_level\$\$)") == logical ]]
    [[ $(psql -XAtc "select 1" "$FERRIS_TEST_POSTGRES") == 1 ]]
    [[ $FERRIS_TEST_KAFKA =~ ^127\.0\.0\.1:[0-9]+$ ]]
    exec 3<> /dev/tcp/${FERRIS_TEST_KAFKA/:/\/}
    echo "${FERRIS_SERVICES##*:}" > dir'
  gone "$(cat dir)"
}

test_one_service_alone() {
  "$SCRIPTS/with-services.sh" --postgres-only bash -c '[[ -n $FERRIS_TEST_POSTGRES && -z ${FERRIS_TEST_KAFKA:-} ]]'
  "$SCRIPTS/with-services.sh" --kafka-only bash -c '[[ -n $FERRIS_TEST_KAFKA && -z ${FERRIS_TEST_POSTGRES:-} ]]'
}

test_three_brokers() {
  "$SCRIPTS/with-services.sh" --kafka-only --brokers 3 bash -euc '
    IFS=, read -ra brokers <<< "$FERRIS_TEST_KAFKA"
    ((${#brokers[@]} == 3))
    for broker in "${brokers[@]}"; do exec 3<> /dev/tcp/${broker/:/\/}; done'
}

test_what_the_command_left_running_is_stopped() {
  "$SCRIPTS/with-services.sh" --postgres-only bash -c '
    echo "${FERRIS_SERVICES##*:}" > dir
    setsid sleep 600 & echo $! > pid'
  gone "$(cat dir)"
  [[ ! -e /proc/$(cat pid) || $(cat "/proc/$(cat pid)/stat") == *") Z "* ]]
}

test_input_reaches_the_command() {
  [[ $(echo hello | "$SCRIPTS/with-services.sh" --postgres-only cat) == hello ]]
}

stopped_by() { # SIGNAL, sent to the script alone; leaves the status in STATUS
  # bash starts what runs in the background with INT ignored
  env --default-signal=INT "$SCRIPTS/with-services.sh" bash -c "$STAY" &
  local pid=$!
  appears dir
  kill -s "$1" $pid
  STATUS=0
  wait $pid || STATUS=$?
  gone "$(cat dir)"
}

test_terminated() {
  stopped_by TERM
  ((STATUS == 143))
}

test_interrupted() {
  stopped_by INT
  ((STATUS == 130))
}

test_killed() {
  stopped_by KILL
  ((STATUS == 137))
}

test_the_parent_is_killed() {
  bash -c '"$0/with-services.sh" bash -c "$1"; true' "$SCRIPTS" "$STAY" &
  local pid=$!
  appears dir
  kill -KILL $pid
  gone "$(cat dir)"
}

test_a_broker_that_does_not_start_is_shown() {
  local status=0
  JAVA_TOOL_OPTIONS=-XX:NoSuchOption TMPDIR=$PWD "$SCRIPTS/with-services.sh" --kafka-only touch ran > out 2>&1 || status=$?
  ((status == 1))
  grep -q NoSuchOption out
  grep -q "node 1 ended" out
  [[ ! -e ran ]]
  ! compgen -G 'ferris-services.*'
}

test_a_server_that_is_too_slow_is_shown() {
  local status=0
  chmod 711 .
  FERRIS_START_SECONDS=0 "$SCRIPTS/with-services.sh" touch ran > out 2>&1 || status=$?
  ((status == 1))
  grep -q "not ready after 0 s" out
  [[ ! -e ran ]]
}

test_wrong_usage() {
  local status=0
  "$SCRIPTS/with-services.sh" --no-such-option true 2> /dev/null || status=$?
  ((status == 2))
  status=0
  "$SCRIPTS/with-services.sh" --kafka-only --postgres-only true 2> /dev/null || status=$?
  ((status == 2))
  status=0
  "$SCRIPTS/with-services.sh" > out || status=$?
  ((status == 2))
  grep -q FERRIS_TEST_POSTGRES out
}
