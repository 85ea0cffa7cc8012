#!/bin/sh
# campaign.sh TARGET... [-- SECONDS] - fuzzes each of these in turn for SECONDS of the clock (600), or until
# the aim is reached: 10^8 runs or 4 hours of CPU in all. `make VARIANT=fuzz fuzzers` has built
# them. New inputs and findings stay in CAMPAIGN_DIR (/var/tmp/gb28181d-fuzz) for the next time.
# Each run adds a line to fuzz/campaigns.txt. SIGTERM to the target ends its run early, and counts.
# campaign.sh --sum - what every target has had since it last found something, and what is left.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."
dir=${CAMPAIGN_DIR:-/var/tmp/gb28181d-fuzz}
ledger=fuzz/campaigns.txt
aim_runs=100000000
aim_s=14400
interrupted=72 # how libFuzzer exits then

# A line a target: name, runs, seconds of CPU, findings.
totals() {
    printf '%s\n' fuzz/fuzz_*.c | awk -v ledger="$ledger" '
        NR == FNR { sub(/.*fuzz_/, ""); sub(/\.c$/, ""); runs[$0] = 0; next }
        /^#/ { next }
        NF != 6 || !($3 in runs) || ($4 $5 $6) !~ /^[0-9]+$/ { print ledger ": not understood: " $0 > "/dev/stderr"; bad = 1; next }
        $6 { found[$3] += $6; runs[$3] = s[$3] = 0; next }
        { runs[$3] += $4; s[$3] += $5 }
        END { for (n in runs) printf "%s %.0f %d %d\n", n, runs[n], s[n], found[n]; exit bad }' - "$ledger" > "$tmp"
    sort "$tmp"
}

sum() {
    totals > "$tmp.sum"
    awk -v runs="$aim_runs" -v cpu_s="$aim_s" '
        BEGIN { printf "%-14s %12s %8s %8s  %s\n", "target", "runs", "CPU h", "findings", "left" }
        { left = "reached"; n++ }
        $2 < runs && $3 < cpu_s { left = sprintf("%.0f runs or %.2f h", runs - $2, (cpu_s - $3) / 3600); open++ }
        { printf "%-14s %12.0f %8.2f %8d  %s\n", $1, $2, $3 / 3600, $4, left; all += $2; all_s += $3; found += $4 }
        END { printf "%-14s %12.0f %8.2f %8d  %d of %d targets reached\n", "all", all, all_s / 3600, found, n - open, n }' "$tmp.sum"
}

# How many of this target lie there, from this run or an earlier one.
findings() {
    find "$dir/findings" -name "$1-*" 2>/dev/null | wc -l
}

run() { # TARGET
    log=$dir/$1.log
    before=$(findings "$1")
    left=$(totals | awk -v n="$1" -v aim="$aim_runs" -v cpu_s="$aim_s" '$1 == n { printf "%.0f", $3 < cpu_s ? aim - $2 : 0 }')
    if [ "$left" -le 0 ]; then
        echo "$1: has reached the aim"
        return 0
    fi
    rc=0
    (
        rc=0
        tools/fuzzrun.sh "build/fuzz/fuzz_$1" "$dir/corpus/$1" "$dir/findings" -max_total_time="$seconds" -runs="$left" > "$log" 2>&1 || rc=$?
        times > "$tmp"
        exit $rc
    ) || rc=$?
    cpu_s=$(awk -F '[ms ]+' 'NR == 2 { printf "%d", $1 * 60 + $2 + $3 * 60 + $4 + 0.5 }' "$tmp")
    runs=$(awk '/stat::number_of_executed_units/ { n = $2 } END { print n + 0 }' "$log")
    echo "$(date -u +%F) $(git rev-parse --short HEAD) $1 $runs $cpu_s $(($(findings "$1") - before))" >> "$ledger"
    tail -n 1 "$ledger"
    [ $rc = 0 ] || [ $rc = $interrupted ] || { tail -30 "$log"; return 1; }
}

tmp=$(mktemp)
trap 'rm -f "$tmp" "$tmp.sum"' EXIT
if [ "${1:-}" = --sum ]; then
    sum
    exit
fi
seconds=600
names=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    [ -x "build/fuzz/fuzz_$1" ] || { echo "campaign: no build/fuzz/fuzz_$1: make VARIANT=fuzz fuzzers" >&2; exit 2; }
    names="$names $1"
    shift
done
[ $# = 0 ] || seconds=$2
mkdir -p "$dir"
failed=0
for name in $names; do run "$name" || failed=1; done
exit $failed
