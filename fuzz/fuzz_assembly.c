/* The assembly machine, driven by the input as a script of requests, messages
 * and time, beside a model of what must hold. */
#include "fuzz/fuzz.h"
#include "fuzz/memory.h"

#include "manscdp/assembly.h"

#include <stdlib.h>

#define MAX_IDS 64

struct script {
    const uint8_t *p, *end;
};

static uint8_t next(struct script *s)
{
    return s->p < s->end ? *s->p++ : 0;
}

/* What is known of an answer that was opened. */
struct known {
    uint64_t id;
    bool open;
    bool have[256];
    uint32_t n;
};

struct world {
    struct manscdp_assemblies *s;
    struct known known[MAX_IDS];
    unsigned n_known;
    uint64_t now_ms;
};

static const char *const devices[] = { "34020000001180000001",
                                       "34020000001320000001" };
static const enum manscdp_cmd cmds[] = { MANSCDP_CMD_CATALOG,
                                         MANSCDP_CMD_DEVICE_INFO };

static struct known *find(struct world *w, uint64_t id)
{
    for (unsigned i = 0; i < w->n_known; i++)
        if (w->known[i].id == id)
            return &w->known[i];
    return NULL;
}

static void events(struct world *w)
{
    struct manscdp_assembly_event ev;

    while (manscdp_assembly_event(w->s, &ev)) {
        struct known *k = find(w, ev.id);

        require(k && k->open && ev.user == w);
        /* an event that waits says how it was when it was told */
        require(ev.closed ? ev.received == k->n : ev.received <= k->n);
        require(ev.outcome != MANSCDP_SILENT || (!ev.messages && ev.closed));
        require(ev.outcome != MANSCDP_COMPLETE || !ev.missing);
        if (ev.outcome == MANSCDP_COMPLETE)
            require(ev.received + ev.unnamed >= ev.expected);
        k->open = !ev.closed;
    }
}

static void open_one(struct world *w, uint8_t what)
{
    const struct manscdp_row *row =
        manscdp_row_find(MANSCDP_QUERY, cmds[what >> 1 & 1], SLICE(""));
    uint64_t id;
    int err;

    if (w->n_known == MAX_IDS)
        return;
    err = manscdp_assembly_open(w->s, slice_str(devices[what & 1]), row,
                                what >> 4, 0, w, w->now_ms, &id);
    require(err == 0 || err == GB_EEXIST || err == GB_ELIMIT);
    if (err)
        return;
    require(!find(w, id));
    w->known[w->n_known++] = (struct known){ .id = id, .open = true };
}

static void message(struct world *w, uint8_t what, struct script *s)
{
    uint8_t head = next(s), n = head & 7;
    struct known *k;
    uint64_t id;

    if (manscdp_assembly_message(w->s, slice_str(devices[what & 1]),
                                 cmds[what >> 1 & 1], what >> 4, &id) ==
        MANSCDP_UNSOLICITED) {
        require(id == 0);
        return;
    }
    k = find(w, id);
    require(k && k->open);
    while (n--) {
        uint8_t item = next(s);
        enum manscdp_novelty novelty = manscdp_assembly_item(
            w->s, id, slice_of((const char *)&item, item != 0));

        if (!item)
            require(novelty == MANSCDP_UNNAMED);
        else if (novelty == MANSCDP_EXCESS)
            require(!k->have[item] && k->n == 8);
        else
            require((novelty == MANSCDP_NEW) == !k->have[item]);
        k->n += novelty == MANSCDP_NEW;
        k->have[item] |= novelty == MANSCDP_NEW;
    }
    manscdp_assembly_end(w->s, id, head & 8, head >> 5, head >> 4 & 1,
                         w->now_ms);
}

static void pass_time(struct world *w, uint8_t what)
{
    w->now_ms += (uint64_t)what * 200;
    manscdp_assembly_tick(w->s, w->now_ms);
    require(manscdp_assembly_deadline(w->s) > w->now_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct manscdp_assembly_limits limits = { .max_open = 5,
                                                           .max_items = 8 };
    struct script s = { data, data + size };
    struct world w = { 0 };

    memory_begin(0);
    w.s = manscdp_assemblies_new(&memory_alloc, NULL, &limits);
    require(w.s != NULL);
    while (s.p < s.end) {
        uint8_t op = next(&s), what = next(&s);

        switch (op & 3) {
        case 0:
            open_one(&w, what);
            break;
        case 1:
        case 2:
            message(&w, what, &s);
            break;
        case 3:
            pass_time(&w, what);
            break;
        }
        if (op & 128) /* not after every step: they may wait */
            events(&w);
    }
    /* in the end nothing stays open, and nobody was forgotten */
    w.now_ms += 1000000;
    manscdp_assembly_tick(w.s, w.now_ms);
    events(&w);
    require(manscdp_assembly_count(w.s) == 0);
    for (unsigned i = 0; i < w.n_known; i++)
        require(!w.known[i].open);
    manscdp_assemblies_free(w.s);
    memory_end();
    return 0;
}
