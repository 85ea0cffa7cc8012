#!/bin/sh
# golden.sh DIR - rewrites the golden dumps; review reads the difference.
set -eu
cd "$(dirname "$0")/.."
make -s VARIANT=debug tests
for t in build/debug/test_*; do
    case $t in *.*) continue ;; esac
    grep -q expect_golden "test/$(basename "$t").c" || continue
    GOLDEN=1 "$t" >/dev/null 2>&1 || echo "$t failed: look at it"
done
git --no-pager diff --stat -- test/data
