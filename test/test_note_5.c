/* Field-notes of group 5 that no other test has: what an INVITE carries, and
 * when a channel is playing, in virtual time. */
#include "test/session_rig.h"

#include "sip/vocab.h"

#include <stdio.h>

#define SHORT_INVITE 1300 /* bytes that go into one datagram on any path */

static struct seen {
    unsigned n;
    size_t longest;
    char odd[64]; /* a header that need not be there */
    bool subject, y;
} invites;

/* What RFC 3261 wants of an INVITE and GB/T 28181 besides; User-Agent is the one
 * that is ours. */
static bool is_expected(struct slice name)
{
    static const char *const names[] = {
        "Via", "From", "To", "Call-ID", "CSeq", "Contact", "Max-Forwards",
        "Subject", "Content-Type", "Content-Length", "User-Agent",
    };

    for (size_t i = 0; i < COUNT(names); i++)
        if (slice_eq(name, slice_str(names[i])))
            return true;
    return false;
}

static void on_message(void *ctx, bool out, const struct sip_peer *peer,
                       struct slice bytes, struct gb_time now)
{
    char text[4096];
    struct slice rest = bytes, line, name;

    (void)ctx;
    (void)peer;
    (void)now;
    if (!out || !slice_eq(slice_head(bytes, 7), SLICE("INVITE ")))
        return;
    invites.n++;
    if (bytes.n > invites.longest)
        invites.longest = bytes.n;
    assert_true(bytes.n < sizeof(text));
    snprintf(text, sizeof(text), "%.*s", SLICE_ARG(bytes));
    invites.subject = text_has(text, "\r\nSubject: ");
    invites.y = text_has(text, "\r\ny=");
    slice_cut(&rest, '\n', &line);
    while (rest.n) {
        slice_cut(&rest, '\n', &line);
        if (line.n <= 1)
            break; /* the body follows */
        slice_cut(&line, ':', &name);
        if (!is_expected(name))
            snprintf(invites.odd, sizeof(invites.odd), "%.*s",
                     SLICE_ARG(slice_head(name, 60)));
    }
}

/* A camera that answers other platforms does not answer an INVITE that is long
 * or has headers it does not know. */
static void note_5_4_an_invite_is_short_and_plain(void **state)
{
    static const enum platform_transport how[] = {
        PLATFORM_UDP, PLATFORM_TCP_PASSIVE, PLATFORM_TCP_ACTIVE,
    };
    const struct sim_options o = { .config = { .auto_enrol = true },
                                   .on_message = on_message };
    struct sim_device *d = ready_at("192.168.1.10:5060", SIP_UDP, &o);
    struct platform_session v;

    (void)state;
    for (unsigned i = 0; i < COUNT(how); i++) {
        memset(&invites, 0, sizeof(invites));
        assert_int_equal(sim_play(&s, d, d->channel[i], how[i], &v), 0);
        sim_run(&s, 1000);
        assert_int_equal(invites.n, 1);
        assert_true(invites.longest < SHORT_INVITE);
        assert_true(invites.subject && invites.y);
        if (invites.odd[0])
            fail_msg("INVITE carries %s", invites.odd);
    }
    memset(&invites, 0, sizeof(invites));
    assert_int_equal(sim_playback(&s, d, d->channel[3], PLATFORM_DOWNLOAD,
                                  PLATFORM_TCP_PASSIVE, &v), 0);
    sim_run(&s, 1000);
    assert_int_equal(invites.n, 1);
    assert_true(invites.longest < SHORT_INVITE);
    assert_true(invites.subject && invites.y && !invites.odd[0]);
    drains_clean();
}

/* Its SSRC is another than ours: the session is found by what it is, and is over
 * when nothing more comes. */
static void note_5_7_over_when_nothing_comes(void **state)
{
    static const enum sim_invite how[] = { SIM_ANSWER, SIM_OTHER_Y, SIM_NO_Y };

    (void)state;
    for (unsigned i = 0; i < COUNT(how); i++) {
        struct sim_device *d = ready();
        struct platform_session v;
        struct platform_channel c;

        d->invite = how[i];
        v = sim_watch(&s, d, channel, PLATFORM_UDP);
        sim_run(&s, 30000);
        assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
        assert_true(platform_channel_view(s.p, slice_str(nvr),
                                          slice_str(channel), &c));
        assert_true(c.session == v.id);
        sim_stream_of(&s, v.id)->next_ms = GB_NEVER; /* no BYE, no packet */
        sim_run(&s, 20000);
        assert_int_equal(d->byes, 1);
        assert_true(text_has(s.last_evidence, "no media for"));
        assert_true(platform_channel_view(s.p, slice_str(nvr),
                                          slice_str(channel), &c));
        assert_true(c.session == 0);
        ends_clean();
    }
}

/* Its BYE is lost: it is told again, and its number and port are not given out
 * as long as it may send. */
static void note_5_14_a_lost_bye_goes_out_again(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v, next;
    uint32_t ssrc;
    uint16_t port;

    (void)state;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_UDP, &v), 0);
    sim_run(&s, 2000);
    v = sim_session(&s, v.id);
    ssrc = v.ssrc;
    port = v.port;
    d->deaf = true;
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 3000);
    assert_int_equal(d->byes, 0);
    assert_true(s.byes_sent > 2);
    d->deaf = false;
    sim_run(&s, 5000);
    assert_int_equal(d->byes, 1);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(sim_play(&s, d, d->channel[i], PLATFORM_UDP, &next),
                         0);
        assert_true(next.ssrc != ssrc && next.port != port);
    }
    drains_clean();
}

static void media_after(uint64_t session)
{
    struct platform_media_event ev = { .kind = PLATFORM_MEDIA_AFTER,
                                       .session = session };

    platform_media(s.p, &ev, s.now);
    sim_run(&s, 1000);
}

/* It has answered its BYE and goes on sending: another BYE, once, and noted. Not
 * after a minute, when the number may be somebody else's. */
static void note_5_14_media_go_on_after_an_answer(void **state)
{
    (void)state;
    for (unsigned late = 0; late < 2; late++) {
        struct sim_device *d = ready();
        struct platform_session v;

        assert_int_equal(sim_play(&s, d, channel, PLATFORM_UDP, &v), 0);
        sim_run(&s, 2000);
        platform_session_stop(s.p, v.id, s.now);
        sim_run(&s, late ? 61000 : 3000);
        assert_int_equal(d->byes, 1);
        assert_int_equal(s.byes_sent, 1);
        assert_int_equal(s.actions[PLATFORM_DIALOG_CLOSED], 1);
        media_after(v.id + 1); /* none such */
        assert_int_equal(s.byes_sent, 1);
        media_after(v.id);
        assert_int_equal(s.byes_sent, late ? 1 : 2);
        assert_true(late || text_has(s.log, "goes on sending after a BYE"));
        media_after(v.id);
        media_after(0);
        assert_int_equal(s.byes_sent, late ? 1 : 2);
        assert_int_equal(s.actions[PLATFORM_DIALOG_CLOSED], 1);
        ends_clean();
    }
}

/* It never answers: the BYE that is told again and again comes to its end first. */
static void note_5_14_media_go_on_without_an_answer(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;
    unsigned sent;

    (void)state;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_UDP, &v), 0);
    sim_run(&s, 2000);
    d->deaf = true;
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 3000);
    sent = s.byes_sent;
    media_after(v.id);
    assert_in_range(s.byes_sent, sent, sent + 1); /* its repeats alone */
    sim_run(&s, 29000); /* 64*T1 are over */
    d->deaf = false;
    sim_run(&s, 9000);
    assert_int_equal(d->byes, 1);
    assert_int_equal(s.actions[PLATFORM_DIALOG_CLOSED], 1);
    sent = s.byes_sent;
    media_after(v.id);
    assert_int_equal(s.byes_sent, sent);
    ends_clean();
}

/* A 486 is about dialogs that may live: not those that the device has ended. */
static void note_5_14_answered_ones_are_no_busy_ones(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(sim_play(&s, d, d->channel[i], PLATFORM_UDP, &v), 0);
        sim_run(&s, 2000);
        platform_session_stop(s.p, v.id, s.now);
        sim_run(&s, 1000);
    }
    assert_int_equal(s.byes_sent, 3);
    d->invite = SIM_REFUSE;
    d->refuse_status = 486;
    d->refuse_times = 9;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_UDP, &v), 0);
    sim_run(&s, 5000);
    assert_int_equal(s.byes_sent, 3);
    ends_clean();
}

/* ---- 5.3 ---- */

/* The answers get lost and RTP of the number that we gave comes: the picture is
 * shown, however the transaction ends; with the 200 at last there is a dialog. */
static void note_5_3_media_answer_the_invite(void **state)
{
    (void)state;
    for (unsigned late = 0; late < 2; late++) {
        struct sim_device *d = ready();
        struct platform_session v;

        d->invite = SIM_UNHEARD;
        v = sim_watch(&s, d, channel, PLATFORM_AUTO);
        sim_run(&s, 1500);
        assert_int_equal(sim_session(&s, v.id).state, PLATFORM_STARTING);
        sim_run(&s, 3000);
        v = sim_session(&s, v.id);
        assert_int_equal(v.state, PLATFORM_PLAYING);
        assert_true(text_has(s.log, "media are taken for an answer"));
        assert_true(slice_find_slice(v.evidence, SLICE("taken for one")) <
                    v.evidence.n);
        if (late) {
            sim_heard_at_last(d);
            sim_run(&s, 100);
            v = sim_session(&s, v.id);
            assert_int_equal(v.evidence.n, 0);
        }
        sim_run(&s, 60000); /* behind Timer B */
        assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
        assert_int_equal(d->invites, 1);
        platform_session_stop(s.p, v.id, s.now);
        sim_run(&s, 1000);
        assert_int_equal(d->byes, late);
        ends_clean();
    }
}

/* Of another number, or from elsewhere, it is no answer. */
static void note_5_3_foreign_media_answer_nothing(void **state)
{
    (void)state;
    for (unsigned elsewhere = 0; elsewhere < 2; elsewhere++) {
        struct sim_device *d = ready();

        d->invite = SIM_UNHEARD;
        d->foreign_ssrc = !elsewhere;
        d->media_ip = elsewhere ? "192.168.1.66" : NULL;
        sim_watch(&s, d, channel, PLATFORM_AUTO);
        sim_run(&s, 15000);
        assert_int_equal(s.last.state, PLATFORM_FAILED);
        assert_int_equal(s.last.step, PLATFORM_STEP_ANSWER);
        ends_clean();
    }
}

/* A packet and nothing behind it is none: the answer is waited for. */
static void note_5_3_a_stray_packet_answers_nothing(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;
    struct sim_stream *st;

    (void)state;
    d->invite = SIM_UNHEARD;
    v = sim_watch(&s, d, channel, PLATFORM_AUTO);
    sim_run(&s, 500);
    st = sim_stream_of(&s, v.id);
    assert_true(st->packets > 0);
    st->next_ms = GB_NEVER;
    sim_run(&s, 3000);
    sim_media(&s, st, PLATFORM_MEDIA_ALIVE);
    sim_run(&s, 10000);
    assert_int_equal(s.last.state, PLATFORM_FAILED);
    assert_int_equal(s.last.step, PLATFORM_STEP_ANSWER);
    ends_clean();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(note_5_3_media_answer_the_invite),
        cmocka_unit_test(note_5_3_foreign_media_answer_nothing),
        cmocka_unit_test(note_5_3_a_stray_packet_answers_nothing),
        cmocka_unit_test(note_5_4_an_invite_is_short_and_plain),
        cmocka_unit_test(note_5_7_over_when_nothing_comes),
        cmocka_unit_test(note_5_14_a_lost_bye_goes_out_again),
        cmocka_unit_test(note_5_14_media_go_on_after_an_answer),
        cmocka_unit_test(note_5_14_media_go_on_without_an_answer),
        cmocka_unit_test(note_5_14_answered_ones_are_no_busy_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
