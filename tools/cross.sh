#!/bin/sh
# cross.sh [ARCH...] - builds for other machines and runs the unit tests under
# qemu-user: arm64, armhf, i386 and s390x (big-endian: the core's tests alone).
# From a clean Debian:
#   tools/setup.sh build && apt-get install gcc-aarch64-linux-gnu \
#       gcc-arm-linux-gnueabihf gcc-i686-linux-gnu gcc-s390x-linux-gnu qemu-user
#   make cross
# The target's libraries are unpacked into build/sysroot-ARCH; the system stays as
# it is. DEB=1 packs each as well; UNIT='ps_demux|xml' builds and runs these tests
# alone; E2E='h264_one_loop_tcp_signalling' runs tests of test/e2e/run.py with the
# programs under qemu; MEMORY=1 tells resident memory of a 32-bit daemon, by the pages of
# what is emulated alone (test/e2e/memory.py), with gbcam of build/release. Under qemu-i386
# 7.2 a daemon that is stopped by SIGTERM aborts in some runs, since pthread_join of the
# newest thread says EDEADLK. That is qemu's: its threads share one table of segments, and
# the return from a signal loads gs from it anew, so that whoever handled the signal is
# taken for the thread that was made last. A program that makes a thread, raises SIGTERM
# in main and joins shows it each time (pthread_self() is the thread's); on arm64, armhf
# and without qemu it does not. So i386 is run without qemu where the kernel does that, by the
# loader of its libraries; QEMU=1 takes qemu all the same.
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- arm64 armhf i386 s390x
# Tests of the core: no sockets, no threads, no clock.
core='base|bits|csv|heap|intern|json|list|map|msg|head|frame|uri|via|cseq|auth|digest|sdp|body_standard|bodies|manscdp_msg|manscdp_vocab|mansrtsp|multipart|gbext|rtp|rtpvec|ps|psm|pes|annexb|codec|h264|h265|aac|g711|flac|flv|fmp4|mpegts|hls|dialog|build|trans|stack|pair|notify|keyframe|media|loss|addr|devid|gb18030|xml|time|writer|slice'
failed=
mkdir -p build

triplet() {
    case $1 in
    arm64) echo aarch64-linux-gnu qemu-aarch64 ;;
    armhf) echo arm-linux-gnueabihf qemu-arm ;;
    i386) echo i686-linux-gnu qemu-i386 ;;
    s390x) echo s390x-linux-gnu qemu-s390x ;;
    *) return 1 ;;
    esac
}

# Those whose results are known to need more than qemu-user gives are named with
# the reason: a packet filter on a socket (SO_ATTACH_REUSEPORT_CBPF), recvmmsg
# with control data, and tests that time themselves. Without qemu: what times itself, and a
# test that runs /bin/sh of this machine behind the filter of another architecture.
skip_qemu='media_shared|sip_edge|growth|lag'
skip_native='sandbox|lag'

unit() { # ARCH BUILD RUN
    ok=0
    bad=
    for t in "$2"/test_*; do
        [ -f "$t" ] && [ -x "$t" ] || continue
        name=${t##*/test_}
        [ -z "$chosen" ] || printf '%s' "$name" | grep -qxE "$chosen" || continue
        if printf '%s' "$name" | grep -qxE "$skip"; then
            echo "  $1: test_$name is not run"
            continue
        fi
        if timeout 300 sh -c "$3 '$t'" > "$t.log" 2>&1; then
            ok=$((ok + 1))
        else
            bad="$bad test_$name"
            grep -E 'ERROR|FAILED|qemu|assert' "$t.log" | head -5 | sed "s/^/    $name: /"
        fi
    done
    echo "$1: $ok test programs passed${bad:+; failed:$bad}"
    [ -z "$bad" ] || failed="$failed $1"
}

e2e() { # ARCH BUILD RUN
    mkdir -p "$2/qemu"
    for p in gb28181d gbctl gbcam; do
        printf '#!/bin/sh\nexec %s %s/%s/%s "$@"\n' "$3" "$PWD" "$2" "$p" > "$2/qemu/$p"
        chmod +x "$2/qemu/$p"
    done
    # shellcheck disable=SC2086
    if BUILD=$PWD/$2/qemu SLOW=${SLOW:-5} python3 test/e2e/run.py $E2E > "build/cross-$1-e2e.log" 2>&1; then
        echo "$1: $(tail -1 "build/cross-$1-e2e.log") end to end"
    else
        tail -15 "build/cross-$1-e2e.log"
        failed="$failed $1"
    fi
}

memory() { # ARCH BUILD RUN
    mkdir -p "$2/memory"
    printf '#!/bin/sh\nexec %s -B 0x200000000 %s/%s/gb28181d "$@"\n' "$3" "$PWD" "$2" > "$2/memory/gb28181d"
    chmod +x "$2/memory/gb28181d"
    make -s build/release/gbcam
    ln -sf "$PWD/build/release/gbcam" "$2/memory/gbcam"
    GUEST_BASE=0x200000000 BUILD=$PWD/$2/memory SLOW=${SLOW:-5} python3 test/e2e/memory.py "$1" || failed="$failed $1"
}

for arch in "$@"; do
    # shellcheck disable=SC2046
    set -- $(triplet "$arch") || { echo "cross: $arch is not known" >&2; exit 2; }
    cross=$1-
    root=build/sysroot-$arch
    command -v "${cross}gcc" > /dev/null || { echo "$arch: no ${cross}gcc: not run"; continue; }
    [ -d "$root/usr/include" ] || tools/sysroot.sh "$arch" > "$root.log" 2>&1 ||
        { tail -3 "$root.log"; echo "$arch: no libraries: not run"; continue; }
    # i386's libraries lie in a folder of another name than its compiler
    pkg=
    [ "$arch" != i386 ] || pkg="PKG_CONFIG=PKG_CONFIG_SYSROOT_DIR=$PWD/$root PKG_CONFIG_LIBDIR=$PWD/$root/usr/lib/i386-linux-gnu/pkgconfig:$PWD/$root/usr/share/pkgconfig pkg-config"
    # by the environment, which the Makefile adds to
    ld=
    [ "$arch" != i386 ] || ld="LDFLAGS=-L$PWD/$root/usr/lib/i386-linux-gnu -Wl,-rpath-link,$PWD/$root/lib/i386-linux-gnu --sysroot=$PWD/$root -B$PWD/$root/usr/lib/i386-linux-gnu"
    cpp=
    [ "$arch" != i386 ] || cpp="CPPFLAGS=-Wno-psabi -isystem $PWD/$root/usr/include/i386-linux-gnu --sysroot=$PWD/$root"
    what="all tests"
    b=build/${cross}release
    chosen=${UNIT:-}
    [ "$arch" != s390x ] || chosen=${UNIT:-$core}
    if [ -n "$chosen" ]; then
        what=
        [ "$arch" = s390x ] || what=all
        for t in test/test_*.c; do
            t=$(basename "$t" .c)
            ! printf '%s' "${t#test_}" | grep -qxE "$chosen" || what="$what $b/$t"
        done
    fi
    env ${ld:+"$ld"} ${cpp:+"$cpp"} make -s -j"$(nproc)" CROSS="$cross" SYSROOT="$root" LTO=0 CC="${CC_CROSS:-}${cross}gcc" ${pkg:+"$pkg"} $what \
        > "build/cross-$arch.log" 2>&1 || { tail -15 "build/cross-$arch.log"; echo "$arch: does not build"; failed="$failed $arch"; continue; }
    for p in gb28181d gbctl gbcam; do
        [ -f "$b/$p" ] || continue
        "${cross}strip" -o "$b/$p.small" "$b/$p"
        echo "figure size.$arch.$p $(wc -c < "$b/$p.small") bytes"
        rm -f "$b/$p.small"
    done
    run=
    skip=${SKIP:-$skip_qemu}
    lib=$PWD/$root/usr/lib/i386-linux-gnu
    loader=$PWD/$root/lib/ld-linux.so.2
    if [ "$arch" = i386 ] && [ "${QEMU:-0}" = 0 ] && "$loader" --version > /dev/null 2>&1; then
        skip=${SKIP:-$skip_native}
        run="env GCONV_PATH=$lib/gconv $loader --library-path $PWD/$root/lib/i386-linux-gnu:$lib"
    elif command -v "$2" > /dev/null; then
        run="$2 -L $PWD/$root"
    fi
    if [ -n "$run" ]; then
        unit "$arch" "$b" "$run"
        [ -z "${E2E:-}" ] || e2e "$arch" "$b" "$run"
        case $arch in i386 | armhf) [ "${MEMORY:-0}" = 0 ] || memory "$arch" "$b" "$2 -L $PWD/$root" ;; esac
    else
        echo "$arch: no $2: tests not run"
    fi
    [ "${DEB:-0}" = 0 ] || ARCH=$arch STRIP=${cross}strip tools/deb.sh "$b" build
done
[ -z "$failed" ] || { echo "cross: failed:$failed"; exit 1; }
