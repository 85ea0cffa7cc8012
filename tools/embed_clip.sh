#!/bin/sh
# embed_clip.sh FILE... - prints the assembler source of clip_NAME_begin ..
# clip_NAME_end for each, NAME being that of the file with _ for each dot
echo '    .section .rodata'
for f in "$@"; do
    name=$(basename "$f" | tr . _)
    cat <<EOF
    .globl clip_${name}_begin, clip_${name}_end
clip_${name}_begin:
    .incbin "$f"
clip_${name}_end:
    .byte 0
EOF
done
echo '    .section .note.GNU-stack,"",%progbits'
