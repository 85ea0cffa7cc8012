/* Commands whose answer is a list: in many messages, with items that are missing
 * or broken. */
#include "test/command_rig.h"

/* Field-note 11.2. */
static void note_11_2_many_messages(void **state)
{
    struct sim_device *d = online(NULL);
    uint64_t id = query("PresetQuery");
    struct platform_command c;

    (void)state;
    sim_run(&s, 100);
    for (unsigned i = 1; i <= 2; i++) {
        preset(d, view(id).sn, i);
        preset(d, view(id).sn, i); /* twice: counted once */
        sim_run(&s, 100);
    }
    c = view(id);
    assert_int_equal(c.state, PLATFORM_COMMAND_ARRIVED);
    assert_int_equal(c.have, 2);
    assert_int_equal(c.sum, 3);
    preset(d, view(id).sn, 3);
    sim_run(&s, 100);
    c = view(id);
    assert_int_equal(c.state, PLATFORM_COMMAND_ANSWERED);
    assert_true(!c.partial && c.have == 3);
    assert_int_equal(c.messages, 5);
    /* and one that stops in the middle */
    id = query("PresetQuery");
    sim_run(&s, 100);
    preset(d, view(id).sn, 7);
    sim_run(&s, 60000);
    c = view(id);
    assert_int_equal(c.state, PLATFORM_COMMAND_ANSWERED);
    assert_true(c.partial && c.have == 1 && c.sum == 3);
    assert_true(says(c.evidence, "2 of 3 items are missing"));
    sim_free(&s);
}

/* Its last item is cut off. As many as were announced have been seen, and one of
 * them is lost all the same. */
static void a_broken_item_is_missing(void **state)
{
    struct sim_device *d = online(NULL);
    uint64_t id = query("PresetQuery");
    struct platform_command c;

    (void)state;
    sim_run(&s, 100);
    respond(d, "PresetQuery", view(id).sn,
            "<SumNum>2</SumNum><PresetList Num=\"2\"><Item><PresetID>1"
            "</PresetID></Item><Item><PresetID>2</Pres");
    sim_run(&s, 60000);
    c = view(id);
    assert_int_equal(c.state, PLATFORM_COMMAND_ANSWERED);
    assert_true(c.partial && c.have == 1 && c.sum == 2);
    assert_true(says(c.evidence, "1 of 2 items are missing"));
    sim_free(&s);
}

/* Lists of the standard consist of Item, but for two; devices write it there as
 * well. */
static void tracks_as_items(void **state)
{
    struct sim_device *d = online(NULL);
    uint64_t id = 0;

    (void)state;
    assert_int_equal(
        order_in(1 + MANSCDP_2022, "CruiseTrackListQuery", NULL, &id), 0);
    sim_run(&s, 100);
    respond(d, "CruiseTrackListQuery", view(id).sn,
            "<SumNum>1</SumNum><CruiseTrackList Num=\"1\"><Item><Number>3"
            "</Number><Name>yard</Name></Item></CruiseTrackList>");
    sim_run(&s, 2000);
    expect_state(id, PLATFORM_COMMAND_ANSWERED);
    assert_true(!view(id).partial && view(id).have == 1);
    assert_true(says(view(id).answer,
                     "\"CruiseTrackList\":[{\"Number\":3,\"Name\":\"yard\"}]"));
    sim_free(&s);
}

/* Before 2022 an answer with presets tells no number: it is whole when nothing
 * more comes, also when there are none. */
static void no_number_told(void **state)
{
    static const char *const answers[] = {
        "", "<PresetList><Item><PresetID>1</PresetID></Item></PresetList>",
    };
    struct sim_device *d = online(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++) {
        uint64_t id = query("PresetQuery");
        struct platform_command c;

        sim_run(&s, 100);
        respond(d, "PresetQuery", view(id).sn, answers[i]);
        sim_run(&s, 60000);
        c = view(id);
        assert_int_equal(c.state, PLATFORM_COMMAND_ANSWERED);
        assert_false(c.partial);
        assert_int_equal(c.have, i);
        assert_int_equal(says(c.evidence, "has no items"), i == 0);
    }
    sim_free(&s);
}

/* What one message says of the number of items may be its own number: the end
 * is told when nothing follows, at once where that is sure. */
static void numbers_of_one_message(void **state)
{
    static const struct {
        const char *name, *cmd, *sum;
        bool num;         /* of the list */
        unsigned messages;
        uint32_t gap_ms, after_ms; /* between them; behind the last one */
        bool is_final;
        uint32_t have, sum_told;
        const char *says; /* of the evidence; NULL: nothing */
    } cases[] = {
        { "at first it may be a part", "RecordInfo", "1", true, 1, 0, 400,
          false, 1, 1, NULL },
        { "nothing follows", "RecordInfo", "1", true, 1, 0, 1100, true, 1, 1,
          NULL },
        { "each counts itself", "RecordInfo", "1", true, 3, 300, 4000, false,
          3, 0, NULL },
        { "until it is silent", "RecordInfo", "1", true, 3, 300, 5100, true, 3,
          0, "counts itself alone" },
        { "of all of them: at once", "RecordInfo", "3", true, 3, 300, 100,
          true, 3, 3, NULL },
        { "too late for that", "RecordInfo", "1", true, 2, 2000, 100, true, 1,
          1, "behind the end" },
        { "records without a number", "RecordInfo", NULL, true, 1, 0, 4000,
          false, 1, 0, NULL },
        { "presets without one", "PresetQuery", NULL, true, 1, 0, 1100, true, 1,
          0, NULL },
        { "in two messages", "PresetQuery", NULL, true, 2, 300, 4000, false, 2,
          0, NULL },
        { "in two messages, to the end", "PresetQuery", NULL, true, 2, 300,
          5100, true, 2, 0, NULL },
        { "without any number", "PresetQuery", NULL, false, 1, 0, 4000, false,
          1, 0, NULL },
        { "presets that count themselves", "PresetQuery", "1", true, 2, 300,
          5100, true, 2, 0, "counts itself alone" },
    };
    const struct element e = { S("StartTime"), S("x") };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = online(NULL);
        bool records = cases[i].cmd[0] == 'R';
        struct platform_command c;
        uint64_t id = 0;

        assert_int_equal(order(cases[i].cmd, records ? &e : NULL, &id), 0);
        sim_run(&s, 100);
        for (unsigned k = 0; k < cases[i].messages; k++) {
            const char *list = records ? "RecordList" : "PresetList";
            char text[600], sum[60] = "";

            if (cases[i].sum)
                snprintf(sum, sizeof(sum), "<SumNum>%s</SumNum>",
                         cases[i].sum);
            snprintf(text, sizeof(text),
                     "%s<%s%s><Item><PresetID>%u</PresetID><FilePath>%u"
                     "</FilePath></Item></%s>", sum, list,
                     cases[i].num ? " Num='1'" : "", k + 1, k + 1, list);
            sim_run(&s, k ? cases[i].gap_ms : 0);
            respond(d, cases[i].cmd, view(id).sn, text);
            sim_run(&s, 2);
        }
        sim_run(&s, cases[i].after_ms);
        c = view(id);
        if (c.is_final != cases[i].is_final || c.partial ||
            c.have != cases[i].have || c.sum != cases[i].sum_told ||
            (cases[i].says ? !says(c.evidence, cases[i].says)
                           : c.evidence.n != 0))
            fail_msg("%s: %s, %u of %u: %.*s", cases[i].name,
                     c.is_final ? "over" : "open", c.have, c.sum,
                     SLICE_ARG(c.evidence));
        sim_free(&s);
    }
}

/* The same of a list: it has its whole time, since it may be a report. */
static void list_with_a_foreign_sn(void **state)
{
    struct sim_device *d = online(NULL);
    uint64_t id = query("PresetQuery");
    struct platform_command c;

    (void)state;
    sim_run(&s, 100);
    for (unsigned i = 1; i <= 3; i++) {
        preset(d, view(id).sn ^ 0x1000, i);
        sim_run(&s, 100);
    }
    assert_int_equal(view(id).have, 3);
    sim_run(&s, 15000);
    c = view(id);
    assert_int_equal(c.state, PLATFORM_COMMAND_ANSWERED);
    assert_true(c.have == 3 && !c.partial && c.tries == 1);
    assert_true(says(c.evidence, "another SN"));
    sim_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(note_11_2_many_messages),
        cmocka_unit_test(a_broken_item_is_missing),
        cmocka_unit_test(tracks_as_items),
        cmocka_unit_test(no_number_told),
        cmocka_unit_test(numbers_of_one_message),
        cmocka_unit_test(list_with_a_foreign_sn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
