#!/bin/sh
# analyze.sh [gcc|tidy|cppcheck]... [-- FILE...] - static analysis of the sources
# (default: all three, over the program and the tools). Nothing is suppressed but by
# name: .clang-tidy, tools/cppcheck.txt, tools/gcc-analyzer.txt, and below. Fails when anything is found.
#   apt-get install clang-tidy cppcheck
# An hour on two cores; `make analyze` is for before a release. TIDY=--checks=-clang-analyzer-*
# leaves out the slow half of clang-tidy.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."
what=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    what="$what $1"
    shift
done
[ $# = 0 ] || shift
what=${what:-gcc tidy cppcheck}
[ $# -gt 0 ] || set -- base/*.c sip/*.c sdp/*.c manscdp/*.c rtp/*.c ps/*.c app/*.c app/*/*.c tools/*.c tools/cam/*.c tools/ctl/*.c tools/load/*.c
jobs=${JOBS:-$(nproc)}
libs="libuv mxml nettle yaml-0.1 jansson sqlite3 libssl"
# shellcheck disable=SC2086
flags="-std=c11 -I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DGB_TLS=1 -DGB_SQLITE=1 -DGB_MQTT=0 -DGB_VERSION=__FILE__ $(pkg-config --cflags $libs)"
mkdir -p build/analyze
failed=

run() { # NAME COMMAND...
    name=$1
    shift
    if ! command -v "$1" > /dev/null; then
        echo "$name: $1 is not installed: not run"
        return 1
    fi
    t=$(date +%s)
    printf '%s\n' "$files" | xargs -P "$jobs" -n 1 sh -c '"$@" 2>&1 || true' analyze "$@" > "build/analyze/$name.log"
}
found() { # NAME PATTERN
    grep -v '^#' tools/gcc-analyzer.txt > build/analyze/known
    grep -E "$2" "build/analyze/$1.log" | grep -vEf build/analyze/known | sort -u > "build/analyze/$1.found" || true
    n=$(wc -l < "build/analyze/$1.found")
    echo "$1: $n findings in $(($(date +%s) - t)) s"
    [ "$n" = 0 ] || { head -60 "build/analyze/$1.found"; failed=1; }
}

files=$(printf '%s\n' "$@" | grep -v '^app/store/snapshot\.c$\|^app/net/tls_none\.c$')
if ! pkg-config --exists libmosquitto; then
    files=$(printf '%s\n' "$files" | grep -v '^app/net/mqtt\.c$' || true)
    echo "analyze: libmosquitto-dev is not installed: app/net/mqtt.c is not run"
fi
for w in $what; do
    case $w in
    gcc)
        # Of libraries it knows nothing: what it says of leaks through their calls
        # (malloc-leak of what a list holds, file descriptors in structs) is wrong
        # in nine of ten; ASan and LeakSanitizer run the same code.
        # shellcheck disable=SC2086
        run gcc gcc $flags -O2 -fanalyzer -Wno-analyzer-malloc-leak -Wno-analyzer-fd-leak \
            -Wno-analyzer-use-of-uninitialized-value -c -o /dev/null &&
            found gcc 'warning:.*Wanalyzer' ;;
    tidy)
        t=$(date +%s)
        if command -v clang-tidy > /dev/null; then
            # shellcheck disable=SC2086
            printf '%s\n' "$files" | xargs -P "$jobs" -n 4 sh -c 'clang-tidy --quiet '"${TIDY:-}"' "$@" -- '"$flags"' 2>/dev/null || true' tidy > build/analyze/tidy.log
            found tidy '(warning|error): '
        else
            echo "tidy: clang-tidy is not installed: not run"
        fi ;;
    cppcheck)
        t=$(date +%s)
        if command -v cppcheck > /dev/null; then
            # shellcheck disable=SC2086
            cppcheck -q -j "$jobs" --enable=warning,performance,portability --inline-suppr --suppressions-list=tools/cppcheck.txt \
                --std=c11 --max-configs=2 -I. -D__linux__ -D__x86_64__ -DGB_TLS=1 -DGB_SQLITE=1 -DGB_MQTT=0 --template='{file}:{line}: {severity}: {message} [{id}]' \
                $files > build/analyze/cppcheck.log 2>&1 || true
            found cppcheck ': (error|warning|performance|portability): '
        else
            echo "cppcheck: cppcheck is not installed: not run"
        fi ;;
    *)
        echo "analyze: $w is not known" >&2
        exit 2 ;;
    esac
done
[ -z "$failed" ]
