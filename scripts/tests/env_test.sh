# shellcheck shell=bash
# env.sh: which toolchain is taken where the pinned one is not installed.

# A rustup that has the toolchains NAME=VERSION...; the pinned version is 1.95.0.
fake_rustup() {
  mkdir -p bin
  printf '%s\n' "$@" > bin/toolchains
  cat > bin/rustup <<'RUSTUP'
#!/usr/bin/env bash
here=$(dirname "$0")
case $1 in
  toolchain) cut -d= -f1 "$here/toolchains" ;;
  run) sed -n "s/^$2=\(.*\)/rustc \1 (0000000 2026-01-01)/p" "$here/toolchains" ;;
esac
RUSTUP
  chmod +x bin/rustup
}

chosen() {
  env -u RUSTUP_TOOLCHAIN PATH="$PWD/bin:$PATH" bash -c '. "$SCRIPTS/env.sh"; echo "${RUSTUP_TOOLCHAIN:-none}"'
}

test_the_pinned_toolchain_needs_no_override() {
  fake_rustup 1.95.0-x86_64-unknown-linux-gnu=1.95.0 stable-x86_64-unknown-linux-gnu=1.99.0
  [[ $(chosen) == none ]]
}

test_a_stable_of_the_same_version_stands_in() {
  fake_rustup stable-x86_64-unknown-linux-gnu=1.95.0 1.80.0-x86_64-unknown-linux-gnu=1.80.0
  [[ $(chosen) == stable-x86_64-unknown-linux-gnu ]]
}

test_the_oldest_of_the_newer_ones_stands_in() {
  fake_rustup stable-x86_64-unknown-linux-gnu=1.101.0 1.97.1-x86_64-unknown-linux-gnu=1.97.1 nightly-x86_64-unknown-linux-gnu=1.96.0
  [[ $(chosen) == 1.97.1-x86_64-unknown-linux-gnu ]]
}

test_an_older_toolchain_is_not_taken() {
  fake_rustup stable-x86_64-unknown-linux-gnu=1.94.0
  [[ $(chosen) == none ]]
}
