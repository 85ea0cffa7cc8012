/* app/media/frame: frames that lie in blocks. */
#include "test/support.h"

#include <stdlib.h>
#include <string.h>

#include "app/media/frame.h"

#define MANY 2000

static void fill(struct media_frame *f, uint64_t tag)
{
    assert_non_null(f);
    assert_int_equal((uintptr_t)f % _Alignof(max_align_t), 0);
    assert_int_equal(f->refs, 1);
    assert_null(f->codec | f->key | f->dts90k ? f : NULL);
    memset(f->data, (int)(tag & 0xff), f->n);
}

static void is_filled(const struct media_frame *f, uint64_t tag)
{
    for (size_t i = 0; i < f->n; i++)
        assert_int_equal(f->data[i], tag & 0xff);
}

/* Sizes of all kinds, let go in any order: nobody's bytes are another's, and
 * the heap is asked rarely. */
static void any_order(void **state)
{
    static struct media_frame *f[MANY];
    static uint64_t tag[MANY];
    struct failing_alloc mem;
    struct media_room room;
    uint64_t seed = 3;
    unsigned large = 0, small = 0;

    (void)state;
    failing_alloc_init(&mem, 0);
    media_room_init(&room, &mem.alloc, &mem.alloc);
    for (unsigned i = 0; i < 20 * MANY; i++) {
        size_t at = test_random(&seed) % MANY;
        size_t n = test_random(&seed) % 100
                       ? test_random(&seed) % 2000
                       : test_random(&seed) % (2 * MEDIA_BLOCK_FRAME);

        if (f[at]) {
            is_filled(f[at], tag[at]);
            media_frame_unref(f[at]);
        }
        large += n >= MEDIA_BLOCK_FRAME;
        small += n < MEDIA_BLOCK_FRAME;
        f[at] = media_room_frame(&room, n);
        fill(f[at], tag[at] = i);
        assert_int_equal(f[at]->n, n);
    }
    assert_true(mem.calls - large < small / 20);
    media_room_fini(&room); /* frames outlive it */
    for (unsigned i = 0; i < MANY; i++) {
        if (!f[i])
            continue;
        is_filled(f[i], tag[i]);
        media_frame_unref(f[i]);
    }
    assert_int_equal(mem.live, 0);
}

/* A block goes with its last frame, not before. */
static void block_goes(void **state)
{
    struct failing_alloc mem;
    struct media_room room;
    struct media_frame *first, *f;
    unsigned long live;

    (void)state;
    failing_alloc_init(&mem, 0);
    media_room_init(&room, &mem.alloc, &mem.alloc);
    first = media_room_frame(&room, 100);
    fill(first, 7);
    for (unsigned i = 0; i < 100; i++) {
        f = media_room_frame(&room, MEDIA_BLOCK_FRAME / 2);
        fill(f, i);
        media_frame_unref(f);
    }
    assert_int_equal(mem.live, 2); /* of the first, and the open one */
    is_filled(first, 7);
    media_frame_unref(first);
    assert_int_equal(mem.live, 1);
    live = mem.live;
    f = media_room_frame(&room, MEDIA_BLOCK_FRAME);
    assert_int_equal(mem.live, live + 1); /* alone */
    media_frame_unref(f);
    assert_int_equal(mem.live, live);
    media_room_fini(&room);
    assert_int_equal(mem.live, 0);
    media_room_fini(&room);
}

static void no_memory(void **state)
{
    struct failing_alloc mem;
    struct media_room room;

    (void)state;
    failing_alloc_init(&mem, 2);
    media_room_init(&room, &mem.alloc, &mem.alloc);
    for (unsigned i = 0; i < 5; i++) {
        struct media_frame *f =
            media_room_frame(&room, MEDIA_BLOCK_FRAME - 100);

        if (i < 3)
            assert_non_null(f); /* three have room in the first block */
        media_frame_unref(f);
    }
    assert_null(media_room_frame(&room, MEDIA_BLOCK_FRAME - 100));
    assert_null(media_room_frame(&room, MEDIA_BLOCK_FRAME));
    assert_non_null(room.open); /* smaller ones may go on */
    media_room_fini(&room);
    assert_int_equal(mem.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order),
        cmocka_unit_test(block_goes),
        cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
