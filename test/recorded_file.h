/* test/recorded_file.h - a file as the recorder writes it, in memory */
#ifndef TEST_RECORDED_FILE_H
#define TEST_RECORDED_FILE_H

#include "test/support.h"

#include "app/media/fmp4.h"
#include "app/media/mp4index.h"
#include "test/media.h"

#define LEAD 45000 /* where the file's first picture is */
#define PICTURE 3600
#define N_PICTURES 50
#define GOP 10

static char file[65536];
static size_t file_n, plain_n; /* without its index */
static struct mp4index idx;

static inline void put(struct media_chunk *c)
{
    assert_true(file_n + media_chunk_size(c, MEDIA_PLAIN) <= sizeof(file));
    file_n += chunk_copy(file + file_n, c);
    media_chunk_unref(c);
}

static inline void put_frame(struct fmp4_mux *mux, struct media_config *audio,
                             bool sound, bool key, int64_t dts90k)
{
    struct media_frame *f = media_frame_new(&gb_alloc_heap, 160);
    struct media_chunk *c;

    assert_non_null(f);
    memset(f->data, 0x55, 160);
    f->track = sound ? MEDIA_AUDIO : MEDIA_VIDEO;
    f->codec = sound ? PS_CODEC_G711A : PS_CODEC_H264;
    f->key = key;
    f->dts90k = f->pts90k = dts90k;
    f->duration90k = sound ? 1800 : PICTURE;
    assert_int_equal(fmp4_frame_chunk(&c, &gb_alloc_heap, mux, f, audio), 0);
    media_frame_unref(f);
    mp4index_add(&idx, media_chunk_own(c), file_n);
    put(c);
}

static inline void put_index(void)
{
    struct writer w = writer_of(file + file_n, sizeof(file) - file_n);

    mp4index_write(&idx, &w);
    mp4index_fini(&idx);
    assert_int_equal(w.err, 0);
    plain_n = file_n;
    file_n += w.len;
}

/* Two seconds of pictures with the parameter sets of this one, a key frame every
 * 400 ms; sound begins 40 ms before them. NULL: no pictures. */
static inline void make_file_of(const struct ps_au *key, bool sound)
{
    struct media_config audio = { .codec = PS_CODEC_G711A, .rate_hz = 8000,
                                  .channels = 1 };
    struct fmp4_mux mux = { 0 };
    struct media_config *video = key ? au_config(key) : NULL;
    struct media_chunk *c;

    file_n = 0;
    mp4index_init(&idx, &gb_alloc_heap);
    assert_int_equal(fmp4_init_chunk(&c, &gb_alloc_heap, video,
                                     sound ? &audio : NULL), 0);
    put(c);
    for (int i = 0; i < N_PICTURES; i++) {
        if (key)
            put_frame(&mux, &audio, false, i % GOP == 0, LEAD + i * PICTURE);
        for (int k = 0; sound && k < 2; k++)
            put_frame(&mux, &audio, true, true,
                      LEAD - PICTURE + i * PICTURE + k * 1800);
    }
    put_index();
    media_config_unref(video);
}

static inline void make_file(bool pictures, bool sound)
{
    struct au_maker m;

    au_maker_init(&m);
    make_file_of(pictures ? au_key(&m, 90000) : NULL, sound);
    au_maker_fini(&m);
}
#endif
