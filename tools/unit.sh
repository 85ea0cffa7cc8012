#!/bin/sh
# unit.sh TEST... - runs unit tests, three at a time since some of them wait; what
# each says comes out whole, and what failed once more at the end. RUN goes before
# each (an emulator). Those that wait longest begin first. One that hangs is ended after
# UNIT_S seconds.
set -eu
export RUN="${RUN:-}" UNIT_S="${UNIT_S:-900}"
# What is left pointing into a function that has returned is seen too.
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_stack_use_after_return=1}"
# test_daemon starts it in a child while threads of the parent run.
export TSAN_OPTIONS="${TSAN_OPTIONS:-die_after_fork=0 suppressions=$(dirname "$0")/../test/tsan.supp}"
waiting='test_media_shared|test_sip_edge|test_sip_strangers|test_push|test_store_writer|test_rtsp_viewer'
for test in "$@"; do rm -f "$test.failed"; done
rc=0
{
    printf '%s\n' "$@" | grep -E "/($waiting)\$" || true
    printf '%s\n' "$@" | grep -vE "/($waiting)\$"
} | xargs -P 3 -n 1 sh -c '
    timeout -k 5 "$UNIT_S" $RUN "$0" > "$0.log" 2>&1
    rc=$?
    [ $rc != 124 ] && [ $rc != 137 ] || echo "it hangs: not done after $UNIT_S s" >> "$0.log"
    { echo "== $0"; cat "$0.log"; } > "$0.out"
    cat "$0.out"
    rm -f "$0.out"
    [ $rc = 0 ] && rm -f "$0.log" || { echo "FAILED $0: $rc" >> "$0.log"; mv "$0.log" "$0.failed"; }
    exit $rc' || rc=1
for test in "$@"; do
    [ ! -e "$test.failed" ] || { echo "== $test, which failed"; grep -vE "^\[ (RUN     |      OK) \]" "$test.failed" | tail -40; rm -f "$test.failed"; }
done
exit "$rc"
