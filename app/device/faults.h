/* app/device/faults.h - how simulated cameras deviate: every fault has a name,
 * what it does, and where the standards say otherwise
 *
 * The structs, the names for the command line and the manual are made from
 * these lists. All off is a well-behaved camera. */
#ifndef APP_DEVICE_FAULTS_H
#define APP_DEVICE_FAULTS_H

#include "base/slice.h"

/* What it says. */
/*    field          what it does                              clause */
#define DEVICE_FAULT_MAP(X)                                                    \
    X(no_y, "no y= line in the answer", "GB/T 28181-2022 Annex G")             \
    X(other_y, "another SSRC than the offered one, in the answer and in the "  \
      "packets", "GB/T 28181-2022 Annex G")                                    \
    X(wrong_ssrc, "the offered SSRC in the answer, another one in the "        \
      "packets", "GB/T 28181-2022 Annex G")                                    \
    X(zero_ssrc, "SSRC 0 in the packets", "GB/T 28181-2022 Annex G")           \
    X(short_y, "nine digits in y=", "GB/T 28181-2022 Annex G")                 \
    X(y_first, "y= before the attributes", "GB/T 28181-2022 Annex G")          \
    X(zero_addr, "0.0.0.0 in c=", "RFC 4566 §5.7")                             \
    X(empty_addr, "no address in c=", "RFC 4566 §5.7")                         \
    X(private_addr, "an address in c= that media does not come from",          \
      "RFC 4566 §5.7")                                                         \
    X(addr_port, "a port behind the address in c=", "RFC 4566 §5.7")           \
    X(no_setup, "no setup in the answer to a TCP offer", "RFC 4145 §4.1")      \
    X(same_setup, "the role of the offer in the answer", "RFC 4145 §4.1")      \
    X(odd_name, "Embedded Net DVR in s=", "GB/T 28181-2022 Annex G")           \
    X(odd_format, "zeros in f=", "GB/T 28181-2022 Annex G")                    \
    X(odd_size, "a file size of -1, misspelt, in a live answer",               \
      "GB/T 28181-2022 Annex G")                                               \
    X(extra_lines, "lines and attributes that nobody has asked for",           \
      "RFC 4566 §5")                                                           \
    X(all_formats, "several formats in the answer", "RFC 3264 §6.1")           \
    X(unended, "no line end behind the last line", "RFC 4566 §5")              \
    X(establishing, "a 101 Dialog Establishment before the 200",               \
      "RFC 3261 §21.1")                                                        \
    X(early, "sends, or connects, right after its 200 and before the ACK",     \
      "GB/T 28181-2022 9.2")                                                   \
    X(udp_answer, "RTP/AVP in the answer to a TCP offer", "RFC 4145 §4.1")     \
    X(lf_only, "LF in place of CRLF in bodies", "RFC 4566 §5")                 \
    X(silent, "the INVITE is answered, and nothing is sent",                   \
      "GB/T 28181-2022 9.2")                                                   \
    X(deaf, "INVITE is never answered", "RFC 3261 §13.3.1")                    \
    X(unheard, "the answer to the INVITE gets lost, and it sends all the same", \
      "RFC 3261 §13.3.1")                                                      \
    X(clock_off, "its clock is eight hours off, as its REGISTERs tell",         \
      "GB/T 28181-2022 9.10")                                                  \
    X(bye_early, "BYE one second after the ACK", "GB/T 28181-2022 9.2")        \
    X(dup_catalog, "every catalog message twice", "GB/T 28181-2022 9.5")       \
    X(short_catalog, "SumNum larger by one than the items sent",               \
      "GB/T 28181-2022 A.2.6")                                               \
    X(mute, "commands are taken with 200 and carried out, but never answered", \
      "GB/T 28181-2022 9.3")                                                   \
    X(says_error, "commands are answered with Result ERROR (where the "        \
      "standard has no Result too) or an empty list, and not carried out",     \
      "GB/T 28181-2022 A.2.6")                                                 \
    X(wrong_sn, "answers have another SN than the question",                   \
      "GB/T 28181-2022 A.2.6")                                                 \
    X(wrong_id, "answers of a channel name the device",                        \
      "GB/T 28181-2022 A.2.6")                                                 \
    X(dup_list, "every message of another list twice",                         \
      "GB/T 28181-2022 9.7")                                                   \
    X(short_list, "SumNum of other lists larger by one than the items sent",   \
      "GB/T 28181-2022 A.2.6")                                                 \
    X(own_sum, "SumNum of other lists counts the items of its own message",    \
      "GB/T 28181-2022 A.2.6")                                                 \
    X(one_config, "all types of a ConfigDownload in one Response",             \
      "GB/T 28181-2022 A.2.6")                                               \
    X(home_alias, "CmdType HomePosition in answers to HomePositionQuery",      \
      "GB/T 28181-2022 A.2.6")                                              \
    X(no_result, "no Result where it would be OK", "GB/T 28181-2022 A.2.6")    \
    X(other_edition, "bodies as the 2016 edition has them from a device of "   \
      "2022, and the reverse", "GB/T 28181-2022 Annex I")                      \
    X(false_charset, "GB2312 is declared and UTF-8 sent",                      \
      "GB/T 28181-2022 Annex A")                                               \
    X(attributes, "CmdType and SN as attributes of the root element",          \
      "GB/T 28181-2022 A.2.1")                                                 \
    X(no_sum, "no SumNum in other lists", "GB/T 28181-2022 A.2.6")             \
    X(upgrade_fails, "an upgrade ends with ERROR and 02, the package is "      \
      "damaged", "GB/T 28181-2022 9.13")                                       \
    X(nested_status, "the Status of a Keepalive stands in an Info",            \
      "GB/T 28181-2022 A.2.5")                                               \
    X(self_parent, "every channel names itself as its parent",                 \
      "GB/T 28181-2022 A.2.1")                                               \
    X(no_parent, "no channel names a parent", "GB/T 28181-2022 A.2.1")       \
    X(raw_ampersand, "an ampersand in names that is not escaped",              \
      "XML 1.0 §2.4")                                                          \
    X(bad_item, "the first item of the catalog cannot be read",                \
      "GB/T 28181-2022 A.2.1")                                               \
    X(also_answers, "a Response to orders that get none",                      \
      "GB/T 28181-2022 9.3")                                                   \
    X(no_subscribe, "every SUBSCRIBE is answered with 489",                    \
      "GB/T 28181-2022 9.11")                                                  \
    X(no_notify, "every SUBSCRIBE is accepted, and nothing is ever notified",  \
      "GB/T 28181-2022 9.11")                                                  \
    X(alarm_message, "alarms by MESSAGE, also to a subscriber",                \
      "GB/T 28181-2022 9.4")                                                   \
    X(alarm_twice, "alarms to a subscriber by NOTIFY and by MESSAGE",          \
      "GB/T 28181-2022 9.4")                                                   \
    X(guard_first, "no alarm before GuardCmd SetGuard",                        \
      "GB/T 28181-2022 9.4")                                                   \
    X(no_status, "no MediaStatus at the end of a recording",                   \
      "GB/T 28181-2022 9.8")                                                   \
    X(own_status, "MediaStatus outside the dialog, of the device",             \
      "GB/T 28181-2022 9.8")                                                   \
    X(bye_at_end, "BYE at the end of a recording", "GB/T 28181-2022 9.8")      \
    X(ends_early, "a recording ends after eight seconds, as if a file did",    \
      "GB/T 28181-2022 9.8")                                                   \
    X(no_key_frame, "an order for a key frame is taken with 200, and no key "   \
      "frame comes", "GB/T 28181-2022 A.2.3")                                  \
    X(no_scale, "Scale is answered with 501", "GB/T 28181-2022 9.8")           \
    X(no_reverse, "a Scale below 0 is answered with 501",                      \
      "GB/T 28181-2022 9.8")                                                   \
    X(one_reverse, "a Scale below 0 is answered with -1, and is so",           \
      "GB/T 28181-2022 Annex B")                                               \
    X(no_seek, "Range is answered with 488", "GB/T 28181-2022 9.8")            \
    X(no_pause, "PAUSE is answered with 501", "GB/T 28181-2022 9.8")           \
    X(whole_scale, "a Scale with a fraction is answered with 400",             \
      "GB/T 28181-2022 9.8")                                                   \
    X(scale_ignored, "Scale is taken with 200, and nothing is faster",         \
      "GB/T 28181-2022 9.8")                                                   \
    X(no_playback, "s=Playback is answered with 488", "GB/T 28181-2022 9.8")   \
    X(no_download, "s=Download is answered with 488", "GB/T 28181-2022 9.9")   \
    X(no_tcp, "an offer over TCP is answered with 488", "RFC 4145 §4.1")       \
    X(no_upload, "snapshots are ordered, and none is uploaded",                \
      "GB/T 28181-2022 9.14")                                                  \
    X(late_upload, "snapshots are uploaded three seconds after they are told " \
      "to have been", "GB/T 28181-2022 9.14")                                  \
    X(wrong_upload, "a text in place of each snapshot",                        \
      "GB/T 28181-2022 9.14")                                                  \
    X(large_upload, "snapshots of five MiB", "GB/T 28181-2022 9.14")           \
    X(form_upload, "snapshots as multipart/form-data", "RFC 7578 §4")

/* What it sends: the pictures, the program stream, its times, RTP, TCP. */
#define SENDER_FAULT_MAP(X)                                                    \
    X(start3, "start codes of three bytes inside a picture",                   \
      "ITU-T H.264 Annex B")                                                   \
    X(trailing_zeros, "three zero bytes behind every picture",                 \
      "ITU-T H.264 B.1.1")                                                     \
    X(aud, "an access unit delimiter before every picture",                    \
      "ITU-T H.264 §7.4.1.2.3")                                                \
    X(filler, "filler data behind every picture", "ITU-T H.264 §7.3.2.7")      \
    X(big_sei, "an SEI of 100 KB in every key frame", "ITU-T H.264 §7.3.2.3")  \
    X(sets_once, "parameter sets in the first key frame only",                 \
      "GB/T 28181-2022 Annex C")                                               \
    X(sets_late, "no parameter sets in the first three key frames",            \
      "GB/T 28181-2022 Annex C")                                               \
    X(late_key, "begins ten pictures behind a key frame",                      \
      "GB/T 28181-2022 Annex C")                                               \
    X(no_key, "no key frames at all", "GB/T 28181-2022 Annex C")               \
    X(falls_silent, "sends nothing more after ten seconds",                    \
      "GB/T 28181-2022 9.2")                                                   \
    X(long_gop, "a key frame every minute", "GB/T 28181-2022 Annex C")         \
    X(sps_change, "another picture size every two seconds",                    \
      "ITU-T H.264 §7.4.1.2.1")                                                \
    X(b_frames, "pictures I P B B: a file that is coded so (its GOP one "      \
      "more than a multiple of three)", "GB/T 28181-2022 Annex C")             \
    X(no_psm, "no program stream map", "GB/T 28181-2022 Annex C")              \
    X(psm_once, "a map in the first pack only", "GB/T 28181-2022 Annex C")     \
    X(psm_lies, "the map calls H.264 H.265, and the reverse",                  \
      "ISO/IEC 13818-1 table 2-34")                                            \
    X(psm_flaps, "the same in every second map", "ISO/IEC 13818-1 §2.5.4")     \
    X(crc_reversed, "the bytes of the CRC of the map reversed",                \
      "ISO/IEC 13818-1 §2.5.4.2")                                              \
    X(short_map, "elementary_stream_map_length does not count descriptors",    \
      "ISO/IEC 13818-1 §2.5.4.2")                                              \
    X(aac_as_g711, "AAC is announced as G.711", "ISO/IEC 13818-1 table 2-34")  \
    X(aac_headers, "AAC of type 1C with AU headers in place of ADTS",          \
      "ISO/IEC 13818-1 table 2-34")                                            \
    X(g711_as_aac, "G.711 is announced as AAC", "ISO/IEC 13818-1 table 2-34")  \
    X(only_announced, "audio is announced and not sent",                       \
      "ISO/IEC 13818-1 §2.5.4")                                                \
    X(not_announced, "audio is sent and not announced",                        \
      "ISO/IEC 13818-1 §2.5.4")                                                \
    X(bare_pack, "pack headers of four bytes", "ISO/IEC 13818-1 §2.5.3.3")     \
    X(no_pack, "no pack headers", "ISO/IEC 13818-1 §2.5.3")                    \
    X(pack_each_pes, "a pack header before each PES, many of them",            \
      "ISO/IEC 13818-1 §2.5.3")                                                \
    X(pack_stuffing, "a frame counter in the stuffing of pack headers",        \
      "ISO/IEC 13818-1 §2.5.3.4")                                              \
    X(bad_scr, "SCR extension 384, rate 0, marker bits 0",                     \
      "ISO/IEC 13818-1 §2.5.3.4")                                              \
    X(length0, "video PES packets with length 0", "ISO/IEC 13818-1 §2.4.3.7")  \
    X(length65535, "large pictures in one PES of length 65535",                \
      "ISO/IEC 13818-1 §2.4.3.7")                                              \
    X(lengths, "lengths of NAL units in place of start codes",                 \
      "GB/T 28181-2022 Annex C")                                               \
    X(length_short, "PES lengths that lack the last two bytes",                \
      "ISO/IEC 13818-1 §2.4.3.7")                                              \
    X(pes_per_nal, "a PES for each NAL unit, PTS in the first",                \
      "GB/T 28181-2022 Annex C")                                               \
    X(pts_each, "small PES packets, PTS in each of them",                      \
      "ISO/IEC 13818-1 §2.4.3.7")                                              \
    X(small_pes, "small PES packets, PTS in the first",                        \
      "ISO/IEC 13818-1 §2.4.3.7")                                              \
    X(pes_stuffing, "1 to 5 bytes of stuffing in PES headers, the last "       \
      "not FF", "ISO/IEC 13818-1 §2.4.3.7")                                    \
    X(pes_mpeg1, "PES headers as MPEG-1 has them",                             \
      "ISO/IEC 13818-1 §2.4.3.6")                                              \
    X(two_in_pes, "two pictures in a PES", "ISO/IEC 13818-1 §2.4.3.7")         \
    X(zeros, "zero bytes before the next prefix", "ISO/IEC 13818-1 §2.5.3")    \
    X(fill, "FF bytes before the next prefix", "ISO/IEC 13818-1 §2.5.3")       \
    X(private_data, "private streams with start codes in them",                \
      "ISO/IEC 13818-1 table 2-22")                                            \
    X(sets_apart, "parameter sets in a pack of their own",                     \
      "GB/T 28181-2022 Annex C")                                               \
    X(imkh, "a file header of 40 bytes at the start",                          \
      "GB/T 28181-2022 Annex C")                                               \
    X(encrypted, "PES packets are marked as scrambled",                        \
      "ISO/IEC 13818-1 §2.4.3.7")                                              \
    X(pts_wrap, "time stamps that wrap five seconds after the start",          \
      "ISO/IEC 13818-1 §2.4.3.7")                                              \
    X(pts32, "time stamps of 32 bits that wrap three seconds after the "       \
      "start", "ISO/IEC 13818-1 §2.4.3.7")                                     \
    X(pts_restart, "time stamps that begin again every three seconds",         \
      "ISO/IEC 13818-1 §2.4.3.7")                                              \
    X(clock_jump, "time stamps a day ahead for three of every six seconds",    \
      "ISO/IEC 13818-1 §2.4.3.7")                                              \
    X(pts_back, "time stamps a picture and a half back, once a second",        \
      "ISO/IEC 13818-1 §2.4.3.7")                                              \
    X(no_pts, "no time stamps but those of RTP", "ISO/IEC 13818-1 §2.7.4")     \
    X(no_audio_pts, "none for audio", "ISO/IEC 13818-1 §2.7.4")                \
    X(audio_8k, "time stamps of audio count 1/8000 s",                         \
      "ISO/IEC 13818-1 §2.4.3.7")                                              \
    X(audio_same, "time stamps of audio are those of the last picture",        \
      "ISO/IEC 13818-1 §2.4.3.7")                                              \
    X(audio_ahead, "time stamps of audio are five seconds ahead",              \
      "ISO/IEC 13818-1 §2.4.3.7")                                              \
    X(audio_first, "audio begins two seconds before video",                    \
      "ISO/IEC 13818-1 §2.7.4")                                                \
    X(uneven, "pictures 20 and 60 ms apart in turn", "ITU-T H.264 Annex E")    \
    X(extension, "an RTP header extension in every packet, which looks "       \
      "like a pack header", "RFC 3550 §5.3.1")                                 \
    X(csrc, "a contributing source in every packet", "RFC 3550 §5.1")          \
    X(padding, "four bytes of padding in every packet", "RFC 3550 §5.1")       \
    X(padding_absurd, "the padding bit where there is none", "RFC 3550 §5.1")  \
    X(marker_never, "no marker", "RFC 3550 §5.1")                              \
    X(marker_always, "a marker in every packet", "RFC 3550 §5.1")              \
    X(ts_zero, "RTP time stamp 0", "RFC 3550 §5.1")                            \
    X(ts_ms, "RTP time stamps in milliseconds", "RFC 3550 §5.1")               \
    X(ts_per_packet, "RTP time stamps that rise with every packet",            \
      "RFC 3550 §5.1")                                                         \
    X(seq_restart, "sequence numbers begin again every three seconds",         \
      "RFC 3550 §5.1")                                                         \
    X(ssrc_change, "another SSRC after three seconds", "RFC 3550 §8")          \
    X(small_packets, "packets of 333 bytes of payload",                        \
      "GB/T 28181-2022 Annex C")                                               \
    X(big_packets, "packets of up to 60 KB, over TCP", "RFC 4571 §2")          \
    X(other_pt, "payload type 98 whatever was agreed", "RFC 3551 §6")          \
    X(foreign, "packets of another SSRC in between", "RFC 3550 §8")            \
    X(rtcp_muxed, "RTCP on the port of RTP", "RFC 3550 §11")                   \
    X(vendor_frames, "frames of a vendor in place of the program stream",      \
      "GB/T 28181-2022 Annex C")                                               \
    X(dollar, "over TCP: $, channel and length before packets",                \
      "RFC 4571 §2")                                                           \
    X(ehome, "over TCP: 256 bytes first, then $ frames with a stray byte",     \
      "RFC 4571 §2")                                                           \
    X(bare_ps, "over TCP: the program stream without RTP", "RFC 4571 §2")      \
    X(cut_frames, "over TCP: every 97th packet is cut short", "RFC 4571 §2")

/* What its sockets do. */
#define LINK_FAULT_MAP(X)                                                      \
    X(other_port, "RTP from another port than the answer says", "RFC 3264 §5.1") \
    X(port_moves, "RTP from another port every three seconds", "RFC 4961 §3")  \
    X(no_connect, "over TCP: neither connects nor lets itself be connected "   \
      "to", "RFC 4145 §4.1")                                                   \
    X(listen_late, "over TCP: listens only after the ACK", "RFC 4145 §4.1")    \
    X(reconnect, "over TCP: connects anew every three seconds",                \
      "RFC 4145 §4.2")                                                         \
    X(keeps_on, "media goes on for three seconds after the BYE",               \
      "RFC 3261 §15")

/* How it is spoken to. */
#define VOICE_FAULT_MAP(X)                                                     \
    X(voice_error, "a Broadcast is answered with Result ERROR",                \
      "GB/T 28181-2022 9.12")                                                  \
    X(voice_silent, "a Broadcast is taken with 200, and nothing follows",      \
      "GB/T 28181-2022 9.12")                                                  \
    X(voice_no_invite, "a Broadcast is accepted, and no INVITE follows",       \
      "GB/T 28181-2022 9.12")                                                  \
    X(voice_first, "its INVITE comes before its Response",                     \
      "GB/T 28181-2022 9.12")                                                  \
    X(voice_no_response, "its INVITE comes, and no Response",                  \
      "GB/T 28181-2022 9.12")                                                  \
    X(voice_late, "its INVITE comes after 15 seconds", "GB/T 28181-2022 9.12") \
    X(voice_own_ids, "its INVITE names the device in place of the TargetID",   \
      "GB/T 28181-2022 9.12")                                                  \
    X(voice_from_target, "its INVITE is From the TargetID",                    \
      "GB/T 28181-2022 9.12")                                                  \
    X(voice_type, "its INVITE says text/plain of its SDP",                     \
      "RFC 3261 §20.15")                                                       \
    X(voice_device_only, "no TargetID but that of the device is accepted",     \
      "GB/T 28181-2022 9.12")                                                  \
    X(voice_ps, "it wants PS, as the supplement of 2014",                      \
      "GB/T 28181-2022 9.12")                                                  \
    X(voice_pcmu, "it wants PCMU, and answers a talk with it unasked",         \
      "RFC 3264 §6.1")                                                         \
    X(voice_aac, "it wants AAC alone", "GB/T 28181-2022 Annex G")              \
    X(voice_tcp, "it wants TCP and connects", "RFC 4145 §4.1")                 \
    X(voice_tcp_passive, "it wants TCP and listens", "RFC 4145 §4.1")          \
    X(voice_no_y, "no y= in its offer", "GB/T 28181-2022 Annex G")             \
    X(voice_avp, "a talk over TCP is answered with RTP/AVP, and heard so",     \
      "RFC 3264 §6")                                                           \
    X(voice_bye, "BYE a second after a voice has begun",                       \
      "GB/T 28181-2022 9.12")                                                  \
    X(voice_no_talk, "s=Talk is answered with 488", "GB/T 28181-2016 Annex F")

struct device_faults {
#define X(field, what, clause) bool field;
    DEVICE_FAULT_MAP(X)
#undef X
    unsigned refuse;         /* answers every INVITE with this status */
    unsigned late_ms;        /* commands are carried out and answered so late */
    unsigned refuse_message; /* answers every MESSAGE with this status */
};

struct sender_faults {
#define X(field, what, clause) bool field;
    SENDER_FAULT_MAP(X)
#undef X
    /* on the way out, in hundredths of a percent of the packets */
    uint32_t loss, duplicate, reorder;
};

struct link_faults {
#define X(field, what, clause) bool field;
    LINK_FAULT_MAP(X)
#undef X
};

struct voice_faults {
#define X(field, what, clause) bool field;
    VOICE_FAULT_MAP(X)
#undef X
};

struct faults {
    struct voice_faults voice;
    struct device_faults device;
    struct sender_faults sender;
    struct link_faults link;
};

struct fault {
    const char *field; /* its name, with _ for each - */
    const char *what, *clause;
    size_t off;        /* of its bool in struct faults */
};

/* The i-th of all; NULL behind the last one. */
const struct fault *fault_at(size_t i);

/* Turns on the one of that name ("no-psm"); false: there is none. */
bool fault_set(struct faults *f, struct slice name);

/* Its name as it is typed; cut at cap. */
void fault_name(const struct fault *f, char *out, size_t cap);
#endif
