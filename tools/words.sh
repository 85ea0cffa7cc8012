#!/bin/sh
# words.sh - functions we do not use, each with the one that replaces it.
set -eu
cd "$(dirname "$0")/.."
bad=0

# word WHY FOLDERS...: a call of the function anywhere in these folders
word() {
    name=$1 why=$2
    shift 2
    out=$(grep -nE "(^|[^a-zA-Z0-9_>.])$name[[:space:]]*\(" -r --include='*.[ch]' "$@" 2>/dev/null |
        grep -vE '^[^:]+:[0-9]+:[[:space:]]*(\*|/\*|//)' || true)
    if [ -n "$out" ]; then
        echo "$out" | sed "s|\$|   <- $name: $why|"
        bad=1
    fi
}

all="base sip sdp manscdp rtp ps app tools fuzz"
core="base sip sdp manscdp rtp ps app/platform app/device app/media app/trace"
for f in strcpy strcat stpcpy strncpy strncat; do word $f "slice_copy, writer_*" $all; done
for f in sprintf vsprintf; do word $f "writer_f, snprintf" $all; done
for f in gets strtok strtok_r; do word $f "slice_cut" $all; done
for f in atoi atol atoll atof strtol strtoul strtoll strtoull strtod sscanf; do
    word $f "slice_u32, slice_u64, slice_double" $all
done
for f in tolower toupper isalpha isdigit isspace isalnum; do word $f "ascii_*" $all; done
for f in strchr strstr strrchr strpbrk strspn strcspn; do word $f "slice_find, slice_find_slice" $core; done
for f in strcasecmp strncasecmp; do word $f "slice_ieq" $all; done
for f in printf fprintf puts fopen malloc realloc; do word $f "no output, files or heap in the core" base/[!a]* sip sdp rtp ps; done
word dup "fcntl(fd, F_DUPFD_CLOEXEC, 0): programs that we start shall not have it" $all
word alloca "a bounded array, or the arena" $all
[ $bad = 0 ] && echo "words: good"
exit $bad
