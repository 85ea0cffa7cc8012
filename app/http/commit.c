/* Answers that go out when what they tell is on the disk: what people set must
 * not be lost by the stop that follows the 200. */
#include "app/http/api.h"

struct committing {
    struct list node; /* in app->committing, oldest first */
    uint64_t request, number;
    struct http_response r;
};

void http_commit_init(struct http_app *a)
{
    list_init(&a->committing);
}

static void forget(struct http_app *a, struct committing *k)
{
    list_remove(&k->node);
    http_response_fini(&k->r);
    gb_put(a->cfg.alloc, k);
}

void http_commit_free(struct http_app *a)
{
    while (!list_is_empty(&a->committing))
        forget(a, container_of(a->committing.next, struct committing, node));
}

void http_commit_gone(struct http_app *a, uint64_t request)
{
    for (struct list *n = a->committing.next; n != &a->committing;
         n = n->next) {
        struct committing *k = container_of(n, struct committing, node);

        if (k->request != request)
            continue;
        forget(a, k);
        return;
    }
}

static void answer_lost(struct http_response *out)
{
    static const struct http_problem p = {
        .status = 503,
        .code = "not-stored",
        .detail = "it is in force, but the store could not be written",
        .step = SLICE_INIT("store"),
        .hint = SLICE_INIT("the log tells why; until the disk takes it, which "
                           "is tried again and again, it is lost at the next "
                           "stop"),
    };

    http_answer_problem(out, &p);
}

void http_answer_committed(struct http_call *c)
{
    struct http_app *a = c->app;
    struct committing *k;

    a->cfg.touched(a->cfg.ctx);
    http_wvp_answer(a, c->out, &c->wvp);
    if (!a->cfg.commits || c->out->status >= 400 || c->out->body.err)
        return;
    k = gb_get(a->cfg.alloc, sizeof(*k));
    if (!k) {
        answer_lost(c->out); /* nobody will tell whether it is */
        return;
    }
    k->request = c->req->id;
    k->number = ++a->n_commits;
    k->r = *c->out;
    http_response_init(c->out, a->cfg.alloc);
    c->out->kind = HTTP_REPLY_LATER;
    list_push_back(&a->committing, &k->node);
}

uint64_t http_app_commits(const struct http_app *a)
{
    return a->n_commits;
}

void http_app_committed(struct http_app *a, uint64_t upto, int err)
{
    while (!list_is_empty(&a->committing)) {
        struct committing *k =
            container_of(a->committing.next, struct committing, node);

        if (k->number > upto)
            return;
        if (err)
            answer_lost(&k->r);
        http_audit_end(a, k->request, http_status_of(&k->r));
        a->edge.answer(a->edge.ctx, k->request, &k->r); /* takes it */
        http_response_init(&k->r, a->cfg.alloc);
        forget(a, k);
    }
}
