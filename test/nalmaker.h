/* test/nalmaker.h - a NAL unit bit by bit, with emulation prevention */
#ifndef TEST_NALMAKER_H
#define TEST_NALMAKER_H

#include "test/support.h"

struct nalmaker {
    uint8_t raw[512], nal[800];
    size_t bits;
};

static inline void nal_u(struct nalmaker *m, unsigned n, uint32_t v)
{
    while (n--) {
        assert_true(m->bits < 8 * sizeof(m->raw));
        if (m->bits % 8 == 0)
            m->raw[m->bits / 8] = 0;
        m->raw[m->bits / 8] |= (uint8_t)((v >> n & 1) << (7 - m->bits % 8));
        m->bits++;
    }
}

static inline void nal_ue(struct nalmaker *m, uint32_t v)
{
    unsigned n = 0;

    while ((v + 1) >> (n + 1))
        n++;
    nal_u(m, n, 0);
    nal_u(m, n + 1, v + 1);
}

static inline void nal_se(struct nalmaker *m, int32_t v)
{
    nal_ue(m, v > 0 ? 2 * (uint32_t)v - 1 : 2 * (uint32_t)-v);
}

/* With the stop bit; valid until m is used again. */
static inline struct slice nal_done(struct nalmaker *m)
{
    size_t n = 0, zeros = 0;

    nal_u(m, 1, 1);
    while (m->bits % 8)
        nal_u(m, 1, 0);
    for (size_t i = 0; i < m->bits / 8; i++) {
        if (zeros >= 2 && m->raw[i] <= 3) {
            m->nal[n++] = 3;
            zeros = 0;
        }
        zeros = m->raw[i] ? 0 : zeros + 1;
        m->nal[n++] = m->raw[i];
    }
    return slice_of((const char *)m->nal, n);
}
#endif
