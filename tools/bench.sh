#!/bin/sh
# bench.sh - prints every figure, one line each: figure NAME VALUE UNIT.
# Times are medians of at least nine runs in thread CPU time; instructions are
# counted by callgrind and do not depend on the machine's load.
set -eu
cd "$(dirname "$0")/.."
make -s -j"$(nproc)" VARIANT=release all build/release/bench_sip build/release/bench_ps \
    build/release/bench_sdp build/release/bench_manscdp build/release/bench_rtp build/release/bench_hub
b=build/release
echo "# $(grep -m1 'model name' /proc/cpuinfo | sed 's/.*: //') x$(nproc), $(gcc --version | head -1)"

for t in sip sdp ps rtp manscdp hub; do "$b/bench_$t"; done

count() { # FUNCTION PROGRAM N: instructions in FUNCTION for one of N rounds
    valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect="$1" "$2" -n "$3" 2>&1 >/dev/null |
        awk -v n="$3" '/Collected/ { printf "%.0f", $4 / n }'
}
if command -v valgrind >/dev/null 2>&1; then
    echo "figure sip.extract.instructions $(count hot_extract "$b/bench_sip" 200) instructions"
    echo "figure sdp.parse.instructions $(count hot_parse "$b/bench_sdp" 200) instructions"
else
    echo "# valgrind is not installed: instructions not run"
fi

strip -o "$b/gb28181d.stripped" "$b/gb28181d"
echo "figure binary.bytes $(stat -c %s "$b/gb28181d.stripped") B"
BUILD=$PWD/$b python3 test/e2e/figures.py
