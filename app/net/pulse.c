#include "app/net/pulse.h"

static void deliver(struct mail *m)
{
    struct pulse *p = container_of(m, struct pulse, mail);

    atomic_store(&p->away, false);
}

uint64_t pulse_ask(struct pulse *p, struct mailbox *box, uint64_t now_ms)
{
    if (atomic_load(&p->away))
        return now_ms - p->sent_ms;
    p->mail.deliver = deliver;
    p->sent_ms = now_ms;
    atomic_store(&p->away, true);
    if (!mailbox_send(box, &p->mail, true))
        atomic_store(&p->away, false);
    return 0;
}
