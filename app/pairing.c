#include "app/pairing.h"

#include <stdlib.h>

#define PAIR_BACK_MS 10000  /* a recorded request this old may still be ours */
#define PAIR_AHEAD_MS 60000 /* one of ours this early may be a recorded one */

static bool is_alike(struct slice a, const struct trace_glance *ga,
                     struct slice b, const struct trace_glance *gb)
{
    return slice_eq(ga->method_name, gb->method_name) &&
           slice_eq(ga->to_user, gb->to_user) &&
           slice_eq(trace_element(trace_body(a), SLICE("CmdType")),
                    trace_element(trace_body(b), SLICE("CmdType")));
}

struct recorded *pairing_of(struct pairing *p, struct slice bytes,
                            const struct trace_glance *g, int64_t utc_ms)
{
    while (p->window < p->rec->n &&
           p->rec->m[p->window].utc_ms + PAIR_BACK_MS < utc_ms)
        p->window++;
    for (size_t i = p->window; i < p->rec->n; i++) {
        struct recorded *m = &p->rec->m[i];

        if (m->utc_ms > utc_ms + PAIR_AHEAD_MS)
            break;
        if (!m->in && !m->closed && !m->g.status && !m->paired &&
            m->utc_ms + PAIR_BACK_MS >= utc_ms &&
            is_alike(m->bytes, &m->g, bytes, g))
            return m;
    }
    return NULL;
}

bool pairing_join(struct recorded *m, struct slice bytes,
                  const struct trace_glance *g)
{
    m->sent = malloc(bytes.n);
    if (!m->sent)
        return false;
    memcpy(m->sent, bytes.p, bytes.n);
    m->sent_n = bytes.n;
    m->sent_branch = slice_of(m->sent + (g->branch.p - bytes.p), g->branch.n);
    m->paired = true;
    return true;
}

bool pairing_is_known(const struct pairing *p, struct slice branch)
{
    for (size_t i = 0; i < p->rec->n; i++)
        if (slice_eq(p->rec->m[i].sent_branch, branch) && branch.n)
            return true;
    return false;
}

struct recorded *pairing_sent(const struct pairing *p, struct slice call_id,
                              uint32_t cseq, bool paired)
{
    struct recorded *m = recording_call(p->rec, call_id);

    while (m && !(m->paired == paired && (cseq == 0 || m->g.cseq == cseq)))
        m = recording_call_next(m);
    return m;
}

struct recorded *pairing_query(const struct pairing *p,
                               const struct recorded *m)
{
    struct slice body = trace_body(m->bytes);
    struct slice sn = trace_element(body, SLICE("SN"));

    if (m->g.method != SIP_METHOD_MESSAGE || sn.n == 0 ||
        slice_find_slice(body, SLICE("<Response>")) == body.n)
        return NULL;
    for (size_t i = 0; i < p->rec->n; i++) {
        struct recorded *q = &p->rec->m[i];

        if (!q->in && !q->g.status && q->g.method == SIP_METHOD_MESSAGE &&
            slice_eq(q->g.to_user, m->g.from_user) &&
            slice_eq(trace_element(trace_body(q->bytes), SLICE("SN")), sn))
            return q;
    }
    return NULL;
}

bool pairing_may_come(const struct recorded *q, int64_t utc_ms)
{
    return q->utc_ms + PAIR_BACK_MS >= utc_ms;
}

void pairing_hold(struct pairing *p, struct recorded *q, struct recorded *m)
{
    struct recorded **at = &q->held;

    p->n_held++;
    while (*at)
        at = &(*at)->next_held;
    *at = m;
}

struct recorded *pairing_next(struct pairing *p, size_t *from)
{
    for (; p->n_held && *from < p->rec->n; ++*from) {
        struct recorded *q = &p->rec->m[*from], *m = q->held;

        if (!q->paired || !m)
            continue;
        q->held = m->next_held;
        m->next_held = NULL;
        p->n_held--;
        return m;
    }
    return NULL;
}
