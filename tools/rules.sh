#!/bin/sh
# rules.sh - docs/sip-rules.md, docs/field-notes.md and docs/security.md name tests and fuzz targets:
# each must be there and be run by its program; every rule and torture file has its place, and every
# line of fuzz/campaigns.txt names a target.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."
bad=0

fault() {
    echo "$1" >&2
    bad=1
}

# Rules without a proof, or not there at all.
for n in $(seq 70); do
    echo "R$n"
done | awk 'NR == FNR { rule[$1] = 1; next }
    match($0, /^\| R[0-9]+ \| .*\| test_[a-z0-9_]*: [^|]*\|$/) { delete rule[$2] }
    END { for (r in rule) { print "docs/sip-rules.md: " r " has no test"; n = 1 } exit n }' - docs/sip-rules.md >&2 || bad=1

# Every "test_x, test_y: a, b; e2e z: c" in a row of a table: the tests are defined and named once
# more by their program. Row 5.N of security.md ends with its fuzz targets.
awk '
    function wrong(what) { print FILENAME ": " no ": " what; bad = 1 }
    function known(file, name) {
        if (!((file, name) in run) || (file ~ /\.c$/ && !((file, name) in defined))) wrong(file " has no test " name)
    }
    function cell(text,    part, n, i, files, f, nf, j, name, m, k, file) {
        gsub(/`test\/e2e\//, "e2e ", text)
        gsub(/\.py`/, "", text)
        n = split(text, part, ";")
        for (i = 1; i <= n; i++) {
            if (part[i] !~ /^ *test_[a-z0-9_]+(, test_[a-z0-9_]+)*:/ && part[i] !~ /^ *e2e [a-z_]+ *(:|$)/) continue
            files = part[i]
            sub(/:.*/, "", files)
            if (!sub(/^[^:]*:/, "", part[i])) part[i] = ""
            gsub(/[ .]/, "", part[i])
            nf = split(files, f, ",")
            m = split(part[i], name, ",")
            for (j = 1; j <= nf; j++) {
                gsub(/^ *| *$/, "", f[j])
                file = sub(/^e2e /, "", f[j]) ? "test/e2e/" f[j] ".py" : "test/" f[j] ".c"
                if (!seen[file]) wrong("there is no " file)
                # "test_a, test_b: x": the last one has it
                for (k = 1; k <= m && j == nf; k++) if (seen[file]) known(file, name[k])
            }
        }
    }
    FILENAME ~ /^test\// && FNR == 1 { seen[FILENAME] = 1 }
    FILENAME ~ /\.c$/ {
        if (match($0, /^static void [a-z0-9_]+\(void \*\*/)) {
            name = substr($0, 13); sub(/\(.*/, "", name)
            defined[FILENAME, name] = 1
        }
        line = $0
        while (match(line, /\([a-z0-9_]+[,)]/)) {
            run[FILENAME, substr(line, RSTART + 1, RLENGTH - 2)] = 1
            line = substr(line, RSTART + RLENGTH - 1)
        }
        next
    }
    FILENAME ~ /\.py$/ {
        line = $0
        while (match(line, /"[a-z0-9_-]+"/)) {
            run[FILENAME, substr(line, RSTART + 1, RLENGTH - 2)] = 1
            line = substr(line, RSTART + RLENGTH - 1)
        }
        if (test && match($0, /^def [a-z0-9_]+/)) run[FILENAME, substr($0, 5, RLENGTH - 4)] = 1
        test = /^@test$/
        next
    }
    /^\| [R0-9]/ {
        n = split($0, cells, "|")
        no = cells[2]
        gsub(/^ *| *$/, "", no)
        for (c = 4; c < n; c++) cell(cells[c])
        if (FILENAME ~ /security\.md$/ && no ~ /^5\./) {
            k = split(cells[n - 1], target, ",")
            for (c = 1; c <= k; c++) {
                gsub(/ /, "", target[c])
                if (target[c] != "-" && (getline line < ("fuzz/fuzz_" target[c] ".c")) < 0) wrong("there is no fuzz target " target[c])
            }
        }
    }
    END { exit bad }' test/test_*.c test/e2e/*.py docs/sip-rules.md docs/field-notes.md docs/security.md >&2 || bad=1

# Torture files: those that are listed are those that there are, and each has a
# line in the table.
listed=$(awk '/^RFC 4475 §3.1.1:/ { on = 1 } on' docs/sip-rules.md | sed 's/^[A-Z][^:]*: //' | tr -d '.' | tr ', ' '\n\n')
for name in $listed; do
    [ -f "test/data/sip/torture/$name.sip" ] || fault "docs/sip-rules.md lists $name, which is not there"
done
listed=" $(echo "$listed" | tr '\n' ' ')"
tried=" $(sed -n 's/.*{ "\([^"]*\)", .*/\1/p' test/torture.c | tr '\n' ' ')"
for f in test/data/sip/torture/*.sip; do
    name=${f##*/}
    name=${name%.sip}
    [ -f "$f.expect" ] || fault "$f.expect is not there"
    case $listed in *" $name "*) ;; *) fault "$f: not listed in docs/sip-rules.md" ;; esac
    case $tried in *" $name "*) ;; *) fault "$f: has no line in test/torture.c" ;; esac
done
tools/campaign.sh --sum > /dev/null || bad=1
exit $bad
