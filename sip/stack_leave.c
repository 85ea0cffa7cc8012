#include "sip/stack_impl.h"

/* Nothing of the dialog is open: a BYE can go out now. */
static bool may_leave(const struct sip_stack *s, const struct call *c)
{
    return c->state == CALL_CONFIRMED && !c->ok && !c->hidden &&
           !stk_trans_find(s, c->own_invite) &&
           !stk_trans_find(s, c->peer_invite);
}

bool sip_stack_leave(struct sip_stack *s, uint64_t dialog, uint64_t user,
                     uint64_t now_ms)
{
    struct call *c = stk_call_find(s, dialog);
    struct client_opts o = { .user = user };
    struct sip_request_parts p = { .method = SIP_METHOD_BYE, .expires = -1 };
    struct slice routes[SIP_MAX_ROUTES + 1];
    struct arena scratch = stk_arena(s);
    struct trans *t = NULL;

    if (!c)
        return false;
    o.peer = &c->peer;
    if (may_leave(s, c) && !stk_room(s) &&
        !sip_dialog_fill(&c->d, &p, routes, &scratch)) {
        p.cseq = c->d.local_cseq % SIP_CSEQ_MAX + 1;
        if (stk_client_new(s, &p, &o, now_ms, &t))
            t = NULL;
    }
    if (!t) {
        sip_stack_end(s, dialog, now_ms);
        return false;
    }
    stk_drop_events(s, dialog, now_ms);
    stk_client_start(s, t, now_ms);
    stk_call_free(s, c);
    return true;
}
