/* Rules: between their table, what they lead to, and the store. */
#include "app/daemon_int.h"

#define ALARM_MAX 4096 /* bytes of the texts of one */

int daemon_make_rules(struct daemon *d)
{
    return rules_new(&d->rules, &gb_alloc_heap, d->platform);
}

void daemon_restore_rule(void *ctx, const struct store_rule *v)
{
    struct daemon *d = ctx;
    struct rule rule;
    int err = rules_read(&rule, v->name, v->lines);

    if (!err)
        err = rules_set(d->rules, &rule);
    if (err)
        log_f(LOG_ERROR, "msg=\"a stored rule is not followed\" rule=%.*s "
                         "why=\"%s\"", SLICE_ARG(v->name), gb_strerror(err));
}

void daemon_rule_changed(void *ctx, struct slice name)
{
    struct daemon *d = ctx;
    char lines[RULES_LINES_MAX];
    struct writer w = writer_of(lines, sizeof(lines));
    struct rule_view v;

    if (rules_view(d->rules, name, &v)) {
        rules_write(&w, &v.rule);
        store_put_rule(d->store, &(struct store_rule){
                                     .name = name,
                                     .lines = writer_slice(&w) });
    } else {
        store_remove_rule(d->store, name);
    }
}

static const char *turn(struct daemon *d, const struct rules_due *due)
{
    const struct platform_ptz ptz = {
        .device = due->device, .channel = due->channel,
        .command = { .op = MANSCDP_PTZ_PRESET_CALL,
                     .address = MANSCDP_PTZ_ADDRESS,
                     .preset = (uint8_t)due->preset },
    };
    uint64_t id;
    int err = platform_ptz(d->platform, &ptz, daemon_now(d), &id);

    return err == 0           ? NULL
           : err == GB_ESTATE ? "the device is offline"
           : err == GB_ENOENT ? "there is no such device"
                              : gb_strerror(err);
}

static const char *record(struct daemon *d, const struct rules_due *due)
{
    struct platform_channel c;
    int err;

    if (!d->rolls)
        return "there are no recordings here";
    if (!platform_channel_view(d->platform, due->device, due->channel, &c))
        return "the device has no such channel; name one in `at`";
    err = recorders_record(d->recorders, due->device, due->channel,
                           due->record_s, daemon_now(d));
    return err ? gb_strerror(err) : NULL;
}

/* NULL, or why not. */
static const char *carry_out(struct daemon *d, const struct rules_due *due,
                             const struct platform_alarm *alarm)
{
    int err;

    switch (due->action) {
    case RULES_RECORD:
        return record(d, due);
    case RULES_PRESET:
        return turn(d, due);
    case RULES_SNAPSHOT:
        return http_app_snapshot(d->app, due->device, due->channel);
    case RULES_WEBHOOK:
        err = http_app_rule_hook(d->app, due->webhook, due->rule, alarm);
        return err == GB_ENOENT ? "there is no webhook of this name"
               : err            ? gb_strerror(err)
                                : NULL;
    case RULES_ACTIONS:
        break;
    }
    return NULL;
}

/* Its texts in buf: what a rule leads to calls the platform, whose they are. */
static struct platform_alarm copy_of(const struct platform_alarm *alarm,
                                     char buf[static ALARM_MAX])
{
    struct platform_alarm a = *alarm;
    struct slice *const text[] = { &a.device, &a.channel, &a.priority,
                                   &a.method, &a.type, &a.event,
                                   &a.time, &a.description };
    size_t n = 0;

    for (size_t i = 0; i < sizeof(text) / sizeof(*text); i++) {
        *text[i] = slice_head(*text[i], ALARM_MAX - n);
        if (text[i]->n)
            memcpy(buf + n, text[i]->p, text[i]->n);
        text[i]->p = buf + n;
        n += text[i]->n;
    }
    return a;
}

void daemon_follow_rules(struct daemon *d, const struct platform_alarm *alarm)
{
    struct rules_walk walk = { 0 };
    struct platform_alarm a;
    struct rules_due due;
    char buf[ALARM_MAX];

    a = copy_of(alarm, buf);
    while (rules_next(d->rules, &walk, &a, daemon_now(d), &due)) {
        const char *why = carry_out(d, &due, &a);

        rules_told(d->rules, due.rule, why);
        if (why)
            log_f(LOG_WARN, "msg=\"a rule could not be followed\" rule=%.*s "
                            "device=%.*s why=\"%s\"", SLICE_ARG(due.rule),
                  SLICE_ARG(due.device), why);
    }
}
