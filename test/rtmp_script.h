/* test/rtmp_script.h - what an RTMP server says to who publishes, one behind the
 * other */
#ifndef TEST_RTMP_SCRIPT_H
#define TEST_RTMP_SCRIPT_H

#include "test/support.h"

#include "app/media/rtmp.h"

#define RESULT "\x02\x00\x07_result\x00"
#define ONE "\x3f\xf0\x00\x00\x00\x00\x00\x00"
#define FOUR "\x40\x10\x00\x00\x00\x00\x00\x00"
#define SEVEN "\x40\x1c\x00\x00\x00\x00\x00\x00"
#define ZERO "\x00\x00\x00\x00\x00\x00\x00\x00"

struct script {
    char text[16384];
    struct writer w;
};

static inline void script_init(struct script *s)
{
    s->w = writer_of(s->text, sizeof(s->text));
}

static inline void say_hello(struct script *s)
{
    writer_char(&s->w, 3);
    for (unsigned i = 0; i < 2 * RTMP_HELLO; i++)
        writer_char(&s->w, (char)(uint8_t)(i * 7));
}

/* In chunks of 128, as a peer begins; type 0 at first, then type 3. */
static inline void say(struct script *s, unsigned lane, unsigned type,
                       struct slice body)
{
    writer_char(&s->w, (char)lane);
    writer_be24(&s->w, 0);
    writer_be24(&s->w, (uint32_t)body.n);
    writer_char(&s->w, (char)type);
    writer_be32(&s->w, 0);
    for (size_t i = 0; i < body.n; i += 128) {
        if (i)
            writer_char(&s->w, (char)(0xc0 | lane));
        writer_slice_put(&s->w, slice_head(slice_from(body, i), 128));
    }
}

static inline void say_status(struct script *s, const char *level,
                              const char *code)
{
    char text[512];
    struct writer w = writer_of(text, sizeof(text));

    writer_bytes(&w, "\x02\x00\x08onStatus\x00" ZERO "\x05\x03", 22);
    writer_bytes(&w, "\x00\x05level\x02", 8);
    writer_be16(&w, (uint16_t)strlen(level));
    writer_str(&w, level);
    writer_bytes(&w, "\x00\x04" "code\x02", 7);
    writer_be16(&w, (uint16_t)strlen(code));
    writer_str(&w, code);
    writer_be24(&w, 9);
    say(s, 5, 20, writer_slice(&w));
}

/* Up to the word that it takes the stream. */
static inline void say_all(struct script *s)
{
    script_init(s);
    say_hello(s);
    say(s, 2, 5, SLICE("\x00\x26\x25\xa0"));
    say(s, 2, 6, SLICE("\x00\x26\x25\xa0\x02"));
    say(s, 2, 4, SLICE("\x00\x06\x01\x02\x03\x04"));
    say(s, 3, 20, SLICE(RESULT ONE "\x03\x00\x01" "a\x03\x00\x00\x09"
                        "\x00\x00\x09\x08\x00\x00\x00\x00\x00\x00\x09"));
    say(s, 3, 20, SLICE("\x02\x00\x0bonFCPublish")); /* ffmpeg: no number */
    say(s, 3, 20, SLICE(RESULT FOUR "\x05\x00" SEVEN));
    say_status(s, "status", "NetStream.Publish.Start");
}
#endif
