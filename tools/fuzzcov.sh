#!/bin/sh
# fuzzcov.sh [TARGET...] - lines of the files that a fuzz target is about which its corpus
# alone reaches, by gcov of a VARIANT=cov build; below 90 % is marked. Default: all.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."
b=build/cov
table="sip_msg sip/msg.c
sip_frame sip/frame.c
sip_trans sip/trans.c
sip_uri sip/addr.c sip/uri.c sip/host.c
sip_value sip/value.c sip/digest.c sip/xmlend.c
sip_stack sip/stack.c sip/stack_auth.c sip/stack_client.c sip/stack_large.c sip/stack_done.c sip/stack_refuse.c
sip_stack sip/stack_reply.c sip/stack_server.c sip/stack_trans.c
sip_dialog sip/dialog.c sip/stack_call.c sip/stack_sub.c
scan base/scan.c
sdp sdp/read.c sdp/plain.c sdp/write.c sdp/offer.c sdp/gbext.c
assembly manscdp/assembly.c
bodies manscdp/bodies.c manscdp/config.c manscdp/control.c manscdp/ptz.c
bodies manscdp/schema.c manscdp/schema_read.c manscdp/schema_fault.c manscdp/schema_write.c
hot manscdp/notify.c manscdp/catalog.c manscdp/item.c
manscdp manscdp/msg.c manscdp/device.c manscdp/time.c
mansrtsp manscdp/mansrtsp.c
text manscdp/text.c
xml_plain manscdp/xml.c manscdp/plain.c manscdp/repair.c
rtp rtp/packet.c rtp/rtcp.c rtp/kind.c
rtp_queue rtp/queue.c
tcpframe rtp/tcpframe.c
annexb ps/annexb.c
ps_demux ps/demux.c ps/resync.c ps/sync.c ps/program.c ps/pes.c ps/es.c ps/es_audio.c ps/es_video.c
ps_mux ps/mux.c
h264 app/media/h264.c
h265 app/media/h265.c
hub app/media/hub.c app/media/hub_viewer.c app/media/hub_ring.c app/media/hub_rings.c app/media/hub_format.c app/media/hub_audio.c
hub_raw app/media/hub_raw.c
hls app/media/hls.c
mp4cut app/media/mp4cut.c app/media/mp4index.c app/media/mp4scan.c
rtmp app/media/rtmp.c
stamps app/media/stamps.c app/media/poc.c
unpack rtp/unpack.c
wav app/media/wav.c
tree app/platform/tree.c
platform app/platform/platform.c app/platform/registrar.c app/platform/messages.c app/platform/notices.c app/platform/devices.c
platform app/platform/catalog.c app/platform/channels.c app/platform/commands.c app/platform/command_answers.c
platform app/platform/sessions.c app/platform/session_sip.c app/platform/session_media.c app/platform/dialogs.c
platform app/platform/playback.c app/platform/records.c app/platform/downloads.c app/platform/download_parts.c
platform app/platform/voice.c app/platform/voice_sip.c app/platform/subscriptions.c app/platform/upgrades.c
platform app/platform/ptz.c app/platform/actions.c app/platform/profile.c app/platform/doctor.c
hooks app/platform/hooks_answer.c app/platform/history.c
api app/http/http.c app/http/router.c app/http/scope.c app/http/known.c app/http/etag.c app/http/rows.c app/http/commit.c app/http/audit.c
api app/http/accounts.c app/http/api_auth.c app/http/api_users.c app/http/problem.c app/http/events.c app/http/news.c
api app/http/api_devices.c app/http/api_channels.c app/http/api_settings.c app/http/api_csv.c app/http/api_tree.c
api app/http/api_commands.c app/http/api_config.c app/http/api_ptz.c app/http/ptz_hold.c app/http/api_wait.c app/http/when.c app/http/api_firmware.c
api app/http/live.c app/http/live_urls.c app/http/hls.c app/http/jpeg.c app/http/api_doctor.c app/http/api_playback.c app/http/api_sessions.c
api app/http/api_recordings.c app/http/api_record.c app/http/api_export.c app/http/api_downloads.c app/http/api_file.c
api app/http/api_history.c app/http/api_hooks.c app/http/api_rules.c app/http/api_push.c app/http/api_snapshot.c app/http/talk.c
api app/http/api_system.c app/http/api_trace.c app/http/api_log.c app/http/openapi.c app/http/wvp.c
command_json app/platform/bodyjson.c app/http/body_read.c
csv app/http/csv.c
json app/http/json.c
http_chunked app/http/chunked.c
http_head app/http/http_head.c
picture app/http/picture.c
ws app/http/ws.c
announce app/rtsp/announce.c
rtsp app/rtsp/session.c app/rtsp/message.c
capture app/trace/capture.c app/trace/pcapng.c"
[ $# = 0 ] || table=$(for t in "$@"; do echo "$table" | grep "^$t "; done)
for t in fuzz/fuzz_*.c; do
    t=${t#fuzz/fuzz_}
    [ $# != 0 ] || echo "$table" | grep -q "^${t%.c} " || echo "fuzzcov: ${t%.c} names no file" >&2
done

make -s VARIANT=cov $(echo "$table" | awk -v b=$b '{ print b "/fuzz_" $1 }' | sort -u)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
echo "$table" | while read -r t files; do
    if [ ! -d "$tmp/$t" ]; then
        GCOV_PREFIX=$tmp/$t GCOV_PREFIX_STRIP=$(pwd | tr -cd / | wc -c) "$b/fuzz_$t" fuzz/corpus/"$t"/* > "$tmp/out" || cat "$tmp/out"
    fi
    for c in $files; do
        d=$tmp/$t/$b/${c%/*}
        [ -f "$tmp/$t/$b/${c%.c}.gcda" ] || { echo "$t: $c is not in it"; continue; }
        cp "$b/${c%.c}.gcno" "$d"
        gcov -n -o "$d" "$c" 2>/dev/null | awk -v t="$t" -v f="$c" '
            $0 ~ "File .*" f { hit = 1 }
            hit && /Lines executed/ {
                split($2, a, ":"); sub("%", "", a[2])
                printf "%-12s %6.2f %5d %s%s\n", t, a[2], $4, f, a[2] + 0 < 90 ? "  (below 90)" : ""; exit }'
    done
done
