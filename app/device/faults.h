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
    X(udp_answer, "RTP/AVP in the answer to a TCP offer", "RFC 4145 §4.1")     \
    X(lf_only, "LF in place of CRLF in bodies", "RFC 4566 §5")                 \
    X(silent, "the INVITE is answered, and nothing is sent",                   \
      "GB/T 28181-2022 9.2")                                                   \
    X(deaf, "INVITE is never answered", "RFC 3261 §13.3.1")                    \
    X(bye_early, "BYE one second after the ACK", "GB/T 28181-2022 9.2")        \
    X(dup_catalog, "every catalog message twice", "GB/T 28181-2022 9.5")       \
    X(short_catalog, "SumNum larger by one than the items sent",               \
      "GB/T 28181-2022 A.2.6.4")                                               \
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
      "GB/T 28181-2022 A.2.6.8")                                               \
    X(home_alias, "CmdType HomePosition in answers to HomePositionQuery",      \
      "GB/T 28181-2022 A.2.6.10")                                              \
    X(no_result, "no Result where it would be OK", "GB/T 28181-2022 A.2.6")    \
    X(other_edition, "bodies as the 2016 edition has them from a device of "   \
      "2022, and the reverse", "GB/T 28181-2022 Annex I")                      \
    X(false_charset, "GB2312 is declared and UTF-8 sent",                      \
      "GB/T 28181-2022 6.10")                                                  \
    X(attributes, "CmdType and SN as attributes of the root element",          \
      "GB/T 28181-2022 A.2.1")                                                 \
    X(no_sum, "no SumNum in other lists", "GB/T 28181-2022 A.2.6")             \
    X(upgrade_fails, "an upgrade ends with ERROR and 02, the package is "      \
      "damaged", "GB/T 28181-2022 9.13")                                       \
    X(nested_status, "the Status of a Keepalive stands in an Info",            \
      "GB/T 28181-2022 A.2.5.2")                                               \
    X(self_parent, "every channel names itself as its parent",                 \
      "GB/T 28181-2022 A.2.1.9")                                               \
    X(no_parent, "no channel names a parent", "GB/T 28181-2022 A.2.1.9")       \
    X(raw_ampersand, "an ampersand in names that is not escaped",              \
      "XML 1.0 §2.4")                                                          \
    X(bad_item, "the first item of the catalog cannot be read",                \
      "GB/T 28181-2022 A.2.1.9")                                               \
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
      "GB/T 28181-2022 9.4")

/* What it sends. */
#define SENDER_FAULT_MAP(X)                                                    \
    X(no_psm, "no program stream map", "GB/T 28181-2022 Annex C")              \
    X(psm_once, "a map in the first pack only", "GB/T 28181-2022 Annex C")     \
    X(length0, "video PES packets with length 0", "ISO/IEC 13818-1 §2.4.3.7")  \
    X(extension, "an RTP header extension in every packet, which looks like "  \
      "a pack header", "RFC 3550 §5.3.1")                                      \
    X(pts_wrap, "time stamps that wrap five seconds after the start",          \
      "ISO/IEC 13818-1 §2.4.3.7")

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

struct faults {
    struct device_faults device;
    struct sender_faults sender;
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
