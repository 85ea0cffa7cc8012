/* app/platform/deviations.h - faults of devices: tolerated, counted, told once */
#ifndef APP_PLATFORM_DEVIATIONS_H
#define APP_PLATFORM_DEVIATIONS_H

#include "base/addr.h"
#include "base/slice.h"

struct platform;
struct device;
struct sip_msg;

/* Tolerated faults: one bit each in struct device.noted, logged once. */
#define DEVIATION_MAP(X)                                                       \
    X(XML_REPAIRED,   "xml repaired")                                          \
    X(XML_SALVAGED,   "xml salvaged, items lost")                              \
    X(BODY_REFUSED,   "body refused")                                          \
    X(NO_SN,          "SN is missing")                                         \
    X(NO_DEVICE_ID,   "DeviceID is missing")                                   \
    X(FOREIGN_ID,     "DeviceID is not its own")                               \
    X(FROM_CHANNEL,   "From is a channel's")                                   \
    X(UNKNOWN_CMD,    "CmdType is unknown")                                    \
    X(LOOSE_SN,       "answer with a foreign SN")                              \
    X(NOTIFIED_ANSWER, "answer in a Notify")                                   \
    X(OTHER_CMD,      "answer under another CmdType")                          \
    X(UNSOLICITED,    "answer without a question")                             \
    X(NO_CONTACT,     "REGISTER without a usable Contact")                     \
    X(NO_EXPIRES,     "REGISTER without Expires")                              \
    X(SHORT_EXPIRES,  "Expires below the minimum")                             \
    X(LONG_EXPIRES,   "Expires above the maximum")                             \
    X(ODD_SIP,        "sip syntax tolerated")                                  \
    X(PORT_MOVED,     "requests from another port")                            \
    X(SSRC_CHANGED,   "answer changes y=")                                     \
    X(SSRC_FOREIGN,   "media with an SSRC that was not agreed")                \
    X(MEDIA_ELSEWHERE, "media from an address that nobody named")             \
    X(PROTO_DIFFERS,  "answer changes the transport")                          \
    X(NO_CODEC,       "answer without an offered format")                      \
    X(NO_PORT,        "answer with media port 0 and its SSRC: it sends")       \
    X(CHANNEL_LIMIT,  "too many channels")                                     \
    X(ALARM_FLOOD,    "too many alarms")                                       \
    X(SUM_NUM,        "catalog does not hold what it announces")               \
    X(MULTIPART,      "XML inside a multipart body")                           \
    X(UDP_SILENT,     "media does not come over UDP")                          \
    X(INVITE_FOREIGN, "invites us, not supported")                             \
    X(NOTIFY_FLOOD,   "too many NOTIFYs")                                      \
    X(NOTIFY_STRAY,   "NOTIFY outside a subscription")                             \
    X(CSEQ_REPEATED,  "CSeq of REGISTER does not rise")                        \
    X(SIP_ALG,        "addresses rewritten on the way: SIP ALG suspected")     \
    X(TCP_ABSENT,     "media connection does not come up")                     \
    X(SSRC_IGNORED,   "does not heed the SSRC: needs a port of its own")       \
    X(CLOCK_OFF,      "clock is off although it is told the time")             \
    X(VOICE_IDS,      "invites us to a broadcast with ids not asked for")      \
    X(OFFER_TYPE,     "SDP under another Content-Type")                        \
    X(KEY_IGNORED,    "sends no key frame when it is asked for one")           \
    X(MEDIA_AFTER,    "goes on sending after a BYE: gets another one")         \
    X(DEAF_PORT,      "does not listen where it sends from: asked at its Contact") \
    X(ASKS_US,        "asks for a password with our requests")                 \
    X(BODY_TYPE,      "XML under another Content-Type, or none")               \
    X(BODY_WIDE,      "XML in UTF-16")                                         \
    X(ODD_VERSION,    "X-GB-Ver is not written as a number like 3.0")         \
    X(NOTIFY_SHORT,   "NOTIFY leaves hardly any time: what the 200 granted counts") \
    X(TAKES_TURNS,    "registers from two addresses in turn: two devices with one id?")

enum deviation {
#define X(id, text) DEVIATION_##id,
    DEVIATION_MAP(X)
#undef X
    DEVIATION_COUNT
};
_Static_assert(DEVIATION_COUNT <= 64, "bits of struct about.noted");

/* Counts a tolerated fault and logs it the first time. detail may be empty. */
void device_deviation(struct platform *p, struct device *d, enum deviation v,
                      struct slice detail);
/* peer: who is to blame, when that is not the SIP address. */
void device_deviation_of(struct platform *p, struct device *d,
                         enum deviation v, struct slice detail,
                         const struct gb_addr *peer);
/* ODD_SIP, and what it is that m has: the first of it. */
void device_deviation_sip(struct platform *p, struct device *d,
                          const struct sip_msg *m);
const char *deviation_text(enum deviation v);
#endif
