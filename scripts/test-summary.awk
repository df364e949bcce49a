# Condenses the output of cargo test: one line for each test binary that has tests, failures in full.
# Writes the sums "passed failed ignored" to the file that the variable `counts` names.

# warnings of the compiler have been shown when the tests were built
!running && /^warning: / { warning = 1 }
warning && !/^$/ { next }
warning { warning = 0; next }

/^ *Running / {
  running = 1
  name = $0
  sub(/^ *Running /, "", name)
  sub(/ \(.*\/deps\//, " (", name)
  sub(/-[0-9a-f]+\)$/, ")", name)
  next
}
/^ *Doc-tests / { name = "doc tests " $2; next }
/^ *(Finished|Executable|Compiling|Fresh) / || /^all doctests ran in / { next }
/^running [0-9]+ tests?$/ { next }
/^test .* \.\.\. (ok|ignored.*)$/ { next }
/^test result: / {
  passed += $4; failed += $6; ignored += $8
  if ($4 + $6 + $8 > 0) {
    time = $0
    sub(/.*finished in /, "", time)
    # not "N passed, N failed": that line is for the end
    printf "  %-60s %5d ok%s%s  %s\n", name, $4, ($6 ? ", " $6 " FAILED" : ""), ($8 ? ", " $8 " ignored" : ""), time
    fflush()
  }
  blank = 0
  next
}
/^$/ { blank = 1; next }
{
  if (blank) print ""
  blank = 0
  print
  fflush()
}
END { print passed + 0, failed + 0, ignored + 0 > counts }
