#!/bin/sh
# make.sh MUXER - makes the two program streams of 3 s in this folder.
#
# MUXER IN.mkv OUT.ps OUT.rtp OUT.idx [MAX_PES] packs as cameras do, by code that
# shares nothing with ps/mux.c: per picture a pack header, system header and PSM
# on key frames, PES 0xE0 with a PTS in the first only; sound in PES 0xC0 without
# a pack header. OUT.idx has a line "stream_type frames bytes" for each stream,
# counted from what went in. Needs ffmpeg with libx264 and libx265.
set -eu
mux=$1
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
encode() { # FILE options...
    file=$1
    shift
    ffmpeg -hide_banner -loglevel error -nostdin -y -f lavfi -i testsrc=s=320x176:r=25 -f lavfi -i "sine=f=440:r=16000" \
        -t 3 -pix_fmt yuv420p -g 25 -bf 0 "$@" "$file"
}
encode "$tmp/h264.mkv" -c:v libx264 -preset ultrafast -tune zerolatency -x264-params slices=1:sliced-threads=0 \
    -b:v 150k -maxrate 150k -bufsize 75k -c:a pcm_alaw -ar 8000 -ac 1
encode "$tmp/h265.mkv" -c:v libx265 -preset ultrafast -x265-params log-level=error:bframes=0 \
    -b:v 100k -maxrate 100k -bufsize 100k -c:a aac -ar 16000 -ac 1 -b:a 32k
"$mux" "$tmp/h264.mkv" h264-pcma.ps /dev/null h264-pcma.idx 5120
"$mux" "$tmp/h265.mkv" h265-aac.ps /dev/null h265-aac.idx
