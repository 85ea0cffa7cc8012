/* app/config: a table of faults with line and column, layers, printing */
#include "test/support.h"

#include "app/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct config c;
static struct config_error e;
static char path[] = "/tmp/gb28181d-conf-XXXXXX";

static void write_file(const char *text, size_t n)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    fclose(f);
}

static int read_text(const char *text)
{
    write_file(text, strlen(text));
    memset(&e, 0, sizeof(e));
    return config_read(&c, path, &e);
}

static int setup(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    close(fd);
    return fd < 0 || config_init(&c);
}

static int teardown(void **state)
{
    (void)state;
    config_fini(&c);
    unlink(path);
    memcpy(path + strlen(path) - 6, "XXXXXX", 6);
    return 0;
}

static bool text_is(enum config_key k, const char *want)
{
    return strcmp(config_text(&c, k), want) == 0;
}

static void defaults(void **state)
{
    struct gb_addr a;
    uint16_t lo, hi;
    int k = 0;
    struct config_difference d;

    (void)state;
    assert_true(text_is(CONFIG_SERVER_ID, "34020000002000000001"));
    assert_true(config_bool(&c, CONFIG_SIP_AUTO_ENROL));
    assert_int_equal(config_number(&c, CONFIG_MEDIA_IDLE), 30);
    assert_int_equal(config_n(&c, CONFIG_SIP_LISTEN), 2);
    assert_true(config_addr(&c, CONFIG_SIP_LISTEN, 1, &a));
    assert_true(a.family == GB_IPV6 && a.port == 5060);
    assert_false(config_addr(&c, CONFIG_SIP_LISTEN, 2, &a));
    assert_false(config_addr(&c, CONFIG_MEDIA_ADDRESS, 0, &a));
    config_ports(&c, CONFIG_MEDIA_PORTS, &lo, &hi);
    assert_true(lo == 30002 && hi == 30999);
    assert_int_equal(config_zone_min(&c, CONFIG_SERVER_ZONE), 480);
    assert_int_equal(config_check(&c, &e), 0);
    assert_false(config_differs(&c, NULL, &k, &d));
}

/* Every fault is found where it stands, and changes nothing. */
static void faults(void **state)
{
    static const struct {
        const char *name, *text, *at, *why;
    } cases[] = {
        { "section", "sip: { date: utc }\nnonsense: 1\n", ":2:1:",
          "no such section: --print-config lists them" },
        { "section, misspelt", "sip: { date: utc }\nhtpp: {}\n", ":2:1:",
          "htpp: no such section: is http meant?" },
        { "key, misspelt", "sip: { lisen: 0.0.0.0:5060 }\n", ":1:8:",
          "sip.lisen: no such setting: is sip.listen meant?" },
        { "key of another section", "sip: { public_url: x }\n", ":1:8:",
          "is http.public_url meant?" },
        { "key of several sections", "tls: { listen: x }\n", ":1:8:",
          "tls.listen: no such setting: --print-config lists them" },
        { "section, a letter", "a: {}\n", ":1:1:",
          "a: no such section: --print-config lists them" },
        { "key, longer than any", "sip: { aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: 1 }\n", ":1:8:",
          "no such setting" },
        { "not UTF-8", "server: { realm: \xd6\xd0 }\n", ":1:",
          "save the file as UTF-8" },
        { "key", "sip:\n  date: utc\n  bad: 1\n", ":3:3:",
          "sip.bad: no such setting" },
        { "key twice", "sip:\n  date: utc\n  date: off\n", ":3:3:",
          "sip.date: set twice" },
        { "section twice", "sip: { date: utc }\nlog: {}\nsip: {}\n", ":3:1:",
          "sip: stands twice" },
        { "choice", "sip:\n  date: tomorrow\n", ":2:9:", "not one of" },
        { "range", "media: { idle_stop_s: 0 }\n", ":1:23:",
          "not a number of the allowed range: 1 to" },
        { "no number", "media:\n  threads: many\n", ":2:12:", "not a number" },
        { "id", "server: { id: 123 }\n", ":1:15:", "20 digits" },
        { "bool", "http: { auth: perhaps }\n", ":1:15:", "true or false" },
        { "address", "media: { address: example.com }\n", ":1:19:",
          "IP address" },
        { "listen", "sip: { listen: 5060 }\n", ":1:16:", "ADDRESS:PORT" },
        { "ports", "media: { ports: 9 }\n", ":1:17:", "FIRST-LAST" },
        { "ports the wrong way", "media: { ports: 900-800 }\n", ":1:17:",
          "FIRST-LAST" },
        { "zone", "server: { timezone: CET }\n", ":1:21:", "+08:00" },
        { "net", "http: { trusted_proxies: [10.0.0.0/33] }\n", ":1:26:",
          "NET/BITS" },
        { "advertise", "network:\n  advertise:\n  - net: 10.0.0.0/8\n",
          ":3:", "a net and an address" },
        { "advertise twice the same",
          "network:\n  advertise:\n  - { net: a, net: b }\n", ":3:15:",
          "unknown or repeated" },
        { "advertise nested", "network: { advertise: [ { net: [1] } ] }\n",
          ":1:32:", "bad value" },
        { "list for a value", "sip: { date: [utc, off] }\n", ":1:14:",
          "one value" },
        { "list in a list", "sip: { listen: [[a]] }\n", ":1:17:",
          "plain values" },
        { "mapping for a value", "sip: { date: { a: b } }\n", ":1:14:",
          "a value or a list" },
        { "no section", "sip: 7\n", ":1:6:", "a section is a mapping" },
        { "odd key", "sip: { [a]: b }\n", ":1:8:", "a key is needed" },
        { "odd section", "[a]: b\n", ":1:", "no such section" },
        { "a list", "- sip\n", ":1:1:", "not a mapping" },
        { "no YAML", "sip: { date: utc\n", ":2:1:", "" },
        { "tab", "sip:\n\tdate: utc\n", ":2:1:", "indent with blanks" },
        { "indentation", "sip:\n  date: utc\n log:\n", ":3:2:",
          "begin in the same column" },
        { "text too long", "server: { realm: "
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa }",
          ":1:18:", "too long" },
        { "control bytes", "sip: { password: \"a\\x01b\" }\n", ":1:18:",
          "control characters" },
        { "open section, bad YAML", "upstreams:\n  a: [1, 2\n", ":3:1:", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct config_difference d;
        int k = 0, err = read_text(cases[i].text);

        if (err != GB_ESYNTAX || !strstr(e.text, cases[i].at) ||
            !strstr(e.text, cases[i].why) ||
            strncmp(e.text, path, strlen(path)) != 0)
            fail_msg("%s: %d %s", cases[i].name, err, e.text);
        if (config_differs(&c, NULL, &k, &d))
            fail_msg("%s: %s has changed", cases[i].name, d.name);
    }
}

static void not_there(void **state)
{
    (void)state;
    assert_int_equal(config_read(&c, "/no/such/file", &e), GB_EIO);
    assert_non_null(strstr(e.text, "/no/such/file: cannot be read: No such file"));
}

static void too_large(void **state)
{
    static char much[CONFIG_MAX_FILE + 10];

    (void)state;
    memset(much, '#', sizeof(much));
    write_file(much, sizeof(much));
    assert_int_equal(config_read(&c, path, &e), GB_ESYNTAX);
    assert_non_null(strstr(e.text, "larger than"));
}

static void all_kinds(void **state)
{
    static const char text[] =
        "server: { id: 34020000002000000009, timezone: '-03:30' }\n"
        "sip:\n  listen: [ '192.0.2.1:5060', '[2001:db8::1]:5062' ]\n"
        "  auto_enrol: no\n"
        "http: { trusted_proxies: [ 10.0.0.0/8, '2001:db8::/32' ] }\n"
        "network:\n  advertise:\n  - { net: 10.0.0.0/8, address: 10.1.1.1 }\n"
        "  - net: 0.0.0.0/0\n    address: 203.0.113.9\n"
        "media: { ports: 40000-40099, address: 203.0.113.9 }\n"
        "record: { days: 5 }\n"
        "upstreams: { anything: [ { a: 1 }, [2] ] }\n";
    struct gb_addr a, net, to;
    unsigned bits;
    uint16_t lo, hi;
    char addr[GB_ADDR_TEXT_MAX];

    (void)state;
    if (read_text(text))
        fail_msg("%s", e.text);
    assert_true(text_is(CONFIG_SERVER_ID, "34020000002000000009"));
    assert_int_equal(config_zone_min(&c, CONFIG_SERVER_ZONE), -210);
    assert_true(config_addr(&c, CONFIG_SIP_LISTEN, 1, &a));
    assert_string_equal(gb_addr_text(&a, addr), "[2001:db8::1]:5062");
    assert_false(config_bool(&c, CONFIG_SIP_AUTO_ENROL));
    assert_int_equal(config_n(&c, CONFIG_NET_ADVERTISE), 2);
    assert_true(config_net(&c, CONFIG_NET_ADVERTISE, 1, &net, &bits, &to));
    assert_int_equal(bits, 0);
    assert_true(to.ip[0] == 203 && to.ip[3] == 9);
    assert_true(config_net(&c, CONFIG_HTTP_PROXIES, 1, &net, &bits, NULL));
    assert_int_equal(bits, 32);
    config_ports(&c, CONFIG_MEDIA_PORTS, &lo, &hi);
    assert_true(lo == 40000 && hi == 40099);
    assert_true(config_addr(&c, CONFIG_MEDIA_ADDRESS, 0, &a));
    assert_int_equal(config_number(&c, CONFIG_RECORD_DAYS), 5);
}

/* What a file says of a section that has keys is not only checked for syntax. */
static void no_open_section_hides_keys(void **state)
{
    static const char *const names[] = {
#define X(id, name, type, def, choices, min, max, hup, help) name,
        CONFIG_MAP(X)
#undef X
    };

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        for (size_t k = 0; k < COUNT(names); k++) {
            size_t n = strlen(names[i]);

            if (!strncmp(names[k], names[i], n) && names[k][n] == '.')
                fail_msg("%s is a section and a key", names[i]);
        }
}

static void empty_files(void **state)
{
    static const char *const texts[] = { "", "# nothing\n", "---\n", "sip:\n",
                                         "{}\n", "record:\n" };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        if (read_text(texts[i]))
            fail_msg("%s: %s", texts[i], e.text);
    assert_true(text_is(CONFIG_SIP_DATE, "local"));
}

/* defaults < file < environment < command line */
static void layers(void **state)
{
    (void)state;
    assert_int_equal(read_text("sip: { password: file, date: utc }\n"), 0);
    assert_true(text_is(CONFIG_SIP_PASSWORD, "file"));
    setenv("GB28181D_SIP_PASSWORD", "from the environment", 1);
    assert_int_equal(config_environment(&c, &e), 0);
    assert_true(text_is(CONFIG_SIP_PASSWORD, "from the environment"));
    assert_int_equal(config_set(&c, "sip.password=a=b", CONFIG_FLAG, &e), 0);
    assert_true(text_is(CONFIG_SIP_PASSWORD, "a=b"));
    assert_int_equal(c.value[CONFIG_SIP_PASSWORD].layer, CONFIG_FLAG);
    assert_int_equal(c.value[CONFIG_SIP_DATE].layer, CONFIG_FILE);
    assert_int_equal(c.value[CONFIG_LOG_LEVEL].layer, CONFIG_DEFAULT);
    unsetenv("GB28181D_SIP_PASSWORD");
    assert_int_equal(config_environment(&c, &e), 0);
    assert_true(text_is(CONFIG_SIP_PASSWORD, "a=b"));
}

static void on_the_command_line(void **state)
{
    static const struct {
        const char *text, *why; /* NULL: fine */
    } cases[] = {
        { "sip.listen=127.0.0.1:5060,[::1]:5060", NULL },
        { "sip.listen=", NULL },
        { "media.address=", NULL },
        { "http.auth=OFF", NULL },
        { "sip.listen", "section.key=value" },
        { "sip.nothing=1", "sip.nothing: no such setting" },
        { "log.level=loud", "error|warn|info|debug|trace" },
        { "media.threads=65", "allowed range" },
        { "media.threads=", "allowed range" },
        { "network.advertise=10.0.0.0/8 10.1.1.1", NULL },
        { "network.advertise=10.0.0.0/8", "a net and an address" },
        { "webhooks.to=http://10.0.0.5/gb s3cret", NULL },
        { "webhooks.to=http://10.0.0.5/gb  s3cret  alarm+device", NULL },
        { "webhooks.to=http://10.0.0.5/gb", "URL SECRET" },
        { "webhooks.to=ftp://10.0.0.5/gb s3cret", "URL SECRET" },
        { "webhooks.to=http://a:b@10.0.0.5/gb s3cret", "URL SECRET" },
        { "webhooks.to=http://10.0.0.5/gb s3cret alarm+weather",
          "URL SECRET" },
        { "webhooks.to=http://10.0.0.5/gb s3cret test", "URL SECRET" },
        { "webhooks.to=http://10.0.0.5/gb s3cret alarm device",
          "URL SECRET" },
        { "webhooks.to=http://10.0.0.5/gb aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "URL SECRET" }, /* 65 */
        { "exec.run=alarm+device /usr/local/bin/notify yard", NULL },
        { "exec.run=all /usr/local/bin/notify", NULL },
        { "exec.run=alarm notify", "KIND+KIND /PROGRAM" },
        { "exec.run=/usr/local/bin/notify", "KIND+KIND /PROGRAM" },
        { "exec.run=weather /usr/local/bin/notify", "KIND+KIND /PROGRAM" },
        { "sip.redirect=3402 34020000002000000009@10.0.0.9:5060", NULL },
        { "sip.redirect=3402 34020000002000000009@[2001:db8::9]", NULL },
        { "sip.redirect=3402", "DIGITS ID@ADDRESS:PORT" },
        { "sip.redirect=gate 34020000002000000009@10.0.0.9",
          "DIGITS ID@ADDRESS:PORT" },
        { "sip.redirect=3402 10.0.0.9:5060", "DIGITS ID@ADDRESS:PORT" },
        { "sip.redirect=3402 34020000002000000009@nvr.example",
          "DIGITS ID@ADDRESS:PORT" },
        { "sip.redirect=3402 34020000002000000009@10.0.0.9:0",
          "DIGITS ID@ADDRESS:PORT" },
        { "sip.redirect=340200000020000000091 3402@10.0.0.9",
          "DIGITS ID@ADDRESS:PORT" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int err = config_set(&c, cases[i].text, CONFIG_FLAG, &e);

        if (err != (cases[i].why ? GB_ESYNTAX : 0) ||
            (cases[i].why && !strstr(e.text, cases[i].why)))
            fail_msg("%s: %d %s", cases[i].text, err, e.text);
    }
}

static void too_many_items(void **state)
{
    char text[12 * CONFIG_MAX_ITEMS + 64] = "http: { trusted_proxies: [";
    size_t at = strlen(text);

    (void)state;
    for (unsigned i = 0; i <= CONFIG_MAX_ITEMS; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "10.0.0.0/8,");
    snprintf(text + at, sizeof(text) - at, "] }\n");
    assert_int_equal(read_text(text), GB_ESYNTAX);
    assert_non_null(strstr(e.text, "too many items"));
}

static void collisions(void **state)
{
    static const struct {
        const char *text;
        bool ok;
    } cases[] = {
        { "http: { listen: '0.0.0.0:5060' }\n", false },
        { "http: { listen: '0.0.0.0:30010' }\n", false },
        { "sip: { listen: ['127.0.0.1:5060', '127.0.0.2:5060'] }\n", true },
        { "http: { listen: [] }\n", false },
        { "sip: { listen: [] }\n", false },
        { "rtsp: { listen: [] }\nsip: { tls_listen: [] }\n", true },
        { "http: { public_url: video.example }\n", false },
        { "http: { public_url: 'https://video.example' }\n", true },
        { "http: { public_url: 'HTTPS://video.example' }\n", true },
        /* a shared port that is asked for fits; the default gives way */
        { "media: { shared_port: 40001 }\n", false },
        { "media: { shared_port: 40000, ports: 39000-41000 }\n", false },
        { "media: { shared_port: 0 }\n", true },
        { "media: { shared_port: 40001, mode: dedicated }\n", true },
        { "media: { ports: 30000-30999 }\n", true },
        { "media: { ports: 30000-30999, shared_port: 30000 }\n", true },
        { "media: { ports: 30000-30999, mode: shared }\n", false },
        { "media: { shared_port: 30000, ports: 30000-30999, mode: shared }\n",
          false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        config_fini(&c);
        assert_int_equal(config_init(&c), 0);
        assert_int_equal(read_text(cases[i].text), 0);
        if ((config_check(&c, &e) == 0) != cases[i].ok)
            fail_msg("%s: %s", cases[i].text, e.text);
    }
}

/* What is printed can be read, and is the same again; the password is not in
 * it. */
static void printed_and_read(void **state)
{
    struct config again;
    struct config_difference d;
    char *text = NULL;
    size_t n = 0;
    FILE *f;
    int k = 0;

    (void)state;
    assert_int_equal(read_text("server: { realm: \"it's\" }\n"
                               "network: { advertise: [ { net: 10.0.0.0/8, "
                               "address: 10.1.1.1 } ] }\n"
                               "sip: { password: geheim }\n"), 0);
    f = open_memstream(&text, &n);
    config_print(&c, f);
    fclose(f);
    assert_null(strstr(text, "geheim"));
    write_file(text, n);
    free(text);
    assert_int_equal(config_init(&again), 0);
    if (config_read(&again, path, &e))
        fail_msg("%s", e.text);
    while (config_differs(&c, &again, &k, &d))
        assert_string_equal(d.name, "sip.password");
    config_fini(&again);
}

static void reloads(void **state)
{
    struct config fresh;

    (void)state;
    assert_int_equal(config_init(&fresh), 0);
    assert_int_equal(config_set(&fresh, "sip.date=off", CONFIG_FLAG, &e), 0);
    assert_int_equal(config_set(&fresh, "limits.devices=7", CONFIG_FLAG, &e),
                     0);
    config_take_reloaded(&c, &fresh);
    assert_true(text_is(CONFIG_SIP_DATE, "off"));
    assert_int_equal(config_number(&c, CONFIG_LIMIT_DEVICES), 20000);
    config_fini(&fresh);
}

static int keep(const char *name, const char *text)
{
    memset(&e, 0, sizeof(e));
    return config_keep(&c, slice_str(name), slice_str(text ? text : ""), !text,
                       &e);
}

static void keeping(void **state)
{
    static const struct {
        const char *key, *text;
        int err;
        const char *why;
    } cases[] = {
        { "log.level", "debug", 0, "" },
        { "media.idle_stop_s", "0", GB_ESYNTAX, "range" },
        { "media.idle_stop_s", "9", 0, "" },
        { "sip.deny", "10.0.0.0/8, 192.0.2.1", 0, "" },
        { "sip.deny", "10.0.0.0/99", GB_ESYNTAX, "NET/BITS" },
        { "sip.digest", "", GB_ESYNTAX, "empty" },
        { "sip.qop", "maybe", GB_ESYNTAX, "true or false" },
        { "sip.qop", "true\nx", GB_ESYNTAX, "control" },
        { "no.such", "1", GB_ENOENT, "no such setting" },
        { "http.listen", "127.0.0.1:1", GB_EUNSUPPORTED, "restart" },
        { "sip.password", "x", GB_EUNSUPPORTED, "secret" },
        { "webhooks.to", "http://a/ s", GB_EUNSUPPORTED, "secret" },
        { "sip.date", "utc", GB_ESTATE, "command line" },
        { "record.days", "7", GB_ESTATE, "configuration file" },
    };

    (void)state;
    assert_int_equal(read_text("record: { days: 3 }\n"), 0);
    assert_int_equal(config_set(&c, "sip.date=off", CONFIG_FLAG, &e), 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        int err = keep(cases[i].key, cases[i].text);

        if (err != cases[i].err || !strstr(e.text, cases[i].why))
            fail_msg("%s=%s: %d %s", cases[i].key, cases[i].text, err, e.text);
    }
    assert_true(text_is(CONFIG_LOG_LEVEL, "debug"));
    assert_int_equal(config_number(&c, CONFIG_MEDIA_IDLE), 9);
    assert_int_equal(config_n(&c, CONFIG_SIP_DENY), 2);
    assert_int_equal(keep("log.level", NULL), 0);
    assert_true(text_is(CONFIG_LOG_LEVEL, "info"));
    assert_int_equal(c.value[CONFIG_LOG_LEVEL].layer, CONFIG_DEFAULT);
}

/* What was kept is there behind a restart, unless another layer has it now. */
static void kept_and_read(void **state)
{
    struct config copy;
    char *text;
    size_t n;
    FILE *f;

    (void)state;
    assert_int_equal(config_read_kept(&c, "/nowhere/at/all", &e), 0);
    assert_int_equal(keep("media.idle_stop_s", "9"), 0);
    assert_int_equal(keep("log.level", "warn"), 0);
    assert_int_equal(keep("sip.deny_ids", "3402, 11"), 0);
    assert_int_equal(keep("network.advertise", "10.0.0.0/8 10.1.1.5"), 0);
    assert_int_equal(config_copy(&copy, &c), 0);
    f = open_memstream(&text, &n);
    config_print_kept(&copy, f);
    config_fini(&copy);
    fclose(f);
    write_file(text, n);
    free(text);
    config_fini(&c);
    assert_int_equal(config_init(&c), 0);
    assert_int_equal(config_set(&c, "log.level=error", CONFIG_FLAG, &e), 0);
    if (config_read_kept(&c, path, &e))
        fail_msg("%s", e.text);
    assert_int_equal(config_number(&c, CONFIG_MEDIA_IDLE), 9);
    assert_int_equal(c.value[CONFIG_MEDIA_IDLE].layer, CONFIG_KEPT);
    assert_true(text_is(CONFIG_LOG_LEVEL, "error"));
    assert_string_equal(config_item(&c, CONFIG_SIP_DENY_IDS, 1), "11");
    assert_string_equal(config_item(&c, CONFIG_NET_ADVERTISE, 0),
                        "10.0.0.0/8 10.1.1.5");
    write_file("log: { level: loud }", 20);
    assert_int_equal(config_read_kept(&c, path, &e), GB_ESYNTAX);
    assert_non_null(strstr(e.text, path));
    assert_int_equal(config_number(&c, CONFIG_MEDIA_IDLE), 9);
}

/* Items in their parts, and nothing behind the last one. */
static void items(void **state)
{
    char prefix[CONFIG_PREFIX_MAX];
    struct slice url, secret, kinds;
    const char *target;

    (void)state;
    assert_int_equal(config_set(&c, "webhooks.to=http://10.0.0.5/gb s3cret,"
                                    "https://nvr/x k alarm+device",
                                CONFIG_FLAG, &e), 0);
    assert_true(config_hook(&c, CONFIG_HOOKS_TO, 0, &url, &secret, &kinds));
    expect_slice(url, "http://10.0.0.5/gb");
    expect_slice(secret, "s3cret");
    assert_int_equal(kinds.n, 0);
    assert_true(config_hook(&c, CONFIG_HOOKS_TO, 1, &url, &secret, &kinds));
    expect_slice(url, "https://nvr/x");
    expect_slice(kinds, "alarm+device");
    assert_false(config_hook(&c, CONFIG_HOOKS_TO, 2, &url, &secret, &kinds));
    assert_int_equal(config_set(&c, "sip.redirect=3402 "
                                    "34020000002000000009@10.0.0.9:5070",
                                CONFIG_FLAG, &e), 0);
    assert_true(config_redirect(&c, CONFIG_SIP_REDIRECT, 0, prefix, &target));
    assert_string_equal(prefix, "3402");
    assert_string_equal(target, "34020000002000000009@10.0.0.9:5070");
    assert_false(config_redirect(&c, CONFIG_SIP_REDIRECT, 1, prefix, &target));
}

static void rows(void **state)
{
    struct config_setting s;
    unsigned n = 0, secrets = 0;

    (void)state;
    for (size_t i = 0; config_setting(&c, i, &s); i++, n++) {
        secrets += s.secret;
        assert_false(s.changes && (s.secret || !s.reloads));
    }
    assert_int_equal(n, CONFIG_COUNT);
    assert_int_equal(secrets, 3);
    assert_true(config_setting(&c, CONFIG_LOG_LEVEL, &s) && s.changes);
    assert_int_equal(config_set(&c, "log.level=warn", CONFIG_FLAG, &e), 0);
    assert_true(config_setting(&c, CONFIG_LOG_LEVEL, &s) && !s.changes);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(defaults),    T(faults),   T(not_there),
        T(too_large),   T(all_kinds), T(empty_files),
        T(no_open_section_hides_keys),
        T(layers),      T(on_the_command_line), T(too_many_items),
        T(collisions),  T(printed_and_read), T(reloads),
        T(keeping),     T(kept_and_read), T(items), T(rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
