/* test/ts_reader.h - a transport stream read back, apart from app/media
 *
 * Strict: sync bytes, continuity, section checksums and adaptation fields are
 * asserted. Frames are kept in order of their start. */
#ifndef TEST_TS_READER_H
#define TEST_TS_READER_H

#include "base/slice.h"

#define TS_READER_FRAMES 64
#define TS_READER_BYTES (1u << 18)

struct ts_frame {
    uint16_t pid;
    uint8_t stream_id;
    bool key; /* random_access_indicator */
    uint64_t pts, dts;
    uint64_t clock;  /* base of the PCR; UINT64_MAX: none */
    unsigned length; /* PES_packet_length */
    unsigned tables; /* seen before it */
    struct slice es;
};

struct ts_reader {
    bool gaps; /* continuity is not asserted */
    uint16_t pmt_pid, clock_pid;
    uint8_t type[2]; /* stream_type of PIDs 0x100 and 0x101; 0: not listed */
    unsigned n_tables;
    struct ts_frame frame[TS_READER_FRAMES];
    size_t n;
    struct {
        bool begun;
        uint8_t counter;
    } seen[0x2000];
    uint8_t bytes[TS_READER_BYTES];
    size_t used;
};

void ts_reader_init(struct ts_reader *r);

/* Whole packets; each frame must end within them. */
void ts_reader_feed(struct ts_reader *r, struct slice in);
#endif
