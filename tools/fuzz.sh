#!/bin/sh
# fuzz.sh DIR - runs every libFuzzer target of DIR for FUZZ_S seconds, two at a
# time, on a copy of its corpus. A finding is left as crash-* in DIR/findings.
set -u
dir=$1
s=${FUZZ_S:-20}
mkdir -p "$dir/findings"

one() {
    t=$1
    n=$(basename "$t" | sed s/^fuzz_//)
    log="$dir/$n.log"
    tools/fuzzrun.sh "$t" "$dir/corpus/$n" "$dir/findings" -max_total_time="$s" >"$log" 2>&1
    rc=$?
    awk -v n="$n" -v rc=$rc '
        /stat::number_of_executed_units/ { u = $2 }
        /stat::average_exec_per_sec/ { r = $2 }
        /cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") c = $(i + 1) }
        END { printf "fuzz %-16s %s  %d runs, %d a second, %d edges\n", n, rc ? "FAILED" : "ok", u, r, c }' "$log"
    [ $rc = 0 ] || tail -30 "$log"
    return $rc
}

rc=0
pids=
for t in "$dir"/fuzz_*; do
    [ -x "$t" ] && [ ! -d "$t" ] || continue
    case $t in *.*) continue ;; esac
    one "$t" &
    pids="$pids $!"
    set -- $pids
    if [ $# -ge 2 ]; then
        wait "$1" || rc=1
        shift
        pids=$*
    fi
done
for p in $pids; do wait "$p" || rc=1; done
exit $rc
