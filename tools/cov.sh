#!/bin/sh
# cov.sh DIR - a table of line coverage of the core and the pure part of app,
# from the .gcda files of a VARIANT=cov run.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
dir=$(cd "$1" && pwd)
cd "$top"
for d in base sip sdp manscdp rtp ps app/platform app/device app/media; do
    for c in "$d"/*.c; do
        [ -f "$dir/${c%.c}.gcda" ] || continue
        gcov -n -o "$dir/$d" "$c" 2>/dev/null |
            awk -v f="$c" '$0 ~ "File .*" f { hit = 1 } hit && /Lines executed/ {
                split($2, a, ":"); sub("%", "", a[2]); printf "%6.2f %5d %s\n", a[2], $4, f; exit }'
    done
done | awk '{ print; split($3, p, "/"); d = $3; sub("/[^/]*$", "", d); t[d] += $2; h[d] += $1 * $2 / 100 }
    END { for (d in t) printf "%6.2f %5d %s (folder)\n", 100 * h[d] / t[d], t[d], d }'
