#include "app/net/noted.h"

#include "app/net/log.h"
#include "base/map.h"

#include <uv.h>

static const char *const kind_text[NOTED_KINDS] = {
#define X(id, text) text,
    NOTED_KIND_MAP(X)
#undef X
};

static struct noted_entry *find(struct noted *n, enum noted_kind kind,
                                const struct gb_addr *peer)
{
    static const uint64_t seed[2] = { 0x6e6f746564, 0 };
    uint64_t h = map_hash(seed, slice_of((const char *)peer->ip,
                                         sizeof(peer->ip))) + kind;
    struct noted_entry *set = n->entry[h % NOTED_SETS], *oldest = set;

    for (size_t i = 0; i < NOTED_WAYS; i++) {
        if (set[i].told_ms && set[i].kind == kind &&
            gb_addr_ip_eq(&set[i].peer, peer))
            return &set[i];
        if (set[i].told_ms < oldest->told_ms)
            oldest = &set[i];
    }
    *oldest = (struct noted_entry){ .peer = *peer, .kind = (uint8_t)kind };
    return oldest;
}

static bool take_token(struct noted *n, uint64_t now_ms)
{
    uint64_t milli = n->tokens_milli +
                     (now_ms - n->filled_ms) * NOTED_LINES_PER_S;

    n->tokens_milli = n->filled_ms == 0 || milli > NOTED_BURST * 1000u
                          ? NOTED_BURST * 1000u
                          : (uint32_t)milli;
    n->filled_ms = now_ms;
    if (n->tokens_milli < 1000)
        return false;
    n->tokens_milli -= 1000;
    return true;
}

bool noted_take(struct noted *n, enum noted_kind kind,
                const struct gb_addr *peer, uint64_t now_ms, uint32_t *silent,
                uint64_t *left_out)
{
    struct noted_entry *e = find(n, kind, peer);

    if (e->told_ms && now_ms - e->told_ms < NOTED_AGAIN_MS) {
        e->silent++;
        return false;
    }
    if (!take_token(n, now_ms)) {
        n->left_out++;
        return false;
    }
    *silent = e->silent;
    *left_out = n->left_out;
    e->silent = 0;
    e->told_ms = now_ms;
    n->left_out = 0;
    return true;
}

static uv_mutex_t lock;

static void lock_init(void)
{
    uv_mutex_init(&lock);
}

void noted_bad(enum noted_kind kind, const struct gb_addr *peer,
               const char *why)
{
    static struct noted table;
    static uv_once_t once = UV_ONCE_INIT;
    char addr[GB_ADDR_TEXT_MAX];
    uint32_t silent = 0;
    uint64_t left_out = 0;
    bool tell;

    uv_once(&once, lock_init);
    uv_mutex_lock(&lock);
    tell = noted_take(&table, kind, peer, uv_hrtime() / 1000000 + 1, &silent,
                      &left_out);
    uv_mutex_unlock(&lock);
    if (!tell)
        return;
    log_f(LOG_WARN, "msg=\"%s\" peer=%s why=\"%s\" repeated=%u",
          kind_text[kind], gb_addr_text(peer, addr), why ? why : "", silent);
    if (left_out)
        log_f(LOG_WARN, "msg=\"lines caused by peers were left out\" n=%llu",
              (unsigned long long)left_out);
}
