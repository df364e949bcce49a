# shellcheck shell=bash
# Sourced, not run: what the scripts that start a service for tests share, ports and patience.

PORTS_DIR=${TMPDIR:-/tmp}/ferris-ports-$UID
readonly PORTS_DIR PORTS_FIRST=20000 PORTS_SLOT=10 PORTS_SLOTS=1200
START_SECONDS=${FERRIS_START_SECONDS:-60}

# Prints the first of COUNT (at most 10) neighbouring free loopback ports.
#
# They lie below the range that the kernel gives to outgoing connections, so that no client of anything
# can hold one while its broker is down. They stay reserved, against others who use this function, while
# the process lives that FERRIS_PORT_OWNER names (else the caller's parent): a killed broker finds its port again.
take_ports() { # COUNT
  local count=$1 owner=${FERRIS_PORT_OWNER:-$PPID} attempt port lock holder i
  mkdir -p "$PORTS_DIR" || return 1
  (
    exec {gate}> "$PORTS_DIR/.gate"
    flock "$gate"
    for ((attempt = 0; attempt < 200; attempt++)); do
      port=$((PORTS_FIRST + PORTS_SLOT * (RANDOM % PORTS_SLOTS)))
      lock=$PORTS_DIR/$port
      if holder=$(readlink "$lock"); then
        [[ ! -d /proc/$holder ]] || continue
        rm -f "$lock"
      fi
      for ((i = 0; i < count; i++)); do
        ! { exec {probe}<> "/dev/tcp/127.0.0.1/$((port + i))" && exec {probe}>&-; } 2> /dev/null || continue 2
      done
      ln -s "$owner" "$lock" && echo "$port" && exit 0
    done
    echo "no free port found on the loopback interface" >&2
    exit 1
  )
}

is_running() { # PID: there, and no zombie
  [[ $(cat "/proc/$1/stat" 2> /dev/null) == *") "[^Z]" "* ]]
}

# Repeats CHECK until it holds. Gives up, with the end of LOG, when the process PID ends or START_SECONDS
# have passed since the script began; fails with 3 when the process ended because its port was taken.
patiently() { # NAME LOG PID CHECK...
  local name=$1 log=$2 pid=$3
  shift 3
  until "$@"; do
    if ! is_running "$pid"; then
      ! grep -qs "Address already in use" "$log" || return 3
      echo "$name ended; its log ends so:" >&2
    elif ((SECONDS >= START_SECONDS)); then
      echo "$name is not ready after $START_SECONDS s; its log ends so:" >&2
    else
      sleep 0.05
      continue
    fi
    tail -n 20 "$log" >&2
    return 1
  done
}
