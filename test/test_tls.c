/* TLS as a filter: two ends joined by a wire that cuts where it likes, broken
 * bytes, the certificate of the first start, and the memory of an idle
 * connection. */
#include "test/support.h"

#include "app/net/tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#if GB_TLS

#include <malloc.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define MESSAGE 4000

static char dir[] = "/tmp/gb-test-tls-XXXXXX";
static char cert[64], key[64], other_cert[64], other_key[64];
static struct tls_ctx *server, *client, *trusting;

/* ---- memory of OpenSSL, counted ---- */

static size_t live;

static void *count_malloc(size_t n, const char *file, int line)
{
    void *p = malloc(n);

    (void)file;
    (void)line;
    live += p ? malloc_usable_size(p) : 0;
    return p;
}

static void count_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    live -= p ? malloc_usable_size(p) : 0;
    free(p);
}

static void *count_realloc(void *p, size_t n, const char *file, int line)
{
    size_t had = p ? malloc_usable_size(p) : 0;
    void *q;

    if (n == 0) {
        count_free(p, file, line);
        return NULL;
    }
    q = realloc(p, n);
    if (q)
        live += malloc_usable_size(q) - had;
    return q;
}

/* ---- a pair of ends ---- */

struct end {
    struct tls *t;
    char got[8 * MESSAGE];
    size_t n;
    int err;
};

static struct end a, b; /* client, server */

/* Hands what `from` has to say to `to`, in pieces of at most `cut` bytes; plain
 * bytes are taken `cap` at a time. How many bytes went. */
static size_t carry(struct end *from, struct end *to, size_t cut, size_t cap)
{
    size_t total = 0;

    for (struct slice out = tls_output(from->t); out.n && !to->err;
         out = tls_output(from->t)) {
        struct slice piece = guarded(slice_head(out, cut));
        size_t n, used = piece.n;

        do {
            size_t room = sizeof(to->got) - to->n;

            to->err = tls_decrypt(to->t, &piece, to->got + to->n,
                                  room < cap ? room : cap, &n);
            to->n += n;
        } while (!to->err && n == cap);
        if (!to->err)
            assert_int_equal(piece.n, 0);
        tls_sent(from->t, used);
        total += used;
    }
    return total;
}

static void settle(size_t cut, size_t cap)
{
    while (!a.err && !b.err && carry(&a, &b, cut, cap) + carry(&b, &a, cut, cap))
        continue;
}

static void open_pair(struct tls_ctx *c, const char *name)
{
    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    assert_int_equal(tls_new(&a.t, c, name), 0);
    assert_int_equal(tls_new(&b.t, server, NULL), 0);
}

static void close_pair(void)
{
    tls_free(a.t);
    tls_free(b.t);
}

static void say(struct end *e, const char *p, size_t n)
{
    assert_int_equal(tls_encrypt(e->t, guarded(slice_of(p, n))), 0);
}

/* ---- tests ---- */

static void test_bytes_pass(void **state)
{
    static char text[3 * MESSAGE];
    uint64_t seed = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)test_random(&seed);
    for (size_t cut = 1; cut < 3000; cut += 1 + cut / 5) {
        size_t cap = 1 + test_random(&seed) % 900;

        open_pair(client, NULL);
        assert_false(tls_is_up(a.t) || tls_is_up(b.t));
        assert_int_equal(tls_encrypt(a.t, SLICE("early")), GB_ESTATE);
        settle(cut, cap);
        assert_true(tls_is_up(a.t) && tls_is_up(b.t));
        say(&a, text, sizeof(text));
        say(&b, text, 100);
        say(&b, text + 100, 1);
        say(&b, text, 0);
        settle(cut, cap);
        assert_int_equal(b.n, sizeof(text));
        assert_memory_equal(b.got, text, sizeof(text));
        assert_int_equal(a.n, 101);
        assert_memory_equal(a.got, text, 101);
        tls_bye(a.t);
        settle(cut, cap);
        assert_int_equal(b.err, GB_ENOENT);
        close_pair();
    }
}

/* Any cut in the middle of the handshake leaves an object that can be freed. */
static void test_ends_anywhere(void **state)
{
    (void)state;
    for (size_t stop = 0; stop < 2500; stop += 17) {
        size_t n, left = stop;

        open_pair(client, NULL);
        while (left) {
            struct slice out = slice_head(tls_output(a.t), left);
            char buf[64];
            size_t used = out.n;

            if (out.n == 0)
                break;
            assert_int_equal(tls_decrypt(b.t, &out, buf, sizeof(buf), &n), 0);
            tls_sent(a.t, used);
            left -= used;
            carry(&b, &a, 1 << 20, 1000);
        }
        close_pair();
    }
}

static void test_certificate_is_checked(void **state)
{
    static const struct {
        const char *name, *in_text;
        int err;
    } table[] = {
        { "127.0.0.1", NULL, 0 },
        { "2001:db8::7", NULL, 0 },
        { "localhost", NULL, 0 },
        { NULL, NULL, 0 },
        { "192.0.2.99", "TLS certificate of cam: ", GB_EAUTH },
        { "example.org", "TLS certificate of cam: ", GB_EAUTH },
    };
    char text[TLS_WHY_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        open_pair(trusting, table[i].name);
        settle(500, 500);
        assert_int_equal(a.err, table[i].err);
        assert_int_equal(tls_is_up(a.t), table[i].err == 0);
        if (table[i].err) {
            tls_error_text(a.t, "cam", text);
            assert_true(slice_has_prefix(slice_str(text),
                                         slice_str(table[i].in_text)));
            /* the server is told: an alert */
            carry(&a, &b, 500, 500);
            assert_int_equal(b.err, GB_ESYNTAX);
        }
        close_pair();
    }
}

static void test_foreign_certificate(void **state)
{
    struct tls_ctx *stranger;
    char why[TLS_WHY_MAX];

    (void)state;
    assert_int_equal(tls_ctx_client(&stranger, other_cert, why), 0);
    open_pair(stranger, NULL);
    settle(500, 500);
    assert_int_equal(a.err, GB_EAUTH);
    assert_false(tls_is_up(a.t) || tls_is_up(b.t));
    close_pair();
    tls_ctx_free(stranger);
}

static void test_garbage(void **state)
{
    static const char *const table[] = {
        "REGISTER sip:34020000002000000001@3402000000 SIP/2.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "\x16\x03\x01\xff\xff\x01\x02\x03\x04\x05\x06",
        "\x15\x03\x03\x00\x02\x02\x28",
        "\x17\x03\x03\x00\x05hello",
        "\x80\x2e\x01\x03\x01",
    };
    static const size_t len[] = { 0, 0, 11, 7, 10, 5 };
    char text[TLS_WHY_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct slice in = slice_str(table[i]);
        char buf[64];
        size_t n;
        int err;

        if (len[i])
            in.n = len[i];
        in = guarded(in);
        assert_int_equal(tls_new(&b.t, server, NULL), 0);
        err = tls_decrypt(b.t, &in, buf, sizeof(buf), &n);
        assert_int_equal(n, 0);
        assert_false(tls_is_up(b.t));
        if (err) {
            assert_int_equal(err, GB_ESYNTAX);
            tls_error_text(b.t, "192.0.2.7:5061", text);
            assert_true(slice_has_prefix(
                slice_str(text), SLICE("TLS handshake with 192.0.2.7:5061: ")));
            /* and so it stays */
            in = SLICE("\x16\x03");
            assert_int_equal(tls_decrypt(b.t, &in, buf, sizeof(buf), &n), err);
        }
        assert_int_equal(err != 0, i != 5); /* the last one is only short */
        tls_free(b.t);
    }
}

/* A byte changed on the way is never taken for a byte that was sent. */
static void test_tampering(void **state)
{
    (void)state;
    for (size_t at = 0; at < 60; at++) {
        struct slice out;
        char bytes[512], text[TLS_WHY_MAX];
        size_t n;

        open_pair(client, NULL);
        settle(4096, 500);
        say(&a, "0123456789012345678901234567890123456789", 40);
        out = tls_output(a.t);
        assert_true(out.n > at && out.n < sizeof(bytes));
        memcpy(bytes, out.p, out.n);
        bytes[at] ^= 0x20;
        out = slice_of(bytes, out.n);
        b.err = tls_decrypt(b.t, &out, b.got, sizeof(b.got), &n);
        assert_int_equal(n, 0);
        if (b.err) { /* else a longer record is awaited */
            tls_error_text(b.t, "x", text);
            assert_true(slice_has_prefix(slice_str(text),
                                         SLICE("TLS connection with x: ")));
            assert_int_equal(tls_encrypt(b.t, SLICE("no")), b.err);
        } else {
            assert_true(at == 3 || at == 4);
        }
        close_pair();
    }
}

static void test_queue_is_bounded(void **state)
{
    static char text[TLS_QUEUE_BYTES];
    size_t sent = 0, had;

    (void)state;
    open_pair(client, NULL);
    settle(4096, 500);
    assert_int_equal(tls_encrypt(b.t, slice_of(text, sizeof(text))), GB_ELIMIT);
    while (tls_encrypt(b.t, slice_of(text, 1000)) == 0)
        sent++;
    assert_true(sent > 900 && sent < 1049);
    had = tls_output(b.t).n;
    assert_true(had <= TLS_QUEUE_BYTES);
    assert_int_equal(tls_encrypt(b.t, slice_of(text, 1000)), GB_ELIMIT);
    assert_int_equal(tls_output(b.t).n, had);
    tls_sent(b.t, 5000); /* room again, although most of it waits */
    assert_int_equal(tls_encrypt(b.t, slice_of(text, 1000)), 0);
    tls_sent(b.t, tls_output(b.t).n);
    assert_int_equal(tls_output(b.t).n, 0);
    assert_true(tls_is_up(b.t));
    close_pair();
}

/* Old protocols are refused in words. */
static void test_old_protocol(void **state)
{
    SSL_CTX *old = SSL_CTX_new(TLS_client_method());
    SSL *ssl;
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    char buf[64], *bytes, text[TLS_WHY_MAX];
    struct slice hello;
    size_t n;

    (void)state;
    SSL_CTX_set_security_level(old, 0);
    SSL_CTX_set_min_proto_version(old, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(old, TLS1_1_VERSION);
    ssl = SSL_new(old);
    SSL_set_bio(ssl, in, out);
    SSL_set_connect_state(ssl);
    SSL_do_handshake(ssl);
    hello.n = (size_t)BIO_get_mem_data(out, &bytes);
    hello.p = bytes;
    assert_int_equal(tls_new(&b.t, server, NULL), 0);
    assert_int_equal(tls_decrypt(b.t, &hello, buf, sizeof(buf), &n),
                     GB_ESYNTAX);
    tls_error_text(b.t, "old", text);
    assert_string_equal(text, "TLS handshake with old: unsupported protocol");
    assert_true(tls_output(b.t).n > 0); /* the alert */
    tls_free(b.t);
    SSL_free(ssl);
    SSL_CTX_free(old);
}

static void test_files(void **state)
{
    struct tls_ctx *c;
    char why[TLS_WHY_MAX];
    struct stat st;

    (void)state;
    assert_int_equal(stat(cert, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(key, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(tls_ctx_server(&c, "/nonexistent/a", key, why), GB_EIO);
    assert_true(slice_has_prefix(slice_str(why),
                                 SLICE("TLS certificate /nonexistent/a: ")));
    assert_int_equal(tls_ctx_server(&c, cert, "/nonexistent/b", why), GB_EIO);
    assert_true(slice_has_prefix(slice_str(why),
                                 SLICE("TLS key /nonexistent/b: ")));
    assert_int_equal(tls_ctx_server(&c, key, key, why), GB_EIO);
    assert_true(tls_ctx_server(&c, cert, other_key, why) != 0);
    assert_int_equal(tls_ctx_client(&c, "/nonexistent/c", why), GB_EIO);
    assert_int_equal(tls_make_certificate("/nonexistent/d", "/nonexistent/e",
                                          "x", NULL, 0, why), GB_EIO);
    assert_true(slice_has_prefix(slice_str(why), SLICE("/nonexistent/e: ")));
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Ours, from a day ago on: what is told as time goes on. */
static void test_time_of_a_certificate(void **state)
{
    static const struct {
        int64_t days;
        const char *told; /* NULL: it is good */
    } cases[] = {
        { -2, "not yet valid" },
        { 0, NULL },
        { TLS_CERT_DAYS - 20, NULL },
        { TLS_CERT_DAYS - 5, "expires soon" },
        { TLS_CERT_DAYS + 1, "has expired" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *told = tls_ctx_trouble(
            server, (int64_t)time(NULL) + cases[i].days * 86400);

        if (!told != !cases[i].told || (told && !strstr(told, cases[i].told)))
            fail_msg("%lld: %s", (long long)cases[i].days, told ? told : "good");
    }
}

/* localhost and two addresses, each once. */
static void test_names_of_a_certificate(void **state)
{
    FILE *f = fopen(cert, "r");
    X509 *x = PEM_read_X509(f, NULL, NULL, NULL);
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);

    (void)state;
    assert_int_equal(sk_GENERAL_NAME_num(names), 3);
    assert_int_equal(X509_check_ip_asc(x, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(x, "2001:db8::7", 0), 1);
    GENERAL_NAMES_free(names);
    X509_free(x);
    fclose(f);
}

/* Six days, as some authorities give: a third of them is soon. */
static void test_time_of_a_short_certificate(void **state)
{
    char c[sizeof(cert) + 6], k[sizeof(c) + 4], why[TLS_WHY_MAX];
    char command[400];
    struct tls_ctx *of_days;
    int64_t now = (int64_t)time(NULL);

    (void)state;
    snprintf(c, sizeof(c), "%s.short", cert);
    snprintf(k, sizeof(k), "%s.key", c);
    snprintf(command, sizeof(command),
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
             "-nodes -days 6 -subj /CN=x -keyout %s -out %s 2>/dev/null", k, c);
    assert_int_equal(system(command), 0);
    assert_int_equal(tls_ctx_server(&of_days, c, k, why), 0);
    assert_null(tls_ctx_trouble(of_days, now + 3 * 86400));
    assert_non_null(tls_ctx_trouble(of_days, now + 5 * 86400));
    tls_ctx_free(of_days);
    unlink(c);
    unlink(k);
}

/* The process ended between the two renames; and what is left alone. */
static void test_unfinished_certificate(void **state)
{
    char beside[sizeof(cert) + 4], why[TLS_WHY_MAX];
    struct tls_ctx *c;

    (void)state;
    snprintf(beside, sizeof(beside), "%s.new", cert);
    assert_int_equal(rename(cert, beside), 0);
    assert_int_equal(tls_ctx_server(&c, cert, key, why), GB_EIO);
    tls_finish_certificate(cert, "/nonexistent/key");
    assert_false(is_there(cert));
    tls_finish_certificate(cert, key);
    assert_false(is_there(beside));
    assert_int_equal(tls_ctx_server(&c, cert, key, why), 0);
    tls_ctx_free(c);
    tls_finish_certificate(cert, key); /* nothing to be done */
    assert_true(is_there(cert));
}

/* What a hundred connections hold when nothing moves on them. */
static void test_idle_memory(void **state)
{
    enum { N = 100 };
    static struct end many[2 * N];
    size_t before, each;

    (void)state;
    open_pair(client, NULL); /* what OpenSSL takes once */
    settle(4096, 500);
    close_pair();
    before = live;
    for (size_t i = 0; i < N; i++) {
        open_pair(client, NULL);
        settle(4096, 500);
        say(&a, "ping", 4);
        say(&b, "pong", 4);
        settle(4096, 500);
        assert_int_equal(b.n, 4);
        tls_free(a.t);
        many[i] = b;
    }
    each = (live - before) / N;
    print_message("idle TLS connection: %zu bytes of OpenSSL\n", each);
    assert_true(each < 32 * 1024); /* 48 a viewer, 16 of them are ours */
    for (size_t i = 0; i < N; i++)
        tls_free(many[i].t);
    assert_int_equal(live, before);
}

static int setup(void **state)
{
    static const struct gb_addr any = { .family = GB_IPV4 };
    struct gb_addr addr[5] = { any };
    char why[TLS_WHY_MAX];

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(cert, sizeof(cert), "%s/tls.crt", dir);
    snprintf(key, sizeof(key), "%s/tls.key", dir);
    snprintf(other_cert, sizeof(other_cert), "%s/other.crt", dir);
    snprintf(other_key, sizeof(other_key), "%s/other.key", dir);
    gb_addr_parse_ip(&addr[1], SLICE("127.0.0.1"));
    gb_addr_parse_ip(&addr[2], SLICE("2001:db8::7"));
    addr[4] = addr[1];
    addr[4].port = 5061;
    assert_int_equal(tls_make_certificate(cert, key, "34020000002000000001",
                                          addr, 5, why), 0);
    assert_int_equal(tls_make_certificate(other_cert, other_key,
                                          "34020000002000000001", addr, 2,
                                          why), 0);
    assert_int_equal(tls_ctx_server(&server, cert, key, why), 0);
    assert_int_equal(tls_ctx_client(&client, NULL, why), 0);
    assert_int_equal(tls_ctx_client(&trusting, cert, why), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tls_ctx_free(server);
    tls_ctx_free(client);
    tls_ctx_free(trusting);
    tls_ctx_free(NULL);
    unlink(cert);
    unlink(key);
    unlink(other_cert);
    unlink(other_key);
    rmdir(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_pass),
        cmocka_unit_test(test_names_of_a_certificate),
        cmocka_unit_test(test_time_of_a_certificate),
        cmocka_unit_test(test_time_of_a_short_certificate),
        cmocka_unit_test(test_ends_anywhere),
        cmocka_unit_test(test_certificate_is_checked),
        cmocka_unit_test(test_foreign_certificate),
        cmocka_unit_test(test_unfinished_certificate),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_tampering),
        cmocka_unit_test(test_queue_is_bounded),
        cmocka_unit_test(test_old_protocol),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_idle_memory),
    };

    CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free);
    return cmocka_run_group_tests(tests, setup, teardown);
}

#else /* without TLS everything says so */

static void test_refused(void **state)
{
    struct tls_ctx *c;
    char why[TLS_WHY_MAX];

    (void)state;
    assert_int_equal(tls_ctx_server(&c, "a", "b", why), GB_EUNSUPPORTED);
    assert_string_equal(why, "this build has no TLS (made with TLS=0)");
    assert_int_equal(tls_ctx_client(&c, NULL, why), GB_EUNSUPPORTED);
    assert_int_equal(tls_make_certificate("a", "b", "c", NULL, 0, why),
                     GB_EUNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_refused) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
