#!/bin/sh
# instructions.sh [print|check|baseline] - instructions that the processor does
# for one message, counted by callgrind: the same on a busy machine as on an
# idle one.
#   print     figure NAME.instructions VALUE instructions (default)
#   check     compares with test/data/instructions.txt: more than 3 % above the
#             baseline fails; no comparison without valgrind, or with another
#             compiler or machine than the baseline was made with
#   baseline  rewrites that file
set -eu
cd "$(dirname "$0")/.."
what=${1:-print}
file=test/data/instructions.txt
b=build/release
cc=$(${CC:-gcc} --version | head -1)
machine=$(uname -m)$(grep -m1 -ow avx2 /proc/cpuinfo | sed 's/^/ /')
# NAME PROGRAM FUNCTION N ITEMS: with -n N the function does N x ITEMS of them;
# packets of ps.* are those that bench_ps makes
table="sip.extract bench_sip hot_extract 64 10
sip.typed bench_sip hot_typed 64 10
sip.respond bench_sip hot_respond 64 10
sip.digest bench_sip hot_digest 64 10
sdp.parse bench_sdp hot_sdp_parse 64 2
sdp.write bench_sdp hot_sdp_write 64 2
manscdp.keepalive bench_manscdp hot_keepalive_read 64 1
manscdp.catalog100 bench_manscdp hot_catalog_read 8 1
platform.contact bench_platform hot_contact 8 64
platform.register bench_platform hot_register 8 64
platform.keepalive bench_platform hot_keepalive 8 64
platform.challenge bench_platform hot_challenge 8 64
ps.slices bench_ps hot_ps_slices 2 8554
ps.nals bench_ps hot_ps_nals 2 8554
rtp.in_order bench_rtp hot_rtp_in_order 2 20000
rtp.framed bench_rtp hot_rtp_framed 2 20000
sip.limit bench_sip hot_limit 64 10
sdp.limit bench_sdp hot_sdp_limit 64 2"

if ! command -v valgrind >/dev/null 2>&1; then
    echo "# instructions: not counted, valgrind is not installed"
    exit 0
fi
if [ "$what" = check ]; then
    was=$(sed -n 's/^compiler //p' $file)
    on=$(sed -n 's/^machine //p' $file)
    if [ "$was" != "$cc" ] || [ "$on" != "$machine" ]; then
        echo "instructions: not compared, the baseline is of $was on $on; here is $cc on $machine"
        exit 0
    fi
fi
make -s -j"$(nproc)" VARIANT=release $b/bench_sip $b/bench_sdp $b/bench_manscdp \
    $b/bench_platform $b/bench_ps $b/bench_rtp

count() { # PROGRAM FUNCTION N ITEMS
    valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect="$2" "$b/$1" -n "$3" 2>&1 >/dev/null |
        awk -v n=$(($3 * $4)) '/Collected/ { printf "%.0f\n", $4 / n }'
}
counts=$(echo "$table" | while read -r name program function n items; do
    echo "$name $(count "$program" "$function" "$n" "$items")"
done)

case $what in
print)
    echo "$counts" | awk '{ print "figure " $1 ".instructions " $2 " instructions" }' ;;
baseline)
    {
        echo "# Instructions for one message, made by \`make baseline\`. A commit that raises"
        echo "# one says why. tools/instructions.sh check compares."
        echo "compiler $cc"
        echo "machine $machine"
        echo "$counts"
    } > $file
    cat $file ;;
check)
    echo "$counts" | awk -v file=$file '
        BEGIN { while ((getline line < file) > 0) { split(line, w, " "); base[w[1]] = w[2] } }
        NF < 2 { print $1 ": callgrind counted nothing"; bad = 1; next }
        !($1 in base) { print $1 ": no baseline; run `make baseline`"; bad = 1; next }
        {
            x = ($2 / base[$1] - 1) * 100
            printf "%-18s %6d, baseline %6d, %+.1f %%%s\n", $1, $2, base[$1], x, (x > 3 ? "   <- more than 3 % above" : "")
            if (x > 3) bad = 1
        }
        END { exit bad }' ;;
*)
    echo "usage: instructions.sh [print|check|baseline]" >&2
    exit 64 ;;
esac
