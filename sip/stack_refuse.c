/* What the stack refuses before the layer above sees it (RFC 3261 §8.2), in the
 * order of that clause: method, dialog, repetition, extensions, body. */
#include "sip/stack_impl.h"

#include "sip/value.h"

#define MAX_UNSUPPORTED 8 /* option tags that a 420 names */

/* Whether this element of Accept lets the type pass. */
static bool range_has(struct slice elem, struct slice type)
{
    size_t n = slice_find(elem, ';'), major = slice_find(type, '/');
    struct slice range = slice_trim(slice_head(elem, n));
    struct slice params = slice_from(elem, n + 1);
    struct sip_param p;

    while (sip_param_next(&params, ';', &p)) {
        struct slice q = p.value;

        if (!slice_ieq(p.name, SLICE("q")))
            continue;
        while (q.n && (q.p[0] == '0' || q.p[0] == '.'))
            q = slice_from(q, 1);
        if (!q.n)
            return false;
    }
    return slice_eq(range, SLICE("*/*")) || slice_ieq(range, type) ||
           (range.n == major + 2 && range.p[major + 1] == '*' &&
            slice_ieq(slice_head(range, major + 1),
                      slice_head(type, major + 1)));
}

bool sip_stack_accepts(const struct sip_msg *m, struct slice type)
{
    struct sip_walk k = sip_msg_walk(m, SIP_HDR_ACCEPT);
    struct slice elem;

    if (!sip_msg_has(m, SIP_HDR_ACCEPT))
        return true;
    while (sip_walk_next(&k, &elem))
        if (range_has(elem, type))
            return true;
    return false;
}

/* 0: the method is one of ours. */
static unsigned refuses_method(enum sip_method method)
{
    switch (method) {
    case SIP_METHOD_OTHER:
        return 501;
    case SIP_METHOD_UPDATE:
    case SIP_METHOD_REFER:
    case SIP_METHOD_PUBLISH:
        return 405;
    case SIP_METHOD_PRACK: /* we never send a reliable 1xx (RFC 3262 §3) */
        return 481;
    case SIP_METHOD_INVITE:
    case SIP_METHOD_ACK:
    case SIP_METHOD_BYE:
    case SIP_METHOD_CANCEL:
    case SIP_METHOD_REGISTER:
    case SIP_METHOD_OPTIONS:
    case SIP_METHOD_MESSAGE:
    case SIP_METHOD_INFO:
    case SIP_METHOD_SUBSCRIBE:
    case SIP_METHOD_NOTIFY:
    case SIP_METHOD_COUNT:
        break;
    }
    return 0;
}

/* Only dialogs of INVITE are known here. SUBSCRIBE, NOTIFY and MESSAGE with a
 * To tag may belong to one that the layer above keeps; it answers 481. */
static bool needs_our_dialog(enum sip_method m)
{
    return m == SIP_METHOD_INVITE || m == SIP_METHOD_INFO ||
           m == SIP_METHOD_OPTIONS;
}

/* A BYE for a dialog that we do not have (any more) gets 200 where RFC 3261
 * §15.1.2 says 481: what it wants is so, and devices that rebooted, or lost our
 * answer to the first one, go on asking for a year until they hear 200. */
static unsigned refuses_dialog(const struct sip_msg *m)
{
    if (m->method == SIP_METHOD_BYE)
        return 200;
    return m->to.tag.n && needs_our_dialog(m->method) ? 481 : 0;
}

/* A Require that names nothing asks for nothing. */
static bool requires_any(const struct sip_msg *m)
{
    struct sip_walk k = sip_msg_walk(m, SIP_HDR_REQUIRE);
    struct slice tag;

    while (sip_walk_next(&k, &tag))
        if (tag.n)
            return true;
    return false;
}

static void refuse_extensions(struct sip_stack *s, const struct sip_peer *from,
                              const struct sip_msg *m)
{
    struct sip_extra extra[MAX_UNSUPPORTED];
    struct sip_walk k = sip_msg_walk(m, SIP_HDR_REQUIRE);
    struct slice tag;
    size_t n = 0;

    while (n < MAX_UNSUPPORTED && sip_walk_next(&k, &tag))
        extra[n++] = (struct sip_extra){ SLICE_INIT("Unsupported"), tag };
    stk_refuse_with(s, from, m, 420, extra, n);
}

static bool is_optional(const struct sip_msg *m)
{
    struct slice v = sip_msg_value(m, SIP_HDR_CONTENT_DISPOSITION);
    struct slice params = slice_from(v, slice_find(v, ';') + 1);
    struct sip_param p;

    while (sip_param_next(&params, ';', &p))
        if (slice_ieq(p.name, SLICE("handling")))
            return slice_ieq(p.value, SLICE("optional"));
    return false;
}

/* What an INVITE may bring along; SDP whatever it is called. */
static bool is_offer(const struct sip_msg *m)
{
    enum sip_content type = sip_msg_content(m);

    return type == SIP_CONTENT_NONE || type == SIP_CONTENT_SDP ||
           type == SIP_CONTENT_MULTIPART ||
           sip_content_of_body(m->body) == SIP_CONTENT_SDP;
}

/* Whether the body can be read at all; one that may be ignored is taken out of
 * the message (§8.2.3). Its type is the layer above's to judge, but for
 * INVITE. */
static unsigned refuses_body(struct sip_msg *m)
{
    struct slice coding = sip_msg_value(m, SIP_HDR_CONTENT_ENCODING);
    bool coded = coding.n && !slice_ieq(coding, SLICE("identity"));

    if (m->body.n && (coded || sip_msg_content(m) == SIP_CONTENT_OTHER) &&
        is_optional(m)) {
        m->body.n = 0;
        coded = false;
    }
    if (m->body.n && coded)
        return 415;
    if (m->method != SIP_METHOD_INVITE)
        return 0;
    if (!is_offer(m))
        return 415;
    return sip_stack_accepts(m, SLICE(SIP_TYPE_SDP)) ? 0 : 406;
}

/* The layer above may be waiting for just that. */
static void tell_refused(struct sip_stack *s, const struct sip_peer *from,
                         const struct sip_msg *m, unsigned status)
{
    if (m->method == SIP_METHOD_INVITE && !m->to.tag.n)
        stk_event(s, SIP_EV_REFUSED, from, m)->status = status;
}

bool stk_refused(struct sip_stack *s, const struct call *c,
                 const struct sip_peer *from, struct sip_msg *m)
{
    unsigned status = refuses_method(m->method);

    if (!status && !c)
        status = refuses_dialog(m);
    if (!status && !m->to.tag.n && stk_trans_merged(s, m))
        status = 482;
    if (!status && !s->ignore_require && !from->ignore_require &&
        requires_any(m)) {
        refuse_extensions(s, from, m);
        tell_refused(s, from, m, 420);
        return true;
    }
    if (!status)
        status = refuses_body(m);
    if (!status)
        return false;
    stk_refuse(s, from, m, status);
    tell_refused(s, from, m, status);
    return true;
}
