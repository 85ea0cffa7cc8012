#include "app/platform/admit.h"

#include "app/platform/core.h"

#include "base/writer.h"

#define ID_MIN 18 /* rule B of the standard; rule A has 20 */
#define ID_MAX 20
#define MISTYPED_MIN 16
#define RESERVE_RATE 2   /* messages a second of a device on a new port, when */
#define RESERVE_BURST 10 /* its source has spent its bucket */
#define SUMMARY_MS 60000 /* between two lines about strangers */

/* ---- looking without parsing ---- */

bool admit_is_id(struct slice user)
{
    return user.n >= ID_MIN && user.n <= ID_MAX && slice_digits(user) == user.n;
}

/* The user part of the first URI in the rest of a header line. */
static struct slice user_of(struct slice line)
{
    struct slice user = { NULL, 0 };
    size_t colon = slice_find(line, ':'), end;

    if (colon == line.n)
        return user;
    line = slice_from(line, colon + 1);
    for (end = 0; end < line.n; end++)
        if (line.p[end] == '@')
            return slice_head(line, end);
        else if (line.p[end] == '>' || line.p[end] == ';' ||
                 ascii_is_space(line.p[end]))
            break;
    return user;
}

/* Value of the line when its name is `name` or the letter `brief`. A value
 * that begins on the next line (folded) is not seen: it is then empty. */
static bool is_field(struct slice line, struct slice name, char brief,
                     struct slice *value)
{
    size_t n = slice_has_iprefix(line, name)               ? name.n
               : brief && line.n && ascii_lower(*line.p) == brief ? 1
                                                                  : 0;

    while (n && n < line.n && ascii_is_blank(line.p[n]))
        n++;
    if (n == 0 || n == line.n || line.p[n] != ':')
        return false;
    *value = slice_trim(slice_from(line, n + 1));
    return true;
}

void admit_peek(struct admit_peek *out, struct slice bytes)
{
    struct slice rest = slice_head(bytes, ADMIT_PEEK_BYTES), line, value;
    bool more = slice_cut(&rest, '\n', &line);

    *out = (struct admit_peek){
        .is_response = slice_has_prefix(line, SLICE("SIP/")),
        .is_register = slice_has_prefix(line, SLICE("REGISTER ")),
    };
    while (more) {
        more = slice_cut(&rest, '\n', &line);
        if (line.n == 0 || *line.p == '\r')
            break; /* the body is not ours to read */
        if (out->is_response ? is_field(line, SLICE("To"), 't', &value)
                             : is_field(line, SLICE("From"), 'f', &value))
            out->user = user_of(value);
        else if (is_field(line, SLICE("User-Agent"), 0, &value))
            out->agent = value;
    }
}

/* Digits alone, and nearly as many as an id has: typed wrong into a device,
 * whose owner wants to hear of it. Scanners try shorter ones, telephone numbers
 * at most. */
static bool is_mistyped(struct slice user)
{
    return user.n >= MISTYPED_MIN && user.n < PLATFORM_ID_MAX &&
           slice_digits(user) == user.n;
}

bool admit_is_scanner(const struct admit_peek *k)
{
    static const struct slice agents[] = {
        SLICE_INIT("friendly-scanner"), SLICE_INIT("friendly-request"),
        SLICE_INIT("sipvicious"),       SLICE_INIT("sipcli"),
        SLICE_INIT("sip-scan"),         SLICE_INIT("sipscan"),
        SLICE_INIT("pplsip"),           SLICE_INIT("VaxSIPUserAgent"),
        SLICE_INIT("sundayddr"),        SLICE_INIT("iWar"),
        SLICE_INIT("SIVuS"),            SLICE_INIT("siparmyknife"),
        SLICE_INIT("smap"),             SLICE_INIT("nmap"),
        SLICE_INIT("masscan"),          SLICE_INIT("zgrab"),
    };

    for (size_t i = 0; i < sizeof(agents) / sizeof(*agents); i++)
        if (slice_has_iprefix(k->agent, agents[i]))
            return true;
    /* no user, and one with escapes, are for the parser to judge */
    return !k->is_response && k->user.n && !admit_is_id(k->user) &&
           !(k->is_register && is_mistyped(k->user)) &&
           slice_find(k->user, '%') == k->user.n;
}

/* ---- lists of the configuration ---- */

static bool in_nets(const struct platform_net *net, size_t n,
                    const struct gb_addr *a)
{
    for (size_t i = 0; i < n; i++)
        if (gb_addr_in_net(a, &net[i].net, net[i].bits))
            return true;
    return false;
}

bool admit_net_allowed(const struct platform *p, const struct gb_addr *a)
{
    const struct platform_config *c = &p->cfg;

    return !in_nets(c->deny, c->n_deny, a) &&
           (c->n_allow == 0 || in_nets(c->allow, c->n_allow, a));
}

static bool has_prefix_of(const char *const *list, size_t n, struct slice id)
{
    for (size_t i = 0; i < n; i++)
        if (slice_has_prefix(id, slice_str(list[i])))
            return true;
    return false;
}

bool admit_id_allowed(const struct platform *p, struct slice id)
{
    const struct platform_config *c = &p->cfg;

    return !has_prefix_of(c->deny_ids, c->n_deny_ids, id) &&
           (c->n_allow_ids == 0 ||
            has_prefix_of(c->allow_ids, c->n_allow_ids, id));
}

/* ---- strangers ---- */

/* Remembers who was turned away, for the line of this minute. */
static bool turn_away(struct platform *p, const struct sip_peer *from,
                      struct slice bytes, uint64_t *counter)
{
    struct stranger_summary *s = &p->summary;
    struct admit_peek k;

    (*counter)++;
    if (s->n++ == 0)
        s->due_ms = p->now.mono_ms + SUMMARY_MS;
    if (s->n == 1 || counter == &p->counters.scanners) {
        admit_peek(&k, bytes); /* one example is enough */
        s->peer = from->remote;
        slice_copy(s->user, sizeof(s->user), k.user);
        slice_copy(s->agent, sizeof(s->agent), k.agent);
    }
    return false;
}

void admit_summary(struct platform *p)
{
    const struct platform_counters *c = &p->counters, *o = &p->summary.before;
    struct stranger_summary *s = &p->summary;
    char addr[GB_ADDR_TEXT_MAX], user[LOG_TEXT_MAX], agent[LOG_TEXT_MAX];

    if (s->n == 0 || p->now.mono_ms < s->due_ms)
        return;
    platform_log(p, PLATFORM_WARN,
                 "msg=\"strangers were not answered\" n=%llu scanners=%llu "
                 "rate=%llu banned=%llu denied=%llu peer=%s user=\"%s\" "
                 "agent=\"%s\"",
                 (unsigned long long)s->n,
                 (unsigned long long)(c->scanners - o->scanners),
                 (unsigned long long)(c->rate_limited - o->rate_limited),
                 (unsigned long long)(c->banned - o->banned),
                 (unsigned long long)(c->denied - o->denied),
                 gb_addr_text(&s->peer, addr),
                 log_text(slice_str(s->user), user),
                 log_text(slice_str(s->agent), agent));
    *s = (struct stranger_summary){ .before = *c };
}

/* The device that the message names, if it is bound at this source. */
static struct device *neighbour(const struct platform *p,
                                const struct sip_peer *from,
                                const struct admit_peek *k)
{
    struct device *d = k->user.n ? device_find(p, k->user) : NULL;

    return d && d->bound && gb_addr_ip_eq(&d->peer.remote, &from->remote)
               ? d : NULL;
}

/* Its source has spent its bucket or is banned: may it still be a bound
 * device on a new port? A ban holds for REGISTERs, which guess passwords. */
static bool has_reserve(struct platform *p, struct sip_peer *from,
                        struct slice bytes, bool banned)
{
    struct admit_peek k;
    struct device *d;
    struct rare *rare;

    if (!device_at(p, &from->remote))
        return false;
    admit_peek(&k, bytes);
    d = neighbour(p, from, &k);
    if (!d || (banned && k.is_register))
        return false;
    from->quiet = true; /* the source has had its answers */
    rare = device_rare_own(p, d);
    return rare && bucket_take(&rare->reserve[k.is_register], RESERVE_RATE,
                               RESERVE_BURST, p->now.mono_ms);
}

/* Who has knocked before is listed with why nothing comes of it, though its
 * password may be right by now. */
static void note_banned(struct platform *p, const struct sip_peer *from,
                        struct slice bytes)
{
    char why[PENDING_REASON];
    struct writer w = writer_of(why, sizeof(why));
    struct admit_peek k;

    admit_peek(&k, bytes);
    if (!k.is_register || !pending_has(p, k.user))
        return;
    writer_f(&w, "its address is not answered for %u s more, too many wrong "
                 "passwords came from there: correct them, and wait",
             guard_banned_s(p, &from->remote));
    pending_note(p, k.user, k.agent, from, writer_slice(&w));
}

static bool admits_stranger(struct platform *p, struct sip_peer *from,
                            struct slice bytes)
{
    struct platform_counters *c = &p->counters;
    bool banned = guard_is_banned(p, &from->remote);
    struct admit_peek k;

    if (banned || !guard_allows(p, &from->remote)) {
        if (has_reserve(p, from, bytes, banned))
            return true;
        if (banned)
            note_banned(p, from, bytes);
        return turn_away(p, from, bytes,
                         banned ? &c->banned : &c->rate_limited);
    }
    if (!bucket_take(&p->strangers, p->cfg.strangers_per_s,
                     2 * p->cfg.strangers_per_s, p->now.mono_ms))
        return has_reserve(p, from, bytes, false) ||
               turn_away(p, from, bytes, &c->rate_limited);
    admit_peek(&k, bytes);
    if (admit_is_scanner(&k))
        return turn_away(p, from, bytes, &c->scanners);
    return true;
}

bool platform_admits(struct platform *p, struct sip_peer *from,
                     struct slice bytes, struct gb_time now)
{
    const struct device *d = device_bound_to(p, from);

    clock_at(p, now);
    if (d)
        from->ignore_require = d->ignores_require;
    if (d || (bytes.n < SIP_MIN_MESSAGE && from->transport == SIP_UDP))
        return true; /* too short for an answer; on a stream they get one */
    if (!admit_net_allowed(p, &from->remote))
        return turn_away(p, from, bytes, &p->counters.denied);
    return admits_stranger(p, from, bytes);
}
