#!/bin/sh
# repro.sh - builds the package of HEAD twice, in two folders of different names,
# and compares: the same sources, compiler and libraries give the same bytes.
set -eu
cd "$(dirname "$0")/.."
head=$(git rev-parse HEAD) # also when somebody commits meanwhile
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct "$head")
export SOURCE_DATE_EPOCH CCACHE_DISABLE=1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for d in one/tree another/and/longer; do
    mkdir -p "$tmp/$d"
    git archive "$head" | tar -x -C "$tmp/$d"
    make -s -C "$tmp/$d" -j"$(nproc)" deb > "$tmp/log" || { cat "$tmp/log"; exit 1; }
done
(cd "$tmp" && sha256sum one/tree/build/*.deb another/and/longer/build/*.deb)
cmp "$tmp"/one/tree/build/*.deb "$tmp"/another/and/longer/build/*.deb
echo "repro: the same bytes"
