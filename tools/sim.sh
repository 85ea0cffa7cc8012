#!/bin/sh
# sim.sh FLEET SECONDS [SEED...] - runs the simulated fleet (docs/simulation.md):
# the seeds that are named, some lives without memory, then new seeds until the
# time is over. Stops at the first fault, whose last line repeats it.
set -eu
# Large pages: a tenth less CPU, for the devices lie far apart and take their turns.
export GLIBC_TUNABLES=glibc.malloc.hugetlb=1
fleet=$1
until=$(($(date +%s) + $2))
shift 2
for seed in "$@"; do
    "$fleet" --seed "$seed" --devices 60 --days 0.2
done
now=$(date +%s)
"$fleet" --seed "$now" --devices 4 --lives 97 --from $((now % 97 + 1)) --cpu $((until > now ? (until - now) / 5 : 1))
devices=60
while left=$((until - $(date +%s))) && [ "$left" -gt 0 ]; do
    [ "$left" -gt 40 ] || devices=60
    "$fleet" --seed "$(date +%s%N | cut -c6-16)" --devices "$devices" --days 1 --cpu "$left"
    [ "$devices" = 1000 ] && devices=60 || devices=1000
done
