/* sip/value.h - small typed views of header values, read when asked for
 * (RFC 3261 §20, RFC 6665, GB/T 28181-2022 §9, Annex K) */
#ifndef SIP_VALUE_H
#define SIP_VALUE_H

#include "base/writer.h"
#include "sip/msg.h"

/* ---- Expires ---- */

#define SIP_EXPIRES_DEFAULT 3600 /* RFC 3261 §10.2.1.1 */

/* delta-seconds. Overlarge numbers clamp to UINT32_MAX; anything else that is
 * no number: false. */
bool sip_seconds_parse(struct slice value, uint32_t *s);

/* What a REGISTER or SUBSCRIBE, or its 200, says about time: the `expires` of
 * contact (may be NULL), else Expires, else -1. A broken value reads as 3600
 * (RFC 3261 §20.19). */
int64_t sip_msg_expires(const struct sip_msg *m,
                        const struct sip_addr *contact);

/* ---- Contact ---- */

/* The first Contact. 0, GB_ENOENT (there is none), GB_ESYNTAX. */
int sip_msg_contact(const struct sip_msg *m, struct sip_addr *out);

/* q in thousandths: 1000 when absent. false: malformed ("1.5", ".5"). */
bool sip_contact_q(const struct sip_addr *contact, unsigned *q1000);

/* ---- Content-Type ---- */

enum sip_content {
    SIP_CONTENT_NONE,      /* no body */
    SIP_CONTENT_MANSCDP,   /* Application/MANSCDP+xml and its variants */
    SIP_CONTENT_SDP,       /* application/sdp */
    SIP_CONTENT_MANSRTSP,  /* Application/MANSRTSP, Application/RTSP */
    SIP_CONTENT_MULTIPART, /* multipart/...: see sip/multipart.h */
    SIP_CONTENT_OTHER,
};

/* As we write them. */
#define SIP_TYPE_MANSCDP "Application/MANSCDP+xml"
#define SIP_TYPE_SDP "application/sdp"
#define SIP_TYPE_MANSRTSP "Application/MANSRTSP"

/* By the header, parameters ignored; without one by the first octets of the
 * body ('<', "v=", a MANSRTSP start line). A wrong type is not guessed. */
enum sip_content sip_msg_content(const struct sip_msg *m);

/* What a Content-Type stands for, parameters ignored. */
enum sip_content sip_content_of_type(struct slice value);
/* By its first octets alone. */
enum sip_content sip_content_of_body(struct slice body);

struct sip_ctype {
    struct slice type, subtype, params; /* params: behind the first ';' */
};
int sip_ctype_parse(struct sip_ctype *out, struct slice value);

/* ---- Subject (GB/T 28181: sender:seq,receiver:seq) ---- */

struct sip_subject {
    struct slice sender, sender_seq, receiver, receiver_seq; /* any may be
                                                                empty */
};

/* Splits at the first ',', each half at its first ':', blanks trimmed. Never
 * fails: what is missing is empty. */
void sip_subject_parse(struct sip_subject *out, struct slice value);
void sip_subject_write(struct writer *w, const struct sip_subject *s);

/* ---- Event, Subscription-State (RFC 6665) ---- */

struct sip_event_value {
    struct slice package, id; /* "Catalog", value of ;id= */
};
int sip_event_parse(struct sip_event_value *out, struct slice value);

enum sip_substate { SIP_SUB_OTHER, SIP_SUB_ACTIVE, SIP_SUB_PENDING,
                    SIP_SUB_TERMINATED };
struct sip_subscription_state {
    enum sip_substate state;
    struct slice reason;  /* of terminated; may be empty */
    int64_t expires;      /* -1: absent */
    int64_t retry_after;  /* -1: absent */
};
int sip_subscription_state_parse(struct sip_subscription_state *out,
                                 struct slice value);

/* ---- Date ---- */

#define SIP_BEIJING_S 28800 /* UTC+8, the time of GB/T 28181, seconds */

/* Appends "2023-08-09T07:38:35.123": utc_ms as local time of a zone that is
 * zone_s east of Greenwich (SIP_BEIJING_S). */
void sip_date_write(struct writer *w, int64_t utc_ms, int32_t zone_s);

/* Reads that form (fraction and seconds' fraction optional, blank for T, a
 * trailing Z or +08:00 obeyed) as zone_s, or the RFC 1123 form as GMT. Range
 * 1970..9999. 0 or GB_ESYNTAX. */
int sip_date_parse(struct slice value, int32_t zone_s, int64_t *utc_ms);

/* ---- Route, Record-Route ---- */

/* Copies up to max values (header text of each element, in order) for a route
 * set. The number, or GB_ELIMIT when there are more than max. */
int sip_msg_routes(const struct sip_msg *m, enum sip_hdr id, struct slice *out,
                   size_t max);

/* ---- Retry-After, Min-Expires ---- */

/* The leading number, a comment and parameters behind it ignored; clamped.
 * false: absent or malformed. */
bool sip_retry_after_parse(struct slice value, uint32_t *s);

struct sip_retry_after {
    uint32_t after_s;      /* clamped */
    int64_t duration_s;    /* how long he can be called then; -1: not said, or
                              malformed */
    struct slice comment;  /* without the outer parentheses; may be empty */
};

/* The same with comment and `duration` (RFC 3261 §20.33): "120 (in a
 * meeting);duration=3600". Comments nest and may hold anything quoted with a
 * backslash. 0 or GB_ESYNTAX (also a comment that never ends). For users of the
 * library: the daemon wants the seconds, whatever follows them. */
int sip_retry_after_read(struct sip_retry_after *out, struct slice value);
#endif
