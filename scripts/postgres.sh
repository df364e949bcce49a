#!/usr/bin/env bash
# A PostgreSQL cluster for tests, in a directory of its own. Clusters of the system are left alone.
#
#   scripts/postgres.sh where            the folder of the server's programs (15 or later); fails when there is none
#   scripts/postgres.sh configure DIR    lay out a new cluster in DIR, on a free port
#   scripts/postgres.sh server DIR       become the server (exec: the caller's child is the postmaster); logs to DIR/log
#   scripts/postgres.sh wait DIR PID     until the server that was started with this process id accepts connections
#   scripts/postgres.sh url DIR          how to connect, as a URL with user and password
#
# `wait` fails with 3 when the port was taken by somebody else: configure again, and start again.
# It takes at most FERRIS_START_SECONDS (60). The cluster is fit for tests only: it never syncs to disk.
# Logical replication is on, time zone and collation are UTC and C, so that results are the same anywhere.
set -euo pipefail
SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$SCRIPTS/service.sh"

where() {
  local initdb version best=0 folder=""
  for initdb in /usr/lib/postgresql/*/bin/initdb; do
    version=${initdb#/usr/lib/postgresql/}
    version=${version%%/*}
    [[ -x $initdb && -x ${initdb%initdb}psql && $version =~ ^[0-9]+$ ]] || continue
    # 15 is what the tests are written for; without it, the newest
    [[ $version == 15 ]] && version=1000
    ((version >= 15 && version > best)) && best=$version folder=${initdb%/initdb}
  done
  [[ -n $folder ]] && echo "$folder"
}

# PostgreSQL refuses to run as root: then it runs as another user, who owns DIR/data.
server_user() {
  ((UID != 0)) && id -un && return
  id -u postgres > /dev/null 2>&1 && echo postgres || echo nobody
}

as_server() { # becomes COMMAND, in a folder that everybody may enter
  local user
  cd /
  ((UID != 0)) && exec "$@"
  user=$(server_user)
  exec setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups -- env HOME=/ "$@"
}

configure() { # DIR
  local dir=$1 bin port password
  bin=$(where) || { echo "postgres: no PostgreSQL server of version 15 or later on this machine: make setup" >&2; exit 1; }
  port=$(take_ports 1)
  password=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
  rm -rf "$dir/data"
  mkdir -p "$dir/data"
  (umask 077 && echo "$password" > "$dir/password")
  ((UID != 0)) || chown "$(server_user)" "$dir/data" "$dir/password"
  (as_server "$bin/initdb" --pgdata="$dir/data" --username=ferris --pwfile="$dir/password" --auth=scram-sha-256 \
    --encoding=UTF8 --locale=C --no-sync --no-instructions) > "$dir/log" 2>&1 || {
    echo "postgres: a cluster could not be made:" >&2
    tail -n 20 "$dir/log" >&2
    exit 1
  }
  cat >> "$dir/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = ''
max_connections = 200
shared_buffers = 64MB
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = logical
max_wal_senders = 32
max_replication_slots = 64
timezone = 'UTC'
log_timezone = 'UTC'
CONF
  (umask 077 && echo "postgres://ferris:$password@127.0.0.1:$port/postgres" > "$dir/url")
}

server() { # DIR
  local bin
  bin=$(where)
  exec > "$1/log" 2>&1 < /dev/null
  as_server "$bin/postgres" -D "$1/data"
}

await() { # DIR PID
  patiently "postgres: the server" "$1/log" "$2" "$(where)/pg_isready" --quiet --dbname="$(cat "$1/url")"
}

case ${1:-} in
  where) where ;;
  configure) mkdir -p "$2" && configure "$(realpath "$2")" ;;
  server) server "$(realpath "$2")" ;;
  wait) await "$(realpath "$2")" "$3" ;;
  url) cat "$2/url" ;;
  *) sed -n '2,/^set/ { /^#/ s/^# \{0,1\}//p }' "$0"; exit 2 ;;
esac
