#!/usr/bin/env bash
# Builds RocksDB once, as one static library, into the user's cache folder, and prints the folder.
#
#   scripts/build-rocksdb.sh          build if missing; the last line on standard output is the folder
#   scripts/build-rocksdb.sh --where  print the folder without building (exit 1 when it is missing)
#
# Cargo would compile RocksDB's 343 files again for every profile and set of flags, 25 CPU minutes
# each time; nearly all of that is parsing headers. Here the same files, as cargo unpacked them, are
# compiled as four units: some four CPU minutes, once, or two minutes on two idle cores. The crate then
# links the result through ROCKSDB_LIB_DIR and ROCKSDB_STATIC=1. LZ4 still comes from the lz4-sys crate.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

locked() { # the version of a package in Cargo.lock
  awk -v want="name = \"$1\"" '$0 == want { getline; gsub(/version = |"/, ""); print; exit }' Cargo.lock
}
SYS=$(locked librocksdb-sys)
LZ4=$(locked lz4-sys)
VERSION=${SYS#*+}
[[ -n $VERSION && -n $LZ4 ]] || { echo "build-rocksdb: Cargo.lock does not name librocksdb-sys and lz4-sys" >&2; exit 1; }

FLAGS=(-std=c++20 -O2 -fPIC -w -DNDEBUG -DLZ4=1 -DHAVE_ALIGNED_NEW -DHAVE_UINT128_EXTENSION
  -DOS_LINUX -DROCKSDB_PLATFORM_POSIX -DROCKSDB_LIB_IO_POSIX -DROCKSDB_SCHED_GETCPU_PRESENT
  -DROCKSDB_AUXV_GETAUXVAL_PRESENT -DROCKSDB_FALLOCATE_PRESENT -DROCKSDB_RANGESYNC_PRESENT -DROCKSDB_SUPPORT_THREAD_LOCAL)
VARIANT=""
if grep -qw sse4_2 /proc/cpuinfo && grep -qw pclmulqdq /proc/cpuinfo; then # checksums by machine instruction
  FLAGS+=(-msse4.2 -mpclmul)
  VARIANT=-sse42
fi
DIR=${XDG_CACHE_HOME:-$HOME/.cache}/ferrisstreams/rocksdb-$VERSION-lz4-o2$VARIANT

if [[ -f $DIR/librocksdb.a ]]; then
  echo "$DIR"
  exit 0
fi
[[ ${1:-} != --where ]] || exit 1

# ---- the sources, as cargo unpacks them

. scripts/env.sh
echo "build-rocksdb: fetching the crates" >&2
cargo fetch --target "$(rustc -vV | sed -n 's/^host: //p')" >&2

unpacked() { # the folder of a crate
  local folder
  for folder in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/"$1"; do
    [[ -d $folder ]] && echo "$folder" && return
  done
  echo "build-rocksdb: cargo did not unpack $1" >&2
  return 1
}
SRC=$(unpacked "librocksdb-sys-$SYS")
FLAGS+=("-I$SRC/rocksdb/include" "-I$SRC/rocksdb" "-I$SRC" "-I$(unpacked "lz4-sys-$LZ4")/liblz4/lib")

# ---- the build

mkdir -p "$DIR"
exec {gate}> "$DIR/.lock"
flock "$gate" # another build may be running
[[ ! -f $DIR/librocksdb.a ]] || { echo "$DIR"; exit 0; }
rm -rf "$DIR"/build.*
WORK=$(mktemp -d "$DIR/build.XXXXXX")
trap 'rm -rf "$WORK"' EXIT

UNITS=4
awk -v src="$SRC/rocksdb/" -v out="$WORK/part" -v units=$UNITS -v total="$(wc -l < "$SRC/rocksdb_lib_sources.txt")" '
  NF && $1 != "util/build_version.cc" {
    unit = 1 + int((NR - 1) * units / total)
    printf "#include \"%s%s\"\n", src, $1 > (out unit ".cc")
  }' "$SRC/rocksdb_lib_sources.txt"
cp "$SRC/build_version.cc" "$WORK/version.cc"

JOBS=$(nproc)
FREE_GIB=$(awk '/MemAvailable/ { print int($2 / 1048576) }' /proc/meminfo)
((JOBS * 4 <= FREE_GIB)) || JOBS=$((FREE_GIB < 8 ? 1 : FREE_GIB / 4)) # a unit takes up to 3.3 GB
((JOBS <= UNITS)) || JOBS=$UNITS
echo "build-rocksdb: building RocksDB $VERSION once into $DIR; $JOBS at a time, about $(((240 / JOBS + 59) / 60)) minutes" >&2

printf '"%s"\n' "${FLAGS[@]}" > "$WORK/flags"
# 255 makes xargs start nothing more; in its hands an interrupt reaches the compilers
find "$WORK" -name '*.cc' -print0 | xargs -0 -P "$JOBS" -n 1 bash -c '
  ${CXX:-g++} @"$0/flags" -c "$2" -o "${2%.cc}.o" || exit 255
  echo "build-rocksdb: $(basename "$2" .cc) is done, $((SECONDS + $1)) s" >&2' "$WORK" "$SECONDS"
ar rcs "$WORK/librocksdb.a" "$WORK"/*.o
mv "$WORK/librocksdb.a" "$DIR/librocksdb.a"
echo "build-rocksdb: built in $SECONDS s" >&2
echo "$DIR"
