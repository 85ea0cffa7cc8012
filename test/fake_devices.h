/* test/fake_devices.h - devices, channels, commands and settings of the fake platform */
#ifndef TEST_FAKE_DEVICES_H
#define TEST_FAKE_DEVICES_H

#include "test/fake_table.h"

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
    static const char *const names[] = {
#define X(id, name) name,
        PLATFORM_COMMAND_STATE_MAP(X)
#undef X
    };

    return names[s];
}

enum platform_command_state platform_command_state_by_name(struct slice name)
{
    unsigned i = 0;

    while (i < PLATFORM_COMMAND_STATES &&
           !slice_eq(name, slice_str(platform_command_state_name(i))))
        i++;
    return (enum platform_command_state)i;
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
    fake.fetched += session.n ? bytes : 0;
    fake.fetched_whole += session.n && whole;
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

bool platform_pending_next(const struct platform *p, struct slice after,
                           struct platform_pending *out)
{
    size_t i = 0;

    (void)p;
    while (after.n && i < fake.n_pending &&
           !slice_eq(fake.pending[i++].id, after))
        ;
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

/* The given name is the one that is not its own. */
bool platform_device_settings(const struct platform *p, struct slice id,
                              struct platform_settings *out)
{
    struct platform_device d;

    if (!platform_device_view(p, id, &d))
        return false;
    *out = (struct platform_settings){ .set = ~0u };
    if (!slice_eq(d.name, d.own_name))
        out->name = d.name;
    if (d.has_password)
        out->password = slice_str(fake.password);
    return true;
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
    for (size_t i = 0; i < FAKE_GROUPS; i++) {
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

struct slice platform_group_password(const struct platform *p,
                                     struct slice name)
{
    (void)p;
    for (size_t i = 0; i < FAKE_GROUPS; i++)
        if (slice_eq(slice_str(fake.group[i].name), name))
            return slice_str(fake.group[i].password);
    return slice_of(NULL, 0);
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
    while (i < FAKE_GROUPS && !slice_eq(slice_str(fake.group[i].name), name))
        i++;
    for (size_t k = 0; i == FAKE_GROUPS && k < FAKE_GROUPS; k++)
        if (!*fake.group[k].name)
            i = k;
    if (i == FAKE_GROUPS)
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
    for (size_t i = 0; i < FAKE_GROUPS; i++) {
        if (!slice_eq(slice_str(fake.group[i].name), name) || !name.n)
            continue;
        *fake.group[i].name = '\0';
        return 0;
    }
    return GB_ENOENT;
}
#endif
