# shellcheck shell=bash
# test-summary.awk: what make test shows of cargo test's output.

test_sums_and_failures_are_shown() {
  awk -v counts=counts -f "$SCRIPTS/test-summary.awk" > out <<'OUTPUT'
    Finished `test` profile [optimized + debuginfo] target(s) in 0.10s
     Running unittests src/lib.rs (target/debug/deps/ferrisstreams_topology-0123456789abcdef)

running 3 tests
test a::one ... ok
test a::two ... ignored, too slow
test a::three ... FAILED

failures:

---- a::three stdout ----
left: 1, right: 2

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s

     Running tests/empty.rs (target/debug/deps/empty-0123456789abcdef)

running 0 tests

test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

   Doc-tests ferrisstreams_topology

running 2 tests
test topology/src/lib.rs - (line 3) ... ok
test topology/src/lib.rs - (line 9) ... ok

test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s

OUTPUT
  [[ $(cat counts) == "3 1 1" ]]
  grep -q "^test a::three ... FAILED$" out
  grep -q "^left: 1, right: 2$" out
  grep -q "unittests src/lib.rs (ferrisstreams_topology) .* 1 ok, 1 FAILED, 1 ignored  0.02s" out
  grep -q "doc tests ferrisstreams_topology .* 2 ok  1.50s" out
  ! grep -q "ok$\|running\|empty\|Finished" out
}
