/* Channels of all devices: pages that join, filters, totals. */
#include "test/http_fixture.h"

#define CHANNELS "/api/v1/channels"
#define C3 "34020000001310000003"
#define C4 "34020000001310000004"

static void two_devices(void)
{
    fake_channel(D2, C3, "Gate");
    fake_channel(D2, C4, "Yard wall");
}

static json_t *page(const char *query)
{
    char target[256];

    snprintf(target, sizeof(target), CHANNELS "%s", query);
    if (ask("GET", target, TOKEN, "") != 200)
        fail_msg("%s: %u", target, fx.last.status);
    return body();
}

/* "C1 C3 " of a page, by their last digits; its total. */
static const char *ids(json_t *j, char out[static 64], unsigned *total)
{
    const json_t *items = json_object_get(j, "items"), *one;
    size_t i, n = 0;

    out[0] = '\0';
    json_array_foreach(items, i, one) {
        const char *id = text_of(one, "id");

        n += (size_t)snprintf(out + n, 64 - n, "%c", id[19]);
    }
    *total = (unsigned)number_of(j, "total");
    return out;
}

static void filters(void **state)
{
    static const struct {
        const char *query, *ids;
        unsigned total;
    } cases[] = {
        { "", "1234", 4 },
        { "?q=yard", "24", 2 },
        { "?q=" C3, "3", 1 },
        { "?q=nothing", "", 0 },
        { "?limit=3", "123", 4 },
        { "?limit=1&q=yard", "2", 2 },
        { "?skip=1&q=yard", "4", 2 },
        { "?skip=1", "234", 4 },
        { "?cursor=" D1 "%2F" C1, "234", 4 },
        { "?cursor=" D1 "%2F" C2, "34", 4 },
        { "?cursor=" D2 "%2F" C4, "", 4 },
        { "?cursor=" D1 "%2F" C2 "&q=yard", "4", 2 },
        { "?cursor=" D1, "1234", 4 },
        { "?cursor=" D2, "34", 4 },
        { "?online=true", "1234", 4 },
        { "?online=false", "", 0 },
    };
    char got[64];
    unsigned total;

    (void)state;
    two_devices();
    for (size_t i = 0; i < fake.n_channels; i++)
        fake.channel[i].on = true;
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *j = page(cases[i].query);

        if (strcmp(ids(j, got, &total), cases[i].ids) ||
            total != cases[i].total)
            fail_msg("%s: %s of %u", cases[i].query, got, total);
        json_decref(j);
    }
    list_of(CHANNELS, "Channel");
    assert_int_equal(ask("GET", CHANNELS "?limit=0", TOKEN, ""), 400);
}

/* Page by page, with and without a filter: each once. */
static void pages(void **state)
{
    static const char *const filter[] = { "", "&q=3402" };

    (void)state;
    two_devices();
    for (size_t i = 0; i < COUNT(filter); i++) {
        char all[16] = "", query[160], got[64], next[80] = "";
        unsigned total;

        do {
            json_t *j;

            snprintf(query, sizeof(query), "?limit=1%s%s%s", filter[i],
                     *next ? "&cursor=" : "", next);
            j = page(query);
            strcat(all, ids(j, got, &total));
            assert_int_equal(total, 4);
            snprintf(next, sizeof(next), "%s",
                     json_is_string(json_object_get(j, "next"))
                         ? text_of(j, "next")
                         : "");
            json_decref(j);
        } while (*next && strlen(all) < 10);
        assert_string_equal(all, "1234");
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)
    const struct CMUnitTest tests[] = { T(filters), T(pages) };
#undef T

    return cmocka_run_group_tests(tests, NULL, NULL);
}
