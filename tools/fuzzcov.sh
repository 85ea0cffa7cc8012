#!/bin/sh
# fuzzcov.sh - lines of the files that a fuzz target is about which its corpus
# alone reaches, by gcov of a VARIANT=cov build; below 90 % is marked.
set -eu
cd "$(dirname "$0")/.."
b=build/cov
table="sip_msg sip/msg.c
sip_frame sip/frame.c
sip_trans sip/trans.c
sip_stack sip/stack.c sip/stack_auth.c sip/stack_client.c sip/stack_large.c
sip_stack sip/stack_done.c sip/stack_refuse.c sip/stack_reply.c sip/stack_server.c sip/stack_trans.c
sip_dialog sip/dialog.c sip/stack_call.c sip/stack_sub.c"

make -s VARIANT=cov $(echo "$table" | awk -v b=$b '{ print b "/fuzz_" $1 }' | sort -u)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
echo "$table" | while read -r t files; do
    rm -rf "$tmp/$t"
    GCOV_PREFIX=$tmp/$t GCOV_PREFIX_STRIP=$(pwd | tr -cd / | wc -c) "$b/fuzz_$t" fuzz/corpus/"$t"/* >/dev/null
    cp $b/sip/*.gcno "$tmp/$t/$b/sip"
    for c in $files; do
        gcov -n -o "$tmp/$t/$b/sip" "$c" 2>/dev/null | awk -v t="$t" -v f="$c" '
            $0 ~ "File .*" f { hit = 1 }
            hit && /Lines executed/ {
                split($2, a, ":"); sub("%", "", a[2])
                printf "%-12s %6.2f %5d %s%s\n", t, a[2], $4, f, a[2] + 0 < 90 ? "  (below 90)" : ""; exit }'
    done
done
