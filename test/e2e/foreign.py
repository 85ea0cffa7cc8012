#!/usr/bin/env python3
"""test/e2e/foreign.py [NAME...] - the daemon against a device that shares no
code with it: SIP, digest, MANSCDP, program stream and RTP are written here
again from the standard, with the deviations that real devices show. What comes
out is compared picture by picture with the clip that went in.

BUILD names the folder of the programs, SLOW stretches the time limits, SHARDS
is how many daemons the tests are shared among, each with an interpreter of its
own, WORKERS how many run at once on each, -v prints the messages of tests that
fail."""
import json
import os
import random
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from foreign_bed import TESTS, camera, case, live, refused, start, stop, test, urls
from foreign_device import REALM, Call, Device, catalog, digest, item, plain, rand, xml
from foreign_judge import grab, judge
from foreign_media import pack_header
from foreign_signalling import listing, pages
from rig import HANG_S, SERVER_ID, Daemon, Failed, check_picture, expect, wait_for

WORKERS = int(os.environ.get("WORKERS", "6"))
SHARDS = int(os.environ.get("SHARDS", "2"))

for _c in ("h264", "h265"):
    for _t in ("udp", "tcp-passive", "tcp-active"):
        case(f"live_{_c}_{_t}".replace("-", "_"), live, dict(codec=_c, audio="alaw"), transport=_t, formats=("flv", "fmp4"),
             audio=("pcm_alaw",))


@test
def live_by_ffprobe(d):
    """The addresses as a player opens them."""
    for transport, codec in (("udp", "h264"), ("tcp-passive", "h265")):
        with camera(d) as dev:
            dev.call = Call(stream=dict(codec=codec))
            u = urls(start(d, dev, transport))
            for f in ("flv", "fmp4")[codec == "h265":]:
                check_picture(u[f], {"h264": "h264", "h265": "hevc"}[codec], seconds=2, slack=0.5,
                              tracks=("video",))
            stop(d, dev)


@test
def live_first_get_starts_it(d):
    with camera(d) as dev:
        u = urls(start(d, dev))["fmp4"]
        stop(d, dev)
        wait_for("over", lambda: not [s for s in d.get("/api/v1/sessions?limit=500")["items"] if s["device"] == dev.id])
        data, _ = grab(u, 2)
        judge(data, "fmp4", "h264", 2)
        stop(d, dev)


# SSRC and y=
case("ssrc_wrong_in_rtp", live, dict(ssrc=0xdeadbeef))
case("ssrc_wrong_in_rtp_tcp", live, dict(ssrc=0xdeadbeef), transport="tcp-passive")
case("ssrc_zero", live, dict(ssrc=0))
case("ssrc_zero_tcp", live, dict(ssrc=0), transport="tcp-passive")
case("y_missing", live, dict(ssrc="offer"), y="none")
case("y_missing_tcp_active", live, dict(ssrc="offer"), y="none", transport="tcp-active")
case("y_other", live, {}, y="0911024252")
case("y_other_tcp", live, {}, y="0911024252", transport="tcp-passive")
case("y_other_but_offered_in_rtp", live, dict(ssrc="offer"), y="0911024252")
case("y_nine_digits", live, dict(ssrc="offer"), y="nine")
case("y_nonsense", live, dict(ssrc="offer"), sdp=lambda l: [x if x[:2] != "y=" else "y=hello" for x in l])

# the network
case("rtp_loss_3_percent", live, dict(loss=0.03), exact=False, seconds=5, least=0.15)
case("rtp_loss_h265", live, dict(codec="h265", loss=0.02), exact=False, seconds=5, least=0.15, formats=("fmp4",))
case("rtp_reordered", live, dict(reorder=0.1, size=500), seconds=3)
case("rtp_duplicated", live, dict(dup=0.3), seconds=3)
case("rtp_all_at_once", live, dict(loss=0.01, reorder=0.05, dup=0.05, size=700), exact=False, seconds=4, least=0.15)
case("rtp_sequence_wraps", live, dict(seq=65520), seconds=3)
case("rtp_port_hops", live, dict(port_hop=1.5), seconds=3)

# RTP headers
case("rtp_payload_type_98", live, dict(pt=98))
case("rtp_payload_type_33", live, dict(pt=33), sdp=lambda l: [re.sub(r"^m=video (\d+) (\S+) 33", r"m=video \1 \2 96", x)
                                                             for x in l if "rtpmap" not in x])
case("rtp_extension", live, dict(extension=True))
case("rtp_padding", live, dict(padding=True))
case("rtp_csrc", live, dict(csrc=True, extension=True, padding=True), transport="tcp-passive")
case("rtp_marker_never", live, dict(marker="never"))
case("rtp_marker_always", live, dict(marker="always", size=300))
case("rtp_timestamp_zero", live, dict(ts="zero"))
case("rtp_timestamp_ms", live, dict(ts="ms"))
case("rtp_timestamp_per_packet", live, dict(ts="packet", size=800))
case("rtp_small_packets", live, dict(size=61))
case("rtp_packets_of_20k_tcp", live, dict(size=20000), transport="tcp-passive")

# program streams
case("ps_no_psm", live, dict(psm=None), formats=("fmp4",))
case("ps_no_psm_h265", live, dict(psm=None, codec="h265"))
case("ps_psm_once", live, dict(psm="once"))
case("ps_no_system_header", live, dict(system=False))
case("ps_neither", live, dict(system=False, psm=None))
case("ps_no_packs", live, dict(packs=False), start_seconds=8)
case("ps_length_zero", live, dict(length=0), formats=("fmp4",))
case("ps_length_zero_h265_tcp", live, dict(length=0, codec="h265"), transport="tcp-passive")
case("ps_length_65535", live, dict(length=65535))
for _n in (-500, -4, 3, 400):
    case(f"ps_length_off_by_{_n}", live, dict(length_off=_n), start_seconds=5)
case("ps_pes_of_one_size", live, dict(one_size=2024, marker="always"), seconds=3, formats=("fmp4",))
case("ps_pes_of_one_size_h265", live, dict(one_size=2024, codec="h265"), seconds=3, formats=("fmp4",))
case("ps_pes_of_one_size_slices", live, dict(one_size=2024, codec="h264-slices"), seconds=3, formats=("fmp4",))
case("ps_cut_at_5k", live, dict(cut=5000))
case("ps_cut_at_700_repeat_pts", live, dict(cut=700, repeat_pts=True), formats=("fmp4",))
case("ps_cut_at_1", live, dict(cut=37))
case("ps_one_pes_a_nal", live, dict(per_nal=True))
case("ps_one_pes_a_nal_h265", live, dict(per_nal=True, codec="h265", pack_per_pes=True))
case("ps_h265_declared_as_h264", live, dict(codec="h265", declared=0x1b))
case("ps_h264_declared_as_h265", live, dict(codec="h264", declared=0x24))
case("ps_h265_type_unknown", live, dict(codec="h265", declared=0))
case("ps_h264_declared_as_mpeg4", live, dict(codec="h264", declared=0x10))
case("ps_private_packets", live, dict(private=True))
case("ps_private_packets_tcp", live, dict(private=True, audio="alaw", codec="h265"), transport="tcp-passive", audio=("pcm_alaw",))
case("ps_stuffing", live, dict(stuffing=b"\xff\xff\0\0\1\xba", pes_stuffing=5))
case("ps_bare_pack_headers", live, dict(bare_pack=True, codec="h265"))
case("ps_zeros_before_prefix", live, dict(zeros=3))
case("ps_short_map", live, dict(short_map=True, audio="alaw", crc="reversed"), audio=("pcm_alaw",))
case("ps_crc_zero", live, dict(crc="zero"))
case("ps_scr_extension_384", live, dict(ext_scr=384))
case("ps_pts_wraps", live, dict(base=(1 << 33) - 90000 * 2), seconds=4)
case("ps_no_pts", live, dict(no_pts=True))
case("ps_two_units_a_pes", live, dict(units=2), seconds=3)
case("ps_five_units_a_pes_h265", live, dict(units=5, codec="h265"), seconds=3)
case("ps_parameter_sets_once", live, dict(params="once"), seconds=3, formats=("flv", "fmp4"))
case("ps_parameter_sets_once_h265", live, dict(params="once", codec="h265"), seconds=3, formats=("fmp4",))
case("ps_short_start_codes", live, dict(start3=True, aud=True), formats=("flv", "fmp4"))
case("ps_short_start_codes_h265", live, dict(start3=True, aud=True, codec="h265"), formats=("fmp4",))
case("ps_pts_wraps_at_32_bit", live, dict(base=(1 << 32) - 90000 * 2, jump_at=2, jump=-(1 << 32)), seconds=4)
case("ps_pts_starts_anew", live, dict(jump_at=1.8, jump=-800000), seconds=4)
case("ps_pts_jumps_an_hour", live, dict(jump_at=1.8, jump=3600 * 90000, audio="alaw"), seconds=4, audio=("pcm_alaw",))
case("ps_pts_jumps_back_an_hour", live, dict(base=8000000000, jump_at=1.8, jump=-3600 * 90000, audio="alaw"), seconds=4,
     audio=("pcm_alaw",), formats=("fmp4",))
case("rtp_sequence_starts_anew", live, dict(seq_restart=2, seq=30000), seconds=4, exact=False)
case("rtp_ssrc_changes", live, dict(ssrc_change=2), seconds=8, exact=False, least=0.4)
case("rtp_rtcp_between", live, dict(junk="rtcp"))
case("rtp_garbage_between", live, dict(junk="garbage"))
case("rtp_raw_audio_beside", live, dict(pcma=True), seconds=3)
case("rtp_labelled_h264", live, dict(pt=98), sdp=lambda l: [x.replace("98 PS/", "98 H264/") for x in l])


@test
def rtp_of_a_stranger_first(d):
    """A sender that was forgotten, or an attacker, is there before the device."""
    for transport in ("udp", "tcp-passive"):
        with camera(d) as dev:
            dev.call = Call(delay=0.4)
            out = []
            t = threading.Thread(target=lambda: out.append(d.live(dev.id, dev.channel, transport=transport)))
            t.start()
            dlg = wait_for("INVITE", lambda: next(iter(dev.dialogs.values()), None), 5)
            wrong = random.Random(3).randbytes(300)
            p = b"".join(struct.pack(">BBHII", 0x80, 96, 7, 0, 0x12345678) + pack_header(5) + wrong for _ in range(1))
            if transport == "udp":
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.bind(("127.0.0.88", 0))
                for _ in range(20):
                    s.sendto(p, ("127.0.0.1", dlg.rtp))
                    time.sleep(0.01)
            else:
                s = socket.create_connection(("127.0.0.1", dlg.rtp), HANG_S, ("127.0.0.88", 0))
                s.sendall((struct.pack(">H", len(p)) + p) * 20)
            t.join()
            s.close()
            expect(out[0].status == 200, f"{transport}: {out[0].status} {out[0].body[:300]}")
            data, _ = grab(urls(out[0])["flv"], 2)
            judge(data, "flv", "h264", 2)
            stop(d, dev)


case("rtp_from_another_address", live, dict(source="127.0.0.77"))
case("ps_starts_with_p_frames", live, dict(first=13), start_seconds=5)
case("ps_idr_after_2_s", live, dict(first=1, codec="h265"), start_seconds=6)

case("ps_b_pictures", live, dict(codec="h264-b"), seconds=3, formats=("flv", "fmp4"))
case("ps_b_pictures_h265", live, dict(codec="h265-b"), seconds=3, formats=("fmp4",))
case("ps_several_slices", live, dict(codec="h264-slices", cut=3000), seconds=3, formats=("flv", "fmp4"))
case("ps_several_slices_one_pes_each", live, dict(codec="h264-slices", per_nal=True), seconds=3)
case("ps_several_slices_repeat_pts", live, dict(codec="h264-slices", per_nal=True, repeat_pts=True, pack_per_pes=True), seconds=3)
case("ps_several_slices_loss", live, dict(codec="h264-slices", loss=0.02), seconds=5, exact=False, least=0.1)

# sound
case("audio_alaw", live, dict(audio="alaw"), audio=("pcm_alaw",), formats=("flv", "fmp4"))
case("audio_ulaw", live, dict(audio="ulaw"), audio=("pcm_mulaw",), formats=("flv", "fmp4"))
case("audio_aac", live, dict(audio="aac"), audio=("aac",), formats=("flv", "fmp4"))
case("audio_aac_declared_as_alaw", live, dict(audio="aac", audio_type=0x90), audio=("aac",))
case("audio_not_announced", live, dict(audio="alaw", psm=None), audio=("pcm_alaw",), seconds=3)
case("audio_pts_8k", live, dict(audio="alaw", audio_pts="8k"), audio=("pcm_alaw",), seconds=3)
case("audio_no_pts", live, dict(audio="alaw", audio_pts="none"), audio=("pcm_alaw",), seconds=3)
case("audio_before_video", live, dict(audio="alaw", video_after=2, first=200), audio=("pcm_alaw",), seconds=2, start_seconds=7)


def without_byte(d, dev, a):
    """What has none of the sound is refused, and says what plays."""
    for f, code in (("ts", "codec-unsupported"), ("frame", "no-picture")):
        try:
            with urllib.request.urlopen(urls(a)[f], timeout=HANG_S) as r:
                raise Failed(f"{f}: {r.status}")
        except urllib.error.HTTPError as e:
            p = json.loads(e.read())
            expect(e.code == 409 and p["code"] == code and "g711a" in p["evidence"] and ".flv" in p["hint"], f"{f}: {p}")


case("audio_only", live, dict(audio="alaw", video=False), audio=("pcm_alaw",), video=False, seconds=2,
     formats=("flv", "fmp4"), check=without_byte)

# answers
case("answer_provisional", live, {}, provisional=(100, 101, 180, 183))
case("answer_183_with_sdp", live, {}, provisional=(100, 183), provisional_sdp=True, delay=0.5)
case("answer_after_3_s", live, {}, delay=3)
case("answer_100_then_after_3_s", live, {}, delay=3, provisional=(100,))
case("answer_without_to_tag", live, {}, tag=False)
case("answer_to_host_port_80", live, {}, to=lambda to: re.sub(r"@[^>]+", "@192.168.1.108:80", to))
case("answer_no_contact", live, {}, contact="none")
case("answer_contact_zero", live, {}, contact="<sip:34020000001180000001@0.0.0.0:5060>")
case("answer_contact_private", live, {}, contact="<sip:34020000001180099999@192.168.77.1:5060>")
case("answer_contact_bare", live, {}, contact="sip:34020000001180099999@192.168.77.1:5060;tag=abc")
case("answer_content_type_missing", live, {}, headers=[("User-Agent", "x")])
case("answer_content_type_case", live, {}, headers=[("Content-Type", "Application/SDP")])
case("answer_over_sip_tcp", live, {}, tcp=True, transport="tcp-passive")
case("answer_media_before_200", live, {}, early=True, delay=0.0)
case("answer_connects_before_200", live, {}, early=True, transport="tcp-passive")
case("answer_listens_after_ack", live, {}, listen_late=True, transport="tcp-active")


def acked_often(d, dev, a):
    dlg = next(iter(dev.dialogs.values()))
    expect(len(dlg.acks) >= 4, f"{len(dlg.acks)} ACKs for 4 answers")


case("answer_repeated", live, {}, copies=4, check=acked_often)


def no_repeats(d, dev, a):
    expect(next(iter(dev.dialogs.values())).repeats <= 1, "INVITE repeated after 100")


case("answer_100_stops_retransmission", live, {}, provisional=(100,), delay=2.5, check=no_repeats)



@test
def answer_with_another_tag(d):
    """A 200 repeated with a new To tag: devices never fork, so it is the same
    call. It is acknowledged as it came, and the picture stays."""
    with camera(d) as dev:
        dev.call = Call()
        u = urls(start(d, dev))
        dlg = next(iter(dev.dialogs.values()))
        to = dlg.to
        dlg.to = to + "f"
        dev.send(dlg.last.replace(to.encode(), dlg.to.encode()))
        wait_for("ACK of the other answer", lambda: [m for m in dlg.acks if m.get("To") == dlg.to], 4)
        dlg.to = to
        data, ended = grab(u["flv"], 1.5)
        expect(not ended, "the stream ended")
        judge(data, "flv", "h264", 1.5)
        stop(d, dev)


@test
def requests_in_the_dialog(d):
    """INFO, MESSAGE with MediaStatus, an UPDATE and a re-INVITE of the device."""
    with camera(d) as dev:
        dev.call = Call()
        u = urls(start(d, dev))
        dlg = next(iter(dev.dialogs.values()))
        seq = 10

        def ask(method, ctype="", body=b"", to=None):
            nonlocal seq
            seq += 1
            h = [("Via", f"SIP/2.0/UDP {dev.at};rport;branch=z9hG4bK{rand()}"), ("From", dlg.to),
                 ("To", to or dlg.invite.get("From")), ("Call-ID", dlg.invite.get("Call-ID")), ("CSeq", f"{seq} {method}"),
                 ("Max-Forwards", "70"), ("Contact", f"<sip:{dev.id}@{dev.at}>")]
            h += [("Content-Type", ctype)] if ctype else []
            return dev.ask(plain(f"{method} sip:{SERVER_ID}@{dev.server} SIP/2.0", h + [("Content-Length", str(len(body)))], body))
        body = xml(f"<Notify>\r\n<CmdType>MediaStatus</CmdType>\r\n<SN>8</SN>\r\n<DeviceID>{dev.channel}</DeviceID>\r\n"
                   "<NotifyType>122</NotifyType>\r\n</Notify>\r\n")
        a = ask("MESSAGE", "Application/MANSCDP+xml", body)
        expect(a.status == 200, f"MediaStatus: {a.start}")
        a = ask("INFO", "Application/RTSP", b"PLAY RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        expect(a.status < 600, a.start)
        expect(ask("OPTIONS").status == 200, "OPTIONS")
        a = ask("INVITE", "application/sdp", dlg.body())
        expect(a.status in (200, 488), f"re-INVITE: {a.start}")
        a = ask("BYE", to=f"<sip:{SERVER_ID}@{REALM}>;tag=wrong")
        expect(a.status in (200, 481), f"BYE with a wrong tag: {a.start}")
        data, ended = grab(u["flv"], 1.5)
        expect(not ended, "the stream ended")
        judge(data, "flv", "h264", 1.5)
        stop(d, dev)


case("sdp_lf_only", live, {}, eol="\n")
case("answer_with_another_branch", live, {}, via=lambda v: v.replace("z9hG4bK", "z9hG4bKx"))
case("answer_without_a_branch", live, {}, via=lambda v: re.sub(";branch=[^;]*", "", v))
case("sdp_cr_only", live, {}, eol="\r")
case("sdp_audio_line_too", live, dict(audio="alaw"), audio=("pcm_alaw",),
     sdp=lambda l: l[:-2] + ["m=audio 9000 RTP/AVP 8", "a=sendonly", "a=rtpmap:8 PCMA/8000/1"] + l[-2:])
case("sdp_port_zero", live, {}, sdp=lambda l: [re.sub(r"^m=video \d+", "m=video 0", x) for x in l])
case("sdp_port_zero_tcp", live, {}, transport="tcp-passive",
     sdp=lambda l: [re.sub(r"^m=video \d+", "m=video 0", x) for x in l])
case("sdp_unknown_lines", live, {}, sdp=lambda l: ["", "garbage"] + l[:4] + ["b=AS:4096", "z=", "a", "=x", "k=clear:1"] + l[4:])
case("sdp_trailing_blanks", live, {}, sdp=lambda l: [x + "  " for x in l])
case("sdp_blank_lines_behind", live, {}, sdp=lambda l: l + ["", "", ""])
case("sdp_odd_order", live, {}, sdp=lambda l: [x for k in "vmtcsoiayf" for x in l if x[0] == k])
case("sdp_no_rtpmap", live, {}, sdp=lambda l: [x for x in l if "rtpmap" not in x])
case("sdp_c_in_media_only", live, {}, transport="tcp-active", sdp=lambda l: [x for x in l if x[0] != "c"][:5]
     + [x for x in l if x[0] == "c"] + [x for x in l if x[0] != "c"][5:])
case("sdp_c_empty", live, {}, sdp=lambda l: [x if x[0] != "c" else "c=IN IP4 " for x in l])
case("sdp_c_zero_tcp_active", live, {}, transport="tcp-active", sdp=lambda l: [x if x[0] != "c" else "c=IN IP4 0.0.0.0" for x in l])
case("sdp_c_with_port", live, {}, sdp=lambda l: [x if x[0] != "c" else x + ":5060" for x in l])
case("sdp_y_before_m", live, {}, y="0911024252", sdp=lambda l: [x for x in l if x[0] != "m" and x[0] not in "yaf"]
     + [x for x in l if x[0] == "y"] + [x for x in l if x[0] in "maf"])
case("sdp_upper_case", live, {}, transport="tcp-passive", sdp=lambda l: [x.replace("setup:active", "Setup:Active") for x in l])
case("sdp_setup_missing", live, {}, transport="tcp-passive", setup="none")
case("sdp_setup_missing_active", live, {}, transport="tcp-active", setup="none")
case("sdp_setup_same_passive", live, {}, transport="tcp-passive", setup="same")
case("sdp_setup_same_active", live, {}, transport="tcp-active", setup="same")
case("sdp_tcp_answered_as_rtp_avp", live, {}, transport="tcp-passive", proto="RTP/AVP")
case("sdp_s_embedded_net_dvr", live, {}, sdp=lambda l: [x if x[0] != "s" else "s=Embedded Net DVR" for x in l])
case("sdp_vendor_rtpmap", live, {}, sdp=lambda l: [x.replace("PS/90000", "DAHUA/90000") for x in l])
case("sdp_private_address", live, {}, sdp=lambda l: [re.sub(r"127\.9\.\d+\.\d+", "192.168.77.9", x) for x in l])
case("sdp_setup_active_on_udp", live, {}, sdp=lambda l: l[:-2] + ["a=setup:active", "a=filesize:0"] + l[-2:-1] + ["f="])


@test
def answer_rtp_avp_and_udp_for_a_tcp_offer(d):
    with camera(d) as dev:
        dev.call = Call(proto="RTP/AVP", transport="udp", setup="none")
        u = urls(start(d, dev, "tcp-passive"))
        data, _ = grab(u["flv"], 2)
        judge(data, "flv", "h264", 2)
        stop(d, dev)


# TCP media
case("tcp_bytewise", live, dict(bytewise=True), transport="tcp-passive", formats=("fmp4",))
case("tcp_bytewise_active", live, dict(bytewise=True, codec="h265"), transport="tcp-active")
case("tcp_garbage_between_frames", live, dict(junk="garbage", size=400), transport="tcp-passive", exact=False, seconds=5, least=0.15)
# a frame cut short has swallowed its successor before anybody can know
case("tcp_truncated_frames", live, dict(junk="truncate", size=400), transport="tcp-passive", exact=False, seconds=5, least=0.15,
     bad=8)
case("tcp_null_packets", live, dict(junk="null"), transport="tcp-passive")
case("tcp_rtcp_between", live, dict(junk="rtcp"), transport="tcp-passive")
case("tcp_dollar_framing", live, dict(dollar=True), transport="tcp-passive")
case("tcp_256_bytes_first", live, dict(size=244), transport="tcp-passive")
case("tcp_reconnects", live, dict(reconnect_at=1.5), transport="tcp-passive", exact=False, seconds=4, least=0.3)

# refusals
for _s in (400, 403, 404, 480, 486, 488, 500, 603):
    case(f"refuse_{_s}", refused, status=_s, evidence=str(_s))
case("refuse_486_after_100", refused, status=486, provisional=(100, 180), delay=0.5, evidence="486")
for _s in (301, 401, 407, 415, 481, 491, 503):
    case(f"refuse_{_s}", refused, status=_s, evidence=str(_s))
case("refuse_603_reason", refused, status=603, headers=[("Reason", 'Q.850;cause=42;text="no encoder"')],
     evidence="603 Refused (no encoder)")
case("refuse_488_warning", refused, status=488, headers=[("Warning", '399 cam "no more streams, \x01ask later"')],
     evidence="488 Refused (no more streams, ")
case("refuse_488_tcp", refused, status=488, transport="tcp-passive", evidence="488")
case("refuse_port_zero", refused, media=False,
     sdp=lambda l: [re.sub(r"^m=video \d+", "m=video 0", x) for x in l if x[0] != "y"],
     steps=("answer", "sdp"), limit=5)
case("refuse_no_m_line", refused, sdp=lambda l: [x for x in l if x[0] not in "may"], media=False,
     steps=("answer", "sdp", "packet"))
case("no_answer", refused, deaf=True, statuses=(504,))


def was_cancelled(d, dev, a):
    wait_for("CANCEL", lambda: next(iter(dev.dialogs.values())).cancelled, 3)
    time.sleep(0.5)
    dlg = next(iter(dev.dialogs.values()))
    dlg.status = 487


case("no_answer_after_100", refused, deaf=True, provisional=(100, 180), statuses=(504,))


@test
def answer_after_the_limit(d):
    """A 200 that comes when nobody waits any more gets ACK and BYE."""
    with camera(d) as dev:
        dev.call = Call(delay=11.5, late=True, provisional=(100,), media=False)
        dev.on["CANCEL"] = lambda m: None
        a = d.live(dev.id, dev.channel, transport="udp")
        expect(a.status == 504, f"{a.status} {a.body[:200]}")
        dlg = next(iter(dev.dialogs.values()))
        wait_for("ACK", lambda: dlg.acks, 6)
        wait_for("BYE", lambda: dlg.byes, 6)


def byed(d, dev, a):
    wait_for("BYE", lambda: all(g.byes for g in dev.dialogs.values()), 4)


# where the answer is late it tells what was tried next, over TCP
case("no_media_udp", refused, media=False, statuses=(504,), steps=("packet", "connect"), check=byed)
case("no_media_tcp_passive", refused, media=False, transport="tcp-passive", statuses=(504,), steps=("packet", "connect"), check=byed)
case("no_media_tcp_active", refused, media=False, transport="tcp-active", statuses=(504, 502), steps=("packet", "connect"), check=byed,
     sdp=lambda l: [re.sub(r"^m=video \d+", "m=video 1", x) for x in l])
case("no_key_frame", refused, stream=dict(first=1, stop_after=0.2), statuses=(504,), steps=("key", "codec", "program"), check=byed)


@test
def bye_from_the_device(d):
    """With nobody watching it ends; a viewer is worth another INVITE."""
    with camera(d) as dev:
        def over():
            return not [s for s in d.get("/api/v1/sessions?limit=500")["items"]
                        if s["device"] == dev.id and s["state"] != "failed"]

        def hang_up(dlg):
            expect(dlg.hang_up().status == 200, "answer to BYE")
            dlg.media.stop()
            dlg.byes.append(None)
            expect(dlg.hang_up().status in (200, 481), "answer to the BYE once more")
        dev.call = Call()
        u = urls(start(d, dev))
        hang_up(next(iter(dev.dialogs.values())))
        wait_for("session is over", over, 4)
        wait_for("the channel has no session", lambda: not d.channels(dev.id)[0]["session"], 4)
        u = urls(start(d, dev))
        result = []
        t = threading.Thread(target=lambda: result.append(grab(u["flv"], 9)))
        t.start()
        wait_for("somebody watches", lambda: [s for s in d.get("/api/v1/sessions?limit=500")["items"]
                                              if s["device"] == dev.id and s["consumers"]])
        time.sleep(1.5)
        hang_up(list(dev.dialogs.values())[-1])
        t.join(HANG_S)
        expect(len(dev.dialogs) == 3, f"{len(dev.dialogs)} INVITEs")
        a, b = list(dev.dialogs.values())[1:]
        expect(a.y != b.y, "the SSRC was used again")
        judge(result[0][0], "flv", "h264", 9, exact=False, least=0.4)
        stop(d, dev)


@test
def media_stops_in_mid_stream(d):
    """No packet for 15 s: BYE."""
    with camera(d) as dev:
        dev.call = Call(stream=dict(stop_after=1.5))
        u = urls(start(d, dev))
        data, ended = grab(u["flv"], 60)
        expect(ended, "the viewer's stream did not end")
        wait_for("BYE", lambda: all(g.byes for g in dev.dialogs.values()), 6)


@test
def tcp_fin_in_mid_stream(d):
    with camera(d) as dev:
        dev.call = Call(stream=dict(fin_after=1.5))
        u = urls(start(d, dev, "tcp-passive"))
        _, ended = grab(u["flv"], 60)  # it is invited three times more
        expect(ended and len(dev.dialogs) == 4, f"the viewer's stream did not end, {len(dev.dialogs)} INVITEs")
        wait_for("BYE", lambda: all(g.byes for g in dev.dialogs.values()), 6)


@test
def camera_that_is_its_own_channel(d):
    dev = Device(d)
    try:
        dev.id = dev.channel = "34020000001320" + dev.id[-6:]
        expect(dev.register().status == 200, "REGISTER")
        d.call("POST", f"/api/v1/devices/{dev.id}/refresh")
        wait_for("channel", lambda: [c for c in d.channels(dev.id) if c["id"] == dev.id], 8)
        u = urls(start(d, dev))
        data, _ = grab(u["fmp4"], 1.5)
        judge(data, "fmp4", "h264", 1.5)
        stop(d, dev)
        expect(not dev.lint, dev.lint)
    finally:
        dev.close()


@test
def one_channel_id_at_two_devices(d):
    with camera(d) as a, camera(d) as b:
        b.channel = a.channel
        d.call("POST", f"/api/v1/devices/{b.id}/refresh")
        wait_for("channel", lambda: [c for c in d.channels(b.id) if c["id"] == a.channel], 14)
        a.call, b.call = Call(), Call(stream=dict(codec="h265"))
        ua, ub = urls(start(d, a)), urls(start(d, b))
        for u, codec in ((ua, "h264"), (ub, "h265")):
            data, _ = grab(u["fmp4"], 1.5)
            judge(data, "fmp4", codec, 1.5)
        ambiguous = d.call("GET", f"/live/{a.channel}.flv")
        expect(ambiguous.status == 404, f"the channel alone: {ambiguous.status}")
        stop(d, a)
        stop(d, b)


@test
def alarm_by_notify(d):
    """Only a 200: never a Response MESSAGE."""
    with camera(d) as dev:
        body = xml(f"<Notify>\r\n<CmdType>Alarm</CmdType>\r\n<SN>77</SN>\r\n<DeviceID>{dev.id}</DeviceID>\r\n"
                   "<AlarmPriority>0</AlarmPriority>\r\n<AlarmMethod>2</AlarmMethod>\r\n<AlarmType>1</AlarmType>\r\n"
                   "<AlarmTime>1970-01-01T00:00:00</AlarmTime>\r\n</Notify>\r\n")
        h = dev.headers("NOTIFY", SERVER_ID, extra=[("Event", "presence"), ("Subscription-State", "active;expires=90"),
                                                    ("Content-Type", "Application/MANSCDP+xml"),
                                                    ("Content-Length", str(len(body)))])
        a = dev.ask(plain(f"NOTIFY sip:{SERVER_ID}@{dev.server} SIP/2.0", h, body))
        expect(a.status in (200, 481), a.start)
        time.sleep(0.7)
        expect(not [m for m in dev.requests if b"<SN>77</SN>" in m.body], "a Response MESSAGE to a NOTIFY")


@test
def catalog_arranged(d):
    """Regions, a group, organisations, a camera in two places, a circle, a notification."""
    with camera(d) as dev:
        group, org, inner = (f"3402000000{t}{dev.id[13:]}" for t in ("2150", "2160", "2161"))
        group, org, inner = (x[:10] + k + dev.id[13:] for x, k in ((group, "215"), (org, "216"), (inner, "216")))
        inner = inner[:14] + "9" + inner[15:]
        bare = dict(Manufacturer=None, Model=None, Owner=None, Address=None, Parental=None, SafetyWay=None,
                    RegisterWay=None, Secrecy=None, Status=None)
        items = [item("340200", "城区", None, CivilCode=None, **bare),
                 item(group, "交通", dev.id, **bare),
                 item(org, "路口", inner, CivilCode=None, BusinessGroupID=group, **bare),
                 item(inner, "北", org, CivilCode=None, BusinessGroupID=group, **bare),
                 item(dev.channel, "大门", f"{dev.id}/{org}/{inner}", IPAddress="10.0.0.7", StreamNum="2")]
        dev.commands["Catalog"] = lambda dev, sn, _: [xml(catalog(dev, sn, items, len(items)))]
        d.call("POST", f"/api/v1/devices/{dev.id}/refresh")
        wait_for("list", lambda: len(d.channels(dev.id)) == 5, 16)

        def below(parent="", view="all"):
            return {n["id"]: n for n in d.get(f"/api/v1/devices/{dev.id}/tree?view={view}&parent={parent}")["items"]}
        expect(list(below()) == ["340200"], f"the top: {list(below())}")
        expect(list(below("340200")) == [group] and len(below(group)) == 1, "the region")
        faults = d.get(f"/api/v1/devices/{dev.id}/tree")["faults"]
        expect(faults["loops"] == 1, faults)
        camera_in = [o for o in (org, inner) if dev.channel in below(o)]
        expect(camera_in == [org, inner], f"the camera is in {camera_in}")
        where = below("34", "region")["340200"]
        expect(where["listed"] and dev.channel in below("340200", "region"), where)
        expect(below("", "region")["34"]["name"] == "安徽省", "province")
        node = below(org)[dev.channel]
        expect(sorted(node["parents"]) == sorted([org, inner]) and node["online"] and node["observed"] == "unseen", node)
        rest = d.get(f"/api/v1/devices/{dev.id}/channels/{dev.channel}/item")["item"]
        expect(rest["IPAddress"] == "10.0.0.7" and rest["StreamNum"] == "2", rest)
        a = dev.message(xml(f"<Notify>\r\n<CmdType>Catalog</CmdType>\r\n<SN>5</SN>\r\n<DeviceID>{dev.id}</DeviceID>\r\n"
                            f"<SumNum>1</SumNum>\r\n<DeviceList Num=\"1\"><Item><DeviceID>{inner}</DeviceID>"
                            "<Event>DEL</Event></Item></DeviceList></Notify>\r\n"))
        expect(a.status == 200, a.start)
        wait_for("the organisation is gone", lambda: list(below(group)) == [org] and list(below(org)) == [dev.channel], 3)


@test
def command_life(d):
    with camera(d) as dev:
        path = f"/api/v1/devices/{dev.id}/commands"

        def send(cmd, **params):
            a = d.call("POST", path, {"cmd": cmd, "params": params})
            expect(a.status == 202, a.body[:300])
            return a.json["id"]

        def became(ident, state, s=5):
            return wait_for(f"{state}", lambda: [c for c in [d.get(f"/api/v1/commands/{ident}")] if c["state"] == state], s)[0]
        got = became(send("DeviceStatus"), "answered")
        expect(got["answer"][0]["Online"] == "ONLINE" and got["sip_status"] == 200 and got["tries"] == 1, got)
        expect(got["sent_at"] <= got["arrived_at"] <= got["answered_at"] or got["answered_at"], got)
        dev.commands["DeviceControl"] = lambda dev, sn, _: [xml(
            f"<Response>\r\n<CmdType>DeviceControl</CmdType>\r\n<SN>{sn}</SN>\r\n<DeviceID>{dev.id}</DeviceID>\r\n"
            "<Result>ERROR</Result>\r\n</Response>\r\n")]
        got = became(d.call("POST", f"/api/v1/devices/{dev.id}/alarm-reset").json["id"], "refused")
        expect("ERROR" in got["evidence"] and got["sub"] == "AlarmCmd", got)
        dev.commands["DeviceControl"] = lambda dev, sn, _: []
        got = became(send("DeviceControl", PTZCmd="A50F0100000000B5"), "arrived")
        expect(got["final"], got)
        got = d.get(f"/api/v1/devices/{dev.id}/profile")
        expect({c["cmd"]: c["verdict"] for c in got["commands"] if not c["sub"]}.get("DeviceStatus") == "knows", got)
        expect(d.call("POST", path, {"cmd": "Nonsense"}).status == 400, "nonsense")


@test
def pictures_told_one_by_one(d):
    """A camera with a notice behind each picture of an order, in place of one for all."""
    with camera(d, edition="3.0") as dev:
        orders = []
        dev.commands["DeviceConfig"] = lambda dev, sn, text: orders.append(text) or [xml(
            f"<Response>\r\n<CmdType>DeviceConfig</CmdType>\r\n<SN>{sn}</SN>\r\n<DeviceID>{dev.channel}</DeviceID>\r\n"
            "<Result>OK</Result>\r\n</Response>\r\n")]
        a = d.call("POST", f"/api/v1/devices/{dev.id}/channels/{dev.channel}/snapshot", {"number": 2})
        expect(a.status == 202, f"{a.status} {a.body[:300]}")
        text = wait_for("the order", lambda: orders)[0]
        url, session = (re.search(f"<{n}>(.*?)</{n}>", text)[1].replace("&amp;", "&") for n in ("UploadURL", "SessionID"))
        for i in (1, 2):
            picture = b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(60) + b"\xff\xd9"
            with urllib.request.urlopen(urllib.request.Request(url, picture, {"Content-Type": "image/jpeg"})) as r:
                expect(r.status == 200, f"upload {i}: {r.status}")
            told = dev.message(xml(
                f"<Notify>\r\n<CmdType>UploadSnapShotFinished</CmdType>\r\n<SN>{i}</SN>\r\n<DeviceID>{dev.channel}</DeviceID>\r\n"
                f"<SessionID>{session}</SessionID>\r\n<SnapShotList>\r\n<SnapShotFileID>{dev.channel}02{i:019d}</SnapShotFileID>"
                "\r\n</SnapShotList>\r\n</Notify>\r\n"))
            expect(told.status == 200, told.start)
            got = d.get(f"/api/v1/snapshots/{a.json['session']}")
            expect((got["state"], got["announced"]) == (("partial", 1), ("finished", 2))[i - 1], got)


@test
def asks_for_a_password(d):
    """A device that challenges its platform (§10.1): it is answered with the password that it registers with."""
    with camera(d) as dev:
        with open(d.password_file) as f:
            password = f.read().strip()
        challenge = f'Digest realm="camera", nonce="{rand()}", opaque="5ccc", algorithm=MD5'
        taken, asked = set(), {}  # the platform's own queries are among them, and what it sends again under load

        def guarded(fn):
            def on(m):
                cmd = re.search(rb"<CmdType>(\w+)", m.body)
                name = cmd[1].decode() if cmd else m.method
                given = m.get("Authorization")
                if given:
                    want = digest(challenge, SERVER_ID, password, m.uri, method=m.method)
                    field = re.compile(r'response="(\w+)"')
                    if field.search(given)[1] == field.search(want)[1] and 'opaque="5ccc"' in given:
                        taken.add(name)
                        return fn(m)
                asked.setdefault(name, set()).add(m.branch)
                return dev.reply(m, 401, "Unauthorized", [("WWW-Authenticate", challenge)], tag="ch" + m.branch[-6:])
            return on
        acked = dev.on_ack
        dev.on_ack = lambda m: acked(m) if m.get("Call-ID") in dev.dialogs else None  # the other one is of the 401
        dev.on_message, dev.on_invite, dev.on_bye = map(guarded, (dev.on_message, dev.on_invite, dev.on_bye))
        a = d.call("POST", f"/api/v1/devices/{dev.id}/commands?wait=10", {"cmd": "DeviceStatus"})
        expect(a.json["state"] == "answered" and a.json["tries"] == 1, a.body[:500])
        start(d, dev)
        stop(d, dev)
        wait_for("a BYE that is taken", lambda: "BYE" in taken)
        expect(taken >= {"DeviceStatus", "INVITE", "BYE"}, (taken, asked))
        expect(not {"INVITE", "BYE"} & asked.keys(), ("what it wants is known by then", asked))
        # the first of all; where that was a query of the platform's own, DeviceStatus is not asked
        expect(asked and all(len(branches) <= 2 for branches in asked.values()), (taken, asked))
        got = d.get(f"/api/v1/devices/{dev.id}/profile")
        expect(any("asks for a password" in x for x in got["deviation_kinds"]), got["deviation_kinds"])


@test
def alarms_filtered(d):
    with camera(d) as dev:
        for sn, kind in ((1, 2), (2, 6), (3, 2)):
            a = dev.message(xml(f"<Notify>\r\n<CmdType>Alarm</CmdType>\r\n<SN>{sn}</SN>\r\n<DeviceID>{dev.channel}</DeviceID>\r\n"
                                "<AlarmPriority>1</AlarmPriority>\r\n<AlarmMethod>5</AlarmMethod>\r\n"
                                f"<AlarmTime>2023-08-09T07:38:{sn:02d}</AlarmTime>\r\n<Info><AlarmType>{kind}</AlarmType></Info>\r\n"
                                "</Notify>\r\n"))
            expect(a.status == 200, a.start)
        of = f"/api/v1/alarms?device={dev.id}"
        wait_for("three alarms", lambda: d.get(of)["total"] == 3, 3)
        got = d.get(f"{of}&type=6")
        expect(got["total"] == 1 and got["items"][0]["type_name_zh"] == "入侵检测报警", got)
        expect(d.get(f"{of}&method=2")["total"] == 0, "method")
        page = d.get(f"{of}&limit=2")
        rest = d.get(f"{of}&limit=2&cursor={page['next']}")
        ids = [int(a["id"]) for a in page["items"] + rest["items"]]
        expect(len(ids) == 3 and ids == sorted(ids, reverse=True) and rest["next"] is None, ids)


@test
def catalog_unsolicited(d):
    """A change report of one item is no complete list."""
    with camera(d) as dev:
        items = listing(dev, 3)
        dev.commands["Catalog"] = lambda dev, sn, _: pages(3)(dev, sn, items)
        d.call("POST", f"/api/v1/devices/{dev.id}/refresh")
        wait_for("list", lambda: {c["id"]: c["name"] for c in d.channels(dev.id)} == dict(items), 16)
        a = dev.message(xml(catalog(dev, 4711, [item(items[1][0], "改名", dev.id)], 1)))
        expect(a.status == 200, a.start)
        want = {**dict(items), items[1][0]: "改名"}
        wait_for("new name", lambda: {c["id"]: c["name"] for c in d.channels(dev.id)} == want, 4)
        time.sleep(1)
        expect({c["id"]: c["name"] for c in d.channels(dev.id)} == want, "changed later")


@test
def two_viewers_one_invite(d):
    with camera(d) as dev:
        u = urls(start(d, dev))
        got = []
        ts = [threading.Thread(target=lambda f=f: got.append((f, grab(u[f], 2)[0]))) for f in ("flv", "fmp4", "flv")]
        for t in ts:
            t.start()
        for t in ts:
            t.join()
        for f, data in got:
            judge(data, f, "h264", 2)
        expect(len(dev.dialogs) == 1, f"{len(dev.dialogs)} INVITEs")
        stop(d, dev)


def in_shards():
    """The same program once for each shard, at the same time."""
    shards = []
    for i in range(SHARDS):
        env = dict(os.environ, SHARD=str(i))
        shards.append(subprocess.Popen([sys.executable] + sys.argv, env=env))
    codes = [p.wait() for p in shards]
    return max(codes) or min(codes)  # a negative one was a signal


def main():
    if SHARDS > 1 and "SHARD" not in os.environ and not [a for a in sys.argv[1:] if a != "-v"]:
        return in_shards()
    wanted = [a for a in sys.argv[1:] if a != "-v"]
    chosen = [(n, f) for n, f in TESTS if not wanted or n in wanted or any(w.endswith("*") and n.startswith(w[:-1]) for w in wanted)]
    # the slow ones first
    slow = ("no_", "media_stops", "bye_from", "catalog_rereads", "audio_only", "tcp_fin", "answer_after_the", "catalog_sum", "catalog_missing")
    chosen.sort(key=lambda t: not t[0].startswith(slow))
    if "SHARD" in os.environ:
        chosen = chosen[int(os.environ["SHARD"])::SHARDS]
    passed = failed = 0
    lock = threading.Lock()
    try:
        d = Daemon(media=900)  # freed ports rest for a minute
    except Failed:
        d = Daemon(media=900)  # its port for SIP was free over UDP only

    def one(name, fn):
        nonlocal passed, failed
        begin = time.monotonic()
        try:
            fn(d)
            error = None
        except Exception as e:
            error = e
            trace = traceback.format_exc()
        with lock:
            if error is None:
                passed += 1
                print(f"ok      {name}  {time.monotonic() - begin:.1f} s", flush=True)
            else:
                failed += 1
                print(f"FAILED  {name}: {error}", flush=True)
                if d.proc.poll() is not None:  # nothing else can pass
                    print(f"daemon ended with {d.proc.returncode}:\n{d.log()[-6000:]}", flush=True)
                    os._exit(1)
                if not isinstance(error, Failed):
                    print(trace)
    try:
        with ThreadPoolExecutor(WORKERS) as pool:
            for n, f in chosen:
                pool.submit(one, n, f)
        expect(d.proc.poll() is None, f"daemon ended with {d.proc.returncode}")
    finally:
        if "-v" in sys.argv and failed:
            print(d.log()[-4000:])
        d.close()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
