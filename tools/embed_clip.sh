#!/bin/sh
# embed_clip.sh FILE - prints the assembler source of clip_begin .. clip_end
cat <<EOF
    .section .rodata
    .globl clip_begin, clip_end
clip_begin:
    .incbin "$1"
clip_end:
    .byte 0
    .section .note.GNU-stack,"",%progbits
EOF
