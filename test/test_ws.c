/* WebSocket frames: RFC 6455's own examples, every cut, every refusal. */
#include "test/support.h"

#include "app/http/ws.h"

#include <stdio.h>
#include <stdlib.h>

static void handshake(void **state)
{
    char out[WS_ACCEPT_LEN + 1];

    (void)state;
    ws_accept(SLICE("dGhlIHNhbXBsZSBub25jZQ=="), out); /* §1.3 */
    assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_true(ws_key_is_valid(SLICE("dGhlIHNhbXBsZSBub25jZQ==")));
    assert_false(ws_key_is_valid(SLICE("dGhlIHNhbXBsZSBub25jZQ=")));
    assert_false(ws_key_is_valid(SLICE("dGhlIHNhbXBsZSBub25jZQ===")));
    assert_false(ws_key_is_valid(SLICE("dGhlIHNhbXBsZSBub25j!Q==")));
    assert_false(ws_key_is_valid(SLICE("")));
}

/* A client's frame: masked. */
static void frame(struct writer *w, uint8_t first, struct slice payload)
{
    static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
    uint8_t head[WS_HEADER_MAX];
    size_t n = ws_header(head, WS_TEXT, payload.n);

    head[0] = first;
    head[1] |= 0x80;
    writer_bytes(w, head, n);
    writer_bytes(w, mask, 4);
    for (size_t i = 0; i < payload.n; i++)
        writer_char(w, (char)(payload.p[i] ^ mask[i & 3]));
}

/* Events as one line of text, pieces of a message joined. */
static int dump(struct writer *out, struct ws *w, struct slice in, size_t cut)
{
    size_t off = 0;

    while (off < in.n) {
        size_t part = off < cut ? cut - off : in.n - off, done = 0;
        uint8_t *p = malloc(part);

        assert_non_null(p);
        memcpy(p, in.p + off, part);
        while (done < part) {
            struct ws_event ev;
            size_t used;
            int err = ws_feed(w, p + done, part - done, &used, &ev);

            assert_true(used <= part - done);
            done += used;
            if (err && err != GB_EAGAIN) {
                free(p);
                writer_f(out, "!%u", w->fault);
                return err;
            }
            if (err) {
                assert_int_equal(done, part);
                break;
            }
            if (ev.first)
                writer_f(out, "%d:", (int)ev.opcode);
            writer_slice_put(out, ev.data);
            if (ev.opcode == WS_CLOSE)
                writer_f(out, "(%u)", ev.close_code);
            if (ev.last)
                writer_char(out, ';');
        }
        free(p);
        off += part;
    }
    return 0;
}

static void streams(void **state)
{
    static const struct {
        const char *name;
        struct {
            uint8_t first;
            struct slice payload;
        } frames[5];
        size_t n;
        const char *want;
    } cases[] = {
        { "text", { { 0x81, S("Hello") } }, 1, "1:Hello;" },
        { "binary", { { 0x82, S("\xff\xfe") } }, 1, "2:\xff\xfe;" },
        { "empty", { { 0x81, S("") } }, 1, "1:;" },
        { "fragments", { { 0x01, S("Hel") }, { 0x80, S("lo") } }, 2,
          "1:Hello;" },
        { "empty fragments",
          { { 0x01, S("") }, { 0x00, S("") }, { 0x80, S("x") } }, 3, "1:x;" },
        { "empty last fragment", { { 0x01, S("a") }, { 0x80, S("") } }, 2,
          "1:a;" },
        { "all fragments empty", { { 0x02, S("") }, { 0x80, S("") } }, 2,
          "2:;" },
        { "ping", { { 0x89, S("hi") } }, 1, "9:hi;" },
        { "two messages", { { 0x81, S("a") }, { 0x82, S("b") } }, 2,
          "1:a;2:b;" },
        { "close", { { 0x88, S("\x03\xe8" "bye") } }, 1, "8:bye(1000);" },
        { "close without a code", { { 0x88, S("") } }, 1, "8:(1005);" },
        { "nothing behind a close",
          { { 0x88, S("") }, { 0x8f, S("junk") } }, 2, "8:(1005);" },
        { "character across fragments",
          { { 0x01, S("\xe4\xbd") }, { 0x80, S("\xa0") } }, 2,
          "1:\xe4\xbd\xa0;" },

        { "control in fragments", { { 0x09, S("hi") } }, 1, "!1002" },
        { "reserved bit", { { 0xc1, S("a") } }, 1, "!1002" },
        { "reserved opcode", { { 0x83, S("a") } }, 1, "!1002" },
        { "reserved control", { { 0x8b, S("a") } }, 1, "!1002" },
        { "nothing to continue", { { 0x80, S("a") } }, 1, "!1002" },
        { "text inside a message", { { 0x01, S("") }, { 0x81, S("b") } }, 2,
          "!1002" },
        { "close of one byte", { { 0x88, S("\x03") } }, 1, "!1002" },
        { "close 1005", { { 0x88, S("\x03\xed") } }, 1, "!1002" },
        { "close 999", { { 0x88, S("\x03\xe7") } }, 1, "!1002" },
        { "close reason", { { 0x88, S("\x03\xe8\xff") } }, 1, "!1007" },
        { "text not UTF-8", { { 0x81, S("\xc3\x28") } }, 1, "!1007" },
        { "text cut in a character", { { 0x81, S("\xe4\xbd") } }, 1, "!1007" },
        { "overlong", { { 0x81, S("\xc0\x80") } }, 1, "!1007" },
        { "surrogate", { { 0x81, S("\xed\xa0\x80") } }, 1, "!1007" },
    };
    char in[512], out[512];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct writer w = writer_of(in, sizeof(in));

        for (size_t k = 0; k < cases[i].n; k++)
            frame(&w, cases[i].frames[k].first, cases[i].frames[k].payload);
        for (size_t cut = 0; cut <= w.len; cut++) {
            struct writer got = writer_of(out, sizeof(out));
            struct ws ws;
            struct slice text, want = slice_str(cases[i].want);

            ws_init(&ws, 0);
            dump(&got, &ws, writer_slice(&w), cut);
            text = writer_slice(&got);
            /* What was handed on before a fault depends on the cut. */
            if (want.p[0] == '!' && text.n > want.n)
                text = slice_from(text, text.n - want.n);
            if (!slice_eq(text, want))
                fail_msg("%s, cut %zu: \"%.*s\"", cases[i].name, cut,
                         SLICE_ARG(text));
        }
    }
}

/* The unmasked example of §5.7 is no client's frame. */
static void raw_faults(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        unsigned fault;
    } cases[] = {
        { "unmasked", S("\x81\x05Hello"), 1002 },
        { "long ping", S("\x89\xfe\x00\x7e"), 1002 },
        { "two-byte length of 125", S("\x82\xfe\x00\x7d\0\0\0\0"), 1002 },
        { "eight-byte length of 65535",
          S("\x82\xff\0\0\0\0\0\0\xff\xff\0\0\0\0"), 1002 },
        { "negative length", S("\x82\xff\xff\0\0\0\0\0\0\0\0\0\0\0"), 1002 },
        { "too long", S("\x82\xff\0\0\0\0\0\1\0\1\0\0\0\0"), 1009 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[64];
        struct writer got = writer_of(out, sizeof(out));
        struct ws_event ev;
        struct ws ws;
        uint8_t byte = 0;
        size_t used;

        ws_init(&ws, 65536);
        if (!dump(&got, &ws, cases[i].in, 0) || ws.fault != cases[i].fault)
            fail_msg("%s: %u", cases[i].name, ws.fault);
        /* and it stays broken */
        assert_true(ws_feed(&ws, &byte, 1, &used, &ev) < 0);
        assert_int_equal(ws.fault, cases[i].fault);
    }
}

static void message_limit(void **state)
{
    char in[256], out[256], big[100];
    struct writer w = writer_of(in, sizeof(in));
    struct writer got = writer_of(out, sizeof(out));
    struct ws ws;

    (void)state;
    memset(big, 'x', sizeof(big));
    frame(&w, 0x02, slice_of(big, 60));
    frame(&w, 0x80, slice_of(big, 41));
    ws_init(&ws, 101);
    assert_int_equal(dump(&got, &ws, writer_slice(&w), 0), 0);
    got.len = 0;
    ws_init(&ws, 100);
    assert_int_equal(dump(&got, &ws, writer_slice(&w), 0), GB_ELIMIT);
    assert_int_equal(ws.fault, WS_CLOSE_TOO_BIG);
}

static void headers(void **state)
{
    static const struct {
        uint64_t len;
        struct slice want;
    } cases[] = {
        { 0, S("\x82\x00") },
        { 125, S("\x82\x7d") },
        { 126, S("\x82\x7e\x00\x7e") },
        { 65535, S("\x82\x7e\xff\xff") },
        { 65536, S("\x82\x7f\0\0\0\0\0\1\0\0") },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t out[WS_HEADER_MAX];
        size_t n = ws_header(out, WS_BINARY, cases[i].len);

        assert_true(slice_eq(slice_of((char *)out, n), cases[i].want));
    }
}

static void control_frames(void **state)
{
    char out[200], reason[200];
    struct writer w = writer_of(out, sizeof(out));

    (void)state;
    ws_control_write(&w, WS_PONG, SLICE("ab"));
    assert_true(slice_eq(writer_slice(&w), SLICE("\x8a\x02" "ab")));
    w.len = 0;
    ws_close_write(&w, 1000, SLICE(""));
    assert_true(slice_eq(writer_slice(&w), SLICE("\x88\x02\x03\xe8")));
    /* A long reason ends between characters: 41 * 3 = 123. */
    for (size_t i = 0; i + 3 <= sizeof(reason); i += 3)
        memcpy(reason + i, "\xe4\xbd\xa0", 3);
    w.len = 0;
    ws_close_write(&w, 1000, slice_of(reason, 198));
    assert_int_equal(w.len, 2 + 2 + 123);
    w.len = 0;
    reason[122] = 'x'; /* breaks the 41st character */
    ws_close_write(&w, 1000, slice_of(reason, 198));
    assert_int_equal(w.len, 2 + 2 + 120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake),     cmocka_unit_test(streams),
        cmocka_unit_test(raw_faults),    cmocka_unit_test(message_limit),
        cmocka_unit_test(headers),       cmocka_unit_test(control_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
