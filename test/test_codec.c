#include "ps/codec.h"

#include "test/support.h"

static void names_and_types(void **state)
{
    static const struct {
        enum ps_codec codec;
        const char *name;
        uint8_t type;
        bool video;
    } cases[] = {
        { PS_CODEC_UNKNOWN, "unknown", 0, false },
        { PS_CODEC_H264, "h264", 0x1b, true },
        { PS_CODEC_H265, "h265", 0x24, true },
        { PS_CODEC_MPEG4, "mpeg4", 0x10, true },
        { PS_CODEC_SVAC, "svac", 0x80, true },
        { PS_CODEC_AAC, "aac", 0x0f, false },
        { PS_CODEC_G711A, "g711a", 0x90, false },
        { PS_CODEC_G711U, "g711u", 0x91, false },
        { PS_CODEC_G722_1, "g722.1", 0x92, false },
        { PS_CODEC_G723_1, "g723.1", 0x93, false },
        { PS_CODEC_G729, "g729", 0x99, false },
        { PS_CODEC_SVACA, "svac-audio", 0x9b, false },
        { PS_CODEC_MPA, "mpa", 0x03, false },
        { PS_CODEC_COUNT, "unknown", 0, false },
    };

    (void)state;
    assert_int_equal(COUNT(cases), PS_CODEC_COUNT + 1);
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum ps_codec c = cases[i].codec;

        assert_string_equal(ps_codec_name(c), cases[i].name);
        assert_int_equal(ps_codec_type(c), cases[i].type);
        assert_int_equal(ps_codec_is_video(c), cases[i].video);
        if (cases[i].type)
            assert_int_equal(ps_codec_of_type(cases[i].type), c);
    }
    assert_string_equal(ps_sound_name(PS_CODEC_H264, PS_CODEC_UNKNOWN), "none");
    assert_string_equal(ps_sound_name(PS_CODEC_H264, PS_CODEC_AAC), "aac");
    assert_string_equal(ps_sound_name(PS_CODEC_UNKNOWN, PS_CODEC_UNKNOWN),
                        "unknown");
}

static void every_type(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        enum ps_codec want = PS_CODEC_UNKNOWN;

        switch (type) {
        case 0x1b: case 0x1f: case 0x20: want = PS_CODEC_H264; break;
        case 0x24: case 0x25: want = PS_CODEC_H265; break;
        case 0x10: want = PS_CODEC_MPEG4; break;
        case 0x80: want = PS_CODEC_SVAC; break;
        case 0x0f: case 0x11: case 0x1c: want = PS_CODEC_AAC; break;
        case 0x90: want = PS_CODEC_G711A; break;
        case 0x91: want = PS_CODEC_G711U; break;
        case 0x92: want = PS_CODEC_G722_1; break;
        case 0x93: want = PS_CODEC_G723_1; break;
        case 0x99: want = PS_CODEC_G729; break;
        case 0x9b: want = PS_CODEC_SVACA; break;
        case 0x03: case 0x04: want = PS_CODEC_MPA; break;
        default: break;
        }
        if (ps_codec_of_type((uint8_t)type) != want)
            fail_msg("type %02x: %s", type,
                     ps_codec_name(ps_codec_of_type((uint8_t)type)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_types),
        cmocka_unit_test(every_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
