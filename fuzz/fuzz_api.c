/* The input is a script against the whole HTTP application over a whole platform
 * (fuzz/platform): people of all rights ask anything of any line of the route table,
 * a device answers, takes and brings files, or not, main keeps what is set and answers later, or cannot, time
 * passes, memory runs out. Each step: what, argument, eight numbers at most and a
 * text (their length is a byte).
 *
 * Properties: each request has one answer, with a status that exists and fits; what
 * is answered can be read, is as its schema says, and a refusal says why, in Chinese,
 * too; a refusal, a question, and who may not change nothing, and nobody changes what
 * lies outside his scope; no secret is told; what is stored is what is there; in the
 * end nothing waits and nothing leaks. */
#include "fuzz/api/site.h"

#include <jansson.h>
#include <string.h>

#define MAX_STEPS 24
#define HEAD 3
#define CATALOG_MS 10000 /* by then the device has told its channels */

/* JSON: half of a run's blocks. */
static void json_put(void *p)
{
    memory_put(NULL, p);
}

static void talk(struct slice more)
{
    if (!site.talking)
        return;
    http_app_talk_data(site.app, site.talking, (const uint8_t *)more.p, more.n);
    site_turn();
}

static void pass_some(unsigned arg)
{
    static const uint32_t ms[] = { 1, 100, 1000, 5000, 11000, 61000, 130000, 3600000 };

    pass(ms[arg % COUNT_OF(ms)]);
    site_turn();
}

static void trouble(unsigned arg, const uint8_t *v)
{
    if (arg % 4 == 0)
        memory.fail_in = v[0] ? 1u + v[1] : 0;
    if (arg % 4 == 1)
        site.refuses = v[0] & 1;
    if (arg % 4 == 2)
        run.obliging = v[0] & 1;
    if (arg % 4 == 3)
        run.refuse_ports = v[0] % 4;
}

static void media_step(unsigned arg, const uint8_t *v)
{
    static const enum platform_media_kind kinds[] = {
        PLATFORM_MEDIA_CONNECTED, PLATFORM_MEDIA_PACKET, PLATFORM_MEDIA_PROGRAM,
        PLATFORM_MEDIA_CODEC,     PLATFORM_MEDIA_KEY,    PLATFORM_MEDIA_SOUND,
        PLATFORM_MEDIA_ENDED,     PLATFORM_MEDIA_SAID,
    };

    for (size_t i = 0; i < MAX_STREAMS; i++)
        if (run.stream[i].session && !run.stream[i].closing)
            media(run.stream[i].session, kinds[arg % COUNT_OF(kinds)], v);
    site_turn();
}

static void device_step(unsigned arg, const uint8_t *v, struct slice more)
{
    if ((arg & 129) == 129)
        ask_as_told(arg >> 1 & 63, v, more);
    else if (arg & 1)
        enrol(arg >> 1, v);
    else
        message("MESSAGE", arg >> 1, v, "", more);
    site_turn();
}

static bool is_clean(struct slice s)
{
    return slice_find_slice(s, SLICE(SECRET)) == s.n;
}

static void step(unsigned what, unsigned arg, const uint8_t *v,
                 struct slice more)
{
    if (!is_clean(more))
        return; /* a secret is what nobody else says */
    switch (what % 12) {
    case 5:
        ask_raw(arg, v, more);
        break;
    case 6:
        site_gone(arg, v);
        break;
    case 7:
        pass_some(arg);
        break;
    case 8:
        media_step(arg, v);
        break;
    case 9:
        device_step(arg, v, more);
        break;
    case 10:
        trouble(arg, v);
        break;
    case 11:
        talk(more);
        break;
    default:
        ask(arg, v, more);
        break;
    }
    if (!memory.failed && !site.refuses)
        state_compare();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t how[3] = { 64 }; /* the device is obliging, and memory does not fail */

    if (size < HEAD)
        return 0;
    json_set_alloc_funcs(memory_take, json_put);
    how[0] |= data[0] & (32 | 128);
    require(birth(how));
    pass(CATALOG_MS);
    if (site_begin(data[1])) {
        script(data + HEAD, size - HEAD, MAX_STEPS, step);
        site_end();
    }
    death();
    memory_end();
    return 0;
}
