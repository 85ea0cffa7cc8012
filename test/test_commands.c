/* Commands: what becomes of each, with its times and evidence */
#include "test/command_rig.h"

static void answered(void **state)
{
    struct sim_device *d = online(NULL);
    uint64_t id = query("DeviceStatus");
    struct platform_command c = view(id);

    (void)state;
    assert_int_equal(c.state, PLATFORM_COMMAND_SENT);
    assert_true(c.asked_utc_ms && c.sent_utc_ms && !c.arrived_utc_ms);
    sim_run(&s, 1000);
    c = view(id);
    assert_int_equal(c.state, PLATFORM_COMMAND_ARRIVED);
    assert_int_equal(c.sip_status, 200);
    assert_true(c.arrived_utc_ms >= c.sent_utc_ms && !c.is_final);
    assert_true(says(slice_str(d->last_body),
                     "<Query>\r\n<CmdType>DeviceStatus</CmdType>"));
    respond(d, "DeviceStatus", sim_asked_sn(d),
            "<Result>OK</Result><Online>ONLINE</Online>"
            "<Alarmstatus Num=\"2\"><Item><DeviceID>1</DeviceID></Item>"
            "<Item><DeviceID>2\"\\</DeviceID></Item></Alarmstatus>");
    sim_run(&s, 100);
    c = view(id);
    assert_int_equal(c.state, PLATFORM_COMMAND_ANSWERED);
    assert_true(c.is_final && !c.late && !c.partial && c.tries == 1);
    assert_true(c.answered_utc_ms > c.arrived_utc_ms);
    assert_true(says(c.answer,
                     "\"Online\":\"ONLINE\",\"Alarmstatus\":["
                     "{\"DeviceID\":\"1\"},{\"DeviceID\":\"2\\\"\\\\\"}]}"));
    assert_true(s.actions[PLATFORM_COMMAND_CHANGED] >= 3);
    /* the repeat of a Response adds nothing */
    respond(d, "DeviceStatus", c.sn, "<Result>ERROR</Result>");
    sim_run(&s, 100);
    c = view(id);
    assert_int_equal(c.state, PLATFORM_COMMAND_ANSWERED);
    assert_int_equal(c.messages, 1);
    sim_free(&s);
}

/* Field-note 11.6. */
static void note_11_6_result_and_reason(void **state)
{
    struct sim_device *d = online(NULL);
    uint64_t id;

    (void)state;
    id = query("DeviceStatus");
    sim_run(&s, 100);
    respond(d, "DeviceStatus", sim_asked_sn(d),
            "<Result>ERROR</Result><Reason>busy</Reason>");
    sim_run(&s, 100);
    expect_state(id, PLATFORM_COMMAND_REFUSED);
    assert_true(says(view(id).evidence, "Result ERROR: busy"));
    d->query_refused = true;
    id = query("DeviceStatus");
    sim_run(&s, 1000);
    expect_state(id, PLATFORM_COMMAND_REFUSED);
    assert_int_equal(view(id).sip_status, 404);
    assert_true(says(view(id).evidence, "SIP 404"));
    assert_int_equal(view(id).tries, 1);
    sim_free(&s);
}

/* Sent twice, and then given up; the answer that comes after all is kept. */
static void silent_then_late(void **state)
{
    struct sim_device *d = online(NULL);
    uint64_t id = query("DeviceStatus");
    unsigned before = d->messages;
    struct platform_command c;

    (void)state;
    sim_run(&s, 9000);
    assert_int_equal(d->messages, before + 1);
    sim_run(&s, 4000);
    assert_int_equal(d->messages, before + 2);
    expect_state(id, PLATFORM_COMMAND_ARRIVED);
    sim_run(&s, 15000);
    expect_state(id, PLATFORM_COMMAND_SILENT);
    c = view(id);
    assert_int_equal(c.tries, PLATFORM_COMMAND_TRIES);
    assert_true(c.is_final && c.arrived_utc_ms && !c.answered_utc_ms);
    assert_true(says(c.evidence, "arrived (200), but no Response"));
    sim_run(&s, 60000);
    respond(d, "DeviceStatus", c.sn, "<Result>OK</Result>");
    sim_run(&s, 100);
    c = view(id);
    assert_int_equal(c.state, PLATFORM_COMMAND_ANSWERED);
    assert_true(c.late && c.answered_utc_ms && c.answer.n);
    sim_free(&s);
}

static bool profile_of(const char *cmd, const char *sub,
                       struct platform_profile_command *out)
{
    for (size_t pos = 0; platform_profile_command(s.p, SLICE(NVR), &pos, out);)
        if (slice_eq(out->cmd, slice_str(cmd)) &&
            slice_eq(out->sub, slice_str(sub)))
            return true;
    return false;
}

/* An answer that cannot be read is no silence, and does not say that the device knows
 * no such command. */
static void an_answer_that_cannot_be_read(void **state)
{
    struct sim_device *d = online(NULL);
    uint64_t id = query("DeviceStatus");
    struct platform_profile_command k;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        sim_run(&s, 1000);
        sim_request(d, SIP_METHOD_MESSAGE, d->id, "CmdType=DeviceStatus");
        sim_run(&s, 100);
        assert_int_equal(d->last_status, 400);
        sim_run(&s, 10000);
    }
    sim_run(&s, 15000);
    expect_state(id, PLATFORM_COMMAND_SILENT);
    assert_true(says(view(id).evidence, "what the device sent then could not be "
                                        "read, after 2 tries"));
    assert_false(profile_of("DeviceStatus", "", &k));
    sim_free(&s);
}

/* What was said of the first try is not said of the answer to the second. */
static void answered_at_the_second_try(void **state)
{
    struct sim_device *d = online(NULL);
    uint64_t id = query("DeviceStatus");

    (void)state;
    sim_run(&s, 13000);
    expect_state(id, PLATFORM_COMMAND_ARRIVED);
    assert_int_equal(view(id).tries, 2);
    assert_int_equal(view(id).evidence.n, 0);
    respond(d, "DeviceStatus", view(id).sn, "<Result>OK</Result>");
    sim_run(&s, 100);
    expect_state(id, PLATFORM_COMMAND_ANSWERED);
    assert_int_equal(view(id).evidence.n, 0);
    sim_free(&s);
}

/* The wire is cut: it never arrived, which is told apart. */
static void never_arrived(void **state)
{
    struct sim_device *d = online(NULL);
    uint64_t id;

    (void)state;
    d->deaf = true;
    id = query("DeviceStatus");
    sim_run(&s, 30000);
    expect_state(id, PLATFORM_COMMAND_SILENT);
    assert_int_equal(view(id).arrived_utc_ms, 0);
    assert_int_equal(view(id).tries, PLATFORM_COMMAND_TRIES);
    assert_true(says(view(id).evidence, "was not answered"));
    sim_free(&s);
}

/* What must not happen twice is not sent twice. */
static void not_repeated(void **state)
{
    static const struct {
        const char *sub, *value;
        enum platform_command_state want;
        unsigned tries;
    } cases[] = {
        { "PTZCmd", "A50F018200010038", PLATFORM_COMMAND_SILENT, 1 },
        { "PTZCmd", "A50F0100000000B5", PLATFORM_COMMAND_SILENT, 2 },
        { "TeleBoot", "Boot", PLATFORM_COMMAND_SILENT, 1 },
        { "GuardCmd", "SetGuard", PLATFORM_COMMAND_SILENT, 2 },
        { "RecordCmd", "Record", PLATFORM_COMMAND_SILENT, 2 },
    };
    struct sim_device *d = online(NULL);

    (void)state;
    d->deaf = true;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct element p = { slice_str(cases[i].sub),
                                          slice_str(cases[i].value) };
        uint64_t id = 0;

        assert_int_equal(order("DeviceControl", &p, &id), 0);
        sim_run(&s, 30000);
        expect_state(id, cases[i].want);
        if (view(id).tries != cases[i].tries)
            fail_msg("%s: %u tries", cases[i].sub, view(id).tries);
        assert_true(slice_eq(view(id).sub, slice_str(cases[i].sub)));
    }
    sim_free(&s);
}

/* No Response is due: 200 is all there is. */
static void note_11_1_arrived_is_not_done(void **state)
{
    const struct element p = { SLICE("PTZCmd"),
                                      SLICE("A50F0100000000B5") };
    struct sim_device *d = online(NULL);
    uint64_t id = 0;

    (void)state;
    assert_int_equal(order("DeviceControl", &p, &id), 0);
    sim_run(&s, 200);
    expect_state(id, PLATFORM_COMMAND_ARRIVED);
    assert_true(view(id).is_final);
    assert_true(says(slice_str(d->last_body),
                     "<Control>\r\n<CmdType>DeviceControl</CmdType>"));
    assert_true(says(slice_str(d->last_body),
                     "<PTZCmd>A50F0100000000B5</PTZCmd>"));
    sim_free(&s);
}

/* No Response is due, and one comes all the same: what it says is told. */
static void undue_answers(void **state)
{
    static const struct {
        const char *inner, *evidence;
        enum platform_command_state state;
    } cases[] = {
        { "<Result>ERROR</Result><Reason>no motor</Reason>",
          "Result ERROR: no motor", PLATFORM_COMMAND_REFUSED },
        { "<Result>OK</Result>", "", PLATFORM_COMMAND_ANSWERED },
    };
    const struct element e = { SLICE("PTZCmd"), SLICE("A50F0101320000E8") };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = online(NULL);
        uint64_t id = 0;

        assert_int_equal(order("DeviceControl", &e, &id), 0);
        sim_run(&s, 200);
        expect_state(id, PLATFORM_COMMAND_ARRIVED);
        respond(d, "DeviceControl", view(id).sn + 1, "<Result>ERROR</Result>");
        sim_run(&s, 100);
        expect_state(id, PLATFORM_COMMAND_ARRIVED); /* another's */
        respond(d, "DeviceControl", view(id).sn, cases[i].inner);
        respond(d, "DeviceControl", view(id).sn, "<Result>ERROR</Result>");
        sim_run(&s, 100);
        expect_state(id, cases[i].state);
        assert_true(!*cases[i].evidence ||
                    says(view(id).evidence, cases[i].evidence));
        assert_int_equal(view(id).messages, 1);
        assert_true(view(id).answer.n && view(id).answered_utc_ms);
        sim_free(&s);
    }
}

/* One question at a time; orders without an answer go at once. */
static void one_at_a_time(void **state)
{
    const struct element p = { SLICE("PTZCmd"), SLICE("00") };
    struct sim_device *d = online(NULL);
    uint64_t a = query("DeviceStatus"), b = query("PresetQuery"), c = 0;
    uint32_t sn;

    (void)state;
    assert_int_equal(order("DeviceControl", &p, &c), 0);
    sim_run(&s, 300);
    expect_state(a, PLATFORM_COMMAND_ARRIVED);
    expect_state(b, PLATFORM_COMMAND_QUEUED);
    expect_state(c, PLATFORM_COMMAND_ARRIVED);
    respond(d, "DeviceStatus", view(a).sn, "<Result>OK</Result>");
    sim_run(&s, 300);
    expect_state(a, PLATFORM_COMMAND_ANSWERED);
    expect_state(b, PLATFORM_COMMAND_ARRIVED);
    sn = sim_asked_sn(d);
    assert_int_equal(sn, view(b).sn);
    /* the first question never blocks the device for ever */
    a = query("DeviceStatus");
    c = query("DeviceInfo");
    sim_run(&s, 120000);
    assert_true(view(a).is_final && view(b).is_final && view(c).is_final);
    sim_free(&s);
}

static uint64_t guard(const char *value)
{
    const struct element e = { SLICE("GuardCmd"), slice_str(value) };
    uint64_t id = 0;

    assert_int_equal(order("DeviceControl", &e, &id), 0);
    return id;
}

/* Who arms a device does not wait until it has answered what it never will; one
 * order waits for the other, in their order, and says so. */
static void orders_overtake_questions(void **state)
{
    struct sim_device *d = online(NULL);
    uint64_t asked = query("PresetQuery"), other = query("DeviceStatus");
    uint64_t set = guard("SetGuard"), reset = guard("ResetGuard");

    (void)state;
    sim_run(&s, 1200);
    expect_state(asked, PLATFORM_COMMAND_ARRIVED);
    expect_state(other, PLATFORM_COMMAND_QUEUED);
    expect_state(set, PLATFORM_COMMAND_ARRIVED);
    expect_state(reset, PLATFORM_COMMAND_QUEUED);
    assert_true(says(view(reset).evidence, "answers another question first"));
    assert_true(says(slice_str(d->last_body), "SetGuard"));
    respond(d, "DeviceControl", view(set).sn, "<Result>OK</Result>");
    sim_run(&s, 100);
    expect_state(set, PLATFORM_COMMAND_ANSWERED);
    expect_state(reset, PLATFORM_COMMAND_ARRIVED);
    expect_state(other, PLATFORM_COMMAND_QUEUED);
    assert_int_equal(view(reset).evidence.n, 0);
    respond(d, "DeviceControl", view(reset).sn, "<Result>OK</Result>");
    sim_run(&s, 100);
    expect_state(reset, PLATFORM_COMMAND_ANSWERED);
    expect_state(asked, PLATFORM_COMMAND_ARRIVED);
    sim_free(&s);
}

/* The same while a catalog of many thousands comes in. */
static void orders_overtake_catalogs(void **state)
{
    struct sim_device *d = online(NULL);
    uint64_t id, set, asked;

    (void)state;
    d->catalog_mute = true;
    assert_int_equal(platform_command_refresh(s.p, SLICE(NVR), s.now, &id), 0);
    sim_run(&s, 2000);
    set = guard("SetGuard");
    asked = query("DeviceStatus");
    sim_run(&s, 100);
    expect_state(set, PLATFORM_COMMAND_ARRIVED);
    expect_state(asked, PLATFORM_COMMAND_QUEUED);
    sim_free(&s);
}

/* Sixteen at a device that has fallen silent: each has its end and its reason. */
static void all_of_a_silent_device_end(void **state)
{
    uint64_t id[PLATFORM_COMMANDS_QUEUE];
    unsigned given_up = 0;

    (void)state;
    online(NULL);
    for (size_t i = 0; i < COUNT(id); i++)
        id[i] = query(i % 2 ? "DeviceStatus" : "RecordInfo");
    sim_run(&s, PLATFORM_QUEUE_MS + 100);
    for (size_t i = 0; i < COUNT(id); i++)
        given_up += says(view(id[i]).evidence, "busy with other questions");
    assert_true(given_up >= COUNT(id) - 3);
    sim_run(&s, 2 * 40000); /* two tries, 10 s and 30 s each */
    for (size_t i = 0; i < COUNT(id); i++)
        assert_true(view(id[i]).is_final && view(id[i]).evidence.n);
    sim_free(&s);
}

/* Every message has something new, and none is the last. */
static void a_catalog_without_end(void **state)
{
    static char inner[400];
    struct sim_device *d = online(NULL);
    uint64_t id, asked;
    uint32_t sn;

    (void)state;
    d->catalog_mute = true;
    assert_int_equal(platform_command_refresh(s.p, SLICE(NVR), s.now, &id), 0);
    sim_run(&s, 100);
    sn = sim_asked_sn(d);
    for (unsigned i = 0; i * 9000 < PLATFORM_REFRESH_MS + 9000; i++) {
        snprintf(inner, sizeof(inner),
                 "<SumNum>100000</SumNum><DeviceList Num=\"1\"><Item><DeviceID>"
                 "3402000000131%07u</DeviceID><Name>x</Name></Item>"
                 "</DeviceList>", i);
        respond(d, "Catalog", sn, inner);
        sim_keepalive(d, NULL);
        sim_run(&s, 9000);
    }
    assert_true(view(id).is_final && view(id).partial);
    assert_true(says(view(id).evidence, "for too long"));
    asked = query("DeviceStatus"); /* its turn comes */
    sim_run(&s, 1000);
    expect_state(asked, PLATFORM_COMMAND_ARRIVED);
    sim_free(&s);
}

/* Field: an SN of its own, or none. */
static void foreign_sn(void **state)
{
    struct sim_device *d = online(NULL);
    uint64_t id = query("DeviceStatus"), other;

    (void)state;
    sim_run(&s, 100);
    respond(d, "DeviceStatus", 0, "<Result>OK</Result>");
    sim_run(&s, 100);
    expect_state(id, PLATFORM_COMMAND_ANSWERED);
    other = query("DeviceStatus");
    sim_run(&s, 100);
    respond(d, "DeviceInfo", view(other).sn, "<Result>OK</Result>");
    sim_run(&s, 100);
    expect_state(other, PLATFORM_COMMAND_ARRIVED);
    sim_free(&s);
}

/* A DeviceConfig answered as a DeviceControl is, and the reverse: by SN. With
 * another SN it may be anything's. */
static void controls_under_the_other_cmd(void **state)
{
    static const struct {
        const char *cmd, *as;
        struct element e;
    } cases[] = {
        { "DeviceConfig", "DeviceControl",
          { S("BasicParam"), S("<Name>Gate</Name>") } },
        { "DeviceControl", "DeviceConfig", { S("GuardCmd"), S("SetGuard") } },
    };
    const char *text;
    size_t pos = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = online(NULL);
        uint64_t first, second;

        assert_int_equal(order(cases[i].cmd, &cases[i].e, &first), 0);
        sim_run(&s, 100);
        respond(d, cases[i].as, view(first).sn ^ 0x1000, "<Result>OK</Result>");
        sim_run(&s, 100);
        expect_state(first, PLATFORM_COMMAND_ARRIVED);
        assert_false(platform_profile_deviation(s.p, SLICE(NVR), &pos, &text));
        respond(d, cases[i].as, view(first).sn, "<Result>OK</Result>");
        sim_run(&s, 100);
        expect_state(first, PLATFORM_COMMAND_ANSWERED);
        pos = 0;
        assert_true(platform_profile_deviation(s.p, SLICE(NVR), &pos, &text));
        assert_string_equal(text, "answer under another CmdType");
        pos = 0;
        assert_int_equal(order(cases[i].cmd, &cases[i].e, &second), 0);
        sim_run(&s, 100);
        respond(d, cases[i].as, view(second).sn, "<Result>ERROR</Result>");
        sim_run(&s, 100);
        expect_state(second, PLATFORM_COMMAND_REFUSED);
        sim_free(&s);
    }
}

static void bad_orders(void **state)
{
    static const struct {
        const char *cmd;
        struct element e; /* name empty: none */
        int err;
    } cases[] = {
        { "DeviceControl", { S("Nonsense"), S("1") }, GB_ESYNTAX },
        { "DeviceControl", { S(""), S("") }, GB_ESYNTAX },
        { "Catalog", { S(""), S("") }, GB_ESYNTAX },
        { "Keepalive", { S(""), S("") }, GB_ESYNTAX },
        { "Other", { S(""), S("") }, GB_ESYNTAX },
        { "ConfigDownload", { S("ConfigType"), S("BasicParam") }, 0 },
        /* what the edition does not have, or wants */
        { "SDCardStatus", { S(""), S("") }, GB_EUNSUPPORTED },
        { "DeviceControl", { S("FormatSDCard"), S("1") }, GB_EUNSUPPORTED },
        { "RecordInfo", { S("Secrecy"), S("2") }, GB_ERANGE },
        { "DeviceControl", { S("RecordCmd"), S("Dance") }, GB_ERANGE },
    };
    struct sim_device *d = online(NULL);
    struct platform_order o = { .device = SLICE("x"),
                                .root = MANSCDP_QUERY,
                                .cmd = MANSCDP_CMD_DEVICE_STATUS };
    uint64_t id = 0;

    (void)state;
    assert_int_equal(platform_command_send(s.p, &o, s.now, &id), GB_ENOENT);
    o.device = SLICE(NVR);
    o.target = SLICE("an id that is much longer than any id can be");
    assert_int_equal(platform_command_send(s.p, &o, s.now, &id), GB_ESYNTAX);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct element *e = cases[i].e.name.n ? &cases[i].e : NULL;
        int err = order(cases[i].cmd, e, &id);

        if (err != cases[i].err)
            fail_msg("%s %s: %s", cases[i].cmd, cases[i].e.name.p,
                     gb_strerror(err));
    }
    sim_unregister(d);
    sim_run(&s, 100);
    assert_int_equal(order("DeviceStatus", NULL, &id), GB_ESTATE);
    sim_free(&s);
}

/* A device that is removed takes nothing down with it. */
static void device_goes(void **state)
{
    struct sim_device *d = online(NULL);
    uint64_t a = query("PresetQuery"), b = query("DeviceStatus");

    (void)state;
    (void)d;
    assert_int_equal(platform_device_remove(s.p, SLICE(NVR), s.now), 0);
    sim_run(&s, 120000);
    expect_state(a, PLATFORM_COMMAND_SILENT);
    expect_state(b, PLATFORM_COMMAND_SILENT);
    assert_true(says(view(b).evidence, "offline"));
    sim_free(&s);
}

/* The newest are remembered, in order; waiting ones are bounded. */
static void bounded(void **state)
{
    const struct element p = { SLICE("PTZCmd"), SLICE("00") };
    struct platform_command c;
    uint64_t id = 0, before = 0;
    unsigned n = 0;
    int err;

    (void)state;
    online(NULL);
    for (unsigned i = 0; i < PLATFORM_COMMANDS_MAX + 50; i++) {
        assert_int_equal(order("DeviceControl", &p, &id), 0);
        sim_run(&s, 20);
    }
    for (; platform_command_before(s.p, before, &c); n++) {
        assert_int_equal(c.id, id - n);
        before = c.id;
    }
    assert_int_equal(n, PLATFORM_COMMANDS_MAX);
    assert_false(platform_command_view(s.p, 1, &c));
    for (n = 0; !(err = order("DeviceStatus", NULL, &id)); n++)
        ;
    assert_int_equal(err, GB_ELIMIT);
    assert_int_equal(n, PLATFORM_COMMANDS_QUEUE);
    assert_int_equal(sim_counters(&s).commands, PLATFORM_COMMANDS_QUEUE);
    sim_run(&s, 600000);
    assert_true(view(id).is_final);
    assert_int_equal(sim_counters(&s).commands, 0);
    sim_free(&s);
}

/* A Response larger than what is kept, and many of them. */
static void long_answers(void **state)
{
    struct sim_device *d = online(NULL);
    uint64_t id = query("PresetQuery");
    char text[1000];

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text, "<Long>", 6);
    snprintf(text + 900, 100, "</Long>");
    sim_run(&s, 100);
    for (unsigned i = 0; i < 400; i++) {
        respond(d, "PresetQuery", view(id).sn, text);
        sim_run(&s, 50);
    }
    assert_true(view(id).cut);
    assert_true(view(id).answer.n <= PLATFORM_COMMAND_ANSWER);
    assert_true(view(id).answer.n > PLATFORM_COMMAND_ANSWER / 5);
    assert_true(view(id).answer.p[view(id).answer.n - 1] == '}');
    sim_free(&s);
}

/* Its root is Notify, as no device notifies of that; a position is one that was
 * asked for when it has the SN of the question. */
static void answers_in_a_notify(void **state)
{
    static const struct {
        const char *query, *cmd;
        unsigned other_sn;
        enum platform_command_state state;
    } cases[] = {
        { "PresetQuery", "PresetQuery", 0, PLATFORM_COMMAND_ANSWERED },
        { "ConfigDownload", "PTZPosition", 0, PLATFORM_COMMAND_SILENT },
        { "PTZPosition", "PTZPosition", 0, PLATFORM_COMMAND_ANSWERED },
        { "PTZPosition", "PTZPosition", 1, PLATFORM_COMMAND_SILENT },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = online(NULL);
        const struct element type = { SLICE("ConfigType"),
                                      SLICE("BasicParam") };
        uint64_t id;
        char body[512];

        assert_int_equal(order_in(1 + MANSCDP_2022, cases[i].query,
                                  i == 1 ? &type : NULL, &id), 0);
        sim_run(&s, 1000);
        snprintf(body, sizeof(body),
                 "<Notify><CmdType>%s</CmdType><SN>%u</SN><DeviceID>" NVR
                 "</DeviceID><SumNum>1</SumNum><PresetList Num=\"1\"><Item>"
                 "<PresetID>1</PresetID></Item></PresetList></Notify>",
                 cases[i].cmd, view(id).sn + cases[i].other_sn);
        sim_message(d, body);
        sim_run(&s, 90000);
        if (view(id).state != cases[i].state || view(id).partial ||
            view(id).have != !i)
            fail_msg("%zu", i);
        sim_free(&s);
    }
}

/* What it answers is learnt from what it does (field-note 11.8). */
static void note_11_8_learnt(void **state)
{
    const struct element p = { SLICE("TeleBoot"), SLICE("Boot") };
    struct platform_profile_command k;
    struct platform_profile f;
    const char *text;
    struct sim_device *d = online(NULL);
    uint64_t id;
    size_t pos = 0;

    (void)state;
    assert_true(profile_of("Catalog", "", &k) && k.knows && !k.lacks);
    assert_true(profile_of("DeviceInfo", "", &k) && k.knows);
    assert_false(profile_of("PresetQuery", "", &k));
    assert_true(profile_of("DeviceInfo", "", &k) && k.asked == 1);
    id = query("DeviceInfo"); /* once more, and so it is counted */
    sim_run(&s, 1000);
    assert_int_equal(view(id).state, PLATFORM_COMMAND_ANSWERED);
    assert_true(profile_of("DeviceInfo", "", &k) && k.asked == 2);
    id = query("PresetQuery");
    sim_run(&s, 90000);
    expect_state(id, PLATFORM_COMMAND_SILENT);
    assert_true(profile_of("PresetQuery", "", &k));
    assert_true(!k.knows && !k.lacks && k.silent == 1);
    sim_keepalive(d, NULL);
    query("PresetQuery");
    sim_run(&s, 90000);
    sim_keepalive(d, NULL);
    assert_true(profile_of("PresetQuery", "", &k) && k.lacks && k.asked == 2);
    d->query_refused = true;
    query("DeviceStatus");
    sim_run(&s, 1000);
    assert_true(profile_of("DeviceStatus", "", &k) && k.lacks);
    assert_string_equal(platform_outcome_name(k.last), "refused");
    d->query_refused = false;
    assert_int_equal(order("DeviceControl", &p, &id), 0);
    sim_run(&s, 1000);
    assert_true(profile_of("DeviceControl", "TeleBoot", &k) && k.knows);
    /* a wire that is cut teaches nothing of the device */
    d->deaf = true;
    assert_int_equal(order_in(1 + MANSCDP_2022, "SDCardStatus", NULL, &id), 0);
    sim_run(&s, 60000);
    d->deaf = false;
    assert_false(profile_of("SDCardStatus", "", &k));
    assert_true(platform_profile_view(s.p, SLICE(NVR), &f));
    assert_true(!f.alarms_by_message && !f.edition_told);
    sim_message(d, "<Notify><CmdType>Alarm</CmdType><SN>1</SN><DeviceID>" NVR
                   "</DeviceID><AlarmPriority>1</AlarmPriority>"
                   "<AlarmMethod>5</AlarmMethod></Notify>");
    sim_message(d, "<Notify><CmdType>Alarm</CmdType></Notify>");
    sim_run(&s, 100);
    assert_true(platform_profile_view(s.p, SLICE(NVR), &f));
    assert_true(f.alarms_by_message && f.alarms_untyped && !f.alarms_typed);
    assert_true(platform_profile_deviation(s.p, SLICE(NVR), &pos, &text));
    assert_string_equal(text, "SN is missing");
    assert_false(platform_profile_view(s.p, SLICE("x"), &f));
    sim_free(&s);
}

static uint64_t refresh(void)
{
    uint64_t id = 0;

    assert_int_equal(platform_command_refresh(s.p, SLICE(NVR), s.now, &id), 0);
    assert_true(id != 0);
    return id;
}

/* A refresh can be followed as any other command (field-note 4.11). */
static void note_4_11_refreshes(void **state)
{
    struct sim_device *d = online(NULL);
    struct platform_command c;
    uint64_t id, other;

    (void)state;
    sim_channels(d, 3);
    id = refresh();
    expect_state(id, PLATFORM_COMMAND_QUEUED);
    sim_run(&s, 3);
    c = view(id);
    assert_true(c.sent_utc_ms && c.tries == 1);
    sim_run(&s, 1000);
    c = view(id);
    assert_int_equal(c.state, PLATFORM_COMMAND_ANSWERED);
    assert_true(!c.partial && c.have == 3 && c.sum == 3 && c.is_final);
    assert_true(slice_eq(c.cmd, SLICE("Catalog")));
    /* it stops in the middle; who asks meanwhile joins */
    d->catalog_drop = 1;
    id = refresh();
    sim_run(&s, 2000);
    other = refresh();
    sim_run(&s, 20000);
    assert_true(view(id).partial && view(other).partial);
    assert_int_equal(view(id).have, 2);
    assert_true(says(view(id).evidence, "stopped in the middle"));
    sim_run(&s, 60000);
    d->catalog_drop = 0;
    d->query_refused = true;
    id = refresh();
    sim_run(&s, 2000);
    expect_state(id, PLATFORM_COMMAND_REFUSED);
    assert_true(says(view(id).evidence, "SIP 404"));
    d->query_refused = false;
    d->catalog_mute = true;
    sim_keepalive(d, NULL);
    id = refresh();
    sim_run(&s, 2000);
    expect_state(id, PLATFORM_COMMAND_ARRIVED);
    sim_unregister(d);
    sim_run(&s, 2000);
    expect_state(id, PLATFORM_COMMAND_SILENT);
    assert_true(says(view(id).evidence, "offline"));
    assert_int_equal(platform_command_refresh(s.p, SLICE(NVR), s.now, &id),
                     GB_ESTATE);
    assert_int_equal(platform_command_refresh(s.p, SLICE("x"), s.now, &id),
                     GB_ENOENT);
    sim_free(&s);
}

/* What waits behind a refresh ends with it, one within the other. */
static void offline_with_a_refresh_and_others(void **state)
{
    for (unsigned others = 0; others < 5; others++)
        for (unsigned between = 0; between <= others; between++) {
            struct sim_device *d = online(NULL);
            uint64_t id[5], first, second = 0;

            (void)state;
            d->catalog_mute = true;
            sim_keepalive(d, NULL);
            first = refresh();
            sim_run(&s, 1000);
            for (unsigned i = 0; i < others; i++) {
                if (i == between)
                    second = refresh();
                id[i] = query(i % 2 ? "PresetQuery" : "DeviceStatus");
                expect_state(id[i], PLATFORM_COMMAND_QUEUED);
            }
            sim_unregister(d);
            sim_run(&s, 1000);
            expect_state(first, PLATFORM_COMMAND_SILENT);
            if (second)
                expect_state(second, PLATFORM_COMMAND_SILENT);
            for (unsigned i = 0; i < others; i++) {
                expect_state(id[i], PLATFORM_COMMAND_SILENT);
                assert_true(view(id[i]).is_final);
            }
            sim_free(&s);
        }
}

static void without_memory(void **state)
{
    unsigned long at;
    bool done = false;

    (void)state;
    for (at = 1; !done; at++) {
        struct failing_alloc f;
        struct sim_options o;
        struct sim_device *d;
        uint64_t id = 0;
        int err;

        failing_alloc_init(&f, 0);
        o = (struct sim_options){ .config = { .auto_enrol = true },
                                  .alloc = &f.alloc };
        d = online(&o);
        f.fail_at = f.calls + at;
        err = order("PresetQuery", NULL, &id);
        if (!err) {
            sim_run(&s, 100);
            preset(d, view(id).sn, 1);
            sim_run(&s, 100);
        } else {
            assert_int_equal(err, GB_ENOMEM);
        }
        done = f.calls < f.fail_at;
        f.fail_at = 0;
        sim_run(&s, 120000);
        assert_int_equal(order("DeviceStatus", NULL, &id), 0);
        sim_free(&s);
        assert_int_equal(f.live, 0);
    }
    assert_true(at > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answered),
        cmocka_unit_test(note_11_6_result_and_reason),
        cmocka_unit_test(silent_then_late),
        cmocka_unit_test(an_answer_that_cannot_be_read),
        cmocka_unit_test(answered_at_the_second_try),
        cmocka_unit_test(undue_answers),
        cmocka_unit_test(never_arrived),
        cmocka_unit_test(not_repeated),
        cmocka_unit_test(note_11_1_arrived_is_not_done),
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(orders_overtake_questions),
        cmocka_unit_test(orders_overtake_catalogs),
        cmocka_unit_test(all_of_a_silent_device_end),
        cmocka_unit_test(a_catalog_without_end),
        cmocka_unit_test(foreign_sn),
        cmocka_unit_test(controls_under_the_other_cmd),
        cmocka_unit_test(bad_orders),
        cmocka_unit_test(device_goes),
        cmocka_unit_test(bounded),
        cmocka_unit_test(long_answers),
        cmocka_unit_test(answers_in_a_notify),
        cmocka_unit_test(note_11_8_learnt),
        cmocka_unit_test(note_4_11_refreshes),
        cmocka_unit_test(offline_with_a_refresh_and_others),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
