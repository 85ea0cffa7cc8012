/* ps/sync.c: headers that may have come by chance, byte by byte. */
#include "test/support.h"

#include "ps/pes.h"
#include "ps/sync.h"

typedef int sync_fn(const uint8_t *p, size_t n, size_t *need);

/* With every beginning more is asked for than there is, until the answer. */
static void expect_at(sync_fn *fn, const uint8_t *p, size_t n, size_t from,
                      int answer)
{
    for (size_t i = from; i < n; i++) {
        size_t need = 0;

        assert_int_equal(fn(p, i, &need), 0);
        assert_in_range(need, i + 1, n);
    }
    assert_int_equal(fn(p, n, &(size_t){ 0 }), answer);
}

#define PACK 0, 0, 1, 0xba, 0x44, 0, 4, 0, 4, 1, 0, 0, 3, 0xf8

static void packs(void **state)
{
    static const uint8_t good[] = { PACK, 0, 0, 1, 0xbb };
    static const uint8_t stuffed[] = { 0, 0, 1, 0xba, 0x44, 0, 4, 0, 4, 1, 0, 0,
                                       3, 0xfa, 0xff, 0xff, 0, 0, 1, 0xe0 };
    static const uint8_t lone[] = { PACK, 0, 0, 0, 0xbb };
    static const uint8_t odd_id[] = { PACK, 0, 0, 1, 0xb9 };
    static const uint8_t directory[] = { PACK, 0, 0, 1, 0xff };
    uint8_t loose[sizeof(good)];

    (void)state;
    expect_at(ps_sync_pack, good, sizeof(good), 4, 1);
    expect_at(ps_sync_pack, stuffed, sizeof(stuffed), 14, 1);
    expect_at(ps_sync_pack, lone, sizeof(lone), 4, -1);
    expect_at(ps_sync_pack, odd_id, sizeof(odd_id), 4, -1);
    expect_at(ps_sync_pack, directory, sizeof(directory), 4, -1);
    memcpy(loose, good, sizeof(loose));
    loose[4] = 0x40; /* its marker bit is missing */
    assert_int_equal(ps_sync_pack(loose, sizeof(loose), &(size_t){ 0 }), -1);
}

static void pes(void **state)
{
    static const uint8_t video[] = { 0, 0, 1, 0xe0, 0, 0, 0x80, 0, 0 };
    static const uint8_t sound[] = { 0, 0, 1, 0xc0, 0, 4, 0x80, 0, 0 };
    static const uint8_t endless[] = { 0, 0, 1, 0xc0, 0, 0, 0x80, 0, 0 };
    static const uint8_t other[] = { 0, 0, 1, 0xe0, 0, 4, 0x40, 0, 0 };

    (void)state;
    expect_at(ps_sync_pes, video, sizeof(video), 4, 1);
    expect_at(ps_sync_pes, sound, sizeof(sound), 4, 1);
    expect_at(ps_sync_pes, endless, sizeof(endless), 4, -1); /* of sound */
    expect_at(ps_sync_pes, other, sizeof(other), 4, -1);
}

static void ends_of_an_unbounded_pes(void **state)
{
    static const struct {
        uint8_t b[PS_SYNC_BYTES];
        bool ends;
    } cases[] = {
        { { 0, 0, 1, PS_ID_PACK, 0x44, 0, 0 }, true },
        { { 0, 0, 1, PS_ID_PACK, 0x21, 0, 0 }, true },  /* MPEG-1 */
        { { 0, 0, 1, PS_ID_PACK, 0, 0, 1 }, true },     /* an empty one */
        { { 0, 0, 1, PS_ID_PACK, 0x80, 0, 0 }, false },
        { { 0, 0, 1, PS_ID_SYSTEM, 0, 6, 0x80 }, true },
        { { 0, 0, 1, PS_ID_SYSTEM, 0, 5, 0x80 }, false },
        { { 0, 0, 1, PS_ID_SYSTEM, 0, 198, 0x80 }, true },
        { { 0, 0, 1, PS_ID_SYSTEM, 0, 199, 0x80 }, false },
        { { 0, 0, 1, PS_ID_SYSTEM, 0, 6, 0 }, false },
        { { 0, 0, 1, PS_ID_MAP, 0, 10, 0 }, true },
        { { 0, 0, 1, PS_ID_MAP, 0, 9, 0 }, false },
        { { 0, 0, 1, PS_ID_MAP, PS_MAP_MAX >> 8, PS_MAP_MAX & 0xff, 0 }, true },
        { { 0, 0, 1, PS_ID_MAP, 0xff, 0xff, 0 }, false },
        { { 0, 0, 1, PS_ID_PADDING, 0, 1, 0 }, true },
        { { 0, 0, 1, PS_ID_PADDING, 0, 0, 0 }, false },
        { { 0, 0, 1, PS_ID_PRIVATE2, 0, 1, 0 }, true },
        { { 0, 0, 1, 0xe0, 0, 0, 0x80 }, true },
        { { 0, 0, 1, 0xe0, 0, 0, 0x40 }, false },
        { { 0, 0, 1, 0x65, 0, 0, 0x80 }, false }, /* a slice of H.264 */
        { { 0, 0, 1, 0xff, 0, 0, 0x80 }, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (ps_sync_ends_pes(cases[i].b) != cases[i].ends)
            fail_msg("case %zu", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packs),
        cmocka_unit_test(pes),
        cmocka_unit_test(ends_of_an_unbounded_pes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
