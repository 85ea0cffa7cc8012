#include "app/platform/profile.h"

#include "app/platform/core.h"
#include "app/platform/voice.h"

#define ROWS_MAX 64    /* commands of the vocabulary */
#define SILENT_MEANS_NO 2
#define GAP_NEWS_MS 5000 /* a smaller move of the interval is none */

struct seen {
    uint8_t last;   /* enum platform_outcome */
    uint8_t silent; /* times one after the other */
    uint16_t asked; /* times in all */
};

/* What the owner was told last. */
struct told {
    uint64_t noted;
    uint32_t gap_ms;
    uint8_t media, digest;
    bool behind_nat;
};

struct profile {
    bool by_message, by_notify, typed, untyped; /* its alarms */
    uint8_t digest; /* enum sip_digest_alg, of before the restart */
    struct told told;
    struct seen of[ROWS_MAX];
};

static struct profile *profile_of(struct platform *p, struct device *d)
{
    struct about *a = device_about_own(p, d);

    if (a && !a->profile)
        a->profile = gb_get(p->alloc, sizeof(*a->profile));
    return a ? a->profile : NULL;
}

/* NULL: nothing seen yet. */
static struct profile *profile_if(const struct device *d)
{
    return device_about(d)->profile;
}

/* It proved itself with it; OTHER: it has not. */
static enum sip_digest_alg digest_of(const struct device *d)
{
    return (enum sip_digest_alg)(d->proven_alg != SIP_DIGEST_OTHER
                                     ? d->proven_alg
                                 : profile_if(d) ? profile_if(d)->digest
                                                 : SIP_DIGEST_OTHER);
}

static struct told now_of(const struct device *d)
{
    return (struct told){ device_about(d)->noted, d->gap_ms, d->learnt,
                          (uint8_t)digest_of(d), d->behind_nat };
}

void profile_told(struct device *d)
{
    struct profile *f = profile_if(d);

    if (f)
        f->told = now_of(d);
}

void profile_look(struct platform *p, struct device *d)
{
    struct profile *f = profile_if(d);
    struct told now, *was;
    uint32_t moved;

    if (!f)
        return;
    now = now_of(d);
    was = &f->told;
    moved = now.gap_ms > was->gap_ms ? now.gap_ms - was->gap_ms
                                     : was->gap_ms - now.gap_ms;
    if (now.noted != was->noted || now.media != was->media ||
        now.digest != was->digest || now.behind_nat != was->behind_nat ||
        (moved >= GAP_NEWS_MS && moved > was->gap_ms / 4))
        device_changed(p, d, PLATFORM_CHANGED_PROFILE);
}

/* Its verdict may be another one, or it was asked twice as often as then. */
static bool is_news(const struct seen *s, const struct seen *was)
{
    return s->last != was->last ||
           (s->silent != was->silent && s->silent <= SILENT_MEANS_NO) ||
           (s->asked & (s->asked - 1)) == 0;
}

void profile_note(struct platform *p, struct device *d,
                  const struct manscdp_row *row, enum platform_outcome o)
{
    struct profile *f = profile_of(p, d);
    size_t n, i = (size_t)(row - manscdp_rows(&n));
    struct seen was;

    if (!f || i >= ROWS_MAX)
        return;
    was = f->of[i];
    f->of[i].last = (uint8_t)o;
    if (f->of[i].asked < UINT16_MAX)
        f->of[i].asked++;
    if (o != PLATFORM_OUTCOME_SILENT)
        f->of[i].silent = 0;
    else if (f->of[i].silent < UINT8_MAX)
        f->of[i].silent++;
    if (is_news(&f->of[i], &was))
        device_changed(p, d, PLATFORM_CHANGED_PROFILE);
}

void profile_alarm(struct platform *p, struct device *d, bool by_notify,
                   bool typed)
{
    struct profile *f = profile_of(p, d);

    if (!f)
        return;
    if (!(by_notify ? f->by_notify : f->by_message) ||
        !(typed ? f->typed : f->untyped))
        device_changed(p, d, PLATFORM_CHANGED_PROFILE);
    f->by_notify |= by_notify;
    f->by_message |= !by_notify;
    f->typed |= typed;
    f->untyped |= !typed;
}

/* ---- across a restart ---- */

const char *platform_outcome_name(enum platform_outcome o)
{
    static const char *const names[] = {
#define X(id, name) name,
        PLATFORM_OUTCOME_MAP(X)
#undef X
    };

    return names[o];
}

/* By enum platform_transport. */
static const struct slice media_words[] = {
    SLICE_INIT("auto"), SLICE_INIT("udp"), SLICE_INIT("tcp-passive"),
    SLICE_INIT("tcp-active"),
};

static void write_commands(struct writer *w, const struct profile *f)
{
    size_t n;
    const struct manscdp_row *rows = manscdp_rows(&n);

    for (size_t i = 0; i < n && i < ROWS_MAX; i++) {
        const struct seen *s = &f->of[i];

        if (s->asked)
            writer_f(w, "%s%s%.*s=%s,%u,%u;", manscdp_cmd_name(rows[i].cmd),
                     rows[i].sub.n ? "/" : "", SLICE_ARG(rows[i].sub),
                     platform_outcome_name((enum platform_outcome)s->last),
                     s->asked, s->silent);
    }
}

static void write_way(struct writer *w, const struct rare *r)
{
    if (!r->contact.family)
        return;
    writer_str(w, "contact=");
    gb_addr_write(w, &r->contact);
    writer_str(w, r->by_contact ? ";way=contact;" : ";");
}

void profile_write(struct writer *w, const struct device *d)
{
    static const char *const faults[] = {
#define X(id, text) #id,
        DEVIATION_MAP(X)
#undef X
    };
    const struct profile *f = profile_if(d);

    if (d->edition_known)
        writer_str(w, "edition=told;");
    if (d->learnt != PLATFORM_AUTO)
        writer_f(w, "media=%s;", media_words[d->learnt].p);
    if (device_rare(d)->voice_mode) /* what worked, and whom it was for */
        writer_f(w, "voice=%s,%u;",
                 platform_voice_mode_name(
                     (enum platform_voice_mode)device_rare(d)->voice_mode),
                 device_rare(d)->voice_target);
    if (d->behind_nat)
        writer_str(w, "nat=yes;");
    write_way(w, device_rare(d));
    if (d->gap_ms)
        writer_f(w, "gap=%u;", (unsigned)d->gap_ms);
    if (digest_of(d) != SIP_DIGEST_OTHER)
        writer_f(w, "digest=%.*s;", SLICE_ARG(sip_digest_name(digest_of(d))));
    if (device_about(d)->deviations)
        writer_f(w, "faults=%llu;",
                 (unsigned long long)device_about(d)->deviations);
    for (unsigned v = 0; v < DEVIATION_COUNT; v++)
        if (device_has_noted(d, (enum deviation)v))
            writer_f(w, "fault=%s;", faults[v]);
    if (!f)
        return;
    writer_str(w, f->by_message ? "alarm=message;" : "");
    writer_str(w, f->by_notify ? "alarm=notify;" : "");
    writer_str(w, f->typed ? "alarm=typed;" : "");
    writer_str(w, f->untyped ? "alarm=untyped;" : "");
    write_commands(w, f);
}

static void read_fault(struct about *about, struct slice value)
{
    static const struct slice faults[] = {
#define X(id, text) SLICE_INIT(#id),
        DEVIATION_MAP(X)
#undef X
    };

    for (unsigned v = 0; v < DEVIATION_COUNT; v++)
        if (slice_eq(value, faults[v]))
            about->noted |= 1ull << v;
}

static void read_alarm(struct profile *f, struct slice value)
{
    f->by_message |= slice_eq(value, SLICE("message"));
    f->by_notify |= slice_eq(value, SLICE("notify"));
    f->typed |= slice_eq(value, SLICE("typed"));
    f->untyped |= slice_eq(value, SLICE("untyped"));
}

static void read_contact(struct platform *p, struct device *d,
                         struct slice value)
{
    struct gb_addr a;
    struct rare *r = gb_addr_parse(&a, value, 5060) ? NULL
                                                    : device_rare_own(p, d);

    if (r)
        r->contact = a;
}

static void read_way(struct device *d, struct slice value)
{
    if (d->rare && d->rare->contact.family)
        d->rare->by_contact = slice_eq(value, SLICE("contact"));
}

static void read_digest(struct profile *f, struct slice value)
{
    for (unsigned a = SIP_DIGEST_OTHER + 1; a < SIP_DIGEST_COUNT; a++)
        if (slice_eq(value, sip_digest_name((enum sip_digest_alg)a)))
            f->digest = (uint8_t)a;
}

static void read_media(struct device *d, struct slice value)
{
    for (unsigned t = PLATFORM_AUTO; t <= PLATFORM_TCP_ACTIVE; t++)
        if (slice_eq(value, media_words[t]))
            d->learnt = (uint8_t)t;
}

/* "broadcast,1" */
static void read_voice(struct platform *p, struct device *d,
                       struct slice value)
{
    struct rare *r = device_rare_own(p, d);
    enum platform_voice_mode mode;
    struct slice name;
    uint32_t target;

    slice_cut(&value, ',', &name);
    mode = platform_voice_mode_by_name(name);
    if (!r || mode == PLATFORM_VOICE_MODES || !slice_u32(value, 2, &target))
        return;
    r->voice_mode = (uint8_t)mode;
    r->voice_target = (uint8_t)target;
}

/* "answered,8,0" */
static bool read_seen(struct slice value, struct seen *s)
{
    struct slice last, asked;
    uint32_t n_asked, n_silent;

    slice_cut(&value, ',', &last);
    slice_cut(&value, ',', &asked);
    if (!slice_u32(asked, UINT16_MAX, &n_asked) ||
        !slice_u32(value, UINT8_MAX, &n_silent))
        return false;
    for (unsigned o = 0; o <= PLATFORM_OUTCOME_SILENT; o++) {
        if (!slice_eq(last, slice_str(platform_outcome_name(
                                (enum platform_outcome)o))))
            continue;
        *s = (struct seen){ (uint8_t)o, (uint8_t)n_silent, (uint16_t)n_asked };
        return true;
    }
    return false;
}

static void read_command(struct profile *f, struct slice key,
                         struct slice value)
{
    struct slice sub = key, cmd;
    size_t n;
    const struct manscdp_row *rows = manscdp_rows(&n);

    slice_cut(&sub, '/', &cmd);
    for (size_t i = 0; i < n && i < ROWS_MAX; i++)
        if (rows[i].root != MANSCDP_NOTIFY && slice_eq(sub, rows[i].sub) &&
            slice_eq(cmd, slice_str(manscdp_cmd_name(rows[i].cmd))))
            read_seen(value, &f->of[i]);
}

void profile_read(struct platform *p, struct device *d, struct slice line)
{
    struct profile *f = line.n ? profile_of(p, d) : NULL;
    struct about *about = f ? device_about_own(p, d) : NULL;
    struct slice value, key;

    if (!about)
        return;
    d->edition_known = d->behind_nat = false;
    while (line.n) {
        slice_cut(&line, ';', &value);
        slice_cut(&value, '=', &key);
        if (slice_eq(key, SLICE("edition")))
            d->edition_known = true;
        else if (slice_eq(key, SLICE("media")))
            read_media(d, value);
        else if (slice_eq(key, SLICE("voice")))
            read_voice(p, d, value);
        else if (slice_eq(key, SLICE("nat")))
            d->behind_nat = true;
        else if (slice_eq(key, SLICE("contact")))
            read_contact(p, d, value);
        else if (slice_eq(key, SLICE("way")))
            read_way(d, value);
        else if (slice_eq(key, SLICE("gap")))
            slice_u32(value, PLATFORM_GAP_MAX_MS, &d->gap_ms);
        else if (slice_eq(key, SLICE("digest")))
            read_digest(f, value);
        else if (slice_eq(key, SLICE("faults")))
            slice_u64(value, UINT64_MAX, &about->deviations);
        else if (slice_eq(key, SLICE("fault")))
            read_fault(about, value);
        else if (slice_eq(key, SLICE("alarm")))
            read_alarm(f, value);
        else
            read_command(f, key, value);
    }
    profile_told(d);
}

/* ---- views ---- */

bool platform_profile_view(const struct platform *p, struct slice id,
                           struct platform_profile *out)
{
    const struct device *d = device_find(p, id);
    const struct profile *f = d ? profile_if(d) : NULL;

    if (!d)
        return false;
    *out = (struct platform_profile){
        .edition_told = d->edition_known,
        .media = d->learnt,
        .behind_nat = d->behind_nat,
        .keepalive_gap_ms = d->gap_ms,
        .digest = digest_of(d) == SIP_DIGEST_OTHER
                      ? slice_of(NULL, 0)
                      : sip_digest_name(digest_of(d)),
    };
    if (f) {
        out->alarms_by_message = f->by_message;
        out->alarms_by_notify = f->by_notify;
        out->alarms_typed = f->typed;
        out->alarms_untyped = f->untyped;
    }
    return true;
}

static bool lacks(const struct seen *s)
{
    return s->last == PLATFORM_OUTCOME_REFUSED || s->silent >= SILENT_MEANS_NO;
}

bool profile_lacks(const struct device *d, const struct manscdp_row *row)
{
    size_t n, i;
    const struct manscdp_row *rows = manscdp_rows(&n);
    const struct profile *f = profile_if(d);

    i = (size_t)(row - rows);
    return f && i < n && i < ROWS_MAX && f->of[i].asked && lacks(&f->of[i]);
}

bool platform_profile_command(const struct platform *p, struct slice id,
                              size_t *pos, struct platform_profile_command *out)
{
    const struct device *d = device_find(p, id);
    const struct profile *f = d ? profile_if(d) : NULL;
    size_t n;
    const struct manscdp_row *rows = manscdp_rows(&n);

    if (!f)
        return false;
    for (; *pos < n && *pos < ROWS_MAX; ++*pos) {
        const struct seen *s = &f->of[*pos];
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
            .lacks = lacks(s),
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
        if (!device_has_noted(d, (enum deviation)*pos))
            continue;
        *text = deviation_text((enum deviation)*pos);
        ++*pos;
        return true;
    }
    return false;
}
