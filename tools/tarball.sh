#!/bin/sh
# tarball.sh BUILD [OUT] - OUT/gb28181d-VERSION-linux-ARCH.tar.gz: a finished
# build with its pages, unit file and examples. make tarball STATIC=1: programs that
# ask for no library; see docs/manual.md.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."
build=${1:?"usage: tools/tarball.sh BUILD [OUT]"}
out=${2:-build}
arch=${ARCH:-$(uname -m)}
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2> /dev/null || date +%s)}
name=gb28181d-$(cat VERSION)-linux-$arch
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
d=$tmp/$name
mkdir -p "$d/bin" "$d/man" "$d/share"
for p in gb28181d gbctl gbcam; do
    install -m 755 "$build/$p" "$d/bin/$p"
    "${STRIP:-strip}" "$d/bin/$p"
done
install -m 644 docs/gb28181d.8 docs/gbctl.1 docs/gbcam.1 "$d/man/"
install -m 644 packaging/systemd/gb28181d.service packaging/completion/gbctl.* docs/gb28181d.yml.example \
    packaging/prometheus/alerts.yml packaging/grafana/gb28181d.json "$d/share/"
install -m 644 README.md CHANGELOG.md LICENSE "$d/"
mkdir -p "$out"
tar -C "$tmp" --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner -cf - "$name" | gzip -9n > "$out/$name.tar.gz"
echo "$out/$name.tar.gz"
