#!/usr/bin/env bash
# Builds RocksDB once, as one static library, into the user's cache folder, and prints the folder.
#
#   scripts/build-rocksdb.sh          build if missing; the last line on standard output is the folder
#   scripts/build-rocksdb.sh --where  print the folder without building (exit 1 when it is missing)
#
# Cargo would compile RocksDB's 343 files again for every profile and set of flags, 25 CPU minutes
# each time; nearly all of that is parsing headers. Here the same files, as cargo unpacked them, are
# compiled as four units, which takes some eight CPU minutes, once. The crate then links the result
# through ROCKSDB_LIB_DIR and ROCKSDB_STATIC=1. LZ4 still comes from the lz4-sys crate.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

field() { # version of a locked package
  awk -v want="name = \"$1\"" '$0 == want { getline; gsub(/version = |"/, ""); print; exit }' Cargo.lock
}
SYS=$(field librocksdb-sys)
LZ4=$(field lz4-sys)
VERSION=${SYS#*+}
[[ -n $VERSION && -n $LZ4 ]] || { echo "build-rocksdb: Cargo.lock does not name librocksdb-sys and lz4-sys" >&2; exit 1; }

MACHINE_FLAGS=""
VARIANT=""
if grep -qw sse4_2 /proc/cpuinfo 2>/dev/null && grep -qw pclmulqdq /proc/cpuinfo; then
  MACHINE_FLAGS="-msse4.2 -mpclmul"
  VARIANT="-sse42"
fi
DIR=${XDG_CACHE_HOME:-$HOME/.cache}/ferrisstreams/rocksdb-$VERSION-lz4-o2$VARIANT

if [[ ${1:-} == --where ]]; then
  [[ -f $DIR/librocksdb.a ]] || exit 1
  echo "$DIR"
  exit 0
fi
if [[ -f $DIR/librocksdb.a ]]; then
  echo "$DIR"
  exit 0
fi

cargo fetch --locked --quiet >&2
REGISTRY=${CARGO_HOME:-$HOME/.cargo}/registry/src
SRC=$(echo "$REGISTRY"/*/"librocksdb-sys-$SYS")
LZ4_INCLUDE=$(echo "$REGISTRY"/*/"lz4-sys-$LZ4"/liblz4/lib)
[[ -d $SRC/rocksdb && -d $LZ4_INCLUDE ]] || { echo "build-rocksdb: cargo did not unpack RocksDB's sources under $REGISTRY" >&2; exit 1; }

mkdir -p "$DIR"
exec 9>"$DIR/.lock"
flock 9 # another build may be running
[[ -f $DIR/librocksdb.a ]] && { echo "$DIR"; exit 0; }

WORK=$(mktemp -d "$DIR/build.XXXXXX")
trap 'rm -rf "$WORK"' EXIT
FLAGS="-std=c++20 -O2 -fPIC -w $MACHINE_FLAGS -DNDEBUG -DLZ4=1 -DHAVE_ALIGNED_NEW -DHAVE_UINT128_EXTENSION
  -DOS_LINUX -DROCKSDB_PLATFORM_POSIX -DROCKSDB_LIB_IO_POSIX -DROCKSDB_SCHED_GETCPU_PRESENT
  -DROCKSDB_AUXV_GETAUXVAL_PRESENT -DROCKSDB_FALLOCATE_PRESENT -DROCKSDB_RANGESYNC_PRESENT -DROCKSDB_SUPPORT_THREAD_LOCAL
  -I$SRC/rocksdb/include -I$SRC/rocksdb -I$SRC -I$LZ4_INCLUDE"

UNITS=4
awk -v src="$SRC/rocksdb/" -v out="$WORK/unit" -v units=$UNITS -v total="$(wc -l < "$SRC/rocksdb_lib_sources.txt")" '
  NF && $1 != "util/build_version.cc" {
    unit = int((NR - 1) * units / total)
    printf "#include \"%s%s\"\n", src, $1 > (out unit ".cc")
  }' "$SRC/rocksdb_lib_sources.txt"
cp "$SRC/build_version.cc" "$WORK/version.cc"

JOBS=$(nproc)
FREE_GIB=$(awk '/MemAvailable/ { print int($2 / 1048576) }' /proc/meminfo)
(( JOBS * 4 > FREE_GIB )) && JOBS=$(( FREE_GIB / 4 > 0 ? FREE_GIB / 4 : 1 )) # a unit takes up to 3.3 GB
echo "building RocksDB $VERSION once into $DIR ($JOBS jobs, about $(( 8 / (JOBS < UNITS ? JOBS : UNITS) + 1 )) minutes)" >&2
STARTED=$SECONDS
for unit in "$WORK"/*.cc; do echo "$unit"; done |
  xargs -P "$JOBS" -I{} sh -c "g++ $(echo $FLAGS) -c {} -o {}.o"
ar rcs "$WORK/librocksdb.a" "$WORK"/*.o
mv "$WORK/librocksdb.a" "$DIR/librocksdb.a"
echo "built RocksDB $VERSION in $((SECONDS - STARTED)) s" >&2
echo "$DIR"
