#!/bin/sh
# bench.sh - prints every figure, one line each: figure NAME VALUE UNIT, behind
# it the raw samples. Times are medians in thread CPU time; NAME.x is the ratio
# to the limit program of the same run; instructions are counted by callgrind
# and do not depend on the machine's load. Under 15 minutes on two cores.
#   PEERS=1       other SIP libraries, libavformat and Kamailio as well, where installed
#   ONLY=LIST     of: micro instructions daemon media download record load fleet catalog flood peers
set -eu
cd "$(dirname "$0")/.."
b=build/release
export BUILD="$PWD/$b"
begin=$(date +%s)
failed=0
make -s -j"$(nproc)" VARIANT=release all benches
echo "# $(grep -m1 'model name' /proc/cpuinfo | sed 's/.*: //') x$(nproc), $(uname -r)"
echo "# $(${CC:-gcc} --version | head -1), glibc $(ldd --version | sed -n '1s/.* //p'), load $(cut -d' ' -f1 /proc/loadavg)"

# part NAME SECONDS COMMAND...: bounded; one that fails does not hide the rest
part() {
    name=$1 seconds=$2
    shift 2
    case " ${ONLY:-$name} " in *" ${name%% *} "*) ;; *) return 0 ;; esac
    t=$(date +%s)
    if ! timeout -k 10 "$seconds" "$@"; then
        echo "# FAILED or out of time: $*"
        failed=1
    fi
    echo "# $name: $(($(date +%s) - t)) s"
}
size() {
    strip -o "$b/gb28181d.stripped" "$b/gb28181d"
    echo "figure binary.bytes $(stat -c %s "$b/gb28181d.stripped") B"
}
peer() { # NAME PKG-CONFIG-NAME
    if pkg-config --exists "$2" 2>/dev/null; then
        make -s VARIANT=release "$b/peer_$1"
        part peers 30 "$b/peer_$1"
    else
        echo "# $1 is not installed"
    fi
}

for t in sip sdp manscdp ps rtp net stack platform admission trace hub store archive tree; do part micro 60 "$b/bench_$t"; done
part instructions 60 tools/instructions.sh print
size
part daemon 150 python3 test/e2e/figures.py
if [ "${PEERS:-0}" = 1 ] && pkg-config --exists libavformat libavcodec 2>/dev/null; then
    make -s VARIANT=release "$b/peer_lavf" # for the media below
fi
if command -v ffmpeg >/dev/null 2>&1; then
    part media 240 python3 test/e2e/media_figures.py
    part download 150 python3 test/e2e/download_figures.py
    part record 120 python3 test/e2e/record_figures.py
else
    echo "# media: ffmpeg is not installed, it encodes the pictures"
fi
part load 240 python3 test/e2e/load.py load
part fleet 300 python3 test/e2e/load.py fleet
part catalog 180 python3 test/e2e/load.py catalog
part flood 150 env FLOOD_S=30 python3 test/e2e/flood.py
if [ "${PEERS:-0}" = 1 ]; then
    peer sofia sofia-sip-ua
    peer osip2 libosip2
    peer re libre
    part peers 120 python3 test/e2e/load.py peers
fi
echo "# bench: $(($(date +%s) - begin)) s"
exit $failed
