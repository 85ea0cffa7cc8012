/* app/http/ws.h - WebSocket frames of the server's side (RFC 6455)
 *
 * Bytes in, events out; no I/O. Payloads are unmasked in place, in the caller's
 * receive buffer, and handed on piece by piece, so a message costs no memory;
 * only control frames are gathered (at most 125 bytes). */
#ifndef APP_HTTP_WS_H
#define APP_HTTP_WS_H

#include "base/err.h"
#include "base/slice.h"
#include "base/utf8.h"
#include "base/writer.h"

#define WS_CONTROL_MAX 125  /* §5.5 */
#define WS_MESSAGE_MAX 65536 /* unless ws_init is told another limit */
#define WS_HEADER_MAX 10    /* of a frame that we write: it is not masked */
#define WS_ACCEPT_LEN 28

enum ws_opcode {
    WS_CONTINUE = 0,
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10,
};

enum { /* §7.4.1 */
    WS_CLOSE_NORMAL = 1000,
    WS_CLOSE_GOING_AWAY = 1001,
    WS_CLOSE_PROTOCOL = 1002,
    WS_CLOSE_NO_STATUS = 1005, /* never on the wire */
    WS_CLOSE_BAD_DATA = 1007,
    WS_CLOSE_POLICY = 1008,
    WS_CLOSE_TOO_BIG = 1009,
    WS_CLOSE_ERROR = 1011,
};

/* The key is base64 of 16 bytes (§4.1). */
bool ws_key_is_valid(struct slice key);

/* Sec-WebSocket-Accept for a key (§4.2.2), with a NUL. */
void ws_accept(struct slice key, char out[static WS_ACCEPT_LEN + 1]);

struct ws_event {
    enum ws_opcode opcode; /* TEXT or BINARY for every piece of a message */
    struct slice data;     /* unmasked; of CLOSE: the reason */
    bool first, last;      /* of its message; control frames: both */
    uint16_t close_code;   /* CLOSE; WS_CLOSE_NO_STATUS when there was none */
};

/* The parser's state. Fields are its own. */
struct ws {
    uint64_t max_message, message_len;
    uint64_t left;       /* payload bytes of the current frame to come */
    uint8_t head[14];
    uint8_t n_head, need_head;
    uint8_t opcode;      /* of the current frame */
    uint8_t message;     /* opcode of the unfinished message, 0: none */
    uint8_t mask_at;
    bool fin, in_payload, first, closed;
    uint8_t control[WS_CONTROL_MAX];
    uint8_t n_control;
    struct utf8 utf8;    /* of a text message, across its fragments */
    uint16_t fault;      /* close code that a broken stream deserves */
};

/* max_message: longest message in all its fragments; 0: WS_MESSAGE_MAX. */
void ws_init(struct ws *w, uint64_t max_message);

/* Takes bytes up to the end of one event. *used bytes of p are done with, also
 * on GB_EAGAIN (then all of them). 0: *ev is filled and valid until the next
 * call. GB_EAGAIN: no event. GB_ESYNTAX, GB_ELIMIT, GB_ECHARSET: the stream is
 * broken, w->fault is the close code to send; later calls fail again. After a
 * CLOSE event everything is ignored: GB_EAGAIN. */
int ws_feed(struct ws *w, uint8_t *p, size_t n, size_t *used,
            struct ws_event *ev);

/* The header of an unmasked, unfragmented frame; its length. */
size_t ws_header(uint8_t out[static WS_HEADER_MAX], enum ws_opcode opcode,
                 uint64_t len);

/* A whole control frame; data is cut to WS_CONTROL_MAX. */
void ws_control_write(struct writer *w, enum ws_opcode opcode,
                      struct slice data);
void ws_close_write(struct writer *w, uint16_t code, struct slice reason);
#endif
