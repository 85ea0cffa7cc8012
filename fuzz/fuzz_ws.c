/* The same stream cut in two ways gives the same messages; nothing longer than
 * the limit comes out; text is UTF-8. */
#include "fuzz/fuzz.h"

#include "app/http/ws.h"

#include <stdlib.h>

#define LIMIT 300

struct seen {
    uint64_t hash;   /* of messages and control frames, whole ones only */
    uint64_t part;   /* of the unfinished message */
    size_t message;
    struct utf8 utf8;
    unsigned fault;
};

static void mix(uint64_t *h, const void *p, size_t n)
{
    const uint8_t *b = p;

    for (size_t i = 0; i < n; i++)
        *h = (*h ^ b[i]) * 1099511628211u;
}

static void take(struct seen *s, const struct ws_event *ev)
{
    if (ev->opcode >= WS_CLOSE) {
        if (ev->data.n > WS_CONTROL_MAX || !ev->first || !ev->last)
            abort();
        mix(&s->hash, &ev->opcode, sizeof(ev->opcode));
        mix(&s->hash, &ev->close_code, sizeof(ev->close_code));
        mix(&s->hash, ev->data.p, ev->data.n);
        return;
    }
    if (ev->first) {
        s->part = 1469598103934665603u;
        s->message = 0;
        s->utf8 = (struct utf8){ 0 };
    }
    s->message += ev->data.n;
    if (s->message > LIMIT)
        abort();
    mix(&s->part, ev->data.p, ev->data.n);
    for (size_t i = 0; ev->opcode == WS_TEXT && i < ev->data.n; i++)
        if (!utf8_step(&s->utf8, (uint8_t)ev->data.p[i]))
            abort();
    if (ev->last) {
        if (ev->opcode == WS_TEXT && s->utf8.more)
            abort();
        mix(&s->hash, &ev->opcode, sizeof(ev->opcode));
        mix(&s->hash, &s->part, sizeof(s->part));
    }
}

static void run(struct seen *s, const uint8_t *data, size_t size, size_t step)
{
    struct ws w;
    size_t off = 0;

    ws_init(&w, LIMIT);
    while (off < size) {
        size_t n = size - off < step ? size - off : step, done = 0;
        uint8_t *p = malloc(n);

        if (!p)
            abort();
        memcpy(p, data + off, n);
        while (done < n) {
            struct ws_event ev;
            size_t used;
            int err = ws_feed(&w, p + done, n - done, &used, &ev);

            if (used > n - done)
                abort();
            done += used;
            if (err == GB_EAGAIN) {
                if (done != n)
                    abort();
                break;
            }
            if (err) {
                s->fault = w.fault;
                if (!w.fault)
                    abort();
                free(p);
                return;
            }
            take(s, &ev);
        }
        free(p);
        off += n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen a = { 0 }, b = { 0 };

    if (size < 1)
        return 0;
    run(&a, data + 1, size - 1, size);
    run(&b, data + 1, size - 1, data[0] % 16 + 1u);
    if (a.hash != b.hash || a.fault != b.fault)
        abort();
    return 0;
}
