/* Devices as a table: out for spreadsheets and backups, in to add many. A row
 * needs an id; columns that only say what is, such as online, are not read. */
#include "app/http/api.h"

#include "app/http/csv.h"
#include "manscdp/text.h"

#include <jansson.h>

#define ROOM_MAX 4096   /* bytes of the quoted cells of one row */
#define ERRORS_MAX 1000 /* told of one import */
#define EXPORT_MAX (8u << 20) /* bytes of one answer, about; then a link to the
                                 next */

/* ---- out ---------------------------------------------------------------------- */

static void cell(struct buf *b, struct slice s)
{
    buf_char(b, ',');
    csv_write(b, s);
}

static void row_write(struct buf *b, const struct platform_device *d)
{
    bool given = !slice_eq(d->name, d->own_name);
    char addr[GB_ADDR_TEXT_MAX];

    csv_write(b, d->id);
    cell(b, given ? d->name : slice_of(NULL, 0));
    http_settings_csv(b, d);
    cell(b, d->online ? SLICE("true") : SLICE("false"));
    cell(b, d->own_name);
    cell(b, d->manufacturer);
    cell(b, d->model);
    cell(b, d->firmware);
    cell(b, d->peer.remote.family == GB_NO_ADDR
                ? slice_of(NULL, 0)
                : slice_str(gb_addr_text(&d->peer.remote, addr)));
    buf_char(b, ',');
    buf_u64(b, d->n_channels);
    buf_str(b, "\r\n");
}

void http_get_devices_csv(struct http_call *c)
{
    struct platform *p = c->app->cfg.platform;
    struct platform_device d;
    struct http_page page;
    struct slice after;
    struct buf *b = &c->out->body;
    struct writer w;
    char link[128];
    bool more;

    if (!http_page_read(c, &page))
        return;
    after = page.cursor;
    c->out->status = 200;
    c->out->type = "text/csv; charset=utf-8";
    http_response_field(c->out, "Content-Disposition",
                        SLICE("attachment; filename=\"devices.csv\""));
    buf_str(b, "\xef\xbb\xbf" "id,name,group,media,arm,edition,date,require,"
               "online,own_name,manufacturer,model,firmware,address,"
               "channels\r\n");
    while ((more = platform_device_next(p, after, &d)) && b->len < EXPORT_MAX) {
        row_write(b, &d);
        after = d.id;
    }
    if (!more)
        return;
    w = writer_of(link, sizeof(link));
    writer_f(&w, "</api/v1/devices.csv?cursor=%.*s>; rel=\"next\"",
             SLICE_ARG(after));
    http_response_field(c->out, "Link", writer_slice(&w));
}

/* ---- in ----------------------------------------------------------------------- */

static const char *const read_columns[] = {
    "id", "name", "group", "media", "arm", "edition", "date", "require",
    "password",
};
static const char *const shown_columns[] = {
    "online", "own_name", "manufacturer", "model", "firmware", "address",
    "channels",
};

#define N(a) (sizeof(a) / sizeof((a)[0]))

struct import {
    struct http_call *c;
    const char *column[CSV_COLUMNS_MAX]; /* NULL: not read */
    size_t n_columns;
    uint64_t created, updated, failed;
    struct jw *errors;
};

static const char *find_name(const char *const *names, size_t n,
                             struct slice name)
{
    for (size_t i = 0; i < n; i++)
        if (slice_ieq(slice_str(names[i]), name))
            return names[i];
    return NULL;
}

/* false: a column is unknown, comes twice, or there is no id. */
static bool read_header(struct import *im, const struct csv_row *row)
{
    bool has_id = false;

    for (size_t i = 0; i < row->n; i++) {
        im->column[i] = find_name(read_columns, N(read_columns), row->cell[i]);
        if (!im->column[i] &&
            !find_name(shown_columns, N(shown_columns), row->cell[i]))
            return false;
        for (size_t k = 0; k < i && im->column[i]; k++)
            if (im->column[k] == im->column[i])
                return false;
        has_id |= im->column[i] == read_columns[0];
    }
    im->n_columns = row->n;
    return has_id;
}

static void fail(struct import *im, unsigned line, struct slice id,
                 const char *why)
{
    if (im->failed++ >= ERRORS_MAX)
        return;
    jw_object(im->errors);
    jw_put_u64(im->errors, "line", line);
    jw_put_str(im->errors, "id", slice_head(id, HTTP_ID_MAX));
    http_put_words(im->errors, "why", slice_str(why));
    jw_end(im->errors);
}

static const char *why_not(int err)
{
    switch (err) {
    case GB_EAUTH:
        return "sip.allow_ids and sip.deny_ids keep this id out";
    case GB_ELIMIT:
        return "there is no room for another device";
    case GB_ESYNTAX:
        return "an id has 18 to 20 digits and is not that of the platform";
    default:
        return gb_strerror(err);
    }
}

static void apply(struct import *im, unsigned line, struct slice id,
                  const struct platform_settings *s)
{
    struct platform *p = im->c->app->cfg.platform;
    int err = platform_device_create(p, id, s, im->c->now);
    bool known = err == GB_EEXIST;

    if (known)
        err = platform_device_set(p, id, s, im->c->now);
    if (err)
        fail(im, line, id, why_not(err));
    else
        *(known ? &im->updated : &im->created) += 1;
}

/* An empty cell says nothing: it takes nothing away. */
static void take_row(struct import *im, const struct csv_row *row)
{
    json_t *root = json_object();
    struct platform_settings s;
    struct slice id = { NULL, 0 };
    const char *fault = root ? NULL : "no memory";

    for (size_t i = 0; i < row->n && !fault; i++) {
        const char *column = i < im->n_columns ? im->column[i] : NULL;

        if (!column || !row->cell[i].n)
            continue;
        if (column == read_columns[0])
            id = row->cell[i];
        else if (json_object_set_new(root, column,
                                     json_stringn(row->cell[i].p,
                                                  row->cell[i].n)))
            fault = "a text that is no UTF-8";
    }
    if (!fault && !id.n)
        fault = "id is missing";
    if (!fault)
        fault = http_settings_read(im->c, root, &s);
    if (fault)
        fail(im, row->line, id, fault);
    else
        apply(im, row->line, id, &s); /* s borrows from root */
    json_decref(root);
}

static const char *take_rows(struct import *im, struct slice text)
{
    struct csv_reader r = csv_reader_of(text);
    struct csv_row row;
    char room[ROOM_MAX];
    int got = csv_next(&r, &row, room, sizeof(room));

    if (got <= 0 || !read_header(im, &row))
        return "the first line names the columns: id, and any of name, group, "
               "media, arm, edition, date, require, password";
    while ((got = csv_next(&r, &row, room, sizeof(room))) != 0) {
        if (got > 0)
            take_row(im, &row);
        else
            fail(im, row.line, slice_of(NULL, 0),
                 got == GB_ELIMIT ? "the line is too long"
                                  : "a quote is missing");
    }
    return NULL;
}

/* Spreadsheets of Chinese systems save in GBK. */
static struct slice to_utf8(struct http_call *c, struct buf *b)
{
    struct slice in = c->req->body;
    struct writer w;

    if (manscdp_text_is_utf8(in))
        return in;
    if (buf_room(b, 3 * in.n))
        return slice_of(NULL, 0);
    w = writer_of(b->p, 3 * in.n);
    manscdp_text_decode(&w, in, MANSCDP_GB18030);
    return writer_slice(&w);
}

void http_post_devices_csv(struct http_call *c)
{
    struct buf text, errors;
    struct jw j = jw_to(&errors), out;
    struct import im = { .c = c, .errors = &j };
    const char *fault;

    buf_init(&text, c->app->cfg.alloc, 4 * HTTP_BODY_MAX);
    buf_init(&errors, c->app->cfg.alloc, HTTP_RESPONSE_MAX);
    jw_array(&j);
    fault = take_rows(&im, to_utf8(c, &text));
    jw_end(&j);
    if (fault) {
        http_answer_fail(c, 400, "bad-value", fault);
    } else {
        out = http_answer_json(c, 200);
        jw_object(&out);
        jw_put_u64(&out, "created", im.created);
        jw_put_u64(&out, "updated", im.updated);
        jw_put_u64(&out, "failed", im.failed);
        jw_key(&out, "errors");
        if (jw_is_complete(&j))
            jw_raw(&out, buf_view(&errors));
        else
            jw_null(&out);
        jw_end(&out);
    }
    buf_fini(&text);
    buf_fini(&errors);
    http_answer_committed(c);
}
