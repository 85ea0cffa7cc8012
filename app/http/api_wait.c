/* ?wait=S of commands: the answer waits until the command is over, or S seconds
 * have gone by. What becomes of it is looked at when main tells of it; the
 * answers go out from http_wait_tick. */
#include "app/http/api.h"

struct command_waiter {
    struct list node; /* in http_app.command_waiters, oldest first */
    uint64_t request, command, deadline_ms;
    http_command_answer_fn *write;
    bool due;
};

bool http_wait_read(struct http_call *c)
{
    char text[8];
    struct slice v;
    int err = http_query_get(c->head->query, SLICE("wait"), text, sizeof(text),
                             &v);

    if (err == GB_ENOENT ||
        (!err && slice_u32(v, HTTP_COMMAND_WAIT_MAX_S, &c->wait_s)))
        return true;
    http_answer_fail(c, 400, "bad-parameter", "wait is 0 to 60 seconds");
    return false;
}

bool http_wait_for(struct http_call *c, uint64_t command)
{
    struct http_app *a = c->app;
    struct platform_command k;
    struct command_waiter *w;

    if (!c->wait_s || !platform_command_view(a->cfg.platform, command, &k) ||
        k.is_final || a->n_command_waiters >= HTTP_WAITERS_MAX)
        return false;
    w = gb_get(a->cfg.alloc, sizeof(*w));
    if (!w)
        return false;
    *w = (struct command_waiter){ .request = c->req->id,
                                  .command = command,
                                  .write = c->answer_command,
                                  .deadline_ms = c->now.mono_ms +
                                                 c->wait_s * 1000u };
    list_push_back(&a->command_waiters, &w->node);
    a->n_command_waiters++;
    c->out->kind = HTTP_REPLY_LATER;
    if (a->edge.wake)
        a->edge.wake(a->edge.ctx);
    return true;
}

void http_wait_changed(struct http_app *a, uint64_t command)
{
    struct platform_command k;
    struct list *n = a->command_waiters.next;

    if (list_is_empty(&a->command_waiters) ||
        !platform_command_view(a->cfg.platform, command, &k) || !k.is_final)
        return;
    for (; n != &a->command_waiters; n = n->next) {
        struct command_waiter *w = container_of(n, struct command_waiter,
                                                node);

        if (w->command != command)
            continue;
        w->due = a->due = true;
        if (a->edge.wake)
            a->edge.wake(a->edge.ctx);
    }
}

static void waiter_free(struct http_app *a, struct command_waiter *w)
{
    list_remove(&w->node);
    a->n_command_waiters--;
    gb_put(a->cfg.alloc, w);
}

static void answer(struct http_app *a, struct command_waiter *w)
{
    struct platform_command k;
    struct http_response r;
    uint64_t request = w->request;
    http_command_answer_fn *write = w->write;
    bool found = platform_command_view(a->cfg.platform, w->command, &k);

    waiter_free(a, w);
    http_response_init(&r, a->cfg.alloc);
    if (found && write) {
        write(a, &r, &k);
    } else if (found) {
        struct jw j = jw_to(&r.body);

        r.status = k.is_final ? 200 : 202;
        r.type = "application/json";
        http_command_write_whole(&j, &k);
    } else {
        const struct http_problem p = { .status = 404,
                                        .code = "command-unknown",
                                        .detail = "the command has been "
                                                  "forgotten" };

        http_answer_problem(&r, &p);
    }
    http_audit_end(a, request, http_status_of(&r));
    a->edge.answer(a->edge.ctx, request, &r);
}

void http_wait_tick(struct http_app *a, struct gb_time now)
{
    bool more = true;

    /* From the start each time: an answer may end other requests. */
    while (more) {
        struct list *n = a->command_waiters.next;

        more = false;
        for (; n != &a->command_waiters && !more; n = n->next) {
            struct command_waiter *w = container_of(n, struct command_waiter,
                                                    node);

            if (!w->due && now.mono_ms < w->deadline_ms)
                continue;
            answer(a, w);
            more = true;
            break;
        }
    }
}

void http_wait_gone(struct http_app *a, uint64_t request)
{
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &a->command_waiters) {
        struct command_waiter *w = container_of(n, struct command_waiter,
                                                node);

        if (w->request == request)
            waiter_free(a, w);
    }
}

void http_wait_free(struct http_app *a)
{
    while (!list_is_empty(&a->command_waiters))
        waiter_free(a, container_of(a->command_waiters.next,
                                    struct command_waiter, node));
}

uint64_t http_wait_deadline(const struct http_app *a)
{
    const struct list *n = a->command_waiters.next;
    uint64_t at = GB_NEVER;

    for (; n != &a->command_waiters; n = n->next) {
        const struct command_waiter *w = container_of(
            (struct list *)(uintptr_t)n, struct command_waiter, node);

        if (w->deadline_ms < at)
            at = w->deadline_ms;
    }
    return at;
}
