/* app/net/mailbox: order, the bound, and several threads */
#include "test/support.h"

#include "app/net/mailbox.h"

#include <stdlib.h>

struct letter {
    struct mail mail;
    unsigned from, number;
};

#define SENDERS 4
#define EACH 5000

static struct {
    uv_loop_t loop;
    struct mailbox box;
    unsigned delivered, next[SENDERS], closed;
    bool stop_at_all;
} w;

static void on_closed(void *ctx)
{
    assert_ptr_equal(ctx, &w);
    w.closed++;
}

static void deliver(struct mail *m)
{
    struct letter *l = container_of(m, struct letter, mail);

    assert_int_equal(l->number, w.next[l->from]); /* in order, each once */
    w.next[l->from]++;
    w.delivered++;
    free(l);
    if (w.stop_at_all && w.delivered == SENDERS * EACH)
        mailbox_close(&w.box, on_closed, &w);
}

static struct letter *letter(unsigned from, unsigned number)
{
    struct letter *l = calloc(1, sizeof(*l));

    assert_non_null(l);
    l->mail.deliver = deliver;
    l->from = from;
    l->number = number;
    return l;
}

static void begin(void)
{
    memset(&w, 0, sizeof(w));
    assert_int_equal(uv_loop_init(&w.loop), 0);
    assert_int_equal(mailbox_init(&w.box, &w.loop), 0);
}

static void end(void)
{
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_int_equal(w.closed, 1);
    assert_int_equal(uv_loop_close(&w.loop), 0);
}

static void in_order(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 0; i < 10; i++)
        assert_true(mailbox_send(&w.box, &letter(0, i)->mail, i % 2));
    assert_int_equal(w.delivered, 0); /* on the loop, not inside */
    uv_run(&w.loop, UV_RUN_NOWAIT);
    assert_int_equal(w.delivered, 10);
    assert_true(mailbox_send(&w.box, &letter(0, 10)->mail, false));
    mailbox_close(&w.box, on_closed, &w); /* takes what still waits */
    assert_int_equal(w.delivered, 11);
    end();
}

/* A full box refuses, and what is refused stays the sender's. */
static void full(void **state)
{
    struct letter *l;

    (void)state;
    begin();
    for (unsigned i = 0; i < MAILBOX_MAX; i++)
        assert_true(mailbox_send(&w.box, &letter(0, i)->mail, false));
    l = letter(0, MAILBOX_MAX);
    assert_false(mailbox_send(&w.box, &l->mail, false));
    assert_true(mailbox_send(&w.box, &l->mail, true)); /* urgent: on top */
    uv_run(&w.loop, UV_RUN_NOWAIT);
    assert_int_equal(w.delivered, MAILBOX_MAX + 1);
    assert_true(mailbox_send(&w.box, &letter(0, MAILBOX_MAX + 1)->mail,
                             false));
    mailbox_close(&w.box, on_closed, &w);
    end();
}

static void send_many(void *arg)
{
    unsigned from = *(unsigned *)arg;

    for (unsigned i = 0; i < EACH; i++)
        mailbox_send(&w.box, &letter(from, i)->mail, true);
}

static void note_17_2_messages_from_many_threads(void **state)
{
    uv_thread_t thread[SENDERS];
    unsigned from[SENDERS];

    (void)state;
    begin();
    w.stop_at_all = true;
    for (unsigned i = 0; i < SENDERS; i++) {
        from[i] = i;
        assert_int_equal(uv_thread_create(&thread[i], send_many, &from[i]), 0);
    }
    end();
    for (unsigned i = 0; i < SENDERS; i++)
        uv_thread_join(&thread[i]);
    assert_int_equal(w.delivered, SENDERS * EACH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order),
        cmocka_unit_test(full),
        cmocka_unit_test(note_17_2_messages_from_many_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
