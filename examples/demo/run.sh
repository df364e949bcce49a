#!/usr/bin/env bash
# The demo: SQL over files that grow while it runs.
#
#   examples/demo/run.sh   finds the command in FERRIS_BIN, or in PATH
#
# It makes a hundred thousand orders (CSV) and a thousand users (JSON lines), runs analytics.sql over
# them, and appends orders and changes users meanwhile. On a terminal it goes on until Ctrl-C; elsewhere
# it ends after some twenty seconds with the tables as they then are.
set -euo pipefail
DEMO=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
FERRIS=${FERRIS_BIN:-ferris}
ORDERS=${DEMO_ORDERS:-100000}
USERS=${DEMO_USERS:-1000}
SECONDS_TO_RUN=${DEMO_SECONDS:-20}

DIR=$(mktemp -d)
APPENDER=
finish() {
  [[ -z $APPENDER ]] || kill "$APPENDER" 2> /dev/null || true
  rm -rf "$DIR"
}
trap finish EXIT

make_orders() { # FIRST COUNT HEADER
  awk -v what=orders -v first="$1" -v count="$2" -v users="$USERS" -v seed="$1" -v header="$3" -f "$DEMO/data.awk"
}

append() { # for ever: a few orders at a time, and now and then a user who moves to a better tier
  local next=$((ORDERS + 1)) round=0
  while sleep 0.2; do
    make_orders "$next" 25 0 >> "$DIR/orders.csv"
    next=$((next + 25)) round=$((round + 1))
    if ((round % 25 == 0)); then
      sed '1,20 s/"free"/"premium"/' "$DIR/users.jsonl" > "$DIR/users.new"
      mv "$DIR/users.new" "$DIR/users.jsonl"
    fi
  done
}

cp "$DEMO/analytics.sql" "$DIR/"
awk -v what=users -v count="$USERS" -f "$DEMO/data.awk" > "$DIR/users.jsonl"
make_orders 1 "$ORDERS" 1 > "$DIR/orders.csv"
echo "demo: $ORDERS orders in $DIR/orders.csv, $USERS users in $DIR/users.jsonl; the SQL is $DEMO/analytics.sql"

append &
APPENDER=$!
if [[ -t 1 && -t 2 ]]; then
  echo "demo: both grow while you look; Ctrl-C ends it"
  "$FERRIS" run "$DIR/analytics.sql" --state-dir "$DIR/state" "$@"
else
  "$FERRIS" run "$DIR/analytics.sql" --state-dir "$DIR/state" --for "$SECONDS_TO_RUN" "$@"
fi
