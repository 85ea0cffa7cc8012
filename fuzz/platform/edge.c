/* The owner of the platform: a media edge that does as it is told or not, a store of
 * dialogs, and a look at all that the platform says and sends. */
#include "fuzz/platform/world.h"

#include "sip/digest.h"

#include <string.h>

static struct sip_msg parsed;

/* ---- the media edge --------------------------------------------------------- */

static struct stream *stream_of(uint64_t session)
{
    for (size_t i = 0; i < MAX_STREAMS; i++)
        if (run.stream[i].session == session)
            return &run.stream[i];
    return NULL;
}

void media(uint64_t session, enum platform_media_kind kind,
                  const uint8_t *v)
{
    struct platform_media_event ev = {
        .kind = kind, .session = session, .ssrc = 200000000u + v[0],
        .from = run.device.remote, .packets = 100u * v[1], .bytes = 100000u * v[1],
        .lost = v[2], .keys = v[3] % 8, .position_ms = 1000 * v[4],
        .video = v[5] % 4 ? PS_CODEC_H264 : PS_CODEC_UNKNOWN,
        .audio = v[5] / 4 % 2 ? PS_CODEC_G711A : PS_CODEC_UNKNOWN,
        .width = 1920, .height = 1080, .unknown_bytes = v[6],
    };
    const struct stream *m = stream_of(session);

    if (v[0] >= 128 && m && m->ssrc)
        ev.ssrc = m->ssrc;

    if (kind == PLATFORM_MEDIA_REFUSED || kind == PLATFORM_MEDIA_ENDED) {
        ev.err = GB_EIO;
        ev.text = "address already in use";
    }
    platform_media(run.p, &ev, run.now);
}

/* By their SSRC, where they share a port. */
static void tell_apart(struct stream *m, const struct platform_action *a)
{
    m->ssrc = a->ssrc_any ? 0 : a->ssrc;
    for (size_t i = 0; m->shared && m->ssrc && i < MAX_STREAMS; i++)
        require(&run.stream[i] == m || !run.stream[i].session ||
                !run.stream[i].shared || run.stream[i].ssrc != m->ssrc);
}

static void open_stream(const struct platform_action *a)
{
    static const uint8_t none[8];
    struct stream *m = stream_of(0);

    require(m && !stream_of(a->session) && a->port);
    require(a->shared == (a->port == SHARED_PORT));
    for (size_t i = 0; !a->shared && i < MAX_STREAMS; i++)
        require(!run.stream[i].session || run.stream[i].port != a->port);
    if (run.refuse_ports) {
        run.refuse_ports--;
        media(a->session, PLATFORM_MEDIA_REFUSED, none);
        return;
    }
    *m = (struct stream){ .session = a->session, .port = a->port,
                          .shared = a->shared };
    tell_apart(m, a);
    media(a->session, PLATFORM_MEDIA_OPENED, none);
}

/* The loop has closed what it was told to. */
void close_streams(void)
{
    static const uint8_t none[8];

    for (size_t i = 0; i < MAX_STREAMS; i++) {
        uint64_t session = run.stream[i].session;

        if (!session || !run.stream[i].closing)
            continue;
        run.stream[i].session = 0;
        media(session, PLATFORM_MEDIA_CLOSED, none);
    }
}

static void order(const struct platform_action *a)
{
    struct stream *m = stream_of(a->session);

    if (a->kind == PLATFORM_DO_OPEN) {
        open_stream(a);
        return;
    }
    require(m && !m->closing);
    if (a->kind == PLATFORM_DO_ANSWER)
        tell_apart(m, a);
    m->closing = a->kind == PLATFORM_DO_CLOSE;
}

/* ---- what the platform tells ------------------------------------------------ */

/* key 0: a free one. */
static struct stored *find_stored(uint64_t key)
{
    for (size_t i = 0; i < MAX_STORED; i++)
        if (run.stored[i].key == key)
            return &run.stored[i];
    return NULL;
}

static struct slice store(struct stored *d, struct slice s)
{
    struct slice copy = { d->text + d->n, s.n };

    read_all(s);
    require(s.n <= sizeof(d->text) - d->n);
    memcpy(d->text + d->n, s.p, s.n);
    d->n += s.n;
    return copy;
}

static void dialog_opened(const struct platform_action *a)
{
    const struct sip_dialog_state *s = &a->dialog;
    struct stored *d = find_stored(a->dialog_key);

    d = d ? d : find_stored(0);
    require(a->dialog_key && d);
    d->key = a->dialog_key;
    d->peer = a->peer;
    d->n = 0;
    d->state = (struct sip_dialog_state){
        store(d, s->call_id), store(d, s->local_uri), store(d, s->remote_uri),
        store(d, s->local_tag), store(d, s->remote_tag), store(d, s->target),
        s->local_cseq,
    };
}

static void dialog_closed(const struct platform_action *a)
{
    struct stored *d = find_stored(a->dialog_key);

    require(a->dialog_key && d);
    d->key = 0;
}

bool any_stored(void)
{
    for (size_t i = 0; i < MAX_STORED; i++)
        if (run.stored[i].key)
            return true;
    return false;
}

static void device_changed(const struct platform_action *a)
{
    static char buf[PLATFORM_SAVED_MAX];
    struct platform_device d;

    require(platform_device_save(run.p, a->device, buf, &d));
    read_all(d.name);
    read_words(d.state_reason);
    read_all(d.profile);
}

static void download_changed(const struct platform_action *a)
{
    static char buf[PLATFORM_DOWNLOAD_SAVED_MAX];
    struct platform_download d;

    require(platform_download_save(run.p, a->download, buf, sizeof(buf), &d));
    read_words(d.evidence);
    read_all(d.parts);
    know(&run.downloads, a->download);
}

static void command_changed(const struct platform_action *a)
{
    struct platform_command c;

    know(&run.commands, a->command);
    if (!platform_command_view(run.p, a->command, &c))
        return; /* a newer one has its place */
    require(c.ends_ms <= run.now.mono_ms + PLATFORM_REFRESH_MS);
    read_words(c.evidence);
    read_all(c.answer);
}

static void session_changed(const struct platform_action *a)
{
    struct platform_session s;

    require(platform_session_view(run.p, a->session, &s));
    read_words(s.evidence);
    read_words(s.hint);
    read_all(s.call_id);
}

static void voice_changed(const struct platform_action *a)
{
    struct platform_voice v;

    require(platform_voice_view(run.p, a->session, &v));
    read_words(v.evidence);
    read_all(v.target);
}

static void on_action(const struct platform_action *a)
{
    read_all(a->device);
    read_all(a->channel);
    read_all(a->text);
    if (run.guest)
        run.guest->told(a);
    switch (a->kind) {
    case PLATFORM_DO_OPEN:
    case PLATFORM_DO_ANSWER:
    case PLATFORM_DO_PACE:
    case PLATFORM_DO_SPEAK:
    case PLATFORM_DO_CLOSE:
        order(a);
        break;
    case PLATFORM_DO_DISCONNECT:
        run.dropped = a->connection;
        break;
    case PLATFORM_DO_FILE_END:
        run.filed = a->download;
        break;
    case PLATFORM_DIALOG_OPENED:
        dialog_opened(a);
        break;
    case PLATFORM_DIALOG_CLOSED:
        dialog_closed(a);
        break;
    case PLATFORM_DEVICE_CHANGED:
        device_changed(a);
        break;
    case PLATFORM_DOWNLOAD_CHANGED:
        download_changed(a);
        break;
    case PLATFORM_COMMAND_CHANGED:
        command_changed(a);
        break;
    case PLATFORM_SESSION_CHANGED:
    case PLATFORM_SESSION_GONE:
        session_changed(a);
        break;
    case PLATFORM_VOICE_CHANGED:
    case PLATFORM_VOICE_GONE:
        voice_changed(a);
        break;
    default:
        break;
    }
}

/* ---- what it sends ---------------------------------------------------------- */

static void keep(struct asked *a, struct slice bytes)
{
    a->n = bytes.n <= sizeof(a->p) ? bytes.n : 0;
    memcpy(a->p, bytes.p, a->n);
}

static void note_nonce(const struct sip_msg *m)
{
    struct sip_challenge c;

    if (m->status == 401 &&
        !sip_challenge_pick(&c, m, SIP_HDR_WWW_AUTHENTICATE))
        slice_copy(run.nonce, sizeof(run.nonce), c.nonce);
}

static void note_sn(struct slice body)
{
    size_t at = slice_find_slice(body, SLICE("<SN>"));
    struct slice rest = slice_from(body, at + 4);

    if (at < body.n)
        slice_u32(slice_head(rest, slice_find(rest, '<')), UINT32_MAX, &run.sn);
}

static void on_output(const struct sip_out *out)
{
    int err = sip_msg_parse(&parsed, out->bytes, SIP_STREAM, NULL);

    require(!err || run.bad); /* what is malformed is echoed */
    if (err)
        return;
    if (!parsed.is_request) {
        keep(&run.told, out->bytes);
        note_nonce(&parsed);
        return;
    }
    if (!gb_addr_eq(&out->peer.remote, &run.device.remote) ||
        parsed.method == SIP_METHOD_ACK)
        return;
    keep(&run.asked[run.n_asked++ % MAX_ASKED], out->bytes);
    note_sn(parsed.body);
}

void closed(uint64_t connection)
{
    sip_stack_closed(run.sip, connection, run.now.mono_ms);
    platform_closed(run.p, connection, run.now);
}

/* The owner's turn. */
void turn(void)
{
    struct sip_event ev;
    struct platform_action a;
    struct sip_out out;

    while (sip_stack_event(run.sip, &ev))
        platform_sip(run.p, &ev, run.now);
    while (platform_action(run.p, &a))
        on_action(&a);
    while (sip_stack_output(run.sip, &out))
        on_output(&out);
}

void pump(void)
{
    bool more = true;

    for (unsigned n = 0; more; n++) {
        uint64_t filed = run.filed, dropped = run.dropped;

        require(n < MAX_TURNS);
        turn();
        more = run.filed != filed || run.dropped != dropped;
        if (run.filed)
            platform_download_filed(run.p, run.filed, 1000, 0, NULL, run.now);
        if (run.dropped)
            closed(run.dropped);
        more = run.filed || run.dropped || more;
        run.filed = run.dropped = 0;
        if (!run.slow_edge)
            close_streams();
        more = oblige() || more;
    }
    turn();
}
