#!/usr/bin/env bash
# Sees to it that this machine has what building needs, or testing too, and installs what is missing.
#
#   scripts/setup.sh build    a C++ compiler, make, libclang (for the bindings of RocksDB), the headers of
#                             OpenSSL and pkg-config, which finds them (for Kafka clients with TLS), Rust
#   scripts/setup.sh test     the same, and a Java runtime, Maven and the command openssl (for Kafka) and a PostgreSQL server
#
# It says what it installs before it does so, and does nothing where nothing is missing. Made for
# Debian 12; on a newer Debian or on Ubuntu it takes the versions found there. It needs root, or sudo,
# only when a package is missing. Rust comes from rustup, which is not installed for you unless
# Debian has it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
WANTED=${1:-test}
[[ $WANTED == build || $WANTED == test ]] || { sed -n '2,/^set/ { /^#/ s/^# \{0,1\}//p }' "$0"; exit 2; }

have() { command -v "$1" > /dev/null; }

has_libclang() { # the library, and clang's own headers
  [[ -z ${LIBCLANG_PATH:-} ]] || return 0
  compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' > /dev/null && compgen -G '/usr/lib/llvm-*/lib/clang/*/include/stddef.h' > /dev/null
}

has_openssl() { # its headers and libraries, as the build looks for them
  [[ -n ${OPENSSL_DIR:-} ]] || { have pkg-config && pkg-config --exists openssl; }
}

has_java() { # 17 or later
  have java && [[ $(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p') -ge 17 ]]
}

# What is missing, as words for people; packages() turns them into names of packages.
missing() {
  have g++ && have ar || echo compiler
  have make || echo make
  has_libclang || echo libclang
  has_openssl || echo openssl
  [[ -e /etc/ssl/certs/ca-certificates.crt || -n ${SSL_CERT_FILE:-} ]] || echo certificates
  if [[ $WANTED == test ]]; then
    has_java || echo java
    have mvn || echo maven
    have openssl || echo openssl-command
    scripts/postgres.sh where > /dev/null || echo postgresql
  fi
}

available() { apt-cache show "$1" > /dev/null 2>&1; }

packages() { # after apt-get update, since the names depend on the release
  local thing version
  for thing; do
    case $thing in
      compiler) echo g++ ;;
      libclang)
        version=14
        available libclang1-14 || version=$(apt-cache pkgnames libclang1- | sed -n 's/^libclang1-\([0-9]*\)$/\1/p' | sort -n | tail -n 1)
        echo "libclang1-$version" "libclang-common-$version-dev"
        ;;
      openssl) echo libssl-dev pkg-config ;;
      openssl-command) echo openssl ;;
      certificates) echo ca-certificates ;;
      java) available openjdk-17-jdk-headless && echo openjdk-17-jdk-headless || echo default-jdk-headless ;;
      postgresql) available postgresql-15 && echo postgresql-15 || echo postgresql ;;
      *) echo "$thing" ;;
    esac
  done
}

as_root() {
  if ((UID == 0)); then "$@"; else sudo -- "$@"; fi
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends "$@"
}

# A server package makes a cluster and starts it. Nobody asked for one: for the time of the installation
# that is switched off.
install_postgresql() {
  local conf=/etc/postgresql-common/createcluster.conf
  apt_install postgresql-common
  as_root cp -p $conf $conf.before
  as_root sed -i -e '/^#\?create_main_cluster/d' -e '$a create_main_cluster = false' $conf
  local status=0
  apt_install "$@" || status=$?
  as_root mv $conf.before $conf
  return $status
}

install_missing() {
  local things names
  mapfile -t things < <(missing)
  ((${#things[@]})) || return 0
  echo "setup: missing here: ${things[*]}"
  have apt-get || { echo "setup: this is no Debian; install them by hand and try again" >&2; exit 1; }
  ((UID == 0)) || have sudo || { echo "setup: become root, or install sudo, and try again" >&2; exit 1; }
  as_root apt-get -q update
  mapfile -t names < <(packages "${things[@]}" | tr ' ' '\n')
  echo "setup: installing with apt-get: ${names[*]}"
  if [[ " ${names[*]} " == *" postgresql"* ]]; then install_postgresql "${names[@]}"; else apt_install "${names[@]}"; fi
  mapfile -t things < <(missing)
  ((${#things[@]} == 0)) || { echo "setup: still missing after the installation: ${things[*]}" >&2; exit 1; }
}

# ---- Rust

how_to_get_rust() {
  cat >&2 <<HELP
setup: Rust $PIN or later is needed, and $1.
       Install rustup as https://rustup.rs says, then run this again; or, without rustup, put a cargo
       and rustc of that version into PATH.
HELP
  exit 1
}

install_rustup() { # Debian has it from release 13 on
  have apt-get && available rustup || how_to_get_rust "this machine has neither cargo nor rustup"
  echo "setup: installing with apt-get: rustup"
  apt_install rustup
}

check_rust() {
  . scripts/env.sh
  PIN=$(pinned_rust)
  have cargo || have rustup || install_rustup
  if have rustup; then
    if rustup toolchain list | grep -q "^$PIN-"; then return; fi
    if [[ $(rustup run "${RUSTUP_TOOLCHAIN:-none}" rustc --version 2> /dev/null) == "rustc $PIN "* ]]; then return; fi
    echo "setup: installing Rust $PIN with rustup"
    if timeout 600 rustup toolchain install "$PIN" --profile minimal --component rustfmt --component clippy; then return; fi
    [[ -n ${RUSTUP_TOOLCHAIN:-} ]] || how_to_get_rust "rustup could not install it"
    echo "setup: Rust $PIN could not be installed; building with $RUSTUP_TOOLCHAIN instead"
  else
    newer_or_same "$(rustc --version | cut -d' ' -f2)" "$PIN" || how_to_get_rust "$(rustc --version) is here"
  fi
}

install_missing
check_rust
