#include "test/knock.h"

#include <stdio.h>

void knock_begin(struct sim *s, struct platform_config c)
{
    struct sim_options o = { .config = c };

    assert_true(sim_init(s, &o));
}

struct sip_peer knock_peer(const struct sim *s, const char *from)
{
    struct sip_peer p = { .transport = SIP_UDP, .local = s->server_addr };

    assert_int_equal(gb_addr_parse(&p.remote, slice_str(from), 5060), 0);
    return p;
}

unsigned knock_say(struct sim *s, const struct sip_peer *peer,
                   const char *text, size_t n, char *answer, size_t cap)
{
    struct sip_peer copy = *peer, *from = &copy;
    struct slice bytes = guarded(slice_of(text, n));
    struct sip_event ev;
    struct sip_out out;
    uint32_t status = 0;

    if (!platform_admits(s->p, from, bytes, s->now))
        return 0;
    sip_stack_input(s->server, from, bytes, s->now.mono_ms);
    while (sip_stack_event(s->server, &ev))
        platform_sip(s->p, &ev, s->now);
    while (sip_stack_output(s->server, &out))
        if (gb_addr_eq(&out.peer.remote, &from->remote) && out.bytes.n > 12 &&
            slice_has_prefix(out.bytes, SLICE("SIP/2.0 "))) {
            assert_true(slice_u32(slice_of(out.bytes.p + 8, 3), 699, &status));
            if (answer)
                slice_copy(answer, cap, out.bytes);
        }
    return status;
}

size_t knock_register_text(char *buf, size_t cap, const char *id,
                           const char *lines)
{
    static unsigned n;

    return (size_t)snprintf(
        buf, cap,
        "REGISTER sip:" SIM_ID "@" SIM_REALM " SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 192.168.1.10:5060;rport;branch=z9hG4bKraw%u\r\n"
        "From: <sip:%s@" SIM_REALM ">;tag=1\r\n"
        "To: <sip:%s@" SIM_REALM ">\r\n"
        "CSeq: 1 REGISTER\r\nMax-Forwards: 70\r\n"
        "%sContent-Length: 0\r\n\r\n",
        ++n, id, id, lines);
}

unsigned knock_register(struct sim *s, const char *from, const char *id,
                        const char *lines, char *answer, size_t cap)
{
    struct sip_peer p = knock_peer(s, from);
    char buf[2048];
    size_t n = knock_register_text(buf, sizeof(buf), id, lines);

    return knock_say(s, &p, buf, n, answer, cap);
}
