#!/bin/sh
# docs.sh [--check] - writes what the documents say from the code:
#   docs/gb28181d.yml.example     every setting with its default
#   docs/gb28181d.8               the part between BEGIN and END SETTINGS
#   docs/limits.md                every named limit
#   packaging/completion/gbctl.*      from gbctl's tables
# --check writes nothing; it fails where a file is out of date, where a man page
# and --help name different options, or where a document names a file, or a name
# of the code, that is not there.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."
make -s -j"$(nproc)" build/release/gb28181d build/release/gbcam build/release/gbctl
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0

# Nothing but the defaults: no file, no environment, no settings that were kept.
top=$PWD
(cd "$tmp" && env -i "$top/build/release/gb28181d" -c /dev/null --print-config) > "$tmp/config"

example() {
    cat <<'X'
# Configuration of gb28181d. Copy it to /etc/gb28181d/gb28181d.yml, or name it
# with -c. These are the defaults; a key that is left out keeps its default.
# Made from the code by tools/docs.sh.

X
    cat "$tmp/config"
}

# The settings as an mdoc list. Each is a comment line, then "  key: value".
settings() {
    awk '
        function out(s) {
            gsub(/\\/, "\\e", s)
            gsub(/-/, "\\-", s)
            if (s ~ /^[.\047]/) s = "\\&" s
            print s
        }
        BEGIN { print ".Bl -tag -width Ds" }
        /^[a-z]/ { sub(/:$/, ""); section = $0; next }
        /^  # / { help = substr($0, 5); next }
        {
            key = $1
            sub(/:$/, "", key)
            value = $0
            sub(/^ *[a-z_]+: /, "", value)
            gsub(/\047/, "", value)
            if (value == "") value = "empty"
            if (value == "[]") value = "none"
            gsub(/^\[|\]$/, value ~ /^\[[0-9]/ ? "" : "&", value)
            print ".It Ic " section "." key
            out(help)
            print ".br"
            out("Default: " value)
        }
        END { print ".El" }' "$tmp/config"
}

# FILE: its text with what stands between the markers made anew.
man_page() {
    settings > "$tmp/settings"
    awk -v made="$tmp/settings" '
        /BEGIN SETTINGS/ { print; while ((getline l < made) > 0) print l; skip = 1 }
        /END SETTINGS/ { skip = 0 }
        !skip' "$1"
}

# The faults of gbcam, between the marks of its page.
fault_page() {
    build/release/gbcam --faults | awk -F '\t' '{ gsub(/-/, "\\-", $1); printf ".It Cm %s\n%s\n.Pq %s\n", $1, $2, $3 }' > "$tmp/faults"
    awk -v made="$tmp/faults" '
        /BEGIN FAULTS/ { print; while ((getline l < made) > 0) print l; skip = 1 }
        /END FAULTS/ { skip = 0 }
        !skip' "$1"
}

# Every #define of a number that is used and whose name says that it bounds
# something: MAX, LIMIT or CAP anywhere, or the last word is that of a time, a
# size or a rate. Sizes that a standard fixes are none.
limit_rows() {
    files=$(ls base/*.[ch] sip/*.[ch] sdp/*.[ch] manscdp/*.[ch] rtp/*.[ch] ps/*.[ch] \
        app/platform/*.[ch] app/device/*.[ch] app/media/*.[ch] app/net/*.[ch] \
        app/store/*.[ch] app/http/*.[ch] app/rtsp/*.[ch] app/*.[ch] tools/gbcam.c tools/cam/*.[ch] | grep -v '^ps/proto\.h$')
    cat $files | grep -oE '[A-Z][A-Z0-9_]+' | sort | uniq -c > "$tmp/words"
    for f in $files; do
        awk -v f="$f" -v words="$tmp/words" '
            BEGIN { while ((getline l < words) > 0) { split(l, w, " "); used[w[2]] = w[1] } }
            function number(v,   a) {
                while (v ~ /[0-9][uU]/) sub(/[uU]/, "", v)
                while (v ~ /^\(.*\)$/) v = substr(v, 2, length(v) - 2)
                if (split(v, a, / *<< */) == 2 && a[1] ~ /^[0-9]+$/ && a[2] ~ /^[0-9]+$/)
                    return sprintf("%.0f", a[1] * 2 ^ a[2])
                if (v ~ /^[0-9 *]+$/) {
                    n = split(v, a, / *\* */)
                    for (r = 1; n > 0; n--) r *= a[n]
                    return sprintf("%.0f", r)
                }
                return v
            }
            function row() {
                sub(/[ \t]*\*\/.*$/, "", text)
                gsub(/[ \t]+/, " ", text)
                sub(/^ /, "", text)
                gsub(/ ?\([a-z.]*md §[^)]*\)/, "", text)
                gsub(/ ?\((§[0-9.]+|[0-9]\.[0-9]+)\)/, "", text)
                gsub(/\|/, "\\|", text)
                printf "| `%s` | %s | %s | %s |\n", name, number(value), text, f
            }
            more { text = text " " $0; if (/\*\//) { row(); more = 0 } next }
            /^#define [A-Z][A-Z0-9_]* / {
                name = $2
                if (used[name] < 2 || name ~ /(HEADER|ASC|STREAMINFO|AUDIO)_BYTES$|_[SP]PS_ID$|(FIRST|MIN)_CAP$/)
                    next
                if (name !~ /(^|_)(MAX|LIMIT|CAP)(_|$)/ &&
                    name !~ /_(MS|RATE|BURST|CHUNKS|ENTRIES|WINDOW|BATCH|SPARE|SOURCE|FAILURES|TRIES|ATTEMPTS|TURNS|KEPT)$/ &&
                    name !~ /_(AGE|WINDOW|IDLE|LIFE)_S$/ && name !~ /^DEFAULT_(OPEN|ITEMS)$/ &&
                    !(f ~ /h$/ && name ~ /_(BYTES|FRAMES)$/))
                    next
                value = $0
                sub(/^#define [A-Z0-9_]+ +/, "", value)
                text = ""
                if ((at = index(value, "/*"))) {
                    text = substr(value, at + 2)
                    value = substr(value, 1, at - 1)
                }
                sub(/[ \t]+$/, "", value)
                if (value !~ /^\(*([0-9]|[A-Z0-9_]+ [+*])/ || value ~ /^0x/)
                    next
                if (text != "" && text !~ /\*\//) { more = 1; next }
                row()
            }' "$f"
    done
}

limits() {
    cat <<'X'
# Limits

What bounds the program, made from the code by tools/docs.sh. Times are in
milliseconds (`_MS`) or seconds (`_S`).

## Settings

| setting | default | what |
| --- | --- | --- |
X
    awk '/^[a-z]/ { section = $1; sub(/:/, "", section) }
        /^  # / { help = substr($0, 5); next }
        section == "limits" && /^  [a-z]/ { v = $2; gsub(/\047/, "", v); k = $1; sub(/:/, "", k)
            printf "| `limits.%s` | %s | %s |\n", k, v, help }' "$tmp/config"
    cat <<'X'

## Fixed

| name | value | what | file |
| --- | --- | --- | --- |
X
    limit_rows
}

# Options of --help, and those of a man page.
options_match() { # PROGRAM PAGE
    "build/release/$1" --help | grep -oE '(^|[ ,[])--?[a-z][a-z-]*' | tr -d ' ,[' | sort -u > "$tmp/help"
    grep -E '^\.(It )?Fl|^\.Op|^\.Op Fl' "$2" | grep -oE 'Fl (\\-|-)?[a-z][a-z\\-]*' |
        sed 's/^Fl //; s/\\//g; s/^/-/' | sort -u > "$tmp/page"
    if ! diff "$tmp/help" "$tmp/page" > "$tmp/diff"; then
        sed "s|^<|$1 --help:|; s|^>|$2:|" "$tmp/diff" | grep -- '--help:\|docs/'
        bad=1
    fi
}

# What gbctl can be asked for is in its --help and in its page.
commands_match() {
    sed -n 's/^    0) compadd -- \(.*\) ;;$/\1/p' "$tmp/gbctl.zsh" | tr -s ' ' '\n' | sed '/^$/d' | sort -u > "$tmp/has"
    build/release/gbctl --help | sed -n 's/^  \([a-z][a-z-]*\).*/\1/p' | sort -u > "$tmp/help"
    sed -n 's/^\.It Cm \([a-z][a-z-]*\).*/\1/p' docs/gbctl.1 | sort -u > "$tmp/page"
    for of in help page; do
        if ! diff "$tmp/has" "$tmp/$of"; then
            echo "gbctl: its commands and those of its $of differ"
            bad=1
        fi
    done
}

# `folder/file` in a document is a file or a folder.
files_exist() {
    for d in "$@"; do
        for n in $(grep -v NAME "$d" | grep -oE '`(base|sip|sdp|manscdp|rtp|ps|app|test|fuzz|tools|docs|packaging)/[a-zA-Z0-9_./-]*`' | tr -d '\140' | sort -u); do
            [ -e "$n" ] || { echo "$d: $n is not there"; bad=1; }
        done
    done
}

# `name_of_the_code` in a document is in a source.
names_exist() {
    for d in "$@"; do
        for n in $(grep -oE '`(struct |enum )?[a-zA-Z][a-zA-Z0-9]*_[a-zA-Z0-9_]*`' "$d" | tr -d '\140' | awk '{ print $NF }' | sort -u); do
            grep -rqw --include='*.[ch]' --include='*.py' --include='*.sh' -e "$n" base sip sdp manscdp rtp ps app test tools ||
                { echo "$d: $n is nowhere in the code"; bad=1; }
        done
    done
}

example > "$tmp/gb28181d.yml.example"
man_page docs/gb28181d.8 > "$tmp/gb28181d.8"
fault_page docs/gbcam.1 > "$tmp/gbcam.1"
limits > "$tmp/limits.md"
for shell in bash zsh fish; do
    build/release/gbctl --completion $shell > "$tmp/gbctl.$shell"
    ! command -v $shell > /dev/null 2>&1 || $shell -n "$tmp/gbctl.$shell" || bad=1
done
for f in docs/gb28181d.yml.example docs/gb28181d.8 docs/gbcam.1 docs/limits.md packaging/completion/gbctl.bash \
    packaging/completion/gbctl.zsh packaging/completion/gbctl.fish; do
    made=$tmp/${f##*/}
    if [ "${1:-}" != --check ]; then
        cmp -s "$made" "$f" || { cp "$made" "$f"; echo "$f is new"; }
    elif ! diff -u "$f" "$made" > "$tmp/diff"; then
        head -40 "$tmp/diff"
        echo "$f is out of date: make docs"
        bad=1
    fi
done
build/release/gb28181d -c docs/gb28181d.yml.example --check > /dev/null || bad=1
commands_match
options_match gb28181d docs/gb28181d.8
options_match gbcam docs/gbcam.1
options_match gbctl docs/gbctl.1
python3 tools/chinese.py > "$tmp/chinese" || { cat "$tmp/chinese"; bad=1; }
names_exist CONTRIBUTING.md docs/architecture.md
files_exist README.md CONTRIBUTING.md docs/architecture.md docs/manual.md docs/security.md docs/recipes.md
if command -v mandoc > /dev/null 2>&1; then
    mandoc -Tlint -W warning docs/gb28181d.8 docs/gbcam.1 docs/gbctl.1 || bad=1
fi
[ $bad = 0 ] && echo "docs: good"
exit $bad
