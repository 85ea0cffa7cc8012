/* What only the store knows: alarms, positions, commands of before, the rest of
 * a channel's item. The question goes out, the answer comes later
 * (http_app_told). Commands that are remembered here are told from memory, which
 * knows those under way, too. */
#include "app/http/api.h"

#include "app/http/csv.h"
#include "app/platform/alarms.h"

#define HTTP_EXPORT_QUERY 256 /* bytes of the filters of an export, and a NUL */

/* What becomes of the rows. */
enum then { TELL, EXPORT, ACKNOWLEDGE };

struct filters {
    char device[HTTP_ID_MAX + 1], channel[HTTP_ID_MAX + 1], method[16],
        type[16], priority[16], cmd[40], state[16];
};

struct asked {
    struct list node;
    uint64_t who;      /* rows of devices that it may not see are left out */
    struct http_ask q; /* its texts are in f */
    struct filters f;
    char tag[64]; /* of answers that the client has, as If-None-Match; "" */
    enum then then;
    char by[HTTP_WHO_MAX];         /* ACKNOWLEDGE */
    char query[HTTP_EXPORT_QUERY]; /* EXPORT: for the link to the rest */
};

void http_history_init(struct http_app *a)
{
    list_init(&a->asked);
}

static void forget(struct http_app *a, struct asked *q)
{
    list_remove(&q->node);
    gb_put(a->cfg.alloc, q);
}

void http_history_free(struct http_app *a)
{
    while (!list_is_empty(&a->asked))
        forget(a, container_of(a->asked.next, struct asked, node));
}

static struct asked *asked_find(const struct http_app *a, uint64_t request)
{
    for (struct list *n = a->asked.next; n != &a->asked; n = n->next) {
        struct asked *q = container_of(n, struct asked, node);

        if (q->q.request == request)
            return q;
    }
    return NULL;
}

void http_history_gone(struct http_app *a, uint64_t request)
{
    struct asked *q = asked_find(a, request);

    if (q)
        forget(a, q);
}

/* ---- asking ------------------------------------------------------------------- */

static void refuse(struct http_call *c, int err)
{
    if (err == GB_EUNSUPPORTED)
        http_answer_fail(c, 501, "no-history",
                         "this build keeps no history (SQLITE=0)");
    else
        http_answer_fail(c, 503, NULL, gb_strerror(err));
}

static void keep(char *buf, size_t cap, struct slice *s)
{
    slice_copy(buf, cap, *s);
    *s = slice_of(buf, slice_head(*s, cap - 1).n);
}

/* Of all lines. None of ours is as long as what does not fit. */
static void keep_tags(struct asked *n, const struct http_head *h)
{
    struct writer w = writer_of(n->tag, sizeof(n->tag) - 1);

    for (size_t i = 0; i < h->n_fields; i++) {
        if (h->fields[i].id != HTTP_HDR_IF_NONE_MATCH)
            continue;
        writer_str(&w, w.len ? "," : "");
        writer_slice_put(&w, h->fields[i].value);
    }
    n->tag[w.err ? 0 : w.len] = '\0';
}

/* A question as it is remembered. */
static struct asked *asked_new(struct http_call *c, const struct http_ask *q)
{
    struct asked *n = gb_get(c->app->cfg.alloc, sizeof(*n));

    if (!n)
        return NULL;
    n->q = *q;
    n->who = c->who;
    keep_tags(n, c->head);
    keep(n->f.device, sizeof(n->f.device), &n->q.device);
    keep(n->f.channel, sizeof(n->f.channel), &n->q.channel);
    keep(n->f.cmd, sizeof(n->f.cmd), &n->q.cmd);
    keep(n->f.state, sizeof(n->f.state), &n->q.state);
    list_push_back(&c->app->asked, &n->node);
    return n;
}

/* The devices that somebody sees whose scope ends somewhere: those that it names,
 * known or not, and those of its groups. */
static void seen_write(struct http_call *c, struct jw *j)
{
    struct slice scope = c->scope, id, after = { NULL, 0 };
    struct platform_device d;
    char kind;

    jw_array(j);
    while (account_scope_next(&scope, &kind, &id))
        if (kind == 'd')
            jw_str(j, id);
    for (; platform_device_next(c->app->cfg.platform, after, &d); after = d.id)
        if (d.group.n && account_scope_has(c->scope, 'g', d.group))
            jw_str(j, d.id);
    jw_end(j);
}

/* So that pages of rows are full, and their total is that of what is seen. */
static int ask_bounded(struct http_call *c, struct http_ask *q)
{
    const struct http_app_config *cfg = &c->app->cfg;
    struct buf b;
    struct jw j;
    int err;

    if (!http_is_bounded(c) || q->list == HTTP_HISTORY_ITEM ||
        q->list == HTTP_HISTORY_COMMAND || q->list == HTTP_HISTORY_AUDIT)
        return cfg->ask(cfg->ctx, q);
    buf_init(&b, cfg->alloc, HTTP_SEEN_BYTES_MAX);
    j = jw_to(&b);
    seen_write(c, &j);
    q->devices = buf_view(&b);
    err = b.err ? b.err : cfg->ask(cfg->ctx, q);
    q->devices = (struct slice){ NULL, 0 };
    buf_fini(&b);
    return err;
}

static void ask_then(struct http_call *c, struct http_ask *q, enum then then,
                     struct slice query)
{
    struct asked *n;
    int err = GB_EUNSUPPORTED;

    q->request = c->req->id;
    if (!c->app->cfg.ask) {
        refuse(c, err);
        return;
    }
    n = asked_new(c, q);
    if (!n) {
        refuse(c, GB_ENOMEM);
        return;
    }
    n->then = then;
    slice_copy(n->query, sizeof(n->query), query);
    http_who(c, n->by);
    err = ask_bounded(c, q);
    if (err) {
        forget(c->app, n);
        refuse(c, err);
        return;
    }
    c->out->kind = HTTP_REPLY_LATER;
}

static void ask(struct http_call *c, struct http_ask *q)
{
    ask_then(c, q, TELL, (struct slice){ NULL, 0 });
}

/* A filter of a question, its text in buf; false: it is malformed. */
static bool filter(struct http_call *c, const char *name, char *buf, size_t cap,
                   struct slice *out)
{
    int err = http_query_get(c->head->query, slice_str(name), buf, cap, out);

    if (err == GB_ENOENT)
        *out = (struct slice){ NULL, 0 };
    return !err || err == GB_ENOENT;
}

/* false: a problem has been answered. */
static bool read_question(struct http_call *c, struct http_ask *q,
                          struct filters *f)
{
    struct http_page page;

    if (!http_page_read(c, &page))
        return false;
    q->limit = page.limit;
    if (filter(c, "device", f->device, sizeof(f->device), &q->device) &&
        filter(c, "channel", f->channel, sizeof(f->channel), &q->channel) &&
        filter(c, "method", f->method, sizeof(f->method), &q->method) &&
        filter(c, "type", f->type, sizeof(f->type), &q->type) &&
        filter(c, "priority", f->priority, sizeof(f->priority),
               &q->priority) &&
        filter(c, "cmd", f->cmd, sizeof(f->cmd), &q->cmd) &&
        filter(c, "state", f->state, sizeof(f->state), &q->state) &&
        http_query_time(c, "from", &q->from_utc_ms) &&
        http_query_time(c, "to", &q->to_utc_ms) &&
        (!page.cursor.n || slice_u64(page.cursor, UINT64_MAX, &q->before)))
        return http_words_known(c, q);
    http_answer_fail(c, 400, "bad-parameter",
                     "a filter is malformed: from and to are times of RFC "
                     "3339, cursor one that a list gave");
    return false;
}

/* false: a problem has been answered. */
static bool read_alarms(struct http_call *c, struct http_ask *q,
                        struct filters *f)
{
    struct slice v;
    char text[8];

    if (!read_question(c, q, f))
        return false;
    if (!filter(c, "acknowledged", text, sizeof(text), &v) ||
        (v.n && !slice_eq(v, SLICE("true")) && !slice_eq(v, SLICE("false")))) {
        http_answer_fail(c, 400, "bad-parameter",
                         "acknowledged is true or false");
        return false;
    }
    q->acknowledged = !v.n ? 0 : slice_eq(v, SLICE("true")) ? 1 : -1;
    return true;
}

void http_ask_alarms(struct http_call *c)
{
    struct http_ask q = { .list = HTTP_HISTORY_ALARMS };
    struct filters f;

    if (read_alarms(c, &q, &f))
        ask(c, &q);
}

/* The query without its cursor, for the link to the rest. false: it is too
 * long. */
static bool keep_query(struct slice query, struct writer *w)
{
    struct slice pair;

    while (query.n) {
        slice_cut(&query, '&', &pair);
        if (!pair.n || slice_has_prefix(pair, SLICE("cursor=")))
            continue;
        writer_slice_put(w, pair);
        writer_char(w, '&');
    }
    return w->err == 0;
}

void http_get_alarms_csv(struct http_call *c)
{
    struct http_ask q = { .list = HTTP_HISTORY_ALARMS };
    char kept[HTTP_EXPORT_QUERY], text[16];
    struct writer w = writer_of(kept, sizeof(kept) - 1);
    struct filters f;
    struct slice v;

    if (!read_alarms(c, &q, &f))
        return;
    if (http_query_get(c->head->query, SLICE("limit"), text, sizeof(text),
                       &v) == GB_ENOENT)
        q.limit = HTTP_LIST_LIMIT_MAX;
    if (keep_query(c->head->query, &w))
        ask_then(c, &q, EXPORT, writer_slice(&w));
    else
        http_answer_fail(c, 400, "bad-parameter", "a filter is too long");
}

/* Whose it is, the store knows: it is asked first. */
void http_post_acknowledge(struct http_call *c)
{
    struct http_ask q = { .list = HTTP_HISTORY_ALARMS, .limit = 1 };
    uint64_t id;

    if (!slice_u64(c->params.value[0], INT64_MAX - 1, &id) || !id) {
        http_answer_fail(c, 404, "alarm-unknown", "no such alarm");
        return;
    }
    q.before = id + 1;
    ask_then(c, &q, ACKNOWLEDGE, (struct slice){ NULL, 0 });
}

void http_get_audit(struct http_call *c)
{
    struct http_ask q = { .list = HTTP_HISTORY_AUDIT };
    struct filters f;
    char path[128];

    if (!read_question(c, &q, &f))
        return;
    if (!filter(c, "who", f.device, sizeof(f.device), &q.device) ||
        !filter(c, "peer", f.channel, sizeof(f.channel), &q.channel) ||
        !filter(c, "path", path, sizeof(path), &q.type))
        http_answer_fail(c, 400, "bad-parameter", "a filter is too long");
    else
        ask(c, &q);
}

void http_get_positions(struct http_call *c)
{
    struct http_ask q = { .list = HTTP_HISTORY_POSITIONS };
    struct filters f;

    if (read_question(c, &q, &f))
        ask(c, &q);
}

bool http_ask_command(struct http_call *c, uint64_t id)
{
    struct http_ask q = { .list = HTTP_HISTORY_COMMAND, .before = id,
                          .limit = 1 };

    if (!c->app->cfg.ask || id == 0)
        return false;
    ask(c, &q);
    return true;
}

void http_get_item(struct http_call *c)
{
    struct http_ask q = { .list = HTTP_HISTORY_ITEM,
                          .device = c->params.value[0],
                          .channel = c->params.value[1],
                          .limit = 1 };
    struct platform_channel ch;

    if (http_find_channel(c, &ch))
        ask(c, &q);
}

/* ---- telling ------------------------------------------------------------------ */

static void put_number(struct jw *j, const char *key, struct slice s)
{
    double v;

    if (slice_double(slice_trim(s), &v))
        jw_put_double(j, key, v);
    else
        jw_put_null(j, key);
}

void http_position_write(struct jw *j, const struct platform_position *p)
{
    jw_object(j);
    jw_put_str(j, "device", p->device);
    jw_put_str(j, "channel", p->channel);
    jw_put_double(j, "longitude", p->longitude);
    jw_put_double(j, "latitude", p->latitude);
    put_number(j, "speed", p->speed);
    put_number(j, "direction", p->direction);
    put_number(j, "altitude", p->altitude);
    jw_put_str(j, "time", p->time);
    jw_put_time(j, "received_at", p->received_utc_ms);
    jw_end(j);
}

/* Lines of "Path TAB value" as one object. A path that comes twice is the
 * first one's. */
static void item_write(struct jw *j, const struct asked *q, struct slice text)
{
    struct slice line, path, seen = text;
    char key[128];

    jw_object(j);
    jw_put_str(j, "device", q->q.device);
    jw_put_str(j, "id", q->q.channel);
    jw_key(j, "item");
    jw_object(j);
    while (text.n) {
        struct slice before = slice_of(seen.p, (size_t)(text.p - seen.p));
        bool known = false;

        slice_cut(&text, '\n', &line);
        slice_cut(&line, '\t', &path);
        while (before.n && !known) {
            struct slice other, name;

            slice_cut(&before, '\n', &other);
            slice_cut(&other, '\t', &name);
            known = slice_eq(name, path);
        }
        if (known || !slice_copy(key, sizeof(key), path))
            continue;
        jw_key(j, key);
        jw_str(j, line);
    }
    jw_end(j);
    jw_end(j);
}

static void rows_write(struct jw *j, const struct http_app *a,
                       const struct http_told *t, const struct asked *q)
{
    enum http_history list = q->q.list;
    char text[24];
    struct writer w = writer_of(text, sizeof(text));

    jw_object(j);
    jw_key(j, "items");
    jw_array(j);
    for (size_t i = 0; i < t->n; i++) {
        if (!http_who_sees(a, q->who,
                           list == HTTP_HISTORY_ALARMS
                               ? t->alarms[i].device
                               : t->positions[i].device))
            continue; /* less is seen by now */
        if (list == HTTP_HISTORY_ALARMS)
            http_alarm_write(j, a, &t->alarms[i], t->alarms[i].id);
        else
            http_position_write(j, &t->positions[i]);
    }
    if (t->more)
        writer_u64(&w, t->last);
    http_list_end(j, writer_slice(&w), t->total);
}

/* ---- commands: of the store and of memory ------------------------------------- */

/* The next one in memory below `id` that fits; false: none. */
static bool remembered(const struct http_app *a, const struct asked *asked,
                       uint64_t id, struct platform_command *k)
{
    const struct http_ask *q = &asked->q;

    while (platform_command_before(a->cfg.platform, id, k)) {
        if ((!q->before || k->id < q->before) && http_command_fits(k, q) &&
            http_who_sees(a, asked->who, k->device))
            return true;
        id = k->id;
    }
    return false;
}

/* Those that only memory knows, so that the total has them as well. */
static uint64_t under_way(const struct http_app *a, const struct asked *asked)
{
    struct platform_command k;
    uint64_t n = 0;

    for (uint64_t id = 0; platform_command_before(a->cfg.platform, id, &k);
         id = k.id)
        n += !k.is_final && http_command_fits(&k, &asked->q) &&
             http_who_sees(a, asked->who, k.device);
    return n;
}

/* Newest first, of both. What memory knows is not told from the store again. */
static void commands_write(struct jw *j, const struct http_app *a,
                           const struct asked *asked,
                           const struct http_told *t)
{
    const struct http_ask *q = &asked->q;
    char text[24];
    struct writer w = writer_of(text, sizeof(text));
    struct platform_command k, other;
    bool have = remembered(a, asked, 0, &k);
    uint64_t last = 0;
    uint32_t n = 0;
    size_t i = 0;

    jw_object(j);
    jw_key(j, "items");
    jw_array(j);
    for (; n < q->limit && (i < t->n || (have && !t->more)); n++) {
        if (have && (i == t->n || k.id >= t->commands[i].id)) {
            i += i < t->n && k.id == t->commands[i].id;
            http_command_write(j, &k);
            last = k.id;
            have = remembered(a, asked, last, &k);
            continue;
        }
        last = t->commands[i].id;
        if (platform_command_view(a->cfg.platform, last, &other))
            n--; /* memory knows better: it does not fit any more */
        else if (http_who_sees(a, asked->who, t->commands[i].device))
            http_command_write(j, &t->commands[i]);
        i++;
    }
    if (have || i < t->n || t->more)
        writer_u64(&w, last);
    http_list_end(j, writer_slice(&w), t->total + under_way(a, asked));
}

void http_get_commands(struct http_call *c)
{
    const struct http_told nothing = { 0 };
    struct asked now = { .who = c->who,
                         .q = { .list = HTTP_HISTORY_COMMANDS } };
    struct jw j;

    if (!read_question(c, &now.q, &now.f))
        return;
    if (c->app->cfg.ask) {
        ask(c, &now.q);
        return;
    }
    j = http_answer_json(c, 200);
    commands_write(&j, c->app, &now, &nothing);
}

static void audits_write(struct jw *j, const struct http_told *t)
{
    char text[24];
    struct writer w = writer_of(text, sizeof(text));

    jw_object(j);
    jw_key(j, "items");
    jw_array(j);
    for (size_t i = 0; i < t->n; i++)
        http_audit_write(j, &t->audits[i]);
    if (t->more)
        writer_u64(&w, t->last);
    http_list_end(j, writer_slice(&w), t->total);
}

static void list_write(struct jw *j, struct http_app *a, const struct asked *q,
                       const struct http_told *t)
{
    switch (q->q.list) {
    case HTTP_HISTORY_ALARMS:
    case HTTP_HISTORY_POSITIONS:
        rows_write(j, a, t, q);
        break;
    case HTTP_HISTORY_ITEM:
        item_write(j, q, t->detail);
        break;
    case HTTP_HISTORY_COMMANDS:
        commands_write(j, a, q, t);
        break;
    case HTTP_HISTORY_COMMAND:
        http_command_write_whole(j, &t->commands[0]);
        break;
    case HTTP_HISTORY_AUDIT:
        audits_write(j, t);
        break;
    }
}

static void acknowledge(struct http_app *a, const struct asked *q,
                        const struct http_told *t, struct http_response *r)
{
    static const struct http_problem unknown = { .status = 404,
                                                 .code = "alarm-unknown",
                                                 .detail = "no such alarm" };
    int64_t now_ms = a->cfg.now(a->cfg.ctx).utc_ms;
    struct platform_alarm alarm;
    struct jw j = jw_to(&r->body);

    if (!t->n || t->alarms[0].id != q->q.before - 1 ||
        !http_who_sees(a, q->who, t->alarms[0].device)) {
        http_answer_problem(r, &unknown);
        return;
    }
    alarm = t->alarms[0];
    if (!alarm.acknowledged_utc_ms) {
        a->cfg.acknowledge(a->cfg.ctx, alarm.id, slice_str(q->by), now_ms);
        alarm.acknowledged_utc_ms = now_ms;
        alarm.acknowledged_by = slice_str(q->by);
    }
    r->status = 200;
    r->type = "application/json";
    http_alarm_write(&j, a, &alarm, alarm.id);
}

static void time_cell(struct buf *b, int64_t utc_ms)
{
    char text[JW_TIME_MAX];

    buf_char(b, ',');
    if (utc_ms && jw_time_text(text, utc_ms))
        buf_str(b, text);
}

static void cell(struct buf *b, struct slice s)
{
    buf_char(b, ',');
    csv_write(b, s);
}

static void number_cell(struct buf *b, bool is_there, double v)
{
    char text[32];
    struct writer w = writer_of(text, sizeof(text));

    if (is_there)
        writer_f(&w, "%.6f", v);
    buf_char(b, ',');
    buf_slice(b, writer_slice(&w));
}

/* What reads files of before knows its columns by their places: new ones come last. */
static void alarm_row(struct buf *b, const struct platform_alarm *m)
{
    struct alarm_name method = alarm_method_name(m->method);
    struct alarm_name type = alarm_type_name(m->method, m->type);

    buf_u64(b, m->id);
    time_cell(b, m->received_utc_ms);
    cell(b, m->device);
    cell(b, m->channel);
    cell(b, m->priority);
    cell(b, m->method);
    cell(b, slice_str(method.en));
    cell(b, slice_str(method.zh));
    cell(b, m->type);
    cell(b, slice_str(type.en));
    cell(b, slice_str(type.zh));
    cell(b, m->time);
    cell(b, m->description);
    number_cell(b, m->has_position, m->longitude);
    number_cell(b, m->has_position, m->latitude);
    time_cell(b, m->acknowledged_utc_ms);
    cell(b, m->acknowledged_utc_ms ? m->acknowledged_by : SLICE(""));
    cell(b, m->event);
    buf_str(b, "\r\n");
}

static void export(struct http_app *a, const struct asked *q,
                   const struct http_told *t, struct http_response *r)
{
    char link[HTTP_EXPORT_QUERY + 80];
    struct writer w = writer_of(link, sizeof(link));

    r->status = 200;
    r->type = "text/csv; charset=utf-8";
    http_response_field(r, "Content-Disposition",
                        SLICE("attachment; filename=\"alarms.csv\""));
    buf_str(&r->body,
            "\xef\xbb\xbf" "id,received_at,device,channel,priority,method,"
            "method_name,method_name_zh,type,type_name,type_name_zh,"
            "time,description,longitude,latitude,acknowledged_at,"
            "acknowledged_by,event_type\r\n");
    for (size_t i = 0; i < t->n; i++)
        if (http_who_sees(a, q->who, t->alarms[i].device))
            alarm_row(&r->body, &t->alarms[i]);
    if (!t->more)
        return;
    writer_f(&w, "</api/v1/alarms.csv?%scursor=%llu>; rel=\"next\"", q->query,
             (unsigned long long)t->last);
    http_response_field(r, "Link", writer_slice(&w));
}

void http_app_told(struct http_app *a, const struct http_told *t)
{
    struct asked *q = asked_find(a, t->request);
    const struct http_problem lost = {
        .status = t->err == GB_EUNSUPPORTED ? 501 : 503,
        .code = t->err == GB_EUNSUPPORTED ? "no-history" : NULL,
        .detail = t->err ? gb_strerror(t->err) : NULL,
    };
    static const struct http_problem unknown = { .status = 404,
                                                 .code = "command-unknown",
                                                 .detail = "no such command" };
    struct http_response r;
    struct jw j;

    if (!q)
        return; /* the client went */
    http_response_init(&r, a->cfg.alloc);
    j = jw_to(&r.body);
    if (t->err) {
        http_answer_problem(&r, &lost);
    } else if (q->q.list == HTTP_HISTORY_COMMAND &&
               (t->n == 0 ||
                !http_who_sees(a, q->who, t->commands[0].device))) {
        http_answer_problem(&r, &unknown);
    } else if (q->then == ACKNOWLEDGE) {
        acknowledge(a, q, t, &r);
    } else if (q->then == EXPORT) {
        export(a, q, t, &r);
    } else {
        r.status = 200;
        r.type = "application/json";
        list_write(&j, a, q, t);
        http_response_tag(a, &r, slice_str(q->tag));
    }
    if (r.body.err) {
        const struct http_problem full = { .status = 503,
                                           .detail = "no memory" };

        http_response_fini(&r);
        http_response_init(&r, a->cfg.alloc);
        http_answer_problem(&r, &full);
    }
    http_app_answer(a, t->request, &r);
    forget(a, q);
}
