#!/bin/sh
# fuzzrun.sh PROGRAM WORK FINDINGS [OPTION...] - runs one libFuzzer target on fuzz/corpus with
# its dictionary and inputs no longer than fuzz/lengths.txt says, as tools/fuzz.sh and
# tools/campaign.sh do: new inputs go to WORK, what is found to FINDINGS. The options go to
# libFuzzer.
set -eu
program=$1
work=$2
findings=$3
shift 3
n=${program##*/fuzz_}
mkdir -p "$work" "$findings"
[ ! -f "fuzz/$n.dict" ] || set -- "$@" "-dict=fuzz/$n.dict"
set -- "$@" "-max_len=$(awk -v n="$n" '$1 == n { l = $2 } END { print l + 0 }' fuzz/lengths.txt)" "$work"
[ ! -d "fuzz/corpus/$n" ] || set -- "$@" "fuzz/corpus/$n"
# Freed memory of 4 MB stays in the cache, 256 do not. Where memory came from and the names of
# new functions cost up to a third of a run: the finding given to the ASan build says it.
export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1:quarantine_size_mb=4:malloc_context_size=0
# without weights of rare features, whose upkeep costs as much as the runs
exec "$program" -entropic=0 -reload=0 -print_funcs=0 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$findings/$n-" "$@"
