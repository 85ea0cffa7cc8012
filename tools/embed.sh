#!/bin/sh
# embed.sh DIR FILE... - gzips the files into DIR and prints the assembler
# source of a table: struct web_file { const char *name; const uint8_t *data;
# const uint8_t *end; }, ended by a NULL name.
set -eu
dir=$1
shift
echo '    .section .rodata'
for f in "$@"; do
    n=$(basename "$f")
    gzip -9nc "$f" > "$dir/$n.gz"
    l=$(echo "$n" | tr -c 'a-zA-Z0-9\n' _)
    printf 'web_d_%s: .incbin "%s"\nweb_e_%s:\n' "$l" "$dir/$n.gz" "$l"
    printf 'web_n_%s: .asciz "%s"\n' "$l" "$n"
done
echo '    .section .data.rel.ro,"aw"'
echo '    .balign 8'
echo '    .globl web_files'
echo 'web_files:'
# A word is a pointer: .quad or .long by the target.
echo '#if defined(__LP64__)'
echo '#define WORD .quad'
echo '#else'
echo '#define WORD .long'
echo '#endif'
for f in "$@"; do
    l=$(basename "$f" | tr -c 'a-zA-Z0-9\n' _)
    echo "    WORD web_n_$l, web_d_$l, web_e_$l"
done
echo '    WORD 0, 0, 0'
echo '    .section .note.GNU-stack,"",%progbits'
