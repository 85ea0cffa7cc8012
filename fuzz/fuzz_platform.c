/* The input is a script against the whole platform: a device that registers and
 * says anything at any time, strangers, people with the API, the media edge, time,
 * memory that runs out. Each step: what, argument, eight numbers at most and a text
 * (their length is a byte).
 *
 * Properties: all that is sent can be parsed; no order for a session that is not
 * open, no port twice, no SSRC in one that is shared; nothing spins; no command is open beyond its end; a
 * stranger changes nothing; when all is ended and time has passed no session,
 * port or dialog is left, nothing leaks. */
#include "fuzz/memory.h"
#include "fuzz/platform/world.h"

#include <string.h>

#define MAX_STEPS 40

/* ---- time, trouble ------------------------------------------------------------ */

static void pass_some(unsigned arg)
{
    static const uint32_t ms[] = { 1,     100,   500,   1000,   4000,   10000,
                                   11000, 16000, 32000, 60000, 130000, 3600000 };

    pass(ms[arg % COUNT_OF(ms)]);
}

static void trouble(unsigned arg, const uint8_t *v)
{
    switch (arg % 10) {
    case 0:
        memory.fail_in = v[0] ? 1u + v[1] : 0;
        break;
    case 1:
        run.refuse_ports = v[0] % 4;
        break;
    case 2:
        run.obliging = v[0] & 1;
        break;
    case 3:
        run.slow_edge = v[0] & 1;
        break;
    case 4:
        if (run.device.connection) {
            closed(run.device.connection);
            run.device.connection = ++run.connections;
        }
        break;
    case 5: /* it goes on over the other one */
        run.device.transport = run.device.connection ? SIP_UDP : SIP_TCP;
        run.device.connection = run.device.connection ? 0 : ++run.connections;
        break;
    case 6:
        run.now.utc_ms += 3600000 * ((int64_t)v[0] - 128);
        break;
    case 7:
        platform_drain(run.p, run.now);
        break;
    case 8:
        restart();
        break;
    default:
        if (v[7] & 128) {
            run.shares = v[6] % 3;
            share();
        }
        ask_doctor(v);
        see_all();
        break;
    }
    pump();
}

static void media_step(unsigned arg, const uint8_t *v)
{
    static const enum platform_media_kind kinds[] = {
        PLATFORM_MEDIA_CONNECTED, PLATFORM_MEDIA_PACKET, PLATFORM_MEDIA_PROGRAM,
        PLATFORM_MEDIA_CODEC, PLATFORM_MEDIA_KEY, PLATFORM_MEDIA_SOUND,
        PLATFORM_MEDIA_ALIVE, PLATFORM_MEDIA_WANT_KEY, PLATFORM_MEDIA_ENDED,
        PLATFORM_MEDIA_SAID, PLATFORM_MEDIA_AFTER,
    };
    const struct stream *m = &run.stream[v[7] % MAX_STREAMS];

    if (m->session && !m->closing)
        media(m->session, kinds[arg % COUNT_OF(kinds)], v);
    pump();
}

/* ---- a script ----------------------------------------------------------------- */

static void said(unsigned what, unsigned arg, const uint8_t *v,
                 struct slice more)
{
    static const unsigned status[] = {
        200, 100, 180, 183, 202, 302, 400, 401, 403, 404, 407,
        408, 415, 423, 480, 481, 486, 487, 488, 491, 500, 503, 603, 699,
    };
    static const char *const states[] = {
        "Event: Catalog\r\nSubscription-State: active;expires=600\r\n",
        "Event: presence\r\nSubscription-State: pending\r\n",
        "Event: Catalog\r\nSubscription-State: terminated;reason=timeout\r\n",
        "Event: presence\r\n",
        "Event: PTZPosition\r\nSubscription-State: active;expires=1\r\n",
    };

    if (what == 0)
        answer(arg & 3, status[(arg >> 2) % COUNT_OF(status)], v[4],
               v[5] ? 5 * v[5] : -1, v, more);
    else if (what == 1)
        message("MESSAGE", arg, v, "", more);
    else
        message("NOTIFY", arg | 32, v, states[v[7] / 8 % COUNT_OF(states)],
                more);
}

static void step(unsigned what, unsigned arg, const uint8_t *v,
                 struct slice more)
{
    switch (what % 12) {
    case 0:
    case 1:
    case 2:
        said(what % 12, arg, v, more);
        break;
    case 3:
        heard(arg & 1, more);
        break;
    case 4:
        in_call(arg, v, more);
        break;
    case 5:
        call(arg, v, more);
        break;
    case 6:
        enrol(arg, v);
        break;
    case 7:
        pass_some(arg);
        break;
    case 8:
    case 9:
        people(arg, v);
        break;
    case 10:
        media_step(arg, v);
        break;
    default:
        trouble(arg, v);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    if (birth(data)) {
        script(data + 3, size - 3, MAX_STEPS, step);
        drain();
        death();
    }
    memory_end();
    return 0;
}
