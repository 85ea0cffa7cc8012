/* test/http_settings.h - what is set of channel C1 of device D1 over the API, by a
 * table of its own: requests one after the other, and whether each was told */
#ifndef TEST_HTTP_SETTINGS_H
#define TEST_HTTP_SETTINGS_H

#include "test/http_fixture.h"

static unsigned settings_told; /* changes of the channel */

static void settings_changed(void *ctx, struct slice device,
                             struct slice channel)
{
    (void)ctx;
    expect_slice(device, D1);
    expect_slice(channel, C1);
    settings_told++;
}

/* An application to be opened again with a table: fx_open. */
static inline struct http_app_config settings_config(void)
{
    struct http_app_config cfg;

    http_app_free(fx.app);
    cfg = fx_config();
    cfg.platform = NULL;
    settings_told = 0;
    return cfg;
}

struct setting {
    const char *method, *path, *body;
    unsigned status;
    const char *has; /* in the answer; NULL: anything */
    bool changes;
};

/* secret: in no answer; may be NULL. */
static inline void settings_run(const struct setting *e, size_t n,
                                const char *secret)
{
    for (size_t i = 0; i < n; i++) {
        unsigned before = settings_told;
        unsigned status = ask(e[i].method, e[i].path, TOKEN, e[i].body);

        if (status != e[i].status || (e[i].has && !body_has(e[i].has)) ||
            (settings_told != before) != e[i].changes ||
            (secret && body_has(secret)))
            fail_msg("%s %s %s: %u %s", e[i].method, e[i].path, e[i].body,
                     status, fx.last.body);
    }
}
#endif
