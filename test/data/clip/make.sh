#!/bin/sh
# make.sh - makes what gbcam loops: clock.h264 and clock.h265, sub.h264 and
# sub.h265 for the sub-stream, tone.aac for AAC.
#
# 640x360, 25 pictures a second, 10 s, a key frame each second, no B pictures; of
# the sub-stream 320x180 and 2 s. The tone is ADTS, 16 kHz, mono, 1.024 s of 400 Hz.
# A clock with frame count runs at the top; below it 32 blocks show the frame
# number in binary, white for 1, the highest bit on the left: a test reads them.
# Needs ffmpeg with libx264, libx265 and drawtext, and a font:
#   FONT=/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf sh make.sh
set -eu
cd "$(dirname "$0")"
font=${FONT:-/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf}

blocks=
bit=31
x=0
while [ $bit -ge 0 ]; do
    blocks="$blocks,drawbox=x=$x:y=320:w=20:h=40:color=white:t=fill:enable='gte(mod(floor(n/pow(2\,$bit))\,2)\,1)'"
    x=$((x + 20))
    bit=$((bit - 1))
done
text="drawtext=fontfile=$font:text='%{pts\:hms}  %{n}':x=20:y=20:fontsize=44:fontcolor=white:box=1:boxcolor=black:boxborderw=8"
filter="testsrc=s=640x360:r=25,drawbox=x=0:y=320:w=640:h=40:color=black:t=fill$blocks,$text"

make_clip() { # file format codec seconds filter options...
    file=$1 format=$2 codec=$3 seconds=$4 picture=$5
    shift 5
    ffmpeg -hide_banner -loglevel error -nostdin -y -f lavfi -i "$picture" -t "$seconds" \
        -c:v "$codec" -pix_fmt yuv420p -bf 0 "$@" -f "$format" "$file.tmp"
    mv "$file.tmp" "$file"
}
x265=keyint=25:min-keyint=25:bframes=0:scenecut=0:repeat-headers=1:info=0:log-level=error
x264="-preset veryslow -profile:v high -g 25 -x264-params scenecut=0"
make_clip clock.h264 h264 libx264 10 "$filter" $x264 -crf 30
make_clip clock.h265 hevc libx265 10 "$filter" -preset slow -x265-params "$x265:crf=32"
make_clip sub.h264 h264 libx264 2 "$filter,scale=320:180" $x264 -crf 36
make_clip sub.h265 hevc libx265 2 "$filter,scale=320:180" -preset slow -x265-params "$x265:crf=38"
ffmpeg -hide_banner -loglevel error -nostdin -y -f lavfi -i sine=f=400:r=16000 -t 1.024 \
    -c:a aac -b:a 16k -f adts tone.aac.tmp
mv tone.aac.tmp tone.aac
ls -l clock.* sub.* tone.aac
