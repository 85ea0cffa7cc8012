#!/bin/sh
# check.sh - everything the pipeline runs, in this order; stops at the first
# fault. A line names each step and its time. Under twelve minutes on two cores.
# Fuzzing is `make fuzz`; here the corpus is fed to every target.
set -eu
cd "$(dirname "$0")/.."
export WERROR=1
export LIMIT_S=600 UNIT_S=300 # what hangs is ended, and says where
jobs=$(nproc)
begin=$(date +%s)

step() {
    what=$1
    shift
    t=$(date +%s)
    printf '==== %s\n' "$what"
    "$@"
    printf '==== %s: %d s\n' "$what" $(($(date +%s) - t))
}
# Unit tests wait now and then: meanwhile the release is built.
unit() { # VARIANT
    make -s -j"$jobs" VARIANT="$1" tests all
    make -s -j"$jobs" all build/release/faultio.so > build/release.log 2>&1 &
    release=$!
    make -s VARIANT="$1" unit > "build/unit-$1.log" 2>&1 || { tail -60 "build/unit-$1.log"; return 1; }
    passed=$(grep -c '\[       OK \]' "build/unit-$1.log" || true)
    echo "$1: $passed tests passed"
    total=$((total + passed))
}
# What later steps need is compiled at the lowest priority, while end-to-end tests
# mostly wait.
begin_others() {
    nice -n 19 sh -ec '
        make -s -j"$0" CC=clang CCNAME=clang- VARIANT=debug warnings
        make -s -j"$0" VARIANT=tsan build/tsan/gb28181d build/tsan/gbcam build/tsan/test_saves build/tsan/test_rolls
        make -s -j"$0" TLS=0 SQLITE=0 VARIANT=debug CFLAGS=-g0 all build/debug-notls-nosqlite/test_store build/debug-notls-nosqlite/test_store_history build/debug-notls-nosqlite/test_sandbox
        make -s VARIANT=asan sim SIM_S=20 SIM_SEEDS="2 5"
        make -s headers
        make -s -j"$0" VARIANT=asan replay
        tools/instructions.sh check
        ' "$jobs" > build/others.log 2>&1 &
    others=$!
}
end_release() { wait "$release" || { cat build/release.log; return 1; }; }
end_others() { wait "$others" || { cat build/others.log; return 1; }; grep -E "^seed|baseline" build/others.log; }
small_build() {
    build/debug-notls-nosqlite/test_store > /dev/null 2>&1
    build/debug-notls-nosqlite/test_store_history > /dev/null 2>&1
    build/debug-notls-nosqlite/test_sandbox > /dev/null 2>&1 # sanitizers trace the process: it has no filter there
    BUILD="$PWD/build/debug-notls-nosqlite" python3 test/e2e/run.py h264_one_loop_tcp_signalling restart_loses_no_device
}
tsan() {
    make -s VARIANT=tsan unit tests="build/tsan/test_saves build/tsan/test_rolls" > build/unit-tsan.log 2>&1 || { cat build/unit-tsan.log; return 1; }
    TSAN_OPTIONS="halt_on_error=1 exitcode=66 suppressions=$PWD/test/tsan.supp" SLOW=3 BUILD="$PWD/build/tsan" python3 test/e2e/run.py \
        every_codec_over_every_transport_three_loops \
        h264_one_loop_tcp_signalling rtsp_ends_free_the_session \
        rtsp_another_stream_on_the_connection rtsp_says_bye
}
# together NAME...: end-to-end tests that mostly wait, at the same time.
together() {
    running=
    for name in "$@"; do
        (rc=0; STREAMS=6 python3 "test/e2e/$name.py" > "build/e2e-$name.log" 2>&1 || rc=$?
         echo "$rc" > "build/e2e-$name.rc") &
        running="$running $!"
    done
    # shellcheck disable=SC2086
    wait $running
    for name in "$@"; do
        echo "-- $name"
        cat "build/e2e-$name.log"
        [ "$(cat "build/e2e-$name.rc")" = 0 ] || failed=1
    done
    [ -z "$failed" ]
}
# at_once FUNCTION...: the same for functions of this script.
at_once() {
    running=
    for part in "$@"; do
        "$part" > "build/$part.log" 2>&1 &
        running="$running $!"
    done
    for pid in $running; do wait "$pid" || failed=1; done
    for part in "$@"; do
        echo "-- $part"
        cat "build/$part.log"
    done
    [ -z "$failed" ]
}
asan_e2e() {
    SLOW=2 BUILD="$PWD/build/asan" python3 test/e2e/run.py ipv6 cameras_with_every_fault \
        loss_and_reordering garbage_does_no_harm refused_invite_names_the_step restart_loses_no_device \
        killed_while_playing stopped_while_playing second_viewer_and_a_stalled_one rtsp_ends_free_the_session \
        rtsp_another_stream_on_the_connection rtsp_says_bye
}

total=0
failed=
release=
others=
trap 'kill $release $others 2>/dev/null || true' EXIT # a fault ends what still builds
mkdir -p build
step layers tools/layers.sh
step words tools/words.sh
step "rules and their tests" tools/rules.sh
step "unit tests, ASan and UBSan" unit asan
step "release build" end_release
step docs tools/docs.sh --check
begin_others
step "end to end, and a device that shares no code" together run foreign
step "commands, playback, outputs, evidence, recordings, sipp, torture" together commands playback trace sipp torture outputs record
step "downloads, doctor, pushes, voice, users, faults" together download doctor push talk auth faults play_lives
step "sipload" python3 test/e2e/load.py quick
step "a flood" python3 test/e2e/flood.py
step "the page in Chromium" python3 test/e2e/page.py
step "a simulated fleet, headers, corpus under ASan, instructions, clang without warnings" end_others
step "end to end under ASan and TSan, and without TLS and SQLite" at_once asan_e2e tsan small_build
echo "check: everything passed in $(($(date +%s) - begin)) s"
echo "$total passed, 0 failed"
