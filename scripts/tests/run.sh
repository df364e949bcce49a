#!/usr/bin/env bash
# Tests of the scripts: runs every function test_* of the files *_test.sh beside this one.
#
#   scripts/tests/run.sh [WORD]   only tests whose name contains WORD
#
# Each test runs in a shell of its own with `set -e`, in an empty directory, and passes when nothing in it
# fails. The output has the form of cargo test's.
set -uo pipefail
TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export SCRIPTS=${TESTS%/tests}

declare -A FILE
for file in "$TESTS"/*_test.sh; do
  for name in $(sed -n 's/^\(test_[a-z0-9_]*\)() {.*/\1/p' "$file"); do
    [[ "$name" != *"${1:-}"* ]] || FILE[$name]=$file
  done
done

echo "     Running scripts/tests/run.sh"
echo "running ${#FILE[@]} tests"
STARTED=$SECONDS PASSED=0 FAILED=0
for name in $(printf '%s\n' "${!FILE[@]}" | sort); do
  work=$(mktemp -d)
  (cd "$work" && exec bash -euo pipefail -c 'trap "echo \"failed in line \$LINENO of \$0\"" ERR; set -E; . "$0"; "$1"' "${FILE[$name]}" "$name") \
    > "$work.log" 2>&1 < /dev/null && result=ok || result=FAILED
  echo "test $name ... $result"
  if [[ $result == ok ]]; then
    PASSED=$((PASSED + 1))
  else
    FAILED=$((FAILED + 1))
    sed 's/^/    /' "$work.log"
  fi
  rm -rf "$work" "$work.log"
done
((FAILED)) && result=FAILED || result=ok
echo
echo "test result: $result. $PASSED passed; $FAILED failed; 0 ignored; 0 measured; 0 filtered out; finished in $((SECONDS - STARTED)).00s"
((FAILED == 0))
