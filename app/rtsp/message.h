/* app/rtsp/message.h - RTSP 1.0 messages out of a stream (RFC 2326)
 *
 * Requests, answers and interleaved frames ("$", RFC 2326 §10.12) follow one
 * another. The grammar is strict where it decides what the next bytes are: no
 * folding, one Content-Length, no NUL; names and methods are as the RFC has
 * them, a bare LF ends a line as well. */
#ifndef APP_RTSP_MESSAGE_H
#define APP_RTSP_MESSAGE_H

#include "base/err.h"
#include "base/slice.h"
#include "base/writer.h"

#define RTSP_REQUEST_MAX 4096 /* bytes of a message, head and body */
#define RTSP_FIELDS_MAX 64    /* lines of one head */
#define RTSP_CSEQ_MAX 10      /* digits */
#define RTSP_TRANSPORTS_MAX 8 /* lines of Transport that are looked at */
#define RTSP_ID_MAX 32        /* longest device or channel id */
#define RTSP_URL_MAX 1024

#define RTSP_METHOD_MAP(X)                                                     \
    X(OPTIONS)                                                                 \
    X(DESCRIBE)                                                                \
    X(SETUP)                                                                   \
    X(PLAY)                                                                    \
    X(PAUSE)                                                                   \
    X(TEARDOWN)                                                                \
    X(GET_PARAMETER)                                                           \
    X(SET_PARAMETER)                                                           \
    X(ANNOUNCE)                                                                \
    X(RECORD)                                                                  \
    X(REDIRECT)

enum rtsp_method {
#define X(id) RTSP_##id,
    RTSP_METHOD_MAP(X)
#undef X
    RTSP_METHODS,
    RTSP_OTHER = RTSP_METHODS
};

/* rtsp://HOST:PORT/DEVICE/CHANNEL/trackID=0?stream=sub&t=SIGNATURE; players
 * also put the track behind the query. All slices are parts of it. Where
 * DEVICE is RTSP_SESSION, CHANNEL is the number of a session that runs. */
#define RTSP_SESSION "session"
struct rtsp_url {
    struct slice base;   /* up to the path, without '/': "rtsp://host:8554" */
    struct slice device, channel; /* device empty: the channel's owner */
    struct slice signature;       /* t=, empty: none */
    unsigned stream;     /* 0 main, 1 sub */
    int track;           /* -1: the whole presentation */
    bool any;            /* "*" */
};

/* GB_ESYNTAX: not of this form. GB_ERANGE: a stream that does not exist. */
int rtsp_url_parse(struct rtsp_url *out, struct slice text);

struct rtsp_request {
    enum rtsp_method method;
    struct slice method_name, url;
    struct slice cseq;        /* digits; empty: absent or none */
    struct slice session;     /* without its parameters */
    struct slice transport[RTSP_TRANSPORTS_MAX]; /* its lines, then empty */
    struct slice authorization;
    struct slice require;
    struct slice range, scale;
    struct slice body;
    unsigned fault;           /* 0, or the status that it deserves */
    bool is_framed;           /* where it ends is sure; else close */
};

enum rtsp_kind {
    RTSP_ITEM_REQUEST,
    RTSP_ITEM_ANSWER, /* of the peer, to nothing that we ask: no sense in it */
    RTSP_ITEM_FRAME,
};

struct rtsp_item {
    enum rtsp_kind kind;
    struct slice whole; /* all bytes of it */
    struct rtsp_request request; /* of a REQUEST */
    uint8_t channel;    /* of a FRAME */
    struct slice frame; /* of a FRAME: what is in it */
};

/* What arrived and is not read yet. Zeroed at first. Frames that are longer
 * than the buffer are passed over. */
struct rtsp_reader {
    size_t n, off;  /* bytes in buf, and of them those done with */
    size_t skip;    /* bytes of a long frame still to come */
    char buf[RTSP_REQUEST_MAX];
};

/* Where to put bytes, and how many; 0: read first. Ends the life of the last
 * item. */
size_t rtsp_reader_room(struct rtsp_reader *r, char **p);
void rtsp_reader_added(struct rtsp_reader *r, size_t n);

/* The next item, valid until rtsp_reader_room. A request with a fault is an
 * item: it is to be answered.
 * 0, GB_EAGAIN (more bytes are needed), GB_ELIMIT (a message that is too long:
 * answer 413 and close). */
int rtsp_reader_next(struct rtsp_reader *r, struct rtsp_item *out);

/* The bytes that are not read. */
struct slice rtsp_reader_rest(const struct rtsp_reader *r);

/* "RTSP/1.0 404 Not Found", CSeq and Server. reason: NULL: the usual one; what
 * cannot stand in a line is left out. The empty line is the caller's. */
void rtsp_answer_begin(struct writer *w, unsigned status, struct slice reason,
                       struct slice cseq);

/* A whole answer without body. */
void rtsp_answer(struct writer *w, unsigned status, struct slice reason,
                 struct slice cseq);
#endif
