#!/bin/sh
# axe.sh [DIR] - fetches axe-core by npm into DIR (default: build), where
# test/e2e/page.py looks for it. Nothing of it is part of gb28181d.
set -eu
dir=${1:-build}
version=4.14.1
[ -f "$dir/axe.min.js" ] && exit 0
command -v npm >/dev/null 2>&1 || { echo "axe.sh: npm is not installed"; exit 1; }
mkdir -p "$dir"
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
(cd "$temp" && npm pack --silent "axe-core@$version" >/dev/null && tar xzf axe-core-*.tgz package/axe.min.js)
mv "$temp/package/axe.min.js" "$dir/axe.min.js"
