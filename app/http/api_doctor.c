/* The doctor of a channel: GET tells what is known, POST asks for the picture
 * first. The answer is 200 with the chain, whatever it shows. */
#include "app/http/api.h"

#include "app/platform/doctor.h"

static const char *const state_name[] = {
    [DOCTOR_UNKNOWN] = "unknown",
    [DOCTOR_GREEN] = "green",
    [DOCTOR_RED] = "red",
};

struct patient {
    struct slice device, channel;
    unsigned stream;
};

/* {"name":…,"method":"POST","path":…,"body":{…}}: a request that tries it. */
static void remedy_write(struct jw *j, const struct patient *who,
                         enum doctor_remedy r)
{
    const struct doctor_words *words = &doctor_remedies[r];
    char path[512];
    struct writer w = writer_of(path, sizeof(path));

    writer_str(&w, "/api/v1/devices/");
    http_escape(&w, who->device);
    if (r == DOCTOR_TRY_CATALOG) {
        writer_str(&w, "/refresh");
    } else if (r == DOCTOR_TRY_REBOOT) {
        writer_str(&w, "/commands");
    } else {
        writer_str(&w, "/channels/");
        http_escape(&w, who->channel);
        writer_str(&w, "/doctor");
    }
    jw_object(j);
    jw_put_cstr(j, "name", words->name);
    jw_put_cstr(j, "title", words->english);
    jw_put_cstr(j, "title_zh", words->chinese);
    jw_put_cstr(j, "method", "POST");
    jw_put_str(j, "path", writer_slice(&w));
    jw_key(j, "body");
    jw_object(j);
    if (r == DOCTOR_TRY_REBOOT) {
        jw_put_cstr(j, "cmd", "DeviceControl");
        jw_key(j, "params");
        jw_object(j);
        jw_put_cstr(j, "TeleBoot", "Boot");
        jw_end(j);
    } else if (r != DOCTOR_TRY_CATALOG) {
        jw_put_cstr(j, "stream",
                    who->stream || r == DOCTOR_TRY_SUB ? "sub" : "main");
        if (r == DOCTOR_TRY_UDP || r == DOCTOR_TRY_PASSIVE ||
            r == DOCTOR_TRY_ACTIVE)
            jw_put_cstr(j, "transport", words->name);
    }
    jw_end(j);
    jw_end(j);
}

/* One that was tried already is no remedy. */
static bool is_new(const struct doctor_report *rep, const struct patient *who,
                   enum doctor_remedy r)
{
    switch (r) {
    case DOCTOR_TRY_UDP:
        return rep->transport != PLATFORM_UDP;
    case DOCTOR_TRY_PASSIVE:
        return rep->transport != PLATFORM_TCP_PASSIVE;
    case DOCTOR_TRY_ACTIVE:
        return rep->transport != PLATFORM_TCP_ACTIVE;
    case DOCTOR_TRY_SUB:
        return who->stream == 0;
    case DOCTOR_TRY_AGAIN:
    case DOCTOR_TRY_CATALOG:
    case DOCTOR_TRY_REBOOT:
    case DOCTOR_REMEDIES:
        break;
    }
    return true;
}

static void link_write(struct jw *j, const struct doctor_report *rep,
                       const struct patient *who, enum doctor_link link)
{
    const struct doctor_finding *f = &rep->link[link];
    const struct doctor_words *words = &doctor_links[link];

    jw_object(j);
    jw_put_cstr(j, "link", words->name);
    jw_put_cstr(j, "state", state_name[f->state]);
    jw_put_cstr(j, "text", words->english);
    jw_put_cstr(j, "text_zh", words->chinese);
    http_put_words(j, "evidence", f->evidence);
    if (f->ms)
        jw_put_u64(j, "ms", f->ms);
    if (f->state == DOCTOR_RED || f->remedies) {
        jw_put_bool(j, "harmless", f->harmless);
        http_put_words(j, "hint", f->hint);
        jw_key(j, "remedies");
        jw_array(j);
        for (unsigned r = 0; r < DOCTOR_REMEDIES; r++)
            if (f->remedies >> r & 1 && is_new(rep, who, (enum doctor_remedy)r))
                remedy_write(j, who, (enum doctor_remedy)r);
        jw_end(j);
    }
    jw_end(j);
}

static const char *verdict(const struct doctor_report *rep)
{
    if (rep->first >= 0)
        return "red";
    return rep->link[DOCTOR_STEADY].state == DOCTOR_GREEN ? "green"
                                                          : "unknown";
}

static void report_write(struct jw *j, const struct doctor_report *rep,
                         const struct patient *who)
{
    jw_object(j);
    jw_put_str(j, "device", who->device);
    jw_put_str(j, "channel", who->channel);
    jw_put_cstr(j, "stream", who->stream ? "sub" : "main");
    jw_put_cstr(j, "verdict", verdict(rep));
    if (rep->first >= 0)
        jw_put_cstr(j, "first", doctor_links[rep->first].name);
    else
        jw_put_null(j, "first");
    jw_put_time(j, "tried_at", rep->tried_utc_ms);
    jw_put_bool(j, "running", rep->running);
    jw_key(j, "links");
    jw_array(j);
    for (unsigned i = 0; i < DOCTOR_LINKS; i++)
        link_write(j, rep, who, (enum doctor_link)i);
    jw_end(j);
    jw_end(j);
}

static void answer(struct http_app *a, struct http_response *r,
                   const struct platform_session *s, unsigned can)
{
    const struct patient who = { s->device, s->channel, s->stream };
    const struct doctor_question q = { s->device, s->channel, s->stream, can };
    struct doctor_report rep;
    struct jw j = jw_to(&r->body);

    platform_doctor(a->cfg.platform, &q, &rep);
    r->status = 200;
    r->type = "application/json";
    report_write(&j, &rep, &who);
}

/* ?can=h264,h265: what the viewer shows. false: a problem has been answered. */
static bool read_can(struct http_call *c, unsigned *can)
{
    char text[64];
    struct slice rest, one;
    int err = http_query_get(c->head->query, SLICE("can"), text, sizeof(text),
                             &rest);

    *can = 0;
    if (err == GB_ENOENT)
        return true;
    while (!err && rest.n) {
        slice_cut(&rest, ',', &one);
        if (slice_ieq(one, SLICE("h264")))
            *can |= 1u << PS_CODEC_H264;
        else if (slice_ieq(one, SLICE("h265")))
            *can |= 1u << PS_CODEC_H265;
        else
            err = GB_ESYNTAX;
    }
    if (err)
        http_answer_fail(c, 400, "bad-parameter",
                         "can is a list of h264 and h265");
    return !err;
}

void http_get_doctor(struct http_call *c)
{
    struct platform_session s = { .device = c->params.value[0],
                                  .channel = c->params.value[1] };
    unsigned can;

    if (read_can(c, &can) && http_query_stream(c, &s.stream))
        answer(c->app, c->out, &s, can);
}

void http_post_doctor(struct http_call *c)
{
    if (read_can(c, &c->can)) {
        c->answer_live = answer;
        http_post_live(c);
    }
}
