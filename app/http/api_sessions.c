/* Sessions, alarms, events. */
#include "app/http/api.h"

#include "app/platform/alarms.h"

#define ALARM_RECORD_MS 60000 /* a recording that begins so late is still of it */

const char *http_session_state_name(enum platform_session_state s)
{
    switch (s) {
    case PLATFORM_STARTING:
        return "starting";
    case PLATFORM_PLAYING:
        return "playing";
    case PLATFORM_STOPPING:
        return "stopping";
    case PLATFORM_FAILED:
        return "failed";
    }
    return "failed";
}

/* Milliseconds to each link of the chain that was reached. */
static void steps_write(struct jw *j, const struct platform_session *s)
{
    jw_key(j, "steps_ms");
    jw_object(j);
    for (unsigned i = 0; i < PLATFORM_STEP_COUNT; i++)
        if (s->step_ms[i])
            jw_put_u64(j, platform_step_name((enum platform_step)i),
                       s->step_ms[i]);
    jw_end(j);
}

void http_session_write(struct jw *j, const struct platform_session *s)
{
    jw_object(j);
    jw_put_id(j, "id", s->id);
    jw_put_cstr(j, "kind", platform_session_kind_name(s->kind));
    jw_put_str(j, "device", s->device);
    jw_put_str(j, "channel", s->channel);
    jw_put_cstr(j, "stream", s->stream ? "sub" : "main");
    jw_put_cstr(j, "state", http_session_state_name(s->state));
    jw_put_cstr(j, "step", platform_step_name(s->step));
    jw_put_u64(j, "sip_status", s->sip_status);
    http_put_words(j, "evidence", s->evidence);
    http_put_words(j, "hint", s->hint);
    jw_put_cstr(j, "transport", http_transport_name(s->transport));
    jw_put_u64(j, "port", s->port);
    jw_put_u64(j, "ssrc", s->ssrc);
    http_put_addr(j, "from", &s->from);
    jw_put_str(j, "call_id", s->call_id);
    jw_put_time(j, "started_at", s->started_utc_ms);
    steps_write(j, s);
    jw_put_u64(j, "consumers", s->consumers);
    jw_put_cstr(j, "video", ps_codec_name(s->video));
    jw_put_cstr(j, "audio", ps_sound_name(s->video, s->audio));
    jw_put_u64(j, "width", s->width);
    jw_put_u64(j, "height", s->height);
    jw_put_u64(j, "packets", s->packets);
    jw_put_u64(j, "bytes", s->bytes);
    jw_put_u64(j, "lost", s->lost);
    jw_put_u64(j, "foreign", s->foreign);
    if (s->kind != PLATFORM_LIVE)
        http_playback_write(j, s);
    jw_end(j);
}

/* The cursor of sessions, alarms: a number; false: a problem is answered. */
static bool cursor_number(struct http_call *c, const struct http_page *page,
                          uint64_t *v)
{
    if (page->cursor.n == 0 || slice_u64(page->cursor, UINT64_MAX, v))
        return true;
    http_answer_fail(c, 400, "bad-parameter",
                     "cursor is not one that a list gave");
    return false;
}

static struct slice number_text(uint64_t v, char buf[static 24])
{
    struct writer w = writer_of(buf, 24);

    writer_u64(&w, v);
    return writer_slice(&w);
}

void http_get_sessions(struct http_call *c)
{
    struct platform_session s = { .id = 0 };
    struct http_page page;
    uint64_t at = 0;
    uint32_t n = 0;
    bool more = false;
    size_t i = 0; /* of those he sees */
    char text[24];
    struct jw j;

    if (!http_page_read(c, &page) || !cursor_number(c, &page, &at))
        return;
    j = http_list_begin(c);
    while (platform_session_next(c->app->cfg.platform, s.id, &s)) {
        if (!http_sees(c, s.device) || i++ < at)
            continue;
        if (n == page.limit) {
            more = true;
            continue; /* the rest is only counted */
        }
        http_session_write(&j, &s);
        n++;
    }
    http_list_end(&j,
                  more ? number_text(at + n, text) : (struct slice){ 0 }, i);
}

bool http_session_find(struct http_call *c, struct platform_session *s)
{
    uint64_t id;

    if (slice_u64(c->params.value[0], UINT64_MAX, &id) &&
        platform_session_view(c->app->cfg.platform, id, s))
        return true;
    http_answer_fail(c, 404, "session-unknown", "no such session");
    return false;
}

void http_get_session(struct http_call *c)
{
    struct platform_session s;

    if (http_session_find(c, &s)) {
        struct jw j = http_answer_json(c, 200);

        http_session_write(&j, &s);
    }
}

void http_delete_session(struct http_call *c)
{
    struct platform_session s;

    if (!http_session_find(c, &s))
        return;
    platform_session_stop(c->app->cfg.platform, s.id, c->now);
    c->app->cfg.touched(c->app->cfg.ctx);
    http_answer_empty(c, 204);
}

/* The recording of this server that an alarm falls into, by its id; or the first
 * that begins soon behind it, as a rule makes it. */
static void put_recording(struct jw *j, const struct http_app *a,
                          const struct platform_alarm *alarm)
{
    int64_t at = alarm->received_utc_ms;
    struct archive_segment s;
    struct archive_walk w;
    char text[24];

    if (a->cfg.archive) {
        archive_walk(a->cfg.archive, alarm->device, alarm->channel, at,
                     at + ALARM_RECORD_MS, &w);
        if (archive_next(&w, &s)) {
            jw_put_str(j, "recording", number_text((uint64_t)s.begin_utc_ms,
                                                   text));
            return;
        }
    }
    jw_put_null(j, "recording");
}

static void put_picture(struct jw *j, const struct http_app *a,
                        const struct platform_alarm *alarm)
{
    const char *name = http_picture_about(a, alarm->device, alarm->channel,
                                          alarm->received_utc_ms);

    if (name)
        jw_put_cstr(j, "picture", name);
    else
        jw_put_null(j, "picture");
}

void http_alarm_write(struct jw *j, const struct http_app *a,
                      const struct platform_alarm *alarm, uint64_t id)
{
    struct alarm_name type = alarm_type_name(alarm->method, alarm->type);
    struct alarm_name event = alarm_event_name(alarm->method, alarm->type,
                                               alarm->event);

    jw_object(j);
    jw_put_id(j, "id", id);
    jw_put_str(j, "device", alarm->device);
    jw_put_str(j, "channel", alarm->channel);
    jw_put_str(j, "priority", alarm->priority);
    jw_put_str(j, "method", alarm->method);
    jw_put_str(j, "type", alarm->type);
    jw_put_cstr(j, "method_name", alarm_method_name(alarm->method).en);
    jw_put_cstr(j, "method_name_zh", alarm_method_name(alarm->method).zh);
    jw_put_cstr(j, "type_name", type.en);
    jw_put_cstr(j, "type_name_zh", type.zh);
    jw_put_str(j, "event_type", alarm->event);
    jw_put_cstr(j, "event_name", event.en);
    jw_put_cstr(j, "event_name_zh", event.zh);
    jw_put_str(j, "time", alarm->time);
    jw_put_str(j, "description", slice_head(alarm->description, 1024));
    if (alarm->has_position) {
        jw_put_double(j, "longitude", alarm->longitude);
        jw_put_double(j, "latitude", alarm->latitude);
    } else {
        jw_put_null(j, "longitude");
        jw_put_null(j, "latitude");
    }
    jw_put_time(j, "received_at", alarm->received_utc_ms);
    jw_put_time(j, "acknowledged_at", alarm->acknowledged_utc_ms);
    if (alarm->acknowledged_utc_ms)
        jw_put_str(j, "acknowledged_by", alarm->acknowledged_by);
    else
        jw_put_null(j, "acknowledged_by");
    put_picture(j, a, alarm);
    put_recording(j, a, alarm);
    jw_end(j);
}

static bool has_filter(struct http_call *c)
{
    static const char *const names[] = { "device", "channel", "method", "type",
                                         "priority", "from", "to",
                                         "acknowledged" };
    char text[64];
    struct slice v;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (http_query_get(c->head->query, slice_str(names[i]), text,
                           sizeof(text), &v) != GB_ENOENT)
            return true;
    return false;
}

/* Newest first, of those in memory when no history is kept; the cursor is the
 * number of the last one shown. */
void http_get_alarms(struct http_call *c)
{
    const struct alarm_ring *ring = c->app->alarms;
    uint64_t next = ring ? ring->next : 1, at = next, first;
    struct http_page page;
    uint32_t n = 0;
    char text[24];
    struct jw j;

    if (c->app->cfg.ask) {
        http_ask_alarms(c);
        return;
    }
    if (http_is_bounded(c)) {
        http_answer_fail(c, 501, "no-history",
                         "alarms of a part of the devices need history, which "
                         "this build does not keep (SQLITE=0)");
        return;
    }
    if (has_filter(c)) { /* it would be ignored in silence */
        http_answer_fail(c, 501, "no-history",
                         "filters need history, which this build does not "
                         "keep (SQLITE=0)");
        return;
    }
    if (!http_page_read(c, &page) || !cursor_number(c, &page, &at))
        return;
    at = at < next ? at : next;
    first = next > HTTP_ALARMS_MAX ? next - HTTP_ALARMS_MAX : 1;
    j = http_list_begin(c);
    while (at > first && n < page.limit) {
        jw_raw(&j, ring->json[--at % HTTP_ALARMS_MAX]);
        n++;
    }
    http_list_end(&j,
                  at > first ? number_text(at, text) : (struct slice){ 0 },
                  next - first);
}

void http_get_events(struct http_call *c)
{
    struct slice id = http_head_get(c->head, HTTP_HDR_LAST_EVENT_ID);
    char text[64];

    if (c->head->method == HTTP_HEAD) {
        http_answer_empty(c, 200);
        c->out->type = "text/event-stream";
        return;
    }
    c->out->kind = HTTP_REPLY_EVENTS;
    c->out->status = 200;
    c->out->type = "text/event-stream";
    c->out->event_seq = http_events_last(c->app->events);
    if (id.n == 0 && http_query_get(c->head->query, SLICE("last_event_id"),
                                    text, sizeof(text), &id))
        return;
    c->out->event_seq = http_events_parse_id(c->app->events, id);
}
