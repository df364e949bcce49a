#!/usr/bin/env bash
# Formatting, lints and documentation of the whole workspace; a warning is a failure.
#
# cargo-deny (licences, bans, sources; see deny.toml) and shellcheck run too where they are installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh build
scripts/build-rocksdb.sh > /dev/null # the bindings' build script asks for it
. scripts/env.sh
FAILED=()
step() { # NAME COMMAND...
  local name=$1
  shift
  echo "lint: $name"
  "$@" || FAILED+=("$name")
}

step "formatting" cargo fmt --all --check
step "clippy" cargo clippy --quiet --workspace --all-targets -- --deny warnings
# Once as users see it, where a link to something private is a mistake, and once with all that is private,
# where every link must lead somewhere.
export RUSTDOCFLAGS="--deny warnings"
step "documentation" cargo doc --quiet --workspace --no-deps
step "documentation of private items" cargo doc --quiet --workspace --no-deps --document-private-items
if command -v cargo-deny > /dev/null; then
  step "licences, bans and sources" cargo deny --log-level error check bans licenses sources
fi
if command -v shellcheck > /dev/null; then
  step "shell scripts" shellcheck --severity=warning --external-sources --source-path=SCRIPTDIR scripts/*.sh scripts/tests/*.sh examples/demo/*.sh .ci/run
fi

if ((${#FAILED[@]})); then
  echo "lint: failed: $(IFS=,; echo "${FAILED[*]}")" >&2
  exit 1
fi
echo "lint: clean"
