#!/bin/sh
# setup.sh [build|all|bench] - installs what gb28181d needs, by apt (Debian, Ubuntu).
#   build  compilers and libraries (enough for `make` and `make demo`)
#   all    and what the tests, fuzzers and benchmarks need (default)
#   bench  and what the benchmarks compare with: make bench PEERS=1
# Says what it does; does nothing that is done already.
set -eu
what=${1:-all}
build="gcc make curl pkg-config libc6-dev libuv1-dev libmxml-dev nettle-dev libyaml-dev libjansson-dev libsqlite3-dev libssl-dev zlib1g-dev"
tests="libcmocka-dev clang llvm libclang-rt-14-dev ffmpeg chromium chromium-driver python3 valgrind mandoc git iproute2 openssl sqlite3 tshark sip-tester nginx-light libnginx-mod-rtmp gstreamer1.0-tools gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-libav"
bench="libavformat-dev libsofia-sip-ua-dev libosip2-dev libre-dev kamailio"

if ! command -v apt-get >/dev/null 2>&1; then
    cat <<EOF
No apt-get here. The same things under other names:
  Fedora   gcc make pkgconf libuv-devel mxml-devel nettle-devel libyaml-devel jansson-devel
           sqlite-devel openssl-devel zlib-devel; tests: libcmocka-devel clang llvm
           compiler-rt ffmpeg chromium chromedriver python3 valgrind mandoc curl
  Alpine   build-base pkgconf libuv-dev mxml-dev nettle-dev yaml-dev jansson-dev sqlite-dev
           openssl-dev zlib-dev; tests: cmocka-dev clang llvm compiler-rt ffmpeg chromium
           chromium-chromedriver python3 valgrind mandoc curl
  Arch     base-devel libuv mxml nettle libyaml jansson sqlite openssl zlib; tests: cmocka
           clang llvm compiler-rt ffmpeg chromium python valgrind mandoc curl
EOF
    exit 1
fi

packages=$build
[ "$what" = build ] || packages="$build $tests"
[ "$what" != bench ] || packages="$packages $bench"
missing=
for p in $packages; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $p"
done
if [ -z "$missing" ]; then
    echo "setup: everything is installed"
    exit 0
fi
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
echo "setup: installing$missing"
apt="$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3"
$apt update
# Newer releases have another clang: take its runtime instead.
case $missing in *libclang-rt-14-dev*)
    if ! apt-cache show libclang-rt-14-dev >/dev/null 2>&1; then
        rt=$(apt-cache search '^libclang-rt-[0-9]+-dev$' 2>/dev/null | awk '{print $1}' | sort -V | tail -1)
        missing=$(echo "$missing" | sed "s/libclang-rt-14-dev/$rt/")
    fi ;;
esac
$apt install -y --no-install-recommends $missing
