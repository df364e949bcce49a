# shellcheck shell=bash
# Sourced: the environment in which cargo builds this workspace. By hand, in bash:  . scripts/env.sh
#
# - cargo from ~/.cargo/bin when PATH has none;
# - the toolchain: that of rust-toolchain.toml where rustup has it. Elsewhere another installed one that is
#   the same version or newer, through RUSTUP_TOOLCHAIN, so that no build waits for a download;
# - RocksDB as scripts/build-rocksdb.sh built it, if it has (ROCKSDB_LIB_DIR, ROCKSDB_STATIC);
# - in CI one target directory for all clones (CARGO_TARGET_DIR), so that it stays warm.

_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

command -v cargo > /dev/null || PATH=$HOME/.cargo/bin:$PATH
export PATH

pinned_rust() { sed -n 's/^channel = "\(.*\)"/\1/p' "$_root/rust-toolchain.toml"; }

newer_or_same() { # whether version $1 is at least $2
  [[ $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$2" ]]
}

# The name of the installed toolchain that comes nearest to the pinned one, among those not older; empty: none.
nearest_toolchain() {
  local pin toolchain version best="" best_version=""
  pin=$(pinned_rust)
  while read -r toolchain _; do
    [[ $toolchain != nightly* ]] || continue
    version=$(rustup run "$toolchain" rustc --version 2> /dev/null | cut -d' ' -f2)
    newer_or_same "${version:-0}" "$pin" || continue
    if [[ -z $best ]] || newer_or_same "$best_version" "$version"; then best=$toolchain best_version=$version; fi
  done < <(rustup toolchain list)
  echo "$best"
}

if [[ -z ${RUSTUP_TOOLCHAIN:-} ]] && command -v rustup > /dev/null && ! rustup toolchain list | grep -q "^$(pinned_rust)-"; then
  RUSTUP_TOOLCHAIN=$(nearest_toolchain)
  if [[ -n $RUSTUP_TOOLCHAIN ]]; then export RUSTUP_TOOLCHAIN; else unset RUSTUP_TOOLCHAIN; fi
fi

if [[ -n ${CI:-} ]]; then
  export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/ferrisstreams/target} CARGO_INCREMENTAL=0
fi

if ROCKSDB_LIB_DIR=$("$_root/scripts/build-rocksdb.sh" --where); then
  export ROCKSDB_LIB_DIR ROCKSDB_STATIC=1
else
  unset ROCKSDB_LIB_DIR
fi
