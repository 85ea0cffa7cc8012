#!/bin/sh
# cov.sh DIR - lines and branches that a VARIANT=cov run has reached (.gcda files):
# each file, then each folder and all of it. A branch counts when it was taken.
set -eu
export LC_ALL=C
top=$(cd "$(dirname "$0")/.." && pwd)
dir=$(cd "$1" && pwd)
cd "$top"
for d in base sip sdp manscdp rtp ps app/platform app/device app/media app/trace app/net app/store app/http app/rtsp app; do
    for c in "$d"/*.c; do
        [ -f "$dir/${c%.c}.gcno" ] || continue
        if [ ! -f "$dir/${c%.c}.gcda" ]; then # linked into no test
            echo "0.00 $(grep -c ';' "$c") 0.00 0 $c (not in any test)"
            continue
        fi
        gcov -b -n -o "$dir/$d" "$c" 2> /dev/null | awk -v f="$c" '
            function share(text) { sub(/^[^:]*:/, "", text); return text + 0 }
            /^File / { hit = index($0, f "\047") > 0 }
            hit && /^Lines executed/ { l = share($0); ln = $NF }
            hit && /^Taken at least once/ { b = share($0); bn = $NF }
            hit && /^No branches/ { b = 100; bn = 0 }
            hit && /^(No calls|Calls executed)/ { printf "%.2f %d %.2f %d %s\n", l, ln, b, bn, f; exit }'
    done
done | awk '
    function row(name, lh, l, bh, b) {
        printf "%6.2f %% of %6d lines  %6.2f %% of %6d branches  %s\n",
            l ? 100 * lh / l : 100, l, b ? 100 * bh / b : 100, b, name
    }
    {
        d = $5; sub("/[^/]*$", "", d)
        if (!(d in l)) order[++n] = d
        row(substr($0, index($0, $5)), $1 * $2 / 100, $2, $3 * $4 / 100, $4)
        l[d] += $2; lh[d] += $1 * $2 / 100; b[d] += $4; bh[d] += $3 * $4 / 100
        tl += $2; tlh += $1 * $2 / 100; tb += $4; tbh += $3 * $4 / 100
    }
    END {
        print ""
        for (i = 1; i <= n; i++) row(order[i] "/", lh[order[i]], l[order[i]], bh[order[i]], b[order[i]])
        row("all of it", tlh, tl, tbh, tb)
    }'
