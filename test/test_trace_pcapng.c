/* The capture: golden bytes, what we write we read, foreign files, broken
 * files, and what tshark says of it. */
#include "test/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/trace/capture.h"
#include "app/trace/pcapng.h"
#include "test/trace_vec.h"

static struct pcapng file;
static char text[4096], out[200000];

static struct trace_item item_of(enum trace_dir dir, struct sip_peer peer,
                                 struct slice bytes, uint64_t ms)
{
    return (struct trace_item){
        .seq = 1, .count = 1, .dir = dir, .peer = peer, .bytes = bytes,
        .len = bytes.n, .device = SLICE(CAM),
        .time = { ms, (int64_t)(1700000000000 + ms) },
        .last_utc_ms = (int64_t)(1700000000000 + ms),
    };
}

static void put(struct writer *w, enum trace_dir dir, uint8_t transport,
                const char *local, const char *remote, struct slice bytes,
                uint64_t ms)
{
    struct trace_item i = item_of(dir, vec_peer(transport, local, remote),
                                  bytes, ms);

    pcapng_packet(&file, w, &i);
}

/* Two over UDP, two over TCP, IPv4 and IPv6. */
static struct slice sample(void)
{
    struct writer w = writer_of(out, sizeof(out));
    struct trace_item i;

    pcapng_init(&file);
    pcapng_begin(&w, "gb28181d test");
    put(&w, TRACE_IN, SIP_UDP, "192.0.2.1:25060", "192.0.2.10:15060",
        vec_request(text, "REGISTER", CAM, CAM, "r", 1,
                    "Authorization: Digest username=\"" CAM "\", realm=\"r\", "
                    "nonce=\"n\", uri=\"sip:x\", response=\"0011\"\r\n", ""),
        0);
    put(&w, TRACE_OUT, SIP_UDP, "192.0.2.1:25060", "192.0.2.10:15060",
        vec_response(text, 200, "REGISTER", CAM, CAM, "r", 1), 1);
    put(&w, TRACE_IN, SIP_TCP, "[2001:db8::1]:25060", "[2001:db8::10]:40000",
        vec_request(text, "MESSAGE", CAM, OUR_ID, "m", 2, "", KEEPALIVE_BODY),
        2000);
    put(&w, TRACE_OUT, SIP_TCP, "[2001:db8::1]:25060", "[2001:db8::10]:40000",
        vec_response(text, 200, "MESSAGE", CAM, OUR_ID, "m", 2), 2001);
    i = item_of(TRACE_IN,
                vec_peer(SIP_TCP, "[2001:db8::1]:25060",
                         "[2001:db8::10]:40000"),
                vec_request(text, "BYE", CAM, OUR_ID, "b", 3, "", ""), 3000);
    i.count = 5;
    i.last_utc_ms += 60000;
    pcapng_packet(&file, &w, &i);
    assert_int_equal(w.err, 0);
    return writer_slice(&w);
}

static void golden(void **state)
{
    (void)state;
    expect_golden("test/data/trace/sample.pcapng", sample());
}

static void reads_back(void **state)
{
    struct slice bytes = sample();
    struct capture_packet p;
    struct capture c;
    uint32_t next;

    (void)state;
    assert_int_equal(capture_open(&c, guarded(bytes)), 0);
    assert_int_equal(capture_next(&c, &p), 0);
    assert_false(p.tcp);
    assert_int_equal(p.utc_us, 1700000000000000);
    assert_int_equal(p.src.port, 15060);
    assert_int_equal(p.dst.port, 25060);
    assert_int_equal(p.dst.ip[3], 1);
    assert_true(slice_eq(p.comment, SLICE("in device=" CAM)));
    assert_true(slice_find_slice(p.payload, SLICE("response=\"****\"")) <
                p.payload.n);
    assert_int_equal(capture_next(&c, &p), 0);
    assert_int_equal(p.src.port, 25060);
    assert_int_equal(capture_next(&c, &p), 0);
    assert_true(p.tcp);
    assert_int_equal(p.src.family, GB_IPV6);
    assert_int_equal(p.utc_us, 1700000002000000);
    next = p.seq + (uint32_t)p.payload.n;
    assert_int_equal(capture_next(&c, &p), 0);
    assert_true(slice_has_prefix(p.payload, SLICE("SIP/2.0 200")));
    assert_int_equal(capture_next(&c, &p), 0);
    assert_int_equal(p.seq, next); /* the numbers go on */
    assert_true(slice_eq(p.comment,
                         SLICE("in device=" CAM " count=5 last=+60s")));
    assert_int_equal(capture_next(&c, &p), GB_ENOENT);
    assert_int_equal(c.skipped, 0);
}

/* Of an RTP packet the header alone, and how long it was. */
static void rtp_headers(void **state)
{
    static const struct {
        const char *local, *remote;
        bool tcp;
        size_t ip; /* bytes of its header */
        const char *comment;
    } cases[] = {
        { "192.0.2.1:30000", "192.0.2.10:15060", false, 20, "in rtp" },
        { "192.0.2.1:30000", "192.0.2.10:15060", true, 20, "in rtp over tcp" },
        { "[2001:db8::1]:30000", "[2001:db8::10]:15060", false, 40, "in rtp" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct rtplog_packet p = { .utc_ms = 1700000000123,
                                         .tcp = cases[i].tcp, .len = 1400,
                                         .head = { 0x80, 96, 1, 2 } };
        struct writer w = writer_of(out, sizeof(out));
        struct rtplogs_of of = { .device = SLICE(CAM) };
        const uint8_t *epb;
        size_t begin;

        assert_int_equal(gb_addr_parse(&of.local, slice_str(cases[i].local), 0),
                         0);
        assert_int_equal(gb_addr_parse(&of.remote, slice_str(cases[i].remote),
                                       0), 0);
        pcapng_init(&file);
        pcapng_begin(&w, "gb28181d test");
        begin = w.len;
        pcapng_rtp(&file, &w, &of, &p);
        assert_int_equal(w.err, 0);
        epb = (const uint8_t *)out + begin;
        assert_int_equal(epb[0], 6); /* enhanced packet */
        /* what was kept, and what it was */
        assert_int_equal(epb[20] | epb[21] << 8, cases[i].ip + 8 + RTPLOG_HEAD);
        assert_int_equal(epb[24] | epb[25] << 8, cases[i].ip + 8 + 1400);
        /* from the peer's port to ours, with the length of all of it */
        assert_memory_equal(epb + 28 + cases[i].ip, "\x3a\xd4\x75\x30\x05\x80",
                            6);
        assert_memory_equal(epb + 28 + cases[i].ip + 8, p.head, RTPLOG_HEAD);
        assert_true(text_has((const char *)epb + 28 + cases[i].ip + 8 +
                                 RTPLOG_HEAD + 4, cases[i].comment));
    }
}

/* No prefix of the file is taken for more than it is. */
static void every_prefix(void **state)
{
    struct slice bytes = sample();
    unsigned whole = 0;

    (void)state;
    for (size_t n = 0; n < bytes.n; n++) {
        struct capture_packet p;
        struct capture c;
        unsigned got = 0;
        int err = capture_open(&c, guarded(slice_head(bytes, n)));

        while (!err && (err = capture_next(&c, &p)) == 0)
            got++;
        assert_true(err == GB_ESYNTAX || err == GB_ENOENT);
        if (err == GB_ENOENT)
            whole++;
        assert_true(got <= 4);
    }
    assert_int_equal(whole, 6); /* SHB, IDB, and four times a packet */
}

static void u32_put(struct writer *w, bool big, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        writer_char(w, (char)(v >> (big ? 24 - 8 * i : 8 * i) & 0xff));
}

/* An IPv4 packet with UDP, ports 5060 and 5061, behind a link header. */
static void packet(struct writer *w, struct slice link)
{
    static const char ip[] = "\x45\0\0\x20\0\0\x40\0\x40\x11\0\0\x0a\0\0\1"
                             "\x0a\0\0\2\x13\xc4\x13\xc5\0\x0c\0\0ping";

    writer_slice_put(w, link);
    writer_bytes(w, ip, 32);
}

static void foreign_files(void **state)
{
    static const struct {
        const char *name;
        uint32_t magic, link;
        bool big;
        struct slice head;
        int64_t us;
    } cases[] = {
        { "ethernet", 0xa1b2c3d4, 1, false, S("aaaaaabbbbbb\x08\0"), 5000006 },
        { "big-endian", 0xa1b2c3d4, 1, true, S("aaaaaabbbbbb\x08\0"),
          5000006 },
        { "nanoseconds", 0xa1b23c4d, 101, false, S(""), 5000000 },
        { "VLAN", 0xa1b2c3d4, 1, false,
          S("aaaaaabbbbbb\x81\0\0\x05\x08\0"), 5000006 },
        { "QinQ", 0xa1b2c3d4, 1, true,
          S("aaaaaabbbbbb\x88\xa8\0\x05\x81\0\0\6\x08\0"), 5000006 },
        { "cooked", 0xa1b2c3d4, 113, false, S("0123456789abcd\x08\0"),
          5000006 },
        { "cooked 2", 0xa1b2c3d4, 276, false, S("\x08\0" "23456789abcdefghij"),
          5000006 },
        { "loopback", 0xa1b2c3d4, 0, false, S("\2\0\0\0"), 5000006 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct writer w = writer_of(out, sizeof(out));
        struct capture_packet p;
        struct capture c;

        u32_put(&w, cases[i].big, cases[i].magic);
        u32_put(&w, cases[i].big, cases[i].big ? 0x00020004 : 0x00040002);
        for (int k = 0; k < 3; k++)
            u32_put(&w, cases[i].big, 0);
        u32_put(&w, cases[i].big, cases[i].link);
        u32_put(&w, cases[i].big, 5);
        u32_put(&w, cases[i].big, 6);
        u32_put(&w, cases[i].big, (uint32_t)cases[i].head.n + 32);
        u32_put(&w, cases[i].big, (uint32_t)cases[i].head.n + 32);
        packet(&w, cases[i].head);
        assert_int_equal(capture_open(&c, guarded(writer_slice(&w))), 0);
        if (capture_next(&c, &p) || p.src.port != 5060 ||
            p.dst.ip[3] != 2 || !slice_eq(p.payload, SLICE("ping")) ||
            p.utc_us != cases[i].us)
            fail_msg("%s: %lld", cases[i].name, (long long)p.utc_us);
        assert_int_equal(capture_next(&c, &p), GB_ENOENT);
    }
    {
        struct capture c;

        assert_int_equal(capture_open(&c, guarded(slice_str("no capture"))),
                         GB_ESYNTAX);
    }
}

/* ---- tshark ---- */

static void tshark_reads_it(void **state)
{
    static const char *const want[] = {
        "15060\t\tREGISTER\t\tin device=" CAM,
        "25060\t\t\t200\tout device=" CAM,
        "\t40000\tMESSAGE\t\tin device=" CAM,
        "\t25060\t\t200\tout device=" CAM,
        "\t40000\tBYE\t\tin device=" CAM " count=5 last=+60s",
    };
    char path[] = "/tmp/trace-XXXXXX", command[600], line[600];
    struct slice bytes = sample();
    int fd;
    FILE *f;

    (void)state;
    if (system("command -v tshark > /dev/null 2>&1") != 0) {
        print_message("tshark is not installed: not tried\n");
        skip();
    }
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.p, bytes.n), (ssize_t)bytes.n);
    close(fd);
    snprintf(command, sizeof(command),
             "tshark -r %s -n -d udp.port==25060,sip -d tcp.port==25060,sip "
             "-o ip.check_checksum:TRUE -o udp.check_checksum:TRUE "
             "-o tcp.check_checksum:TRUE -T fields -e udp.srcport "
             "-e tcp.srcport -e sip.Method -e sip.Status-Code "
             "-e frame.comment -Y 'sip && !_ws.expert.severity >= 6291456' "
             "2>/dev/null", path);
    f = popen(command, "r");
    assert_non_null(f);
    for (size_t i = 0; i < COUNT(want); i++) {
        if (!fgets(line, sizeof(line), f))
            fail_msg("tshark: no line %zu", i);
        if (!slice_eq(slice_trim(slice_str(line)),
                      slice_trim(slice_str(want[i]))))
            fail_msg("tshark: %s", line);
    }
    assert_null(fgets(line, sizeof(line), f));
    assert_int_equal(pclose(f), 0);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden),
        cmocka_unit_test(reads_back),
        cmocka_unit_test(rtp_headers),
        cmocka_unit_test(every_prefix),
        cmocka_unit_test(foreign_files),
        cmocka_unit_test(tshark_reads_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
