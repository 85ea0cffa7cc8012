/* test/fake_platform.h - a platform that does what a test tells it
 *
 * Defines the functions of app/platform/platform.h (and sip/stack.h) that
 * app/http calls, over one table: include it in one file of a program, which
 * must not use the real ones. */
#ifndef TEST_FAKE_PLATFORM_H
#define TEST_FAKE_PLATFORM_H

#include "app/platform/doctor.h"
#include "app/platform/platform.h"
#include "app/platform/voice.h"
#include "base/writer.h"

#define FAKE_MAX 64

static struct fake {
    struct platform_device device[FAKE_MAX]; /* in id order */
    size_t n_devices;
    struct platform_channel channel[FAKE_MAX]; /* in (device, id) order */
    size_t n_channels;
    struct platform_session session[FAKE_MAX]; /* id 0: free */
    int holds[FAKE_MAX + 1]; /* by session id: holds less releases */
    uint64_t next_session;
    int live_err;            /* platform_live_start fails */
    struct platform_session live_failed;
    struct platform_live live_req; /* the last one; slices not kept */
    struct platform_recording recording; /* the last one; slices not kept */
    struct platform_control control;     /* the last one */
    int control_err;
    int refresh_err;
    int sick;                /* a link of the doctor, from 1; 0: none */
    unsigned can;            /* of the last question to it */
    struct platform_records records; /* its id: of all questions */
    struct platform_records_ask records_ask; /* the last one */
    char records_type[20];
    int records_err;
    struct platform_record record[16];
    struct platform_download_order download_order; /* the last one */
    bool is_2022; /* devices are of this edition */
    struct platform_download download[4];
    size_t n_downloads;
    struct platform_download_gap gap[4];
    size_t n_gaps;
    int download_err;
    uint64_t cancelled;
    unsigned refreshed;
    struct platform_pending pending[4];
    size_t n_pending;
    struct platform_settings set; /* the last one; texts in the buffers below */
    char password[80], given_name[140], group_of[80], created[40];
    char order[200];         /* the last one sent, as text */
    uint64_t n_commands, first_command; /* ids remembered */
    bool commands_final;
    const struct platform_command *command; /* what all of them are; NULL */
    char upgrade[80], upgrade_file[80], upgrade_url[300], upgrade_maker[80];
    enum platform_upgrade_state upgrade_state;
    struct platform_policy group_policy; /* the last one */
    unsigned group_kinds;
    uint64_t fetched;        /* bytes */
    unsigned fetched_whole;
    struct platform_voice voice[4]; /* id 0: free */
    int voice_err;           /* platform_voice_start fails */
    struct platform_voice_wish voice_wish; /* the last one; slices not kept */
    char voice_who[80];
    const char *voice_stop;  /* the last reason; NULL: none was stopped */
    int set_err;             /* what platform_device_set and _create say */
    struct {
        char name[80], password[80];
    } group[4];              /* in name order; name "": free */
} fake;

static inline void fake_device(const char *id, const char *name, bool online)
{
    struct platform_device *d = &fake.device[fake.n_devices++];

    *d = (struct platform_device){ .id = slice_str(id),
                                   .name = slice_str(name),
                                   .online = online,
                                   .registered_utc_ms = 1000 };
    d->peer.remote = (struct gb_addr){ GB_IPV4, { 192, 0, 2, 7 }, 5060 };
}

static inline void fake_channel(const char *device, const char *id,
                                const char *name)
{
    struct platform_channel *c = &fake.channel[fake.n_channels++];

    *c = (struct platform_channel){ .device = slice_str(device),
                                    .id = slice_str(id),
                                    .name = slice_str(name),
                                    .status = SLICE("ON"),
                                    .on = true };
    for (size_t i = 0; i < fake.n_devices; i++)
        if (slice_eq(fake.device[i].id, c->device))
            fake.device[i].n_channels++;
}

static inline struct platform_session *fake_session(uint64_t id)
{
    for (size_t i = 0; i < FAKE_MAX; i++)
        if (id && fake.session[i].id == id)
            return &fake.session[i];
    return NULL;
}

bool platform_device_view(const struct platform *p, struct slice id,
                          struct platform_device *out)
{
    (void)p;
    for (size_t i = 0; i < fake.n_devices; i++) {
        if (slice_eq(fake.device[i].id, id)) {
            *out = fake.device[i];
            return true;
        }
    }
    return false;
}

bool platform_channel_view(const struct platform *p, struct slice device,
                           struct slice channel, struct platform_channel *out)
{
    (void)p;
    for (size_t i = 0; i < fake.n_channels; i++) {
        if (slice_eq(fake.channel[i].device, device) &&
            slice_eq(fake.channel[i].id, channel)) {
            *out = fake.channel[i];
            return true;
        }
    }
    return false;
}

bool platform_device_next(const struct platform *p, struct slice after,
                          struct platform_device *out)
{
    (void)p;
    for (size_t i = 0; i < fake.n_devices; i++) {
        if (after.n == 0 || slice_cmp(fake.device[i].id, after) > 0) {
            *out = fake.device[i];
            return true;
        }
    }
    return false;
}

bool platform_channel_next(const struct platform *p, struct slice device,
                           struct slice after, struct platform_channel *out)
{
    (void)p;
    for (size_t i = 0; i < fake.n_channels; i++) {
        if (slice_eq(fake.channel[i].device, device) &&
            (after.n == 0 || slice_cmp(fake.channel[i].id, after) > 0)) {
            *out = fake.channel[i];
            return true;
        }
    }
    return false;
}

size_t platform_device_count(const struct platform *p, size_t *online)
{
    size_t n = 0;

    (void)p;
    for (size_t i = 0; i < fake.n_devices; i++)
        n += fake.device[i].online;
    if (online)
        *online = n;
    return fake.n_devices;
}

size_t platform_channel_count(const struct platform *p)
{
    (void)p;
    return fake.n_channels;
}

const char *platform_command_state_name(enum platform_command_state s)
{
    return s == PLATFORM_COMMAND_SENT ? "sent" : "answered";
}

int platform_device_dialect(const struct platform *p, struct slice id,
                            struct manscdp_dialect *out)
{
    struct platform_device d;

    *out = (struct manscdp_dialect){ fake.is_2022 ? MANSCDP_2022 : MANSCDP_2016,
                                     MANSCDP_GB2312 };
    return platform_device_view(p, id, &d) ? 0 : GB_ENOENT;
}

/* "CmdType target <elements/>" */
int platform_command_send(struct platform *p, const struct platform_order *o,
                          struct gb_time now, uint64_t *id)
{
    const struct manscdp_dialect dialect = { MANSCDP_2016, MANSCDP_GB2312 };
    struct platform_device d;
    struct writer w = writer_of(fake.order, sizeof(fake.order) - 1);
    char text[2048];
    struct writer body = writer_of(text, sizeof(text));
    size_t at;

    (void)now;
    if (fake.set_err || !platform_device_view(p, o->device, &d))
        return fake.set_err ? fake.set_err : GB_ENOENT;
    writer_f(&w, "%s %.*s%s", manscdp_cmd_name(o->cmd), SLICE_ARG(o->target),
             o->body ? " " : "");
    if (o->body &&
        manscdp_body_encode(&body, &dialect, o->body, o->in) == 0) {
        at = slice_find_slice(writer_slice(&body), SLICE("</SN>")) + 7;
        while (at < body.len &&
               !slice_has_prefix(slice_from(writer_slice(&body), at),
                                 SLICE("</Control>")) &&
               !slice_has_prefix(slice_from(writer_slice(&body), at),
                                 SLICE("</Query>"))) {
            if (text[at] != '\r' && text[at] != '\n')
                writer_char(&w, text[at]);
            at++;
        }
    }
    fake.order[w.len] = '\0';
    *id = ++fake.n_commands;
    return 0;
}

int platform_ptz(struct platform *p, const struct platform_ptz *r,
                 struct gb_time now, uint64_t *id)
{
    struct platform_device d;
    struct writer w = writer_of(fake.order, sizeof(fake.order) - 1);

    (void)p;
    (void)now;
    if (!platform_device_view(p, r->device, &d))
        return GB_ENOENT;
    manscdp_ptz_write(&w, &r->command);
    writer_f(&w, " %.*s %.*s", SLICE_ARG(r->channel), SLICE_ARG(r->name));
    fake.order[w.len] = '\0';
    *id = ++fake.n_commands;
    return 0;
}

int platform_ptz_stop(struct platform *p, struct slice device,
                      struct slice channel, struct gb_time now, uint64_t *id)
{
    struct platform_device d;
    struct writer w = writer_of(fake.order, sizeof(fake.order) - 1);

    (void)now;
    if (!platform_device_view(p, device, &d))
        return GB_ENOENT;
    writer_f(&w, "stop %.*s", SLICE_ARG(channel));
    fake.order[w.len] = '\0';
    *id = ++fake.n_commands;
    return 0;
}

bool platform_duty_at(const struct platform *p, struct slice device, size_t i,
                      struct platform_duty *out)
{
    (void)p;
    *out = (struct platform_duty){ device, "ONDUTY", "GuardCmd", 1000 };
    return i == 0;
}

bool platform_command_view(const struct platform *p, uint64_t id,
                           struct platform_command *out)
{
    (void)p;
    *out = (struct platform_command){
        .id = id,
        .device = fake.device[id % 2].id,
        .cmd = SLICE("DeviceStatus"),
        .state = id % 3 ? PLATFORM_COMMAND_ANSWERED : PLATFORM_COMMAND_SENT,
        .is_final = fake.commands_final,
        .asked_utc_ms = 1000,
        .answer = SLICE("{\"Result\":\"OK\"}"),
    };
    if (fake.command) {
        *out = *fake.command;
        out->id = id;
    }
    return id && id >= fake.first_command && id <= fake.n_commands;
}

bool platform_command_before(const struct platform *p, uint64_t before,
                             struct platform_command *out)
{
    return platform_command_view(p, before ? before - 1 : fake.n_commands,
                                 out);
}

const char *platform_upgrade_state_name(enum platform_upgrade_state s)
{
    return s == PLATFORM_UPGRADE_SENT ? "sent" : "fetched";
}

bool platform_upgrade_view(const struct platform *p, struct slice session,
                           struct platform_upgrade *out)
{
    (void)p;
    *out = (struct platform_upgrade){
        .number = 7,
        .session = slice_str(fake.upgrade), .device = fake.device[0].id,
        .file = slice_str(fake.upgrade_file), .state = fake.upgrade_state,
        .command = 7, .asked_utc_ms = 1000,
    };
    return fake.upgrade[0] && slice_eq(session, out->session);
}

bool platform_upgrade_at(const struct platform *p, size_t i,
                         struct platform_upgrade *out)
{
    return i == 0 && platform_upgrade_view(p, slice_str(fake.upgrade), out);
}

bool platform_upgrade_may_fetch(const struct platform *p, struct slice session,
                                struct slice *file)
{
    struct platform_upgrade u;

    if (!platform_upgrade_view(p, session, &u) ||
        u.state > PLATFORM_UPGRADE_FETCHED)
        return false;
    *file = u.file;
    return true;
}

int platform_upgrade_start(struct platform *p,
                           const struct platform_upgrade_order *o,
                           struct gb_time now)
{
    (void)p;
    (void)now;
    if (fake.set_err)
        return fake.set_err;
    slice_copy(fake.upgrade, sizeof(fake.upgrade), o->session);
    slice_copy(fake.upgrade_file, sizeof(fake.upgrade_file), o->file);
    slice_copy(fake.upgrade_url, sizeof(fake.upgrade_url), o->url);
    slice_copy(fake.upgrade_maker, sizeof(fake.upgrade_maker),
               o->manufacturer);
    fake.upgrade_state = PLATFORM_UPGRADE_SENT;
    return 0;
}

void platform_upgrade_fetched(struct platform *p, struct slice session,
                              uint64_t bytes, bool whole, struct gb_time now)
{
    (void)p;
    (void)now;
    (void)session;
    fake.fetched += bytes;
    fake.fetched_whole += whole;
}

bool platform_has_device(const struct platform *p, struct slice id)
{
    struct platform_device d;

    return platform_device_view(p, id, &d);
}

bool platform_device_reaches(const struct platform *p, struct slice id,
                             struct gb_addr *out)
{
    *out = (struct gb_addr){ GB_IPV4, { 192, 0, 2, 1 }, 0 };
    return platform_has_device(p, id);
}

const char *platform_outcome_name(enum platform_outcome o)
{
    return o == PLATFORM_OUTCOME_SILENT ? "silent" : "answered";
}

bool platform_profile_view(const struct platform *p, struct slice id,
                           struct platform_profile *out)
{
    struct platform_device d;

    *out = (struct platform_profile){ .edition_told = true, .digest = SLICE("MD5") };
    return platform_device_view(p, id, &d);
}

bool platform_profile_command(const struct platform *p, struct slice id,
                              size_t *pos,
                              struct platform_profile_command *out)
{
    (void)p;
    (void)id;
    *out = (struct platform_profile_command){ .cmd = SLICE("DeviceStatus"),
                                              .knows = true };
    return (*pos)++ == 0;
}

bool platform_profile_deviation(const struct platform *p, struct slice id,
                                size_t *pos, const char **text)
{
    (void)p;
    (void)id;
    *text = "SN is missing";
    return (*pos)++ == 0;
}

const char *platform_observed_name(enum platform_observed o)
{
    return o == PLATFORM_OBSERVED_FAILED ? "failed" : "unseen";
}

bool platform_device_change(const struct platform *p, struct slice id, size_t i,
                            struct platform_change *out)
{
    (void)p;
    *out = (struct platform_change){ 1000 - (int64_t)i, i == 0, "registered" };
    return slice_eq(id, fake.device[0].id) && i < 2;
}

bool platform_channel_owner(const struct platform *p, struct slice channel,
                            struct slice *device)
{
    size_t n = 0;

    (void)p;
    for (size_t i = 0; i < fake.n_channels; i++) {
        if (slice_eq(fake.channel[i].id, channel)) {
            *device = fake.channel[i].device;
            n++;
        }
    }
    return n == 1;
}

const char *platform_subscription_name(enum platform_subscription_kind k)
{
    static const char *const names[] = { "catalog", "alarm", "position",
                                         "ptz" };

    return names[k];
}

const char *platform_subscription_state_name(enum platform_subscription_state s)
{
    return s == PLATFORM_SUBSCRIPTION_ACTIVE ? "active" : "refused";
}

size_t platform_subscriptions_of(
    const struct platform *p, struct slice device,
    struct platform_subscription out[static PLATFORM_SUBSCRIPTION_KINDS])
{
    (void)p;
    out[0] = (struct platform_subscription){
        .device = device, .kind = PLATFORM_SUBSCRIBE_ALARM,
        .state = PLATFORM_SUBSCRIPTION_ACTIVE, .status = 200,
        .expires_utc_ms = 1, .next_utc_ms = 1,
    };
    return 1;
}

/* Red at the link of fake.sick, when one is. */
void platform_doctor(const struct platform *p, const struct doctor_question *q,
                     struct doctor_report *out)
{
    (void)p;
    memset(out, 0, sizeof(*out));
    fake.can = q->can;
    out->first = fake.sick - 1;
    out->transport = PLATFORM_UDP;
    for (int i = 0; i < DOCTOR_LINKS; i++)
        out->link[i].state = DOCTOR_GREEN;
    if (out->first < 0)
        return;
    out->link[out->first] = (struct doctor_finding){
        .state = DOCTOR_RED, .ms = 5, .evidence = SLICE("seen \"this\""),
        .hint = SLICE("use tcp-passive"),
        .remedies = (1u << DOCTOR_REMEDIES) - 1,
    };
}

bool platform_pending_at(const struct platform *p, size_t i,
                         struct platform_pending *out)
{
    (void)p;
    if (i >= fake.n_pending)
        return false;
    *out = fake.pending[i];
    return true;
}

int platform_device_refresh(struct platform *p, struct slice id,
                            struct gb_time now)
{
    (void)p;
    (void)id;
    (void)now;
    fake.refreshed++;
    return fake.refresh_err;
}

int platform_command_refresh(struct platform *p, struct slice device,
                             struct gb_time now, uint64_t *id)
{
    int err = platform_device_refresh(p, device, now);

    *id = err ? 0 : ++fake.n_commands;
    return err;
}

int platform_device_remove(struct platform *p, struct slice id,
                           struct gb_time now)
{
    struct platform_device d;

    (void)now;
    if (!platform_device_view(p, id, &d))
        return GB_ENOENT;
    fake.n_devices--; /* tests remove the last one only */
    return 0;
}

static inline void fake_keep(const struct platform_settings *s)
{
    fake.set = *s;
    slice_copy(fake.password, sizeof(fake.password), s->password);
    slice_copy(fake.given_name, sizeof(fake.given_name), s->name);
    slice_copy(fake.group_of, sizeof(fake.group_of), s->group);
}

int platform_device_set(struct platform *p, struct slice id,
                        const struct platform_settings *s, struct gb_time now)
{
    (void)now;
    fake_keep(s);
    for (size_t i = 0; i < fake.n_devices; i++) {
        struct platform_device *d = &fake.device[i];

        if (!slice_eq(d->id, id))
            continue;
        if (fake.set_err)
            return fake.set_err;
        if (s->set & PLATFORM_SET_PASSWORD)
            d->has_password = s->password.n > 0;
        if (s->set & PLATFORM_SET_DATE)
            d->date = s->date;
        if (s->set & PLATFORM_SET_EDITION)
            d->edition_set = s->edition;
        if (s->set & PLATFORM_SET_REQUIRE)
            d->ignore_require = s->ignore_require;
        if (s->set & PLATFORM_SET_DIGEST)
            d->digest = s->digest;
        if (s->set & PLATFORM_SET_MEDIA)
            d->media = s->media;
        return 0;
    }
    (void)p;
    return GB_ENOENT;
}

int platform_device_create(struct platform *p, struct slice id,
                           const struct platform_settings *s,
                           struct gb_time now)
{
    struct platform_device d;

    if (fake.set_err)
        return fake.set_err;
    if (platform_device_view(p, id, &d))
        return GB_EEXIST;
    slice_copy(fake.created, sizeof(fake.created), id);
    fake_device(fake.created, "", false);
    return platform_device_set(p, slice_str(fake.created), s, now);
}

int platform_pending_accept(struct platform *p, struct slice id,
                            struct gb_time now)
{
    const struct platform_settings none = { 0 };

    if (fake.n_pending == 0 || !slice_eq(fake.pending[0].id, id))
        return GB_ENOENT;
    fake.n_pending = 0;
    return platform_device_create(p, id, &none, now);
}

int platform_pending_remove(struct platform *p, struct slice id,
                            struct gb_time now)
{
    (void)p;
    (void)now;
    if (fake.n_pending == 0 || !slice_eq(fake.pending[0].id, id))
        return GB_ENOENT;
    fake.n_pending = 0;
    return 0;
}

bool platform_group_next(const struct platform *p, struct slice after,
                         struct platform_group *out)
{
    (void)p;
    for (size_t i = 0; i < 4; i++) {
        struct slice name = slice_str(fake.group[i].name);

        if (name.n == 0 || (after.n && slice_cmp(name, after) <= 0))
            continue;
        *out = (struct platform_group){
            .name = name, .has_password = *fake.group[i].password != '\0'
        };
        return true;
    }
    return false;
}

bool platform_group_view(const struct platform *p, struct slice name,
                         struct platform_group *out)
{
    struct slice after = { NULL, 0 };

    for (; platform_group_next(p, after, out); after = out->name)
        if (slice_eq(out->name, name))
            return true;
    return false;
}

int platform_group_subscribe(struct platform *p, struct slice name,
                             const struct platform_policy *y, unsigned kinds,
                             struct gb_time now)
{
    (void)p;
    (void)name;
    (void)now;
    fake.group_kinds = kinds;
    fake.group_policy = *y;
    return 0;
}

int platform_group_set(struct platform *p, struct slice name,
                       const struct slice *password, struct gb_time now)
{
    size_t i = 0;

    (void)p;
    (void)now;
    if (name.n == 0 || slice_find(name, '/') < name.n)
        return GB_ESYNTAX;
    while (i < 4 && !slice_eq(slice_str(fake.group[i].name), name))
        i++;
    for (size_t k = 0; i == 4 && k < 4; k++)
        if (!*fake.group[k].name)
            i = k;
    if (i == 4)
        return GB_ELIMIT;
    slice_copy(fake.group[i].name, sizeof(fake.group[i].name), name);
    if (password)
        slice_copy(fake.group[i].password, sizeof(fake.group[i].password),
                   *password);
    return 0;
}

int platform_group_remove(struct platform *p, struct slice name,
                          struct gb_time now)
{
    (void)p;
    (void)now;
    for (size_t i = 0; i < 4; i++) {
        if (!slice_eq(slice_str(fake.group[i].name), name) || !name.n)
            continue;
        *fake.group[i].name = '\0';
        return 0;
    }
    return GB_ENOENT;
}

const char *platform_step_name(enum platform_step s)
{
    static const char *const names[] = {
#define X(id, name, text) name,
        PLATFORM_STEP_MAP(X)
#undef X
    };

    return names[s];
}

const char *platform_step_text(enum platform_step s)
{
    static const char *const texts[] = {
#define X(id, name, text) text,
        PLATFORM_STEP_MAP(X)
#undef X
    };

    return texts[s];
}

int platform_live_start(struct platform *p, const struct platform_live *req,
                        struct gb_time now, struct platform_session *out)
{
    struct platform_session *s;

    fake.live_req = *req;
    if (fake.live_err) {
        *out = fake.live_failed;
        return fake.live_err;
    }
    if (platform_live_find(p, req->device, req->channel, req->stream, out))
        return 0;
    s = &fake.session[fake.next_session % FAKE_MAX];
    *s = (struct platform_session){
        .id = ++fake.next_session,
        .stream = req->stream,
        .state = PLATFORM_STARTING,
        .step = PLATFORM_STEP_INVITE,
        .transport = req->transport,
        .loop = 1,
        .started_utc_ms = now.utc_ms,
    };
    /* Names of the table, which live on. */
    for (size_t i = 0; i < fake.n_channels; i++) {
        if (slice_eq(fake.channel[i].id, req->channel) &&
            slice_eq(fake.channel[i].device, req->device)) {
            s->device = fake.channel[i].device;
            s->channel = fake.channel[i].id;
        }
    }
    *out = *s;
    return 0;
}

int platform_playback_start(struct platform *p,
                            const struct platform_recording *req,
                            struct gb_time now, struct platform_session *out)
{
    const struct platform_live live = { .device = req->device,
                                        .channel = req->channel,
                                        .stream = 100,
                                        .transport = req->transport };
    int err = platform_live_start(p, &live, now, out);
    struct platform_session *s;

    fake.recording = *req;
    if (err)
        return err;
    s = &fake.session[(out->id - 1) % FAKE_MAX];
    s->kind = req->kind;
    s->stream = 0;
    s->playback = (struct platform_playback){ .start_s = req->start_s,
                                              .stop_s = req->stop_s,
                                              .scale_milli = 1000 };
    *out = *s;
    return 0;
}

int platform_records_start(struct platform *p,
                           const struct platform_records_ask *q,
                           struct gb_time now, uint64_t *id)
{
    (void)p;
    (void)now;
    fake.records_ask = *q;
    slice_copy(fake.records_type, sizeof(fake.records_type), q->type);
    *id = fake.records.id = 77;
    fake.records.start_s = q->start_s;
    fake.records.stop_s = q->stop_s;
    return fake.records_err;
}

bool platform_records_view(const struct platform *p, uint64_t id,
                           struct platform_records *out)
{
    (void)p;
    *out = fake.records;
    return id == fake.records.id;
}

bool platform_record_at(const struct platform *p, uint64_t id, size_t i,
                        struct platform_record *out)
{
    (void)p;
    if (id != fake.records.id || i >= fake.records.n)
        return false;
    *out = fake.record[i];
    return true;
}

const char *platform_clock_source_name(enum platform_clock_source s)
{
    return s == PLATFORM_CLOCK_STATUS ? "DeviceStatus" : "register";
}

const char *platform_file_name(enum platform_file f)
{
    return f == PLATFORM_FILE_PS ? "ps" : "mp4";
}

const char *platform_download_state_name(enum platform_download_state s)
{
    static const char *const names[] = {
#define X(id, name) name,
        PLATFORM_DOWNLOAD_STATE_MAP(X)
#undef X
    };

    return names[s];
}

int platform_download_start(struct platform *p,
                            const struct platform_download_order *o,
                            struct gb_time now, uint64_t *id)
{
    struct platform_download *d = &fake.download[fake.n_downloads];

    (void)p;
    if (fake.download_err)
        return fake.download_err;
    fake.download_order = *o;
    *d = (struct platform_download){
        .id = 1700000000000 + fake.n_downloads++,
        .device = fake.device[0].id, .channel = fake.channel[0].id,
        .format = o->format, .speed = o->speed, .start_s = o->start_s,
        .stop_s = o->stop_s, .created_utc_ms = now.utc_ms,
        .total_ms = (int64_t)(o->stop_s - o->start_s) * 1000,
    };
    *id = d->id;
    return 0;
}

bool platform_download_at(const struct platform *p, size_t i,
                          struct platform_download *out)
{
    (void)p;
    if (i >= fake.n_downloads)
        return false;
    *out = fake.download[fake.n_downloads - 1 - i];
    return true;
}

bool platform_download_view(const struct platform *p, uint64_t id,
                            struct platform_download *out)
{
    for (size_t i = 0; platform_download_at(p, i, out); i++)
        if (out->id == id)
            return true;
    return false;
}

bool platform_download_gap_at(const struct platform *p, uint64_t id, size_t i,
                              struct platform_download_gap *out)
{
    (void)p;
    (void)id;
    if (i >= fake.n_gaps)
        return false;
    *out = fake.gap[i];
    return true;
}

int platform_download_cancel(struct platform *p, uint64_t id,
                             struct gb_time now)
{
    (void)p;
    (void)now;
    fake.cancelled = id;
    return 0;
}

int platform_session_control(struct platform *p, uint64_t id,
                             const struct platform_control *c,
                             struct gb_time now, uint32_t *number)
{
    struct platform_session *s = fake_session(id);

    (void)p;
    (void)now;
    fake.control = *c;
    if (fake.control_err)
        return fake.control_err;
    s->playback.control_status = 0;
    *number = ++s->playback.control;
    return 0;
}

int platform_timezone_min(const struct platform *p)
{
    (void)p;
    return 480;
}

const char *platform_session_kind_name(enum platform_session_kind k)
{
    static const char *const names[] = {
#define X(id, name) name,
        PLATFORM_SESSION_KIND_MAP(X)
#undef X
    };

    return names[k];
}

bool platform_session_view(const struct platform *p, uint64_t id,
                           struct platform_session *out)
{
    struct platform_session *s = fake_session(id);

    (void)p;
    if (s)
        *out = *s;
    return s != NULL;
}

bool platform_session_at(const struct platform *p, size_t i,
                         struct platform_session *out)
{
    (void)p;
    for (size_t k = 0; k < FAKE_MAX; k++) {
        if (fake.session[k].id && i-- == 0) {
            *out = fake.session[k];
            return true;
        }
    }
    return false;
}

bool platform_live_find(const struct platform *p, struct slice device,
                        struct slice channel, unsigned stream,
                        struct platform_session *out)
{
    (void)p;
    for (size_t i = 0; i < FAKE_MAX; i++) {
        const struct platform_session *s = &fake.session[i];

        if (s->id && s->kind == PLATFORM_LIVE && s->stream == stream &&
            slice_eq(s->device, device) && slice_eq(s->channel, channel)) {
            *out = *s;
            return true;
        }
    }
    return false;
}

void platform_session_hold(struct platform *p, uint64_t id, struct gb_time now)
{
    (void)p;
    (void)now;
    if (fake_session(id))
        fake.holds[id]++;
}

void platform_session_release(struct platform *p, uint64_t id,
                              struct gb_time now)
{
    (void)p;
    (void)now;
    fake.holds[id]--;
}

void platform_session_stop(struct platform *p, uint64_t id, struct gb_time now)
{
    struct platform_session *s = fake_session(id);

    (void)p;
    (void)now;
    if (s)
        s->state = PLATFORM_STOPPING;
}

/* ---- voices ---- */

const char *platform_voice_mode_name(enum platform_voice_mode m)
{
    return m == PLATFORM_VOICE_TALK ? "talk" : "broadcast";
}

enum platform_voice_mode platform_voice_mode_by_name(struct slice name)
{
    return slice_eq(name, SLICE("talk"))        ? PLATFORM_VOICE_TALK
           : slice_eq(name, SLICE("broadcast")) ? PLATFORM_VOICE_BROADCAST
           : slice_eq(name, SLICE("auto"))      ? PLATFORM_VOICE_AUTO
                                                : PLATFORM_VOICE_MODES;
}

const char *platform_voice_step_name(enum platform_voice_step s)
{
    return s == PLATFORM_VOICE_STEP_SPEAKING ? "speaking"
           : s == PLATFORM_VOICE_STEP_INVITED ? "invited" : "device";
}

bool platform_voice_view(const struct platform *p, uint64_t id,
                         struct platform_voice *out)
{
    (void)p;
    for (size_t i = 0; i < 4; i++)
        if (id && fake.voice[i].id == id) {
            *out = fake.voice[i];
            return true;
        }
    return false;
}

bool platform_voice_at(const struct platform *p, size_t i,
                       struct platform_voice *out)
{
    return i < 4 && platform_voice_view(p, fake.voice[i].id, out);
}

bool platform_voice_of(const struct platform *p, struct slice device,
                       struct platform_voice *out)
{
    (void)p;
    for (size_t i = 0; i < 4; i++)
        if (fake.voice[i].id && slice_eq(fake.voice[i].device, device)) {
            *out = fake.voice[i];
            return true;
        }
    return false;
}

int platform_voice_start(struct platform *p,
                         const struct platform_voice_wish *w,
                         struct gb_time now, struct platform_voice *out)
{
    size_t i = 0;

    (void)now;
    fake.voice_wish = *w;
    slice_copy(fake.voice_who, sizeof(fake.voice_who), w->who);
    if (platform_voice_of(p, w->device, out))
        return GB_EEXIST;
    *out = (struct platform_voice){ .evidence = SLICE("told") };
    if (fake.voice_err)
        return fake.voice_err;
    while (i < 3 && fake.voice[i].id)
        i++;
    fake.voice[i] = (struct platform_voice){ .id = 70 + i };
    for (size_t k = 0; k < fake.n_devices; k++) /* its own text */
        if (slice_eq(fake.device[k].id, w->device))
            fake.voice[i].device = fake.voice[i].channel = fake.device[k].id;
    *out = fake.voice[i];
    return 0;
}

void platform_voice_stop(struct platform *p, uint64_t id, const char *why,
                         struct gb_time now)
{
    (void)p;
    (void)now;
    (void)id;
    fake.voice_stop = why;
}

void platform_counters(const struct platform *p, struct platform_counters *out)
{
    (void)p;
    *out = (struct platform_counters){ .registers = 3 };
}

void sip_stack_counters(const struct sip_stack *s, struct sip_counters *out)
{
    (void)s;
    *out = (struct sip_counters){ .received = 11 };
}
#endif
