/* What this server records, over the API: settings, by hand, lists, files */
#include "test/http_settings.h"

#include "app/net/cuts.h"

#define RECORD "/api/v1/devices/" D1 "/channels/" C1 "/record"
#define RECORDS "/api/v1/records?device=" D1 "&channel=" C1
#define T0 1700000000000ll

static struct recorders *table;
static struct archive *archive;
static struct volumes *volumes;
static unsigned removals;
static struct cuts *asked[HTTP_CUTS_MAX]; /* of the disk, not answered yet */
static unsigned n_asked;
static int cut_err;

static bool fx_remove(void *ctx, struct slice device, struct slice channel,
                      int64_t begin_utc_ms)
{
    struct archive_segment s;

    (void)ctx;
    removals++;
    return archive_find(archive, device, channel, begin_utc_ms, &s) &&
           !(s.flags & ARCHIVE_OPEN) &&
           archive_remove(archive, device, channel, begin_utc_ms);
}

static int fx_cut(void *ctx, struct cuts *q)
{
    (void)ctx;
    if (cut_err)
        return cut_err;
    assert_true(n_asked < COUNT(asked));
    asked[n_asked++] = q;
    return 0;
}

static void put(int64_t begin, uint32_t flags)
{
    const struct archive_segment s = { begin, 60000, flags, 1000 };

    assert_int_equal(archive_put(archive, SLICE(D1), SLICE(C1), &s), 0);
}

static void with_records(void)
{
    struct http_app_config cfg = settings_config();

    assert_int_equal(recorders_new(&table, &fx.mem.alloc, NULL), 0);
    assert_int_equal(archive_new(&archive, &fx.mem.alloc,
                                 &(struct archive_limits){ 0 }), 0);
    cfg.recorders = table;
    cfg.archive = archive;
    assert_int_equal(volumes_new(&volumes, SLICE("/var/rec,/mnt/rec")), 0);
    cfg.volumes = volumes;
    cfg.record_changed = settings_changed;
    cfg.record_remove = fx_remove;
    cfg.cut = fx_cut;
    removals = n_asked = 0;
    cut_err = 0;
    fx_open(&cfg);
}

static void without_records(void)
{
    recorders_free(table);
    archive_free(archive);
    volumes_free(volumes);
}

#define DAY0 "000000000000000000000000000000000000000000000000"
#define DAY1 "110000000000000000000000000000000000000000000001"
#define WEEK(day) "[\"" day "\",\"" DAY0 "\",\"" DAY0 "\",\"" DAY0 "\",\""      \
                  DAY0 "\",\"" DAY0 "\",\"" day "\"]"

static void settings(void **state)
{
    static const struct setting cases[] = {
        { "GET", RECORD, "", 200, "\"mode\":\"off\"", false },
        { "GET", "/api/v1/recorders", "", 200, "\"items\":[]", false },
        { "PUT", RECORD, "{\"mode\":\"always\",\"stream\":\"sub\"}", 200,
          "\"stream\":\"sub\"", true },
        { "GET", "/api/v1/recorders", "", 200, "\"mode\":\"always\"", false },
        { "PUT", RECORD, "{\"mode\":\"alarm\"}", 200, "\"alarm_s\":30", true },
        { "PUT", RECORD, "{\"mode\":\"plan\",\"plan\":" WEEK(DAY1) "}", 200,
          "\"plan\":" WEEK(DAY1), true },
        { "POST", RECORD, "{\"action\":\"start\"}", 200, "\"by_hand\":true",
          true },
        { "PUT", RECORD, "{\"mode\":\"off\"}", 200, "\"by_hand\":true", true },
        { "POST", RECORD, "{\"action\":\"stop\"}", 200, "\"by_hand\":false",
          true },
        { "POST", RECORD, "{\"action\":\"pause\"}", 400, "bad-value", false },
        { "POST", RECORD, "", 400, "bad-value", false },
        { "PUT", RECORD, "{\"mode\":\"plan\"}", 400, "needs a plan", false },
        { "PUT", RECORD, "{\"mode\":\"plan\",\"plan\":[\"" DAY0 "\"]}", 400,
          "7 days", false },
        { "PUT", RECORD, "{\"mode\":\"plan\",\"plan\":" WEEK("01") "}", 400,
          "7 days", false },
        { "PUT", RECORD, "{\"mode\":\"often\"}", 400, "mode is", false },
        { "PUT", RECORD, "{\"mode\":\"off\",\"alarm_s\":3601}", 400,
          "alarm_s", false },
        { "PUT", RECORD, "{\"mode\":\"off\",\"before\":1}", 400, "before",
          false },
        { "PUT", RECORD, "{\"mode\":\"off\",\"stream\":3}", 400, "stream is",
          false },
        { "PUT", RECORD, "{\"mode\":\"off\",\"colour\":1}", 400, "colour: allowed",
          false },
        { "PUT", RECORD, "{}", 400, "bad-value", false },
        { "PUT", RECORD, "[", 400, "bad-value", false },
        { "GET", "/api/v1/devices/" D1 "/channels/9/record", "", 404,
          "channel-unknown", false },
    };

    (void)state;
    with_records();
    settings_run(cases, COUNT(cases), NULL);
    without_records();
}

/* One that goes between two pages moves no other. */
static void pages_of_recorders(void **state)
{
    struct recorders_settings s = { .mode = RECORDERS_MODE_ALWAYS };
    char target[96], *next;

    (void)state;
    with_records();
    for (char id[] = "34020000001310000001"; id[19] < '5'; id[19]++)
        assert_int_equal(recorders_set(table, SLICE(D1), slice_str(id), &s,
                                       fx.now), 0);
    assert_int_equal(get("/api/v1/recorders?limit=2"), 200);
    next = strstr(fx.last.body, "\"next\":\"");
    assert_non_null(next);
    snprintf(target, sizeof(target), "/api/v1/recorders?limit=2&cursor=%.*s",
             (int)strcspn(next + 8, "\""), next + 8);
    s.mode = RECORDERS_MODE_OFF;
    assert_int_equal(recorders_set(table, SLICE(D1),
                                   SLICE("34020000001310000001"), &s, fx.now),
                     0);
    recorders_tick(table, fx.now);
    assert_int_equal(get(target), 200);
    assert_true(body_has("\"channel\":\"34020000001310000003\""));
    assert_true(body_has("\"channel\":\"34020000001310000004\""));
    assert_true(body_has("\"next\":null,\"total\":3"));
    without_records();
}

static void segments(void **state)
{
    (void)state;
    with_records();
    for (int i = 0; i < 5; i++)
        put(T0 + i * 60000, i == 4 ? ARCHIVE_OPEN : ARCHIVE_SOUND);
    assert_int_equal(get(RECORDS), 200);
    assert_true(body_has("\"total\":5"));
    assert_true(body_has("\"open\":true"));
    assert_int_equal(get(RECORDS "&limit=2"), 200);
    assert_true(body_has("\"next\":\"1700000120000\",\"total\":5"));
    assert_int_equal(get(RECORDS "&limit=2&cursor=1700000240000"), 200);
    assert_true(body_has("\"id\":\"1700000240000\""));
    assert_true(body_has("\"next\":null"));
    assert_int_equal(get(RECORDS "&start=1700000060&end=1700000120"), 200);
    assert_true(body_has("\"total\":1"));
    assert_int_equal(get(RECORDS "&start=2023-11-15T06:14:20+08:00"
                                 "&end=1700000120000"), 200);
    assert_true(body_has("\"total\":1"));
    assert_int_equal(get("/api/v1/records?device=" D1 "&channel=" C2), 200);
    assert_true(body_has("\"items\":[]"));
    assert_int_equal(get("/api/v1/records?device=" D1), 400);
    assert_int_equal(get(RECORDS "&start=soon"), 400);
    assert_int_equal(get(RECORDS "&cursor=x"), 400);
    without_records();
}

static void files(void **state)
{
    static const char path[] = RECORD "s/1700000000000";

    (void)state;
    with_records();
    put(T0, 0);
    put(T0 + 60000, ARCHIVE_OPEN);
    assert_int_equal(get(path), 200);
    assert_int_equal(fx.last.kind, HTTP_REPLY_FILE);
    assert_non_null(strstr(fx.last.fields, "Content-Disposition: inline; "
                                           "filename=\"" C1 "-1700000000.mp4\"\r\n"));
    assert_int_equal(ask("GET", path, TOKEN "Range: bytes=1-10\r\n", ""), 206);
    assert_non_null(strstr(fx.last.fields, "ETag: \""));
    assert_int_equal(get(RECORD "s/1700000060000"), 200);
    assert_null(strstr(fx.last.fields, "ETag: ")); /* it grows */
    assert_int_equal(ask("GET", RECORD "s/1700000060000",
                         TOKEN "If-None-Match: *\r\n", ""), 200);
    assert_int_equal(get(RECORD "s/1700000000001"), 404);
    assert_int_equal(get(RECORD "s/x"), 404);
    assert_int_equal(ask("GET", path, "", ""), 401);
    assert_int_equal(ask("DELETE", RECORD "s/1700000060000", TOKEN, ""), 409);
    assert_int_equal(ask("DELETE", path, TOKEN, ""), 204);
    assert_int_equal(ask("DELETE", path, TOKEN, ""), 404);
    assert_int_equal(removals, 2);
    without_records();
}

/* ---- played and exported ----------------------------------------------------------- */

#define HLS RECORD "s.m3u8"
#define MP4 RECORD "s.mp4"
#define RANGE "?start=1700000000&end=1700000180"

/* The oldest question is answered: each file has so many parts of 2 s. */
static struct cuts *look(size_t n)
{
    struct cuts *q = asked[0];

    assert_true(n_asked > 0);
    memmove(asked, asked + 1, --n_asked * sizeof(*asked));
    for (size_t i = 0; n && i < q->n; i++) {
        struct mp4cut *c = &q->file[i].cut;

        *c = (struct mp4cut){ .head_bytes = 900, .first90k = 45000, .n = n,
                              .part = gb_get(&gb_alloc_heap,
                                             n * sizeof(*c->part)) };
        assert_non_null(c->part);
        for (size_t k = 0; k < n; k++)
            c->part[k] = (struct mp4cut_part){ 900 + 1000 * k, 1000,
                                               45000 + (int64_t)k * 180000,
                                               180000 };
    }
    cuts_place(q);
    return q;
}

static void playlist(void **state)
{
    (void)state;
    with_records();
    put(T0, 0);
    put(T0 + 60000, ARCHIVE_OPEN);
    get(HLS RANGE);
    assert_int_equal(fx.last.kind, HTTP_REPLY_LATER);
    http_app_cut_told(fx.app, look(2));
    assert_int_equal(fx.last.status, 200);
    assert_true(body_has("#EXT-X-PLAYLIST-TYPE:VOD"));
    assert_true(body_has("#EXT-X-TARGETDURATION:3"));
    assert_true(body_has("#EXT-X-MAP:URI=\"records/1700000000000.mp4?t="));
    assert_true(body_has("BYTERANGE=\"900@0\""));
    assert_true(body_has("#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.000Z"));
    assert_true(body_has("#EXTINF:2.00000,\nrecords/1700000000000.mp4?t="));
    assert_true(body_has("&part=900,1000,0,0\n"));
    assert_true(body_has("&part=1900,1000,0,0\n"));
    assert_true(body_has("&part=900,1000,360000,0\n"));
    assert_true(body_has("#EXT-X-DISCONTINUITY"));
    assert_null(strstr(strstr(fx.last.body, "X-MAP") + 1, "X-MAP"));
    assert_true(body_has("#EXT-X-ENDLIST"));
    without_records();
}

/* Its links lead to files, without a token. */
static void playlist_links(void **state)
{
    char path[256] = RECORD "s/";
    const char *at;
    size_t n;

    (void)state;
    with_records();
    put(T0, 0);
    get(HLS RANGE);
    http_app_cut_told(fx.app, look(1));
    at = strstr(fx.last.body, "\nrecords/") + strlen("\nrecords/");
    n = strcspn(at, "\n");
    slice_copy(path + strlen(path), sizeof(path) - strlen(path),
               slice_of(at, n));
    assert_int_equal(ask("GET", path, "", ""), 200);
    assert_int_equal(fx.last.kind, HTTP_REPLY_FILE);
    strstr(path, "?t=")[4] ^= 1;
    assert_int_equal(ask("GET", path, "", ""), 401);
    without_records();
}

/* One file goes on where the other ends: there is no border. */
static void seamless_playlist(void **state)
{
    (void)state;
    with_records();
    put(T0, 0);
    put(T0 + 4000, 0);
    get(HLS RANGE);
    http_app_cut_told(fx.app, look(2));
    assert_int_equal(fx.last.status, 200);
    assert_false(body_has("#EXT-X-DISCONTINUITY"));
    assert_true(body_has("&part=1900,1000,360000,0\n"));
    without_records();
}

/* Parts are longer where time is shorter; every link says so. */
static void playlist_at_a_speed(void **state)
{
    static const struct {
        const char *text;
        uint32_t quarters;
    } cases[] = { { "0.25", 1 }, { "1.0", 4 }, { "1.50", 6 }, { "1.", 4 },
                  { "0.75", 3 }, { "16", 64 }, { "16.00", 64 }, { "8", 32 } };

    (void)state;
    with_records();
    put(T0, 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char path[256];

        snprintf(path, sizeof(path), HLS RANGE "&speed=%s", cases[i].text);
        get(path);
        assert_int_equal(asked[0]->quarters, cases[i].quarters);
        assert_int_equal(asked[0]->part_ms, 1000 * cases[i].quarters);
        http_app_cut_told(fx.app, look(1));
        assert_int_equal(fx.last.status, 200);
        assert_int_equal(body_has("BYTERANGE"), cases[i].quarters == 4);
    }
    get(HLS RANGE "&speed=8");
    http_app_cut_told(fx.app, look(1));
    assert_true(body_has("#EXT-X-TARGETDURATION:1\n"));
    assert_true(body_has("&part=0,900,0,0\"\n"));
    assert_true(body_has("#EXTINF:0.25000,\n"));
    assert_true(body_has("&part=900,1000,0,0,32\n"));
    assert_false(body_has("PROGRAM-DATE-TIME"));
    without_records();
}

static void parts(void **state)
{
    static const struct {
        const char *part;
        unsigned status;
    } cases[] = {
        { "900,1000,0,0", 200 },
        { "900,1000,-360000,8000", 200 },
        { "0,9223372036854775807,17592186044416,384000", 200 },
        { "1,9223372036854775807,0,0", 400 },
        { "900,0,0,0", 400 },
        { "900,1000,17592186044417,0", 400 },
        { "900,1000,0,384001", 400 },
        { "900,1000,--1,0", 400 },
        { "900,1000,-,0", 400 },
        { "900,1000,0", 400 },
        { "900,1000,0,0,1", 200 },
        { "900,1000,0,0,64", 200 },
        { "900,1000,0,0,0", 400 },
        { "900,1000,0,0,65", 400 },
        { "900,1000,0,0,", 400 },
        { "900,1000,0,0,4,4", 400 },
        { "-900,1000,0,0", 400 },
        { "", 400 },
    };

    (void)state;
    with_records();
    put(T0, 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char path[256];

        snprintf(path, sizeof(path), RECORD "s/1700000000000.mp4?part=%s",
                 cases[i].part);
        if (get(path) != cases[i].status)
            fail_msg("%s: %u", cases[i].part, fx.last.status);
        assert_int_equal(fx.last.kind == HTTP_REPLY_FILE,
                         cases[i].status == 200);
    }
    without_records();
}

static void export(void **state)
{
    char path[400];
    const char *at;

    (void)state;
    with_records();
    put(T0, 0);
    put(T0 + 60000, 0);
    /* the list links to it: for this range, not for another one */
    assert_int_equal(get(RECORDS "&start=1700000000&end=1700000180"), 200);
    at = strstr(fx.last.body, "/api/v1/devices/" D1 "/channels/" C1
                              "/records.mp4?");
    assert_non_null(at);
    slice_copy(path, sizeof(path), slice_of(at, strcspn(at, "\"")));
    ask("GET", path, "", "");
    assert_int_equal(fx.last.kind, HTTP_REPLY_LATER);
    assert_true(asked[0]->one && !asked[0]->gaps);
    http_app_cut_told(fx.app, look(1));
    assert_int_equal(fx.last.status, 200);
    assert_int_equal(fx.last.kind, HTTP_REPLY_FILE);
    assert_non_null(strstr(fx.last.fields, "Accept-Ranges: none\r\n"));
    /* a player that asks for its end gets all of it, and can tell */
    ask("GET", path, "Range: bytes=-4\r\n", "");
    http_app_cut_told(fx.app, look(1));
    assert_int_equal(fx.last.status, 200);
    assert_null(strstr(fx.last.fields, "Content-Range"));
    *strstr(path, "&end=17") = '\0';
    assert_int_equal(ask("GET", path, "", ""), 401);
    get(MP4 RANGE "&gaps=keep");
    assert_true(asked[0]->one && asked[0]->gaps);
    http_app_cut_told(fx.app, look(0)); /* the files have gone */
    assert_int_equal(fx.last.status, 404);
    get(MP4 RANGE);
    asked[0]->err = GB_EUNSUPPORTED;
    asked[0]->changed_utc_ms = T0 + 60000;
    http_app_cut_told(fx.app, look(0));
    assert_int_equal(fx.last.status, 409);
    assert_true(body_has("tracks-change"));
    assert_true(body_has("2023-11-14T22:14:20.000Z"));
    without_records();
}

static void ranges_that_are_refused(void **state)
{
    static const struct {
        const char *path;
        unsigned status;
    } cases[] = {
        { HLS, 400 },
        { HLS "?start=1700000000", 400 },
        { HLS "?start=1700000000&end=1700000000", 400 },
        { HLS "?start=1700000000&end=1700086401", 400 },
        { HLS "?start=soon&end=1700086401", 400 },
        { HLS "?start=1600000000&end=1600000100", 404 },
        { MP4 RANGE "&gaps=maybe", 400 },
        { MP4 RANGE "&speed=0", 400 },
        { MP4 RANGE "&speed=0.1", 400 },
        { MP4 RANGE "&speed=16.25", 400 },
        { MP4 RANGE "&speed=-1", 400 },
        { HLS RANGE "&speed=fast", 400 },
        { HLS RANGE "&speed=", 400 },
        { RECORD "s/1700000000000.mov", 404 },
    };

    (void)state;
    with_records();
    put(T0, 0);
    for (size_t i = 0; i < COUNT(cases); i++)
        if (get(cases[i].path) != cases[i].status)
            fail_msg("%s: %u", cases[i].path, fx.last.status);
    assert_int_equal(ask("GET", HLS RANGE, "", ""), 401);
    for (unsigned i = 0; i < HTTP_CUTS_MAX; i++)
        get(HLS RANGE);
    assert_int_equal(get(HLS RANGE), 503); /* too many at one time */
    while (n_asked)
        http_app_cut_told(fx.app, look(1));
    cut_err = GB_EIO;
    assert_int_equal(get(HLS RANGE), 503);
    cut_err = 0;
    get(HLS RANGE);
    http_app_cut_told(fx.app, look(1));
    assert_int_equal(fx.last.status, 200);
    without_records();
}

static void without_a_store(void **state)
{
    (void)state;
    assert_int_equal(get(RECORD), 501);
    assert_int_equal(get(RECORDS), 501);
    assert_int_equal(get(RECORD "s/1700000000000"), 501);
    assert_int_equal(get("/api/v1/recorders"), 501);
    assert_int_equal(ask("POST", RECORD, TOKEN, "{\"action\":\"start\"}"), 501);
}

/* Inside one, soon before one, long before one, of another channel. */
static void of_an_alarm(void **state)
{
    static const struct {
        const char *channel;
        int64_t at;
        const char *want;
    } cases[] = {
        { C1, T0 + 1000, "\"recording\":\"1700000000000\"" },
        { C1, T0 - 5000, "\"recording\":\"1700000000000\"" },
        { C1, T0 - 70000, "\"recording\":null" },
        { C1, T0 + 70000, "\"recording\":null" },
        { C2, T0 + 1000, "\"recording\":null" },
    };

    (void)state;
    with_records();
    put(T0, ARCHIVE_OPEN);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct platform_alarm alarm = {
            .id = 7, .device = SLICE(D1),
            .channel = slice_str(cases[i].channel),
            .received_utc_ms = cases[i].at,
        };
        struct buf b;
        struct jw j = jw_to(&b);

        buf_init(&b, &fx.mem.alloc, 4096);
        http_alarm_write(&j, fx.app, &alarm, 7);
        assert_true(jw_is_complete(&j));
        if (slice_find_slice(buf_view(&b), slice_str(cases[i].want)) == b.len)
            fail_msg("%zu: %.*s", i, (int)b.len, b.p);
        buf_fini(&b);
    }
    without_records();
}

/* Who starts and stops it by hand is in nobody's way. */
static void changed_meanwhile(void **state)
{
    char fields[256], tag[TAG_BYTES];

    (void)state;
    with_records();
    assert_int_equal(get(RECORD), 200);
    last_tag(tag);
    snprintf(fields, sizeof(fields), TOKEN "If-Match: %s\r\n", tag);
    assert_int_equal(ask("POST", RECORD, TOKEN, "{\"action\":\"start\"}"), 200);
    assert_int_equal(ask("PUT", RECORD, fields, "{\"mode\":\"always\"}"), 200);
    second_of_two(RECORD, "{\"mode\":\"plan\",\"plan\":" WEEK(DAY1) "}", "PUT",
                  "{\"mode\":\"always\"}");
    second_of_two(RECORD, "{\"mode\":\"alarm\",\"alarm_s\":20}", "PUT",
                  "{\"mode\":\"alarm\",\"alarm_s\":60}");
    without_records();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(settings, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(changed_meanwhile, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(pages_of_recorders, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(segments, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(files, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(playlist, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(playlist_links, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(seamless_playlist, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(playlist_at_a_speed, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(parts, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(export, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(ranges_that_are_refused, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(of_an_alarm, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(without_a_store, fx_setup,
                                        fx_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
