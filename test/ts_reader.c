#include "test/ts_reader.h"

#include "test/support.h"

#define PACKET 188

void ts_reader_init(struct ts_reader *r)
{
    memset(r, 0, sizeof(*r));
}

/* Bit by bit, as the standard draws it. */
static uint32_t crc32_mpeg(const uint8_t *p, size_t n)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < 8 * n; i++) {
        uint32_t bit = p[i / 8] >> (7 - i % 8) & 1;

        crc = (crc >> 31 ^ bit) ? crc << 1 ^ 0x04c11db7 : crc << 1;
    }
    return crc;
}

static void take_section(struct ts_reader *r, uint16_t pid, const uint8_t *p,
                         size_t n)
{
    size_t len;

    assert_true(n > 12);
    assert_int_equal(p[0], 0); /* pointer_field */
    p++;
    len = 3u + ((p[1] & 0xfu) << 8 | p[2]);
    assert_true(len + 1 <= n);
    assert_int_equal(crc32_mpeg(p, len), 0);
    for (size_t i = len; i + 1 < n; i++)
        assert_int_equal(p[i], 0xff);
    if (pid == 0) {
        assert_int_equal(p[0], 0);
        assert_int_equal(len, 16);
        r->pmt_pid = (uint16_t)((p[10] & 0x1f) << 8 | p[11]);
        return;
    }
    assert_int_equal(p[0], 2);
    r->clock_pid = (uint16_t)((p[8] & 0x1f) << 8 | p[9]);
    r->type[0] = r->type[1] = 0;
    r->n_tables++;
    for (size_t i = 12; i + 4 < len; i += 5) {
        unsigned es = (p[i + 1] & 0x1fu) << 8 | p[i + 2];

        assert_in_range(es, 0x100, 0x101);
        r->type[es - 0x100] = p[i];
    }
}

static uint64_t stamp(const uint8_t *p)
{
    assert_int_equal(p[0] & p[2] & p[4] & 1, 1);
    return (uint64_t)(p[0] >> 1 & 7) << 30 | (uint64_t)p[1] << 22 |
           (uint64_t)(p[2] >> 1) << 15 | (uint64_t)p[3] << 7 | p[4] >> 1;
}

static void keep(struct ts_reader *r, struct ts_frame *f, const uint8_t *p,
                 size_t n)
{
    assert_true(r->used + n <= sizeof(r->bytes));
    memcpy(r->bytes + r->used, p, n);
    if (f->es.n == 0)
        f->es.p = (const char *)r->bytes + r->used;
    f->es.n += n;
    r->used += n;
}

static void begin_frame(struct ts_reader *r, struct ts_frame *f,
                        const uint8_t *p, size_t n)
{
    assert_true(n >= 9);
    assert_memory_equal(p, "\0\0\1", 3);
    f->stream_id = p[3];
    f->length = (unsigned)p[4] << 8 | p[5];
    assert_int_equal(p[6], 0x84);
    assert_true(n >= 9u + p[8]);
    assert_int_equal(p[9] >> 4, p[7] >> 6); /* 2: PTS, 3: both */
    f->pts = f->dts = stamp(p + 9);
    if (p[7] == 0xc0)
        f->dts = stamp(p + 14);
    keep(r, f, p + 9 + p[8], n - 9 - p[8]);
}

static void packet(struct ts_reader *r, const uint8_t *p)
{
    uint16_t pid = (uint16_t)((p[1] & 0x1f) << 8 | p[2]);
    bool first = p[1] & 0x40, key = false;
    uint64_t clock = UINT64_MAX;
    size_t at = 4;

    assert_int_equal(p[0], 0x47);
    assert_int_equal(p[1] & 0xa0, 0);
    assert_int_equal(p[3] & 0xd0, 0x10); /* clear, with payload */
    if (r->seen[pid].begun && !r->gaps)
        assert_int_equal(p[3] & 15, (r->seen[pid].counter + 1) & 15);
    r->seen[pid].begun = true;
    r->seen[pid].counter = p[3] & 15;
    if (p[3] & 0x20) {
        assert_in_range(p[4], 0, 182);
        at += 1u + p[4];
        key = p[4] && p[5] & 0x40;
        if (p[4] && p[5] & 0x10) {
            clock = (uint64_t)p[6] << 25 | (uint64_t)p[7] << 17 |
                    (uint64_t)p[8] << 9 | (uint64_t)p[9] << 1 | p[10] >> 7;
            assert_int_equal(p[10] & 0x7f, 0x7e);
            assert_int_equal(p[11], 0);
        }
        for (size_t i = p[4] == 0             ? at
                        : clock == UINT64_MAX ? 6
                                              : 12;
             i < at; i++)
            assert_int_equal(p[i], 0xff);
    }
    if (pid == 0 || (r->pmt_pid && pid == r->pmt_pid)) {
        take_section(r, pid, p + at, PACKET - at);
        return;
    }
    if (first) {
        assert_true(r->n < TS_READER_FRAMES);
        r->frame[r->n] = (struct ts_frame){
            .pid = pid, .key = key, .clock = clock, .tables = r->n_tables
        };
        begin_frame(r, &r->frame[r->n++], p + at, PACKET - at);
        return;
    }
    assert_true(r->n > 0);
    assert_int_equal(r->frame[r->n - 1].pid, pid);
    keep(r, &r->frame[r->n - 1], p + at, PACKET - at);
}

void ts_reader_feed(struct ts_reader *r, struct slice in)
{
    assert_int_equal(in.n % PACKET, 0);
    for (size_t i = 0; i < in.n; i += PACKET)
        packet(r, (const uint8_t *)in.p + i);
}
