#!/bin/sh
# make.sh - makes clock.h264 and clock.h265, the clips that gbcam loops.
#
# 640x360, 25 pictures a second, 10 s, a key frame each second, no B pictures.
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

make_clip() { # file format codec options...
    file=$1 format=$2 codec=$3
    shift 3
    ffmpeg -hide_banner -loglevel error -nostdin -y -f lavfi -i "$filter" -t 10 \
        -c:v "$codec" -pix_fmt yuv420p -bf 0 "$@" -f "$format" "$file.tmp"
    mv "$file.tmp" "$file"
}
make_clip clock.h264 h264 libx264 -preset veryslow -profile:v high -crf 30 -g 25 -x264-params scenecut=0
make_clip clock.h265 hevc libx265 -preset slow -x265-params \
    keyint=25:min-keyint=25:bframes=0:scenecut=0:crf=32:repeat-headers=1:info=0:log-level=error
ls -l clock.h264 clock.h265
