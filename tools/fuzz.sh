#!/bin/sh
# fuzz.sh DIR - runs every libFuzzer target of DIR for FUZZ_S seconds, two at a
# time, on a copy of its corpus. A finding is left as crash-* in DIR/findings.
set -u
dir=$1
s=${FUZZ_S:-20}
mkdir -p "$dir/findings"
export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1

one() {
    t=$1
    n=$(basename "$t" | sed s/^fuzz_//)
    work="$dir/corpus/$n"
    mkdir -p "$work"
    dict=
    [ -f "fuzz/$n.dict" ] && dict="-dict=fuzz/$n.dict"
    seeds=
    [ -d "fuzz/corpus/$n" ] && seeds="fuzz/corpus/$n"
    log="$dir/$n.log"
    # without weights of rare features, whose upkeep costs as much as the runs
    "$t" -entropic=0 -max_total_time="$s" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="$dir/findings/$n-" $dict "$work" $seeds >"$log" 2>&1
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
