/* Questions of the API to the store: asked on the main loop, read on the
 * store's thread, told on the main loop. */
#include "app/daemon_int.h"

#include <stdlib.h>

static const enum store_list list_of[] = {
    [HTTP_HISTORY_ALARMS] = STORE_LIST_ALARMS,
    [HTTP_HISTORY_POSITIONS] = STORE_LIST_POSITIONS,
    [HTTP_HISTORY_ITEM] = STORE_LIST_DETAIL,
    [HTTP_HISTORY_COMMANDS] = STORE_LIST_COMMANDS,
    [HTTP_HISTORY_COMMAND] = STORE_LIST_COMMAND,
    [HTTP_HISTORY_AUDIT] = STORE_LIST_AUDIT,
};

static double degrees(const struct store_rows *r, size_t i, size_t column)
{
    double v = 0;

    slice_double(store_rows_text(r, i, column), &v);
    return v;
}

static struct platform_alarm alarm_of(const struct store_rows *r, size_t i)
{
    return (struct platform_alarm){
        .id = (uint64_t)store_rows_i64(r, i, 0),
        .device = store_rows_text(r, i, 1),
        .channel = store_rows_text(r, i, 2),
        .priority = store_rows_text(r, i, 3),
        .method = store_rows_text(r, i, 4),
        .type = store_rows_text(r, i, 5),
        .time = store_rows_text(r, i, 6),
        .description = store_rows_text(r, i, 7),
        .has_position = !store_rows_is_null(r, i, 8),
        .longitude = degrees(r, i, 8),
        .latitude = degrees(r, i, 9),
        .received_utc_ms = store_rows_i64(r, i, 10),
        .acknowledged_utc_ms = store_rows_i64(r, i, 11),
        .acknowledged_by = store_rows_text(r, i, 12),
        .event = store_rows_text(r, i, 13),
    };
}

static struct platform_position position_of(const struct store_rows *r,
                                            size_t i)
{
    return (struct platform_position){
        .device = store_rows_text(r, i, 1),
        .channel = store_rows_text(r, i, 2),
        .time = store_rows_text(r, i, 3),
        .longitude = degrees(r, i, 4),
        .latitude = degrees(r, i, 5),
        .speed = store_rows_text(r, i, 6),
        .direction = store_rows_text(r, i, 7),
        .altitude = store_rows_text(r, i, 8),
        .received_utc_ms = store_rows_i64(r, i, 9),
    };
}

static struct platform_command command_of(const struct store_rows *r, size_t i)
{
    int64_t flags = store_rows_i64(r, i, 13);

    return (struct platform_command){
        .id = (uint64_t)store_rows_i64(r, i, 0),
        .device = store_rows_text(r, i, 1),
        .target = store_rows_text(r, i, 2),
        .cmd = store_rows_text(r, i, 3),
        .sub = store_rows_text(r, i, 4),
        .state = platform_command_state_by_name(store_rows_text(r, i, 5)),
        .is_final = true,
        .evidence = store_rows_text(r, i, 6),
        .asked_utc_ms = store_rows_i64(r, i, 7),
        .sent_utc_ms = store_rows_i64(r, i, 8),
        .arrived_utc_ms = store_rows_i64(r, i, 9),
        .answered_utc_ms = store_rows_i64(r, i, 10),
        .tries = (unsigned)store_rows_i64(r, i, 11),
        .sip_status = (unsigned)store_rows_i64(r, i, 12),
        .late = (flags & STORE_LATE) != 0,
        .partial = (flags & STORE_PARTIAL) != 0,
        .cut = (flags & STORE_CUT) != 0,
        .sn = (uint32_t)store_rows_i64(r, i, 14),
        .messages = (unsigned)store_rows_i64(r, i, 15),
        .have = (uint32_t)store_rows_i64(r, i, 16),
        .sum = (uint32_t)store_rows_i64(r, i, 17),
        .answer = store_rows_text(r, i, 18),
    };
}

static struct http_audit audit_of(const struct store_rows *r, size_t i)
{
    return (struct http_audit){
        .id = (uint64_t)store_rows_i64(r, i, 0),
        .who = store_rows_text(r, i, 1),
        .role = store_rows_text(r, i, 2),
        .peer = store_rows_text(r, i, 3),
        .method = store_rows_text(r, i, 4),
        .path = store_rows_text(r, i, 5),
        .status = (unsigned)store_rows_i64(r, i, 6),
        .at_utc_ms = store_rows_i64(r, i, 7),
    };
}

/* Rows as the application takes them, in one block; *rows NULL: no memory, or
 * there are none. */
static void read_rows(const struct store_rows *r, struct http_told *t,
                      void **rows)
{
    struct platform_alarm *a = NULL;
    struct platform_position *p = NULL;
    struct platform_command *c = NULL;
    struct http_audit *e = NULL;

    switch ((enum store_list)r->list) {
    case STORE_LIST_ALARMS:
        *rows = a = calloc(r->n, sizeof(*a));
        for (size_t i = 0; a && i < r->n; i++)
            a[i] = alarm_of(r, i);
        break;
    case STORE_LIST_POSITIONS:
        *rows = p = calloc(r->n, sizeof(*p));
        for (size_t i = 0; p && i < r->n; i++)
            p[i] = position_of(r, i);
        break;
    case STORE_LIST_COMMANDS:
    case STORE_LIST_COMMAND:
        *rows = c = calloc(r->n, sizeof(*c));
        for (size_t i = 0; c && i < r->n; i++)
            c[i] = command_of(r, i);
        break;
    case STORE_LIST_AUDIT:
        *rows = e = calloc(r->n, sizeof(*e));
        for (size_t i = 0; e && i < r->n; i++)
            e[i] = audit_of(r, i);
        break;
    case STORE_LIST_DETAIL:
    case STORE_LISTS:
        return;
    }
    if (!*rows)
        t->err = GB_ENOMEM;
    t->n = *rows ? r->n : 0;
    t->alarms = a;
    t->positions = p;
    t->commands = c;
    t->audits = e;
}

/* On the main loop. */
static void on_told(struct mail *m)
{
    struct store_rows *r = container_of(m, struct store_rows, mail);
    struct daemon *d = r->ctx;
    void *rows = NULL;
    struct http_told t = {
        .request = r->tag, .err = r->err, .total = r->total, .more = r->more,
        .last = r->n ? (uint64_t)store_rows_i64(r, r->n - 1, 0) : 0,
        .detail = store_rows_text(r, 0, 0),
    };

    if (r->n)
        read_rows(r, &t, &rows);
    if (!d->closing)
        http_app_told(d->app, &t);
    free(rows);
    store_rows_free(r);
}

/* On the store's thread. */
static void on_rows(struct store_rows *r)
{
    struct daemon *d = r->ctx;

    r->mail.deliver = on_told;
    if (!mailbox_send(&d->box, &r->mail, true))
        store_rows_free(r);
}

int daemon_ask(void *ctx, const struct http_ask *q)
{
    struct daemon *d = ctx;
    const struct store_ask ask = {
        .list = list_of[q->list], .device = q->device, .channel = q->channel,
        .method = q->method, .type = q->type, .priority = q->priority,
        .cmd = q->cmd, .state = q->state, .devices = q->devices,
        .acknowledged = q->acknowledged,
        .from_utc_ms = q->from_utc_ms, .to_utc_ms = q->to_utc_ms,
        .before = q->before, .limit = q->limit, .ctx = d, .tag = q->request,
        .done = on_rows,
    };

    return store_ask(d->store, &ask);
}
