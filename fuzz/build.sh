#!/bin/sh
# build.sh - builds every target the way OSS-Fuzz asks for it: CC, CFLAGS (with the
# sanitizer), LIB_FUZZING_ENGINE and OUT come from the environment; the program, its
# corpus as a zip and its dictionary go to OUT. Without them: clang, ASan, UBSan and
# libFuzzer, into build/oss-fuzz. NAMES="sip_msg sdp" builds these alone.
set -eu
cd "$(dirname "$0")/.."
out=${OUT:-$PWD/build/oss-fuzz}
cc=${CC:-clang}
flags=${CFLAGS:--O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined}
engine=${LIB_FUZZING_ENGINE:--fsanitize=fuzzer}
unset CFLAGS
mkdir -p "$out"
targets=
for name in ${NAMES:-$(ls fuzz/fuzz_*.c | sed 's|.*/fuzz_||; s|\.c$||')}; do
    targets="$targets build/oss/${CCNAME:-}fuzz/fuzz_$name"
done
# shellcheck disable=SC2086
make -s -j"$(nproc)" BUILD_ROOT=build/oss VARIANT=fuzz CC="$cc" OPT="$flags" FUZZ_ENGINE="$engine" $targets
for t in $targets; do
    name=${t##*/fuzz_}
    cp "$t" "$out/"
    [ ! -f "fuzz/$name.dict" ] || cp "fuzz/$name.dict" "$out/fuzz_$name.dict"
    if [ -d "fuzz/corpus/$name" ]; then
        (cd "fuzz/corpus/$name" && python3 -m zipfile -c "$out/fuzz_${name}_seed_corpus.zip" ./*)
    fi
done
echo "fuzz: $(echo "$targets" | wc -w) targets in $out"
