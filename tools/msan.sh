#!/bin/sh
# msan.sh [TARGET...] - MemorySanitizer, which every library must be built with: the sources
# of those that we use are fetched from Debian (nothing of the system changes) and
# built into build/msan-libs; then `make VARIANT=msan TARGET` (unit and replay) without TLS and
# SQLite. It asks for clang 15 or later, whose runtime knows fstat of today's glibc, and for
# what builds Debian's sources: apt-get install clang-16 autoconf automake libtool cmake.
set -eu
cd "$(dirname "$0")/.."
libs=$PWD/build/msan-libs
jobs=$(nproc)
clang=$(command -v clang-16 || command -v clang)
export CC="$clang"
export CFLAGS="-O1 -g1 -fsanitize=memory -fsanitize-memory-track-origins -fno-omit-frame-pointer"
export LDFLAGS="-fsanitize=memory"

fetch() { # PACKAGE...
    lists=$libs/apt
    mkdir -p "$lists/lists/partial" "$libs/src"
    # shellcheck source=/dev/null
    . /etc/os-release
    echo "deb-src http://deb.debian.org/debian $VERSION_CODENAME main" > "$lists/sources.list"
    (
        cd "$libs/src"
        apt() {
            apt-get -q -o Dir::Etc::sourcelist="$lists/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$lists/lists" "$@"
        }
        apt update
        apt source "$@"
    )
}

configured() { # PACKAGE OPTION...
    package=$1
    shift
    cd "$libs"/src/"$package"-*/
    [ -x configure ] || autoreconf -fi
    ./configure --prefix="$libs" --disable-shared --enable-static "$@"
    make -j"$jobs"
    make install
}

with_cmake() { # PACKAGE OPTION...
    package=$1
    shift
    cd "$libs"/src/"$package"-*/
    cmake -B msan -DCMAKE_INSTALL_PREFIX="$libs" -DCMAKE_INSTALL_LIBDIR=lib -DBUILD_SHARED_LIBS=OFF "$@"
    cmake --build msan -j"$jobs"
    cmake --install msan
}

libraries() {
    fetch mxml nettle jansson libyaml libuv1 zlib cmocka
    (configured mxml)
    (configured nettle --disable-assembler --disable-openssl --disable-documentation --disable-public-key)
    (configured jansson)
    (configured libyaml)
    (with_cmake libuv1 -DLIBUV_BUILD_TESTS=OFF -DLIBUV_BUILD_BENCH=OFF)
    (cd "$libs"/src/zlib-*/ && ./configure --prefix="$libs" --static && make -j"$jobs" libz.a && make install)
    (with_cmake cmocka -DWITH_EXAMPLES=OFF)
    touch "$libs/ready"
}

if [ ! -e "$libs/ready" ]; then
    echo "msan: building the libraries; what they say goes to build/msan-libs.log"
    mkdir -p "$libs"
    trap 'tail -20 "$libs.log"' EXIT
    libraries > "$libs.log" 2>&1
    trap - EXIT
fi
unset CFLAGS
export CC="${CCACHE:-} $clang" CPPFLAGS="-I$libs/include" LDFLAGS="-L$libs/lib -Wl,-rpath,$libs/lib"
export PKG_CONFIG_PATH="$libs/lib/pkgconfig:$libs/lib64/pkgconfig"
[ $# -gt 0 ] || set -- unit replay
exec make VARIANT=msan TLS=0 SQLITE=0 -j"$jobs" "$@"
