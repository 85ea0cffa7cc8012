#!/bin/sh
# rules.sh - docs/sip-rules.md, docs/field-notes.md and docs/security.md name tests: each must be
# there and be run by its program; every rule and torture file has its place.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."
bad=0

fault() {
    echo "$1" >&2
    bad=1
}

# "FILE NAME" of every "test_x: a, b; test_y: c" in the last cell of a table.
proofs() {
    awk -F'|' '/^\| [R0-9]/ {
        n = split($(NF - 1), part, ";")
        for (i = 1; i <= n; i++) {
            if (part[i] !~ /^ *test_[a-z0-9_]*:/) continue
            file = part[i]; sub(/^ */, "", file); sub(/:.*/, "", file)
            sub(/^[^:]*:/, "", part[i])
            m = split(part[i], name, ",")
            for (k = 1; k <= m; k++) {
                gsub(/[ .]/, "", name[k])
                print $2, file, name[k]
            }
        }
    }' "$1"
}

# Rules without a proof, or not there at all.
for n in $(seq 70); do
    grep -q "^| R$n | .*| test_[a-z0-9_]*: [^|]*|\$" docs/sip-rules.md || fault "docs/sip-rules.md: R$n has no test"
done
for doc in docs/sip-rules.md docs/field-notes.md docs/security.md; do
    proofs "$doc" > "${TMPDIR:-/tmp}/rules.$$"
    while read -r line; do
        name=${line##* }
        rest=${line% *}
        file=test/${rest##* }.c
        # run: named once more than it is defined
        [ -f "$file" ] && grep -Eq "^static void $name\(void \*\*" "$file" &&
            grep -Eq "\($name[,)]" "$file" || fault "$doc: ${rest% *}: $file has no test $name"
    done < "${TMPDIR:-/tmp}/rules.$$"
    rm -f "${TMPDIR:-/tmp}/rules.$$"
done

# Torture files: those that are listed are those that there are, and each is in
# the three tables.
listed=$(awk '/^RFC 4475 §3.1.1:/ { on = 1 } on' docs/sip-rules.md | sed 's/^[A-Z][^:]*: //' | tr -d '.' | tr ', ' '\n\n')
for name in $listed; do
    [ -f "test/data/sip/torture/$name.sip" ] || fault "docs/sip-rules.md lists $name, which is not there"
done
for f in test/data/sip/torture/*.sip; do
    name=$(basename "$f" .sip)
    printf '%s\n' "$listed" | grep -qx -- "$name" || fault "docs/sip-rules.md does not list $name"
    [ -f "$f.expect" ] || fault "$f.expect is not there"
    for t in torture torture_stack torture_platform; do
        grep -q "{ \"$name\", " "test/test_$t.c" || fault "test/test_$t.c: no line for $name"
    done
done
exit $bad
