/* A WebSocket that brings sound: what comes goes to the application, what it
 * says of its voices goes out as text. It stays on the main loop: 96 KB/s at the
 * most, and they are to go to several media loops. */
#include "app/http/conn.h"

#include "app/http/ws.h"

#define TALK_TEXTS_MAX 65536  /* bytes that wait for a page that reads nothing */
#define TALK_SILENCE_MS 30000 /* nothing at all from the page: it has gone */
#define TALK_PING_MS 10000

struct conn_talk {
    struct ws ws;
    struct buf next;  /* texts that wait for the write under way */
    bool ending;      /* close when all is written */
    uint64_t ping_ms, heard_ms;
};

bool conn_talk_new(struct conn *c)
{
    const struct gb_alloc *alloc = c->server->cfg.alloc;

    c->talk = gb_get(alloc, sizeof(*c->talk));
    if (!c->talk)
        return false;
    ws_init(&c->talk->ws, 0);
    buf_init(&c->talk->next, alloc, TALK_TEXTS_MAX);
    c->talk->heard_ms = uv_now(c->server->cfg.loop);
    c->talk->ping_ms = c->talk->heard_ms + TALK_PING_MS;
    return true;
}

void conn_talk_drop(struct conn *c)
{
    if (!c->talk)
        return;
    buf_fini(&c->talk->next);
    gb_put(c->server->cfg.alloc, c->talk);
    c->talk = NULL;
}

bool conn_talk_pump(struct conn *c)
{
    struct conn_talk *t = c->talk;

    if (c->writing)
        return true;
    c->deadline_ms = GB_NEVER; /* conn_talk_sweep looks */
    if (t->next.err) {
        conn_close(c);
    } else if (t->next.len) {
        buf_slice(&c->out, buf_view(&t->next));
        t->next.len = 0;
        conn_write(c, (struct slice){ 0 });
    } else if (t->ending) {
        return false;
    }
    return true;
}

static void put_frame(struct conn *c, enum ws_opcode opcode, struct slice data)
{
    uint8_t head[WS_HEADER_MAX];

    buf_bytes(&c->talk->next, head, ws_header(head, opcode, data.n));
    buf_slice(&c->talk->next, data);
}

void conn_talk_text(struct conn *c, struct slice text)
{
    if (c->talk->ending)
        return;
    put_frame(c, WS_TEXT, text);
    conn_talk_pump(c);
}

void conn_talk_end(struct conn *c, uint16_t code)
{
    char text[WS_CONTROL_MAX + WS_HEADER_MAX];
    struct writer w = writer_of(text, sizeof(text));

    if (c->talk->ending)
        return;
    ws_close_write(&w, code, (struct slice){ NULL, 0 });
    buf_slice(&c->talk->next, writer_slice(&w));
    c->talk->ending = true;
    if (!conn_talk_pump(c))
        conn_close(c);
}

static void on_event(struct conn *c, const struct ws_event *ev)
{
    switch (ev->opcode) {
    case WS_BINARY:
        http_app_talk_data(c->server->cfg.app, c->client,
                           (const uint8_t *)ev->data.p, ev->data.n);
        break;
    case WS_PING:
        put_frame(c, WS_PONG, ev->data);
        conn_talk_pump(c);
        break;
    case WS_CLOSE:
        http_app_closed(c->server->cfg.app, c->client); /* silent at once */
        conn_talk_end(c, ev->close_code == WS_CLOSE_NO_STATUS
                             ? WS_CLOSE_NORMAL : ev->close_code);
        break;
    case WS_CONTINUE:
    case WS_TEXT:
    case WS_PONG:
        break;
    }
}

void conn_talk_input(struct conn *c, char *p, size_t n)
{
    uint8_t *at = (uint8_t *)p;

    c->talk->heard_ms = uv_now(c->server->cfg.loop);
    while (n && c->state == CONN_TALK && !c->talk->ending) {
        struct ws_event ev;
        size_t used;
        int err = ws_feed(&c->talk->ws, at, n, &used, &ev);

        at += used;
        n -= used;
        if (err == GB_EAGAIN)
            return;
        if (err)
            conn_talk_end(c, c->talk->ws.fault);
        else
            on_event(c, &ev);
    }
}

/* Pages answer pings by themselves; one whose host has gone does not. */
void conn_talk_sweep(struct conn *c, uint64_t now_ms)
{
    struct conn_talk *t = c->talk;

    if (now_ms - t->heard_ms >= TALK_SILENCE_MS) {
        conn_close(c);
        return;
    }
    if (now_ms < t->ping_ms || t->ending)
        return;
    t->ping_ms = now_ms + TALK_PING_MS;
    put_frame(c, WS_PING, (struct slice){ NULL, 0 });
    conn_talk_pump(c);
}
