#include "app/platform/profile.h"

#include "app/platform/core.h"

#define ROWS_MAX 64    /* commands of the vocabulary */
#define SILENT_MEANS_NO 2

struct seen {
    uint8_t last;   /* enum platform_outcome */
    uint8_t silent; /* times one after the other */
    uint16_t asked; /* times in all */
};

struct profile {
    bool by_message, by_notify, typed, untyped; /* its alarms */
    struct seen of[ROWS_MAX];
};

static struct profile *profile_of(struct platform *p, struct device *d)
{
    if (!d->profile)
        d->profile = gb_get(p->alloc, sizeof(*d->profile));
    return d->profile;
}

void profile_note(struct platform *p, struct device *d,
                  const struct manscdp_row *row, enum platform_outcome o)
{
    struct profile *f = profile_of(p, d);
    size_t n, i = (size_t)(row - manscdp_rows(&n));

    if (!f || i >= ROWS_MAX)
        return;
    f->of[i].last = (uint8_t)o;
    if (f->of[i].asked < UINT16_MAX)
        f->of[i].asked++;
    if (o != PLATFORM_OUTCOME_SILENT)
        f->of[i].silent = 0;
    else if (f->of[i].silent < UINT8_MAX)
        f->of[i].silent++;
}

void profile_alarm(struct platform *p, struct device *d, bool by_notify,
                   bool typed)
{
    struct profile *f = profile_of(p, d);

    if (!f)
        return;
    f->by_notify |= by_notify;
    f->by_message |= !by_notify;
    f->typed |= typed;
    f->untyped |= !typed;
}

const char *platform_outcome_name(enum platform_outcome o)
{
    static const char *const names[] = {
#define X(id, name) name,
        PLATFORM_OUTCOME_MAP(X)
#undef X
    };

    return names[o];
}

bool platform_profile_view(const struct platform *p, struct slice id,
                           struct platform_profile *out)
{
    const struct device *d = device_find(p, id);
    const struct profile *f = d ? d->profile : NULL;

    if (!d)
        return false;
    *out = (struct platform_profile){
        .edition_told = d->edition_known,
        .media = d->learnt,
        .behind_nat = d->behind_nat,
        .keepalive_gap_ms = d->gap_ms,
        .digest = d->ha1_alg == SIP_DIGEST_OTHER
                      ? slice_of(NULL, 0)
                      : sip_digest_name((enum sip_digest_alg)d->ha1_alg),
    };
    if (f) {
        out->alarms_by_message = f->by_message;
        out->alarms_by_notify = f->by_notify;
        out->alarms_typed = f->typed;
        out->alarms_untyped = f->untyped;
    }
    return true;
}

bool platform_profile_command(const struct platform *p, struct slice id,
                              size_t *pos, struct platform_profile_command *out)
{
    const struct device *d = device_find(p, id);
    size_t n;
    const struct manscdp_row *rows = manscdp_rows(&n);

    if (!d || !d->profile)
        return false;
    for (; *pos < n && *pos < ROWS_MAX; ++*pos) {
        const struct seen *s = &d->profile->of[*pos];
        const struct manscdp_row *row = &rows[*pos];

        if (!s->asked)
            continue;
        *out = (struct platform_profile_command){
            .cmd = slice_str(manscdp_cmd_name(row->cmd)),
            .sub = row->sub,
            .last = s->last,
            .asked = s->asked,
            .silent = s->silent,
            .knows = s->last == PLATFORM_OUTCOME_ANSWERED ||
                     s->last == PLATFORM_OUTCOME_ARRIVED,
            .lacks = s->last == PLATFORM_OUTCOME_REFUSED ||
                     s->silent >= SILENT_MEANS_NO,
        };
        ++*pos;
        return true;
    }
    return false;
}

bool platform_profile_deviation(const struct platform *p, struct slice id,
                                size_t *pos, const char **text)
{
    const struct device *d = device_find(p, id);

    for (; d && *pos < DEVIATION_COUNT; ++*pos) {
        if (!(d->noted >> *pos & 1))
            continue;
        *text = deviation_text((enum deviation)*pos);
        ++*pos;
        return true;
    }
    return false;
}
