#!/bin/sh
# layers.sh - include directions:
#   tools app/main,daemon -> app/http app/rtsp app/store -> app/net
#     -> app/platform app/device app/media app/trace
#     -> sip manscdp sdp rtp ps -> base
# Never back; siblings of the core never each other. Prints what breaks it.
set -eu
cd "$(dirname "$0")/.."
bad=0

# check FOLDERS ALLOWED-PREFIXES...: every quoted include of the files directly
# in a folder begins with one of the prefixes.
check() {
    folders=$1
    shift
    for d in $folders; do
        [ -d "$d" ] || continue
        allowed="$d/"
        for a in "$@"; do allowed="$allowed|$a/"; done
        out=$(grep -nE '^#include "' "$d"/*.[ch] 2>/dev/null |
            grep -vE "#include \"($allowed)" || true)
        if [ -n "$out" ]; then
            echo "$out" | sed "s|\$|   <- $d may not include this|"
            bad=1
        fi
    done
}

core="sip sdp manscdp rtp ps"
check base
for d in $core; do check "$d" base; done
check "app/platform app/device app/media app/trace" app/platform app/device app/media app/trace $core base
check app/net app/platform app/device app/media app/trace $core base
check "app/http app/rtsp app/store" app/net app/platform app/device app/media app/trace $core base

# The core and the pure part of app know no sockets, clocks, threads, files.
out=$(grep -nE '^#include <(uv\.h|sys/|netinet/|arpa/|time\.h|pthread\.h|unistd\.h|fcntl\.h|poll\.h)' \
    base/*.[ch] sip/*.[ch] sdp/*.[ch] manscdp/*.[ch] rtp/*.[ch] ps/*.[ch] \
    app/platform/*.[ch] app/device/*.[ch] app/media/*.[ch] app/trace/*.[ch] 2>/dev/null || true)
if [ -n "$out" ]; then
    echo "$out" | sed 's|$|   <- no I/O in the core|'
    bad=1
fi
out=$(grep -lE '^#include <mxml.h>' -r --include='*.[ch]' . | grep -v '^./manscdp/xml.c$' | grep -v '^./build' || true)
if [ -n "$out" ]; then
    echo "$out   <- only manscdp/xml.c includes mxml"
    bad=1
fi
[ $bad = 0 ] && echo "layers: good"
exit $bad
