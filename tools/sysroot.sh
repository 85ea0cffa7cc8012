#!/bin/sh
# sysroot.sh ARCH [DIR] - the target's headers and libraries for a cross build,
# unpacked into DIR (default build/sysroot-ARCH). Nothing of the system changes:
# apt works on lists of its own. ARCH: arm64, armhf, riscv64, ...
#   tools/sysroot.sh arm64
#   make CROSS=aarch64-linux-gnu- SYSROOT=build/sysroot-arm64
# The compiler comes from the distribution: gcc-aarch64-linux-gnu,
# gcc-arm-linux-gnueabihf.
set -eu
cd "$(dirname "$0")/.."
arch=${1:?"usage: tools/sysroot.sh ARCH [DIR]"}
dir=${2:-build/sysroot-$arch}
packages="libc6-dev libuv1-dev libmxml-dev nettle-dev libyaml-dev libjansson-dev libsqlite3-dev libssl-dev zlib1g-dev libcmocka-dev"
state=$dir.apt
mkdir -p "$dir" "$state/lists/partial" "$state/cache/archives/partial"
: > "$state/status"
apt() {
    apt-get -q -o APT::Architecture="$arch" -o APT::Architectures="$arch" \
        -o Dir::State="$PWD/$state" -o Dir::State::lists="$PWD/$state/lists" \
        -o Dir::State::status="$PWD/$state/status" -o Dir::Cache="$PWD/$state/cache" "$@"
}
echo "sysroot: fetching packages of $arch"
# A part of an archive that cannot be had (a mirror between two states) is left
# out: what is then missing is said below.
apt update || echo "sysroot: not all lists could be had, going on with the others"
# shellcheck disable=SC2086
apt install -y --no-install-recommends --download-only $packages
for deb in "$state"/cache/archives/*.deb; do
    dpkg-deb -x "$deb" "$dir"
done
# Links that name a path of the target's root are turned to this folder.
find "$dir" -type l -lname '/*' | while read -r l; do
    ln -snf "$PWD/$dir$(readlink "$l")" "$l"
done
rm -rf "$state"
echo "sysroot: $dir is ready"
