#!/bin/sh
# musl.sh [ARCH...] - static programs that ask for nothing but a kernel, made with
# musl: amd64, arm64, armhf. Packs build/gb28181d-VERSION-linux-ARCH-musl.tar.gz.
# From a clean Debian:
#   tools/setup.sh build && apt-get install cmake tcl perl m4 dpkg-dev \
#       gcc-aarch64-linux-gnu gcc-arm-linux-gnueabihf qemu-user
#   tools/musl.sh
# The libraries are made from the sources of Debian's packages, below build/musl;
# apt works on lists of its own. What is done stays, and is not done again.
# UNIT='xml|ps_demux' builds these tests as well and runs them, under qemu-user where
# the machine is another one.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
[ $# -gt 0 ] || set -- amd64
work=$top/build/musl
jobs=$(nproc)
mkdir -p "$work/log"

apt() { # STATE ARCH ...: with lists and caches of its own
    state=$1
    machine=$2
    shift 2
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
    : > "$state/status"
    {
        echo "deb [signed-by=$keys] $mirror $suite main"
        echo "deb-src [signed-by=$keys] $mirror $suite main"
    } > "$state/list"
    apt-get -q -o APT::Architecture="$machine" -o APT::Architectures="$machine" -o APT::Sandbox::User=root \
        -o Dir::Etc::sourcelist="$state/list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State="$state" -o Dir::State::lists="$state/lists" \
        -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" "$@"
}
keys=/usr/share/keyrings/debian-archive-keyring.gpg
mirror=${MIRROR:-http://deb.debian.org/debian}
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")

triplet() {
    case $1 in
    amd64) echo x86_64-linux-gnu x86_64-linux-musl linux-x86_64 "" ;;
    arm64) echo aarch64-linux-gnu aarch64-linux-musl linux-aarch64 qemu-aarch64 ;;
    armhf) echo arm-linux-gnueabihf arm-linux-musleabihf linux-armv4 qemu-arm ;;
    *) return 1 ;;
    esac
}

sources() { # once for all machines
    [ -d "$work/src/openssl" ] && return
    rm -rf "$work/src"
    mkdir -p "$work/src"
    apt "$work/apt" amd64 update
    (cd "$work/src" && apt "$work/apt" amd64 source --download-only \
        libuv1 mxml jansson libyaml nettle sqlite3 zlib cmocka openssl)
    for name in libuv1 mxml jansson libyaml nettle sqlite3 zlib cmocka openssl; do
        dpkg-source --no-check -x "$work/src/$name"_*.dsc "$work/src/$name"
    done
}

compiler() { # ARCH GNU MUSL: $dir/gcc, with musl and the kernel's headers
    [ -x "$dir/gcc" ] && return
    apt "$dir/apt" "$1" update
    apt "$dir/apt" "$1" install -y --no-install-recommends --download-only musl-dev linux-libc-dev
    for deb in "$dir"/apt/cache/archives/*.deb; do
        dpkg-deb -x "$deb" "$dir/root"
    done
    inc=$dir/root/usr/include
    for d in linux asm-generic mtd; do
        ln -sfn "$inc/$d" "$inc/$3/$d"
    done
    ln -sfn "$inc/$2/asm" "$inc/$3/asm"
    sed "s|/usr/|$dir/root/usr/|g" "$dir/root/usr/lib/$3/musl-gcc.specs" > "$dir/gcc.specs"
    printf '#!/bin/sh\nexec %s "$@" -static -specs %s\n' "$2-gcc" "$dir/gcc.specs" > "$dir/gcc"
    chmod +x "$dir/gcc"
    "$dir/gcc" -static -x c - -o "$dir/hello" << 'END'
#include <linux/filter.h>
#include <stdio.h>
int main(void) { return puts("musl") < 0; }
END
}

library() { # NAME COMMAND: in a copy of its sources, once
    [ -f "$dir/$1.done" ] && return
    echo "musl: $arch: $1"
    rm -rf "$dir/$1"
    cp -a "$work/src/$1" "$dir/$1"
    (cd "$dir/$1" && eval "$2") > "$work/log/$arch-$1.log" 2>&1 || { tail -15 "$work/log/$arch-$1.log"; exit 1; }
    rm -rf "${dir:?}/$1"
    touch "$dir/$1.done"
}

libraries() { # GNU OPENSSL
    cc=$dir/gcc
    flags="-O2 -ffunction-sections -fdata-sections"
    cmake="cmake -S . -B b -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_C_COMPILER=$cc -DCMAKE_C_FLAGS='$flags' \
        -DCMAKE_AR=$(command -v "$1-ar") -DCMAKE_RANLIB=$(command -v "$1-ranlib") -DCMAKE_BUILD_TYPE=None \
        -DCMAKE_INSTALL_PREFIX=$dir -DCMAKE_INSTALL_LIBDIR=lib -DBUILD_SHARED_LIBS=OFF -DBUILD_TESTING=OFF"
    export AR="$1-ar" RANLIB="$1-ranlib"
    library zlib "CC=$cc CFLAGS='$flags' ./configure --prefix=$dir --static && make -j$jobs libz.a && make install"
    library libuv1 "$cmake -DLIBUV_BUILD_TESTS=OFF && cmake --build b -j$jobs --target uv_a && cp b/libuv_a.a $dir/lib/ && cp -r include/. $dir/include/ &&
        printf 'Name: libuv\nDescription: libuv\nVersion: 1.44.2\nLibs: -L$dir/lib -luv\nCflags: -I$dir/include\n' > $dir/lib/pkgconfig/libuv.pc"
    library jansson "$cmake -DJANSSON_BUILD_DOCS=OFF -DJANSSON_WITHOUT_TESTS=ON -DJANSSON_EXAMPLES=OFF && cmake --build b -j$jobs && cmake --install b"
    library libyaml "$cmake && cmake --build b -j$jobs --target yaml && cmake --install b &&
        printf 'Name: yaml\nDescription: yaml\nVersion: 0.2.5\nLibs: -L$dir/lib -lyaml\nCflags: -I$dir/include\n' > $dir/lib/pkgconfig/yaml-0.1.pc"
    library mxml "CC=$cc CFLAGS='$flags' ./configure --host=$1 --prefix=$dir --disable-shared --disable-threads && make libmxml.a && cp libmxml.a $dir/lib/ && cp mxml.h $dir/include/ &&
        printf 'Name: mxml\nDescription: mxml\nVersion: 3.3.1\nLibs: -L$dir/lib -lmxml\nCflags: -I$dir/include\n' > $dir/lib/pkgconfig/mxml.pc"
    # what Debian patched is not made again: it would ask for autoconf
    library nettle "for f in aclocal.m4 configure config.h.in stamp-h.in desdata.stamp rotors.h keymap.h; do touch \$f; sleep 0.01; done && CC=$cc CFLAGS='$flags' ./configure --host=$1 --prefix=$dir --libdir=$dir/lib --disable-shared --disable-public-key --disable-documentation --disable-openssl && make -j$jobs libnettle.a && make install-headers install-static install-pkgconfig"
    library sqlite3 "CC=$cc CFLAGS='$flags -DSQLITE_THREADSAFE=1 -DSQLITE_OMIT_LOAD_EXTENSION' BUILD_CC=gcc ./configure --host=$1 --prefix=$dir --disable-shared --disable-tcl --disable-readline --disable-load-extension && make -j$jobs CROSS_BUILDING=yes libsqlite3.la && cp sqlite3.h $dir/include/ && cp .libs/libsqlite3.a sqlite3.pc $dir/lib/ && mv $dir/lib/sqlite3.pc $dir/lib/pkgconfig/"
    [ -z "${UNIT:-}" ] || library cmocka "$cmake -DWITH_STATIC_LIB=ON -DUNIT_TESTING=OFF && cmake --build b --target cmocka-static && cp b/src/libcmocka-static.a $dir/lib/libcmocka.a && cp include/cmocka.h $dir/include/"
    library openssl "./Configure $2 CC=$cc --prefix=$dir --libdir=lib --openssldir=/etc/ssl no-shared no-tests no-engine no-dso no-legacy no-async $flags && make -j$jobs build_libs && make install_dev"
}

failed=
for arch in "$@"; do
    # shellcheck disable=SC2046
    set -- $(triplet "$arch") || { echo "musl: $arch is not known" >&2; exit 2; }
    command -v "$1-gcc" > /dev/null || { echo "$arch: no $1-gcc: not run"; continue; }
    dir=$work/$arch
    mkdir -p "$dir/lib/pkgconfig" "$dir/include"
    sources > "$work/log/sources.log" 2>&1 || { tail -5 "$work/log/sources.log"; exit 1; }
    compiler "$arch" "$1" "$2" > "$work/log/$arch.log" 2>&1 || { tail -5 "$work/log/$arch.log"; exit 1; }
    libraries "$1" "$3"
    out=build/musl-$arch-release-static
    tests=
    for t in test/test_*.c; do
        t=$(basename "$t" .c)
        ! printf '%s' "${t#test_}" | grep -qxE "${UNIT:-}" || tests="$tests $out/$t"
    done
    # musl has other types in struct msghdr
    make -s -j"$jobs" WARN="-Wall -Wextra" STATIC=1 CC="$dir/gcc" CCNAME="musl-$arch-" CROSS= AR="$1-ar" \
        PKG_CONFIG="env PKG_CONFIG_LIBDIR=$dir/lib/pkgconfig pkg-config --static" all $tests
    STRIP="$1-strip" ARCH="$arch-musl" tools/tarball.sh "$out"
    got=$(${4:-} "$out/gb28181d" --version) || failed="$failed $arch"
    cp "$out/gb28181d" "$dir/stripped"
    "$1-strip" "$dir/stripped"
    # shellcheck disable=SC2086
    [ -z "$tests" ] || RUN=${4:-} tools/unit.sh $tests || failed="$failed $arch-unit"
    echo "$arch: $got, stripped $(wc -c < "$dir/stripped") bytes, asks for: $("$1-readelf" -d "$out/gb28181d" | grep -c NEEDED || true) libraries"
done
[ -z "$failed" ] || { echo "musl: failed:$failed" >&2; exit 1; }
