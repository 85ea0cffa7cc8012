/* What this server has recorded of a channel in a range of time: to be played
 * (a playlist over parts of the files), or as one file. Both wait until the files
 * were looked at. Each file counts its time from zero: what leaves is counted
 * from the beginning of the range, so that players meet no seam. */
#include "app/http/api.h"
#include "app/net/cuts.h"

#define URL_S 43200      /* life of a link */
#define PART_MS 4000     /* of a playlist, at least */
#define PART_TEXT 104    /* its numbers in a link */
#define SPEED_MAX 16     /* of what is played; a quarter at least */
#define HZ_MAX 384000    /* of its sound */
#define SHIFT_MAX (1ull << 44) /* of its times, 90 kHz */

void http_export_scope(struct writer *w, struct slice device,
                       struct slice channel, struct slice start,
                       struct slice end)
{
    writer_str(w, "/records/");
    writer_slice_put(w, device);
    writer_char(w, '/');
    writer_slice_put(w, channel);
    writer_char(w, '/');
    writer_slice_put(w, start);
    writer_char(w, '/');
    writer_slice_put(w, end);
}

static void put_link(struct http_call *c, struct jw *j, const char *key,
                     const char *ending, struct slice device,
                     struct slice channel, struct slice range,
                     struct slice scope)
{
    char url[HTTP_BASE_MAX + 640];
    struct writer w = writer_of(url, sizeof(url));

    writer_str(&w, c->base);
    writer_str(&w, "/api/v1/devices/");
    writer_slice_put(&w, device);
    writer_str(&w, "/channels/");
    writer_slice_put(&w, channel);
    writer_str(&w, ending);
    writer_slice_put(&w, range);
    writer_str(&w, "&t=");
    http_sign(&w, c->app->cfg.key, scope, c->now.utc_ms / 1000 + URL_S,
              http_mark_of(c->app, c->who));
    if (!w.err)
        jw_put_str(j, key, writer_slice(&w));
}

void http_export_links(struct http_call *c, struct jw *j, struct slice device,
                       struct slice channel, struct slice start,
                       struct slice end)
{
    char scope_text[256], range_text[400];
    struct writer scope = writer_of(scope_text, sizeof(scope_text));
    struct writer range = writer_of(range_text, sizeof(range_text));

    http_export_scope(&scope, device, channel, start, end);
    writer_str(&range, "?start=");
    http_escape(&range, start);
    writer_str(&range, "&end=");
    http_escape(&range, end);
    if (scope.err || range.err)
        return;
    put_link(c, j, "playlist", "/records.m3u8", device, channel,
             writer_slice(&range), writer_slice(&scope));
    put_link(c, j, "export", "/records.mp4", device, channel,
             writer_slice(&range), writer_slice(&scope));
}

/* ---- the question ------------------------------------------------------------------ */

static bool read_range(struct http_call *c, int64_t *from, int64_t *to)
{
    *from = *to = INT64_MIN;
    if (!http_query_time(c, "start", from) || !http_query_time(c, "end", to) ||
        *from < 0 || *to <= *from)
        http_answer_fail(c, 400, "bad-parameter",
                         "start and end are needed: times, or UNIX seconds; "
                         "end is behind start");
    else if (*to - *from > (int64_t)HTTP_CUT_RANGE_S * 1000)
        http_answer_fail(c, 400, "bad-parameter", "that is more than a day");
    else
        return true;
    return false;
}

static bool read_gaps(struct http_call *c, bool *keep)
{
    char text[16];
    struct slice v;
    int err = http_query_get(c->head->query, SLICE("gaps"), text, sizeof(text),
                             &v);

    *keep = !err && slice_eq(v, SLICE("keep"));
    if (err == GB_ENOENT || *keep || (!err && slice_eq(v, SLICE("close"))))
        return true;
    http_answer_fail(c, 400, "bad-parameter", "gaps is keep or close");
    return false;
}

/* "0.25" to "16": its quarters. */
static bool quarters_of(struct slice s, uint32_t *quarters)
{
    static const char *const parts[] = { "", ".25", ".5", ".75" };
    struct slice whole;
    uint64_t n = 0;
    size_t dot = slice_find(s, '.');

    whole = slice_head(s, dot);
    s = slice_from(s, dot);
    while (s.n && s.p[s.n - 1] == '0')
        s.n--;
    if (slice_eq(s, SLICE(".")))
        s.n = 0;
    if (!slice_u64(whole, SPEED_MAX, &n))
        return false;
    for (uint32_t i = 0; i < MP4CUT_AS_IS; i++) {
        *quarters = (uint32_t)n * MP4CUT_AS_IS + i;
        if (slice_eq(s, slice_str(parts[i])))
            return *quarters > 0 && *quarters <= SPEED_MAX * MP4CUT_AS_IS;
    }
    return false;
}

static bool read_speed(struct http_call *c, uint32_t *quarters)
{
    char text[16];
    struct slice v;
    int err = http_query_get(c->head->query, SLICE("speed"), text, sizeof(text),
                             &v);

    *quarters = MP4CUT_AS_IS;
    if (err == GB_ENOENT || (!err && quarters_of(v, quarters)))
        return true;
    http_answer_fail(c, 400, "bad-parameter",
                     "speed is 0.25 to 16, in quarters");
    return false;
}

/* The files of the range; NULL: answered. */
static struct cuts *find_files(struct http_call *c, int64_t from, int64_t to)
{
    struct archive_segment s;
    struct archive_walk w;
    struct cuts *q = NULL;
    size_t n = 0;

    archive_walk(c->app->cfg.archive, c->params.value[0], c->params.value[1],
                 from, to, &w);
    while (archive_next(&w, &s))
        n++;
    if (n && n <= HTTP_CUT_FILES_MAX)
        q = cuts_new(n);
    if (!q) {
        http_answer_fail(c, n == 0 ? 404 : n > HTTP_CUT_FILES_MAX ? 400 : 503,
                         n == 0 ? "nothing-recorded" : NULL,
                         n == 0 ? "nothing is recorded in this time"
                         : n > HTTP_CUT_FILES_MAX
                             ? "too many files: ask for a shorter time"
                             : "no memory");
        return NULL;
    }
    archive_walk(c->app->cfg.archive, c->params.value[0], c->params.value[1],
                 from, to, &w);
    for (size_t i = 0; i < n && archive_next(&w, &s); i++) {
        q->file[i].begin_utc_ms = s.begin_utc_ms;
        q->file[i].volume = (s.flags & ARCHIVE_VOLUMES) / ARCHIVE_VOLUME_1;
    }
    slice_copy(q->device, sizeof(q->device), c->params.value[0]);
    slice_copy(q->channel, sizeof(q->channel), c->params.value[1]);
    q->request = c->req->id;
    q->who = c->who;
    q->from_utc_ms = from;
    q->to_utc_ms = to;
    return q;
}

static void ask(struct http_call *c, bool one, bool gaps)
{
    struct http_app *a = c->app;
    struct cuts *q;
    int64_t from, to;
    uint32_t quarters;

    if (!read_range(c, &from, &to) || !read_speed(c, &quarters))
        return;
    if (a->n_cuts >= HTTP_CUTS_MAX) {
        http_answer_fail(c, 503, "busy",
                         "others are looking through recordings");
        http_response_field(c->out, "Retry-After", SLICE("1"));
        return;
    }
    q = find_files(c, from, to);
    if (!q)
        return;
    q->one = one;
    q->gaps = gaps; /* a player gets on without: it is told when a part was */
    q->quarters = quarters;
    q->part_ms = one ? UINT32_MAX : PART_MS / MP4CUT_AS_IS * quarters;
    if (a->cfg.cut(a->cfg.ctx, q)) {
        cuts_free(q);
        http_answer_fail(c, 503, NULL, "the disk takes no more questions");
        return;
    }
    a->n_cuts++;
    c->out->kind = HTTP_REPLY_LATER;
}

static bool is_on(struct http_call *c)
{
    if (c->app->cfg.cut)
        return true;
    http_answer_fail(c, 501, "no-store",
                     "recordings need SQLite, which this build has not");
    return false;
}

void http_get_records_hls(struct http_call *c)
{
    if (is_on(c))
        ask(c, false, false);
}

void http_get_records_mp4(struct http_call *c)
{
    bool gaps;

    if (is_on(c) && read_gaps(c, &gaps))
        ask(c, true, gaps);
}

/* ---- the playlist -------------------------------------------------------------------- */

/* Relative to the playlist: a file of the same channel, signed for itself. Some
 * players read nothing whose name does not end as media does. */
static void put_file_url(struct buf *b, const struct http_app *a,
                         const struct cuts *q, const struct cuts_file *f)
{
    char scope_text[256], sign[HTTP_SIGNATURE_MAX + 1], start[24];
    struct writer scope = writer_of(scope_text, sizeof(scope_text));
    struct writer w = writer_of(sign, sizeof(sign));
    struct writer n = writer_of(start, sizeof(start));

    writer_f(&n, "%lld.mp4", (long long)f->begin_utc_ms);
    http_record_scope(&scope, slice_str(q->device), slice_str(q->channel),
                      writer_slice(&n));
    http_sign(&w, a->cfg.key, writer_slice(&scope),
              http_app_now(a).utc_ms / 1000 + URL_S, http_mark_of(a, q->who));
    buf_str(b, "records/");
    buf_slice(b, writer_slice(&n));
    buf_str(b, "?t=");
    buf_slice(b, writer_slice(&w));
}

/* anew: it has a head of its own. */
static void put_head(struct buf *b, const struct http_app *a,
                     const struct cuts *q, const struct cuts_file *f, bool anew)
{
    char when[JW_TIME_MAX];

    if (anew) {
        buf_str(b, "#EXT-X-MAP:URI=\"");
        put_file_url(b, a, q, f);
        buf_f(b, mp4cut_is_paced(q->quarters) ? "&part=0,%llu,0,0\"\n"
                                  : "\",BYTERANGE=\"%llu@0\"\n",
              (unsigned long long)f->cut.head_bytes);
    }
    if (!mp4cut_is_paced(q->quarters) &&
        jw_time_text(when, cuts_part_utc_ms(f, 0)))
        buf_f(b, "#EXT-X-PROGRAM-DATE-TIME:%s\n", when);
}

/* What read_part reads. Not signed: who may read the file may read it so. */
static void put_part(struct buf *b, const struct http_app *a,
                     const struct cuts *q, const struct cuts_file *f,
                     const struct mp4cut_part *p)
{
    buf_f(b, "#EXTINF:%.5f,\n",
          (double)p->length90k * MP4CUT_AS_IS / q->quarters / 90000);
    put_file_url(b, a, q, f);
    buf_f(b, "&part=%llu,%llu,%lld,%u", (unsigned long long)p->off,
          (unsigned long long)p->n, (long long)f->shift90k,
          (unsigned)f->cut.audio_hz);
    if (mp4cut_is_paced(q->quarters))
        buf_f(b, ",%u", (unsigned)q->quarters);
    buf_str(b, "\n");
}

/* RFC 8216 4.3.3.1: no part is longer, rounded. */
static unsigned target_s(const struct cuts *q)
{
    int64_t longest = 0;

    for (size_t i = 0; i < q->n; i++)
        for (size_t k = 0; k < q->file[i].cut.n; k++)
            if (q->file[i].cut.part[k].length90k > longest)
                longest = q->file[i].cut.part[k].length90k;
    return (unsigned)(longest * MP4CUT_AS_IS / q->quarters / 90000) + 1;
}

/* Where time goes on and the tracks are the same, nothing is told (4.3.2.3). */
static size_t playlist_write(struct buf *b, const struct http_app *a,
                             const struct cuts *q)
{
    size_t n = 0;

    buf_f(b, "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-PLAYLIST-TYPE:VOD\n"
             "#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-TARGETDURATION:%u\n",
          target_s(q));
    for (size_t i = 0; i < q->n; i++) {
        const struct cuts_file *f = &q->file[i];

        if (f->cut.n == 0)
            continue;
        if (n++ && !f->joins)
            buf_str(b, "#EXT-X-DISCONTINUITY\n");
        put_head(b, a, q, f, f->head == i);
        for (size_t k = 0; k < f->cut.n; k++)
            put_part(b, a, q, f, &f->cut.part[k]);
    }
    buf_str(b, "#EXT-X-ENDLIST\n");
    return n;
}

/* ---- a part of it ----------------------------------------------------------------------- */

/* The number before the next comma. */
static bool cut_number(struct slice *s, uint64_t max, uint64_t *v)
{
    struct slice number;

    return slice_cut(s, ',', &number) && slice_u64(number, max, v);
}

/* "OFFSET,BYTES,SHIFT,SOUND": where it lies, what is added to its times (90 kHz),
 * samples a second of its sound; at another speed its quarters. At the beginning
 * of the file: its head. */
static bool read_part(struct slice s, struct http_file *f)
{
    uint64_t off, n, shift, hz, quarters = MP4CUT_AS_IS;
    struct slice sound;
    bool back, more;

    if (!cut_number(&s, INT64_MAX, &off) ||
        !cut_number(&s, INT64_MAX - off, &n) || n == 0)
        return false;
    back = s.n && s.p[0] == '-';
    s = slice_from(s, back);
    if (!cut_number(&s, SHIFT_MAX, &shift))
        return false;
    more = slice_cut(&s, ',', &sound);
    if (!slice_u64(sound, HZ_MAX, &hz) ||
        (more && !slice_u64(s, SPEED_MAX * MP4CUT_AS_IS, &quarters)) ||
        quarters == 0)
        return false;
    f->off = off;
    f->n = f->total = n;
    f->mutes = off == 0;
    f->moves = off > 0;
    f->mover = (struct mp4cut_mover){
        .quarters = (uint32_t)quarters,
        .shift90k = back ? -(int64_t)shift : (int64_t)shift,
        .audio_hz = (uint32_t)hz,
    };
    return true;
}

bool http_export_part(struct http_call *c)
{
    char text[PART_TEXT];
    struct slice v;
    int err = http_query_get(c->head->query, SLICE("part"), text, sizeof(text),
                             &v);

    if (err == GB_ENOENT)
        return false;
    if (err || !read_part(v, &c->out->file)) {
        http_answer_fail(c, 400, "bad-parameter",
                         "a part is as the playlist has it");
        return true;
    }
    c->out->kind = HTTP_REPLY_FILE;
    c->out->status = 200;
    c->out->type = "video/mp4";
    return true;
}

/* ---- the answer ----------------------------------------------------------------------- */

static void answer_fault(struct http_response *r, const struct cuts *q)
{
    char text[JW_TIME_MAX];
    const bool changed = q->err == GB_EUNSUPPORTED;
    const struct http_problem p = {
        .status = changed ? 409 : q->err ? 503 : 404,
        .code = changed ? "tracks-change" : q->err ? NULL : "nothing-recorded",
        .detail = changed ? "the picture or the sound has another format "
                            "later on: one file cannot have both"
                  : q->err ? gb_strerror(q->err)
                           : "nothing is recorded in this time",
        .evidence = changed && jw_time_text(text, q->changed_utc_ms)
                        ? slice_str(text)
                        : slice_of(NULL, 0),
        .hint = changed ? SLICE("export up to this time, and from it on")
                        : slice_of(NULL, 0),
    };

    http_answer_problem(r, &p);
}

static void answer_playlist(struct http_app *a, struct http_response *r,
                            struct cuts *q)
{
    static const struct http_problem gone = {
        .status = 401,
        .detail = "who asked has been removed or changed meanwhile",
    };

    r->status = 200;
    r->type = http_format_type(HTTP_FORMAT_HLS);
    if (!http_app_who_is_there(a, q->who)) {
        http_answer_problem(r, &gone);
    } else if (playlist_write(&r->body, a, q) == 0) {
        buf_fini(&r->body);
        answer_fault(r, q);
    }
    cuts_free(q);
}

static void answer_export(struct http_response *r, struct cuts *q)
{
    r->file.n = r->file.total = cuts_export_bytes(q);
    if (r->file.n == 0) {
        answer_fault(r, q);
        cuts_free(q);
        return;
    }
    r->kind = HTTP_REPLY_FILE;
    r->status = 200;
    r->type = "video/mp4";
    r->file.dir = ""; /* where each of them is */
    r->file.cuts = q;
    /* Where a fragment lies in time depends on all that were sent before it. */
    http_response_field(r, "Accept-Ranges", SLICE("none"));
    http_response_field(r, "Content-Disposition",
                        SLICE("attachment; filename=\"recording.mp4\""));
}

void http_app_cut_told(struct http_app *a, struct cuts *q)
{
    uint64_t request = q->request;
    struct http_response r;

    a->n_cuts--;
    http_response_init(&r, a->cfg.alloc);
    if (q->err) {
        answer_fault(&r, q);
        cuts_free(q);
    } else if (q->one) {
        answer_export(&r, q);
    } else {
        answer_playlist(a, &r, q);
    }
    http_response_field(&r, "Cache-Control", SLICE("no-store"));
    http_app_answer(a, request, &r);
}
