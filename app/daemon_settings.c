/* The configuration as the platform, the store and the webhooks know it; at the
 * start and at SIGHUP. */
#include "app/daemon_int.h"
#include "app/net/random.h"
#include "sip/digest.h"

#define DAEMON_STEP_MS 9000 /* before HTTP_LIVE_WAIT_MS: an API call that waits
                               hears the evidence, not a mere time-out */
#define DAEMON_FIRST_KEY_MS 60000 /* smart codecs have one key frame a minute */
#define DAEMON_CATALOG_S 600     /* subscribe.catalog: true */
#define DAEMON_REPORTS_S 3600    /* subscribe.alarm, .position: true */

/* No list of the configuration is cut. */
_Static_assert(HOOK_DENY_MAX >= CONFIG_MAX_ITEMS, "webhooks.deny");

static size_t read_advertise(const struct config *c,
                             struct platform_advertise out[CONFIG_MAX_ITEMS])
{
    size_t n = config_n(c, CONFIG_NET_ADVERTISE);

    for (size_t i = 0; i < n; i++)
        config_net(c, CONFIG_NET_ADVERTISE, i, &out[i].net,
                   &out[i].bits, &out[i].address);
    return n;
}

/* What the platform may be told anew while it runs. */
static void read_policy(const struct config *c, struct platform_config *p,
                        struct platform_advertise adv[CONFIG_MAX_ITEMS])
{
    struct slice date = slice_str(config_text(c, CONFIG_SIP_DATE));

    p->auto_enrol = config_bool(c, CONFIG_SIP_AUTO_ENROL);
    p->date = slice_eq(date, SLICE("off"))   ? PLATFORM_DATE_OFF
              : slice_eq(date, SLICE("utc")) ? PLATFORM_DATE_UTC
                                             : PLATFORM_DATE_LOCAL;
    p->timezone_min = config_zone_min(c, CONFIG_SERVER_ZONE);
    p->quiet = !log_wants(LOG_INFO);
    p->download_bytes = (uint64_t)config_number(c, CONFIG_DOWNLOAD_MAX) << 30;
    p->trust_clocks = !config_bool(c, CONFIG_SIP_CLOCKS);
    p->idle_stop_s = config_number(c, CONFIG_MEDIA_IDLE);
    p->ptz_hold_ms = config_number(c, CONFIG_PTZ_HOLD) * 1000;
    p->reset_alarms = config_bool(c, CONFIG_ALARM_RESET);
    p->subscribe_s[PLATFORM_SUBSCRIBE_CATALOG] =
        config_period(c, CONFIG_SUB_CATALOG, DAEMON_CATALOG_S);
    p->subscribe_s[PLATFORM_SUBSCRIBE_ALARM] =
        config_period(c, CONFIG_SUB_ALARM, DAEMON_REPORTS_S);
    p->subscribe_s[PLATFORM_SUBSCRIBE_POSITION] =
        config_period(c, CONFIG_SUB_POSITION, DAEMON_REPORTS_S);
    p->subscribe_s[PLATFORM_SUBSCRIBE_PTZ] =
        config_period(c, CONFIG_SUB_PTZ, DAEMON_REPORTS_S);
    p->rate_per_s = config_number(c, CONFIG_LIMIT_RATE);
    p->rate_burst = 5 * p->rate_per_s;
    p->advertise = adv;
    p->n_advertise = read_advertise(c, adv);
    config_addr(c, CONFIG_MEDIA_ADDRESS, 0, &p->media_address);
}

/* Lists of the configuration as the platform takes them, which copies. */
struct admission {
    struct platform_net allow[CONFIG_MAX_ITEMS], deny[CONFIG_MAX_ITEMS];
    const char *allow_ids[CONFIG_MAX_ITEMS], *deny_ids[CONFIG_MAX_ITEMS];
    struct platform_redirect redirect[CONFIG_MAX_ITEMS];
    char prefix[CONFIG_MAX_ITEMS][CONFIG_PREFIX_MAX];
};

static size_t read_nets(const struct config *c, enum config_key k,
                        struct platform_net *out)
{
    size_t n = config_n(c, k);

    for (size_t i = 0; i < n; i++)
        config_net(c, k, i, &out[i].net, &out[i].bits, NULL);
    return n;
}

static size_t read_ids(const struct config *c, enum config_key k,
                       const char **out)
{
    size_t n = config_n(c, k);

    for (size_t i = 0; i < n; i++)
        out[i] = config_item(c, k, i);
    return n;
}

static unsigned read_digests(const struct config *c)
{
    unsigned bits = 0;

    for (size_t i = 0; i < config_n(c, CONFIG_SIP_DIGEST); i++)
        bits |= 1u << sip_digest_by_word(
                    slice_str(config_item(c, CONFIG_SIP_DIGEST, i)));
    return bits;
}

static void read_admission(const struct config *c, struct admission *a,
                           struct platform_config *pc)
{
    pc->digest = read_digests(c);
    pc->offer_qop = config_bool(c, CONFIG_SIP_QOP);
    pc->strangers_per_s = config_number(c, CONFIG_LIMIT_STRANGERS);
    pc->registers_per_s = config_number(c, CONFIG_LIMIT_REGISTERS);
    pc->ban_failures = config_number(c, CONFIG_LIMIT_BAN_FAILURES);
    pc->ban_s = config_number(c, CONFIG_LIMIT_BAN);
    pc->max_pending = config_number(c, CONFIG_LIMIT_PENDING);
    pc->allow = a->allow;
    pc->n_allow = read_nets(c, CONFIG_SIP_ALLOW, a->allow);
    pc->deny = a->deny;
    pc->n_deny = read_nets(c, CONFIG_SIP_DENY, a->deny);
    pc->allow_ids = a->allow_ids;
    pc->n_allow_ids = read_ids(c, CONFIG_SIP_ALLOW_IDS, a->allow_ids);
    pc->deny_ids = a->deny_ids;
    pc->n_deny_ids = read_ids(c, CONFIG_SIP_DENY_IDS, a->deny_ids);
    pc->redirect = a->redirect;
    for (size_t i = 0; config_redirect(c, CONFIG_SIP_REDIRECT, i, a->prefix[i],
                                       &a->redirect[i].target); i++) {
        a->redirect[i].prefix = a->prefix[i];
        pc->n_redirect = i + 1;
    }
}

/* How much history is kept. */
void daemon_set_retention(struct daemon *d, const struct config *c)
{
    const struct store_retention keep = {
        .rows = { [STORE_ALARMS] = config_number(c, CONFIG_KEEP_ALARMS),
                  [STORE_POSITIONS] = config_number(c, CONFIG_KEEP_POSITIONS),
                  [STORE_COMMANDS] = config_number(c, CONFIG_KEEP_COMMANDS),
                  [STORE_AUDITS] = config_number(c, CONFIG_KEEP_AUDIT) },
        .days = {
            [STORE_ALARMS] = config_number(c, CONFIG_KEEP_ALARM_DAYS),
            [STORE_POSITIONS] = config_number(c, CONFIG_KEEP_POSITION_DAYS),
            [STORE_COMMANDS] = config_number(c, CONFIG_KEEP_COMMAND_DAYS),
            [STORE_AUDITS] = config_number(c, CONFIG_KEEP_AUDIT_DAYS) },
    };

    store_retain(d->store, &keep);
}

static unsigned kinds_of(struct slice words)
{
    unsigned kinds = 0;
    struct slice one;

    while (words.n) {
        slice_cut(&words, '+', &one);
        kinds |= 1u << hooks_kind_by_name(one);
    }
    return kinds;
}

/* Those of webhooks.to, named by their place in it. */
void daemon_set_hooks(struct daemon *d, const struct config *c)
{
    struct hook_net deny[CONFIG_MAX_ITEMS];
    struct slice url, secret, kinds;
    size_t n = 0;

    hooks_mark(d->hooks);
    for (size_t i = 0; config_hook(c, CONFIG_HOOKS_TO, i, &url, &secret,
                                   &kinds); i++) {
        char name[24];
        struct hook_settings s = { .url = url, .secret = secret, .fixed = true,
                                   .kinds = kinds_of(kinds) };
        int err;

        snprintf(name, sizeof(name), "config-%zu", i + 1);
        s.name = slice_str(name);
        err = hooks_set(d->hooks, &s, daemon_now(d));
        if (err)
            log_f(LOG_ERROR, "msg=\"a webhook of the configuration is not "
                             "called\" hook=%s why=\"%s\"", name,
                  err == GB_EUNSUPPORTED
                      ? "https needs a build with TLS and the file webhooks.ca"
                      : gb_strerror(err));
    }
    hooks_sweep(d->hooks);
    while (n < config_n(c, CONFIG_HOOKS_DENY)) {
        config_net(c, CONFIG_HOOKS_DENY, n, &deny[n].net, &deny[n].bits, NULL);
        n++;
    }
    hook_client_deny(d->caller, deny, n);
    hook_client_touch(d->caller);
}

void daemon_reload(struct daemon *d, const struct config *c)
{
    struct platform_advertise adv[CONFIG_MAX_ITEMS];
    struct platform_config pc = { 0 };
    struct admission lists;

    read_policy(c, &pc, adv);
    read_admission(c, &lists, &pc);
    daemon_set_retention(d, c);
    daemon_set_record_limits(d, c);
    daemon_set_hooks(d, c);
    if (platform_reload(d->platform, &pc))
        log_f(LOG_ERROR, "msg=\"lists are not all taken over\" "
                         "why=\"no memory\"");
}

int daemon_start_platform(struct daemon *d, char why[static WHY_MAX])
{
    struct platform_advertise adv[CONFIG_MAX_ITEMS];
    struct admission lists;
    const struct config *c = d->config;
    struct platform_config pc = {
        .alloc = blocks_alloc(d->blocks),
        .sip = d->sip,
        .id = config_text(c, CONFIG_SERVER_ID),
        .realm = d->realm,
        .password = d->password,
        .keep_open_ms = 1000 * config_number(c, CONFIG_SIP_KEEP_OPEN),
        .answer_ms = DAEMON_STEP_MS,
        .media_ms = DAEMON_STEP_MS,
        .program_ms = DAEMON_STEP_MS,
        .first_key_ms = DAEMON_FIRST_KEY_MS,
        .max_devices = config_number(c, CONFIG_LIMIT_DEVICES),
        .max_channels = config_number(c, CONFIG_LIMIT_CHANNELS),
        .max_device_channels = config_number(c, CONFIG_LIMIT_OF_DEVICE),
        .max_sessions = config_number(c, CONFIG_LIMIT_SESSIONS),
        .media_loops = daemon_media_threads(c),
    };
    int err;

    read_policy(c, &pc, adv);
    read_admission(c, &lists, &pc);
    config_ports(c, CONFIG_MEDIA_PORTS, &pc.port_min, &pc.port_max);
    random_bytes(pc.seed, sizeof(pc.seed));
    err = platform_new(&d->platform, &pc, daemon_now(d));
    return err ? daemon_fail(why, err, "platform", gb_strerror(err)) : 0;
}
