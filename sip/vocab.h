/* sip/vocab.h - methods, header names and reason phrases: the tables
 * (RFC 3261 §20, §21, RFC 3265, 3428, 6086, IANA's register of compact forms,
 * GB/T 28181-2022 §9 and Annex J) */
#ifndef SIP_VOCAB_H
#define SIP_VOCAB_H

#include "base/scan.h"
#include "base/slice.h"

/*    id         name         first and last letter: the key of the look-up */
#define SIP_METHOD_MAP(X)                                                      \
    X(INVITE,    "INVITE",    'I', 'E')                                        \
    X(ACK,       "ACK",       'A', 'K')                                        \
    X(BYE,       "BYE",       'B', 'E')                                        \
    X(CANCEL,    "CANCEL",    'C', 'L')                                        \
    X(REGISTER,  "REGISTER",  'R', 'R')                                        \
    X(OPTIONS,   "OPTIONS",   'O', 'S')                                        \
    X(MESSAGE,   "MESSAGE",   'M', 'E')                                        \
    X(INFO,      "INFO",      'I', 'O')                                        \
    X(SUBSCRIBE, "SUBSCRIBE", 'S', 'E')                                        \
    X(NOTIFY,    "NOTIFY",    'N', 'Y')                                        \
    X(PRACK,     "PRACK",     'P', 'K')                                        \
    X(UPDATE,    "UPDATE",    'U', 'E')                                        \
    X(REFER,     "REFER",     'R', 'R')                                        \
    X(PUBLISH,   "PUBLISH",   'P', 'H')

enum sip_method {
    SIP_METHOD_OTHER, /* unknown is not an error of syntax */
#define X(id, name, first, last) SIP_METHOD_##id,
    SIP_METHOD_MAP(X)
#undef X
    SIP_METHOD_COUNT
};

/* How often a header may appear. */
enum sip_hdr_kind {
    SIP_ONE,  /* once; a repetition makes the message ambiguous: refused */
    SIP_LINE, /* a comma belongs to the value (dates, challenges, text) */
    SIP_LIST, /* lines and commas make one list (RFC 3261 §7.3.1) */
};

/*    id                   name                   short kind  first last */
#define SIP_HDR_MAP(X)                                                         \
    X(VIA,                 "Via",                 'v', LIST, 'v', 'a')         \
    X(FROM,                "From",                'f', ONE,  'f', 'm')         \
    X(TO,                  "To",                  't', ONE,  't', 'o')         \
    X(CALL_ID,             "Call-ID",             'i', ONE,  'c', 'd')         \
    X(CSEQ,                "CSeq",                 0,  ONE,  'c', 'q')         \
    X(CONTACT,             "Contact",             'm', LIST, 'c', 't')         \
    X(MAX_FORWARDS,        "Max-Forwards",         0,  ONE,  'm', 's')         \
    X(CONTENT_LENGTH,      "Content-Length",      'l', ONE,  'c', 'h')         \
    X(CONTENT_TYPE,        "Content-Type",        'c', LINE, 'c', 'e')         \
    X(CONTENT_ENCODING,    "Content-Encoding",    'e', LIST, 'c', 'g')         \
    X(CONTENT_DISPOSITION, "Content-Disposition",  0,  LINE, 'c', 'n')         \
    X(EXPIRES,             "Expires",              0,  LINE, 'e', 's')         \
    X(MIN_EXPIRES,         "Min-Expires",          0,  LINE, 'm', 's')         \
    X(DATE,                "Date",                 0,  LINE, 'd', 'e')         \
    X(USER_AGENT,          "User-Agent",           0,  LINE, 'u', 't')         \
    X(SERVER,              "Server",               0,  LINE, 's', 'r')         \
    X(SUBJECT,             "Subject",             's', LINE, 's', 't')         \
    X(EVENT,               "Event",               'o', LINE, 'e', 't')         \
    X(ALLOW_EVENTS,        "Allow-Events",        'u', LIST, 'a', 's')         \
    X(SUBSCRIPTION_STATE,  "Subscription-State",   0,  LINE, 's', 'e')         \
    X(AUTHORIZATION,       "Authorization",        0,  LINE, 'a', 'n')         \
    X(WWW_AUTHENTICATE,    "WWW-Authenticate",     0,  LINE, 'w', 'e')         \
    X(PROXY_AUTHORIZATION, "Proxy-Authorization",  0,  LINE, 'p', 'n')         \
    X(PROXY_AUTHENTICATE,  "Proxy-Authenticate",   0,  LINE, 'p', 'e')         \
    X(AUTHENTICATION_INFO, "Authentication-Info",  0,  LINE, 'a', 'o')         \
    X(ROUTE,               "Route",                0,  LIST, 'r', 'e')         \
    X(RECORD_ROUTE,        "Record-Route",         0,  LIST, 'r', 'e')         \
    X(ALLOW,               "Allow",                0,  LIST, 'a', 'w')         \
    X(ACCEPT,              "Accept",               0,  LIST, 'a', 't')         \
    X(ACCEPT_ENCODING,     "Accept-Encoding",      0,  LIST, 'a', 'g')         \
    X(SUPPORTED,           "Supported",           'k', LIST, 's', 'd')         \
    X(REQUIRE,             "Require",              0,  LIST, 'r', 'e')         \
    X(PROXY_REQUIRE,       "Proxy-Require",        0,  LIST, 'p', 'e')         \
    X(UNSUPPORTED,         "Unsupported",          0,  LIST, 'u', 'd')         \
    X(RETRY_AFTER,         "Retry-After",          0,  LINE, 'r', 'r')         \
    X(REASON,              "Reason",               0,  LIST, 'r', 'n')         \
    X(WARNING,             "Warning",              0,  LIST, 'w', 'g')         \
    X(TIMESTAMP,           "Timestamp",            0,  LINE, 't', 'p')         \
    X(SESSION_EXPIRES,     "Session-Expires",     'x', LINE, 's', 's')         \
    X(MIN_SE,              "Min-SE",               0,  LINE, 'm', 'e')         \
    X(RSEQ,                "RSeq",                 0,  LINE, 'r', 'q')         \
    X(RACK,                "RAck",                 0,  LINE, 'r', 'k')         \
    X(REFER_TO,            "Refer-To",            'r', LINE, 'r', 'o')         \
    X(REFERRED_BY,         "Referred-By",         'b', LINE, 'r', 'y')         \
    X(IDENTITY,            "Identity",            'y', LINE, 'i', 'y')         \
    X(IDENTITY_INFO,       "Identity-Info",       'n', LINE, 'i', 'o')         \
    X(ACCEPT_CONTACT,      "Accept-Contact",      'a', LIST, 'a', 't')         \
    X(REJECT_CONTACT,      "Reject-Contact",      'j', LIST, 'r', 't')         \
    X(REQUEST_DISPOSITION, "Request-Disposition", 'd', LIST, 'r', 'n')         \
    X(NOTE,                "Note",                 0,  LINE, 'n', 'e')         \
    X(X_GB_VER,            "X-GB-Ver",             0,  LINE, 'x', 'r')         \
    X(MONITOR_USER_IDENTITY, "Monitor-User-Identity", 0, LINE, 'm', 'y')       \
    X(X_ROUTEPATH,         "X-RoutePath",          0,  LINE, 'x', 'h')         \
    X(X_PREFERREDPATH,     "X-PreferredPath",      0,  LINE, 'x', 'h')

enum sip_hdr {
    SIP_HDR_OTHER, /* kept by name: unknown is not an error */
#define X(id, name, brief, kind, first, last) SIP_HDR_##id,
    SIP_HDR_MAP(X)
#undef X
    SIP_HDR_COUNT
};

#define SIP_STATUS_MAP(X)                                                      \
    X(100, "Trying")                                                           \
    X(180, "Ringing")                                                          \
    X(181, "Call Is Being Forwarded")                                          \
    X(182, "Queued")                                                           \
    X(183, "Session Progress")                                                 \
    X(200, "OK")                                                               \
    X(202, "Accepted")                                                         \
    X(300, "Multiple Choices")                                                 \
    X(301, "Moved Permanently")                                                \
    X(302, "Moved Temporarily")                                                \
    X(305, "Use Proxy")                                                        \
    X(380, "Alternative Service")                                              \
    X(400, "Bad Request")                                                      \
    X(401, "Unauthorized")                                                     \
    X(402, "Payment Required")                                                 \
    X(403, "Forbidden")                                                        \
    X(404, "Not Found")                                                        \
    X(405, "Method Not Allowed")                                               \
    X(406, "Not Acceptable")                                                   \
    X(407, "Proxy Authentication Required")                                    \
    X(408, "Request Timeout")                                                  \
    X(410, "Gone")                                                             \
    X(412, "Conditional Request Failed")                                       \
    X(413, "Request Entity Too Large")                                         \
    X(414, "Request-URI Too Long")                                             \
    X(415, "Unsupported Media Type")                                           \
    X(416, "Unsupported URI Scheme")                                           \
    X(420, "Bad Extension")                                                    \
    X(421, "Extension Required")                                               \
    X(422, "Session Interval Too Small")                                       \
    X(423, "Interval Too Brief")                                               \
    X(480, "Temporarily Unavailable")                                          \
    X(481, "Call/Transaction Does Not Exist")                                  \
    X(482, "Loop Detected")                                                    \
    X(483, "Too Many Hops")                                                    \
    X(484, "Address Incomplete")                                               \
    X(485, "Ambiguous")                                                        \
    X(486, "Busy Here")                                                        \
    X(487, "Request Terminated")                                               \
    X(488, "Not Acceptable Here")                                              \
    X(489, "Bad Event")                                                        \
    X(491, "Request Pending")                                                  \
    X(493, "Undecipherable")                                                   \
    X(500, "Server Internal Error")                                            \
    X(501, "Not Implemented")                                                  \
    X(502, "Bad Gateway")                                                      \
    X(503, "Service Unavailable")                                              \
    X(504, "Server Time-out")                                                  \
    X(505, "Version Not Supported")                                            \
    X(513, "Message Too Large")                                                \
    X(580, "Precondition Failure")                                             \
    X(600, "Busy Everywhere")                                                  \
    X(603, "Decline")                                                          \
    X(604, "Does Not Exist Anywhere")                                          \
    X(606, "Not Acceptable")

/* Methods are case-sensitive (RFC 3261 §7.1). */
enum sip_method sip_method_lookup(struct slice name);

/* "INVITE"; the empty slice for SIP_METHOD_OTHER. Static. */
struct slice sip_method_name(enum sip_method m);

/* Long or compact name, any case. */
enum sip_hdr sip_hdr_lookup(struct slice name);

/* The header that a line begins with, and the length of its name, when that is
 * a long one of ours of less than SIP_HDR_LINE octets with its colon right
 * behind it. False: look closer. SIP_HDR_LINE octets are readable at line; the
 * line holds no CR. */
#define SIP_HDR_LINE 16
static inline bool sip_hdr_of_line(const char *line, enum sip_hdr *id,
                                   size_t *length);

/* The long name as we write it; the empty slice for SIP_HDR_OTHER. Static. */
struct slice sip_hdr_name(enum sip_hdr h);
char sip_hdr_brief(enum sip_hdr h); /* compact form, 0: none */
enum sip_hdr_kind sip_hdr_kind(enum sip_hdr h); /* OTHER: SIP_LINE */

/* The standard phrase; that of x00 of its class for a status we do not list;
 * "Unknown" outside 100..699. Never empty. Static. */
struct slice sip_reason(unsigned status);

/* token of RFC 3261 §25.1: letters, digits and -.!%*_+`'~ */
bool sip_is_token_char(char c);
bool sip_is_token(struct slice s); /* false when empty */

/* ---- for sip_hdr_of_line, which is in the way of every line -------------- */

#define SIP_HDR_PLACE(n, first, last)                                          \
    (((unsigned)(n) * 43 + (unsigned)(first) * 9 + (unsigned)(last)) & 255)
extern const uint8_t sip_hdr_places[256];

/* With the colon, in blocks to compare at once; of long names only the start
 * is, which has no colon. */
extern const char sip_hdr_lines[SIP_HDR_COUNT][24];

static inline bool sip_hdr_of_line(const char *line, enum sip_hdr *id,
                                   size_t *length)
{
#ifdef SCAN_VECTORS
    scan_v x = scan_load(line);
    uint32_t colon = scan_bits(scan_eq(x, ':')) | 1u << SIP_HDR_LINE;
    unsigned n = (unsigned)__builtin_ctz(colon), h;

    if (n - 2 >= SIP_HDR_LINE - 2)
        return false;
    h = sip_hdr_places[SIP_HDR_PLACE(n, (unsigned char)(line[0] | 0x20),
                                     (unsigned char)(line[n - 1] | 0x20))];
    *length = n;
    *id = (enum sip_hdr)h;
    return ((colon ^ (colon - 1)) &
            ~scan_name_bits(x, scan_load(sip_hdr_lines[h]))) == 0;
#else
    size_t n = scan_char(line, SIP_HDR_LINE, ':');

    if (n < 2 || n == SIP_HDR_LINE)
        return false;
    *length = n;
    *id = sip_hdr_lookup(slice_of(line, n));
    return *id != SIP_HDR_OTHER;
#endif
}
#endif
