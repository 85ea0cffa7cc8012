/* Calls of the API, with any arguments. */
#include "fuzz/platform/world.h"

static struct slice whose(unsigned n)
{
    return slice_str(says_who(n));
}

static void play(unsigned arg, const uint8_t *v)
{
    struct platform_session s;
    struct platform_live live = {
        .device = whose(v[0]), .channel = whose(1u + v[1]),
        .stream = v[2] % 3,
        .transport = (enum platform_transport)(v[3] % 4),
    };
    struct platform_recording rec = {
        .device = live.device, .channel = live.channel,
        .kind = arg & 1 ? PLATFORM_PLAYBACK : PLATFORM_DOWNLOAD,
        .transport = live.transport, .start_s = UTC_S - 600u * v[4],
        .stop_s = UTC_S - 600u * v[4] + 60u * v[5], .speed = v[2],
    };
    int err = arg & 2 ? platform_playback_start(run.p, &rec, run.now, &s)
                      : platform_live_start(run.p, &live, run.now, &s);

    read_words(s.evidence);
    read_words(s.hint);
    if (err)
        return;
    know(&run.sessions, s.id);
    if (arg & 4)
        platform_session_hold(run.p, s.id, run.now);
}

static void control(unsigned arg, const uint8_t *v)
{
    struct platform_control c = {
        .kind = (enum platform_control_kind)(v[0] % PLATFORM_CONTROLS),
        .position_ms = 1000 * v[1],
        .scale_milli = 250 * ((int)v[2] - 64),
    };
    uint64_t id = pick(&run.sessions, arg >> 4);
    uint32_t number;

    switch (arg & 3) {
    case 0:
        platform_session_stop(run.p, id, run.now);
        break;
    case 1:
        platform_session_control(run.p, id, &c, run.now, &number);
        break;
    case 2:
        platform_session_hold(run.p, id, run.now);
        break;
    default:
        platform_session_release(run.p, id, run.now);
        break;
    }
}

static void command(const uint8_t *v)
{
    static const enum manscdp_cmd cmds[] = {
        MANSCDP_CMD_DEVICE_STATUS, MANSCDP_CMD_DEVICE_INFO,
        MANSCDP_CMD_PRESET_QUERY, MANSCDP_CMD_HOME_POSITION_QUERY,
        MANSCDP_CMD_CRUISE_TRACK_LIST, MANSCDP_CMD_CRUISE_TRACK,
        MANSCDP_CMD_PTZ_POSITION, MANSCDP_CMD_SD_CARD_STATUS,
        MANSCDP_CMD_ALARM, MANSCDP_CMD_MOBILE_POSITION,
        MANSCDP_CMD_CONFIG_DOWNLOAD,
    };
    struct platform_order o = {
        .device = whose(v[0]), .target = whose(v[1]), .root = MANSCDP_QUERY,
        .cmd = cmds[v[2] % COUNT_OF(cmds)], .edition = v[3] % 5,
        .may_repeat = v[4] & 1,
    };
    uint64_t id;

    platform_command_send(run.p, &o, run.now, &id);
}

static void move(unsigned arg, const uint8_t *v)
{
    struct platform_ptz q = {
        .device = whose(v[0]), .channel = whose(1u + v[1]),
        .command = { .op = (enum manscdp_ptz_op)(v[2] % 16),
                     .pan = (int8_t)(v[3] % 3 - 1),
                     .tilt = (int8_t)(v[4] % 3 - 1), .pan_speed = v[5],
                     .preset = v[6], .group = v[6], .value = v[5] },
        .name = v[7] & 1 ? SLICE("name") : slice_of(NULL, 0),
    };
    uint64_t id;

    if (arg & 1)
        platform_ptz(run.p, &q, run.now, &id);
    else
        platform_ptz_stop(run.p, q.device, q.channel, run.now, &id);
}

static void fetch(unsigned arg, const uint8_t *v)
{
    struct platform_download_order o = {
        .device = whose(v[0]), .channel = whose(1u + v[1]),
        .start_s = UTC_S - 60u * v[4],
        .stop_s = UTC_S - 60u * v[4] + 10u * v[5],
        .format = v[2] & 1 ? PLATFORM_FILE_PS : PLATFORM_FILE_MP4,
        .transport = (enum platform_transport)(v[3] % 4), .speed = v[6] % 16,
    };
    struct platform_records_ask q = { .device = o.device, .channel = o.channel,
                                      .start_s = o.start_s,
                                      .stop_s = o.stop_s };
    uint64_t id;

    if (arg & 1)
        platform_download_cancel(run.p, pick(&run.downloads, arg >> 2), run.now);
    else if (arg & 2 && !platform_records_start(run.p, &q, run.now, &id))
        know(&run.records, id);
    else
        platform_download_start(run.p, &o, run.now, &id);
}

/* What the owner of its file says of a download. */
static void saved(unsigned arg, const uint8_t *v)
{
    struct platform_download d;
    struct platform_download_saved s = { .id = pick(&run.downloads, arg >> 2),
                                         .over = v[0] & 1 };

    if (!platform_download_view(run.p, s.id, &d))
        return;
    s.session = d.session;
    s.mark = (struct platform_download_mark){
        .bytes = 1000u * v[1], .at_utc_ms = UTC - 60000 * v[2] + 1000 * v[3],
        .end90k = 90000 * v[3], .key = v[4], .chain = v[4],
    };
    s.err = v[5] % 8 == 1 ? GB_ELIMIT : v[5] % 8 == 2 ? GB_EIO : 0;
    s.text = s.err ? "no space" : NULL;
    platform_download_saved(run.p, &s, run.now);
}

static void speak(unsigned arg, const uint8_t *v)
{
    struct platform_voice out;
    struct platform_voice_wish w = {
        .device = whose(v[0]), .channel = whose(v[1]),
        .mode = (enum platform_voice_mode)(v[2] % PLATFORM_VOICE_MODES),
        .transport = (enum platform_transport)(v[3] % 4),
        .who = SLICE("somebody"), .max_s = v[4], .packet_ms = v[5],
        .whole_ms = 1000u * v[6], .bare = v[7] & 1,
    };

    if (arg & 1)
        platform_voice_stop(run.p, pick(&run.voices, arg >> 2), "stopped", run.now);
    else if (!platform_voice_start(run.p, &w, run.now, &out))
        know(&run.voices, out.id);
}

static void upgrade(unsigned arg, const uint8_t *v)
{
    struct slice session = SLICE(SAYS_SESSION);
    struct platform_upgrade_order o = {
        .device = whose(v[0]), .target = whose(v[1]), .session = session,
        .file = SLICE("f.bin"), .url = SLICE("http://192.168.1.2/f.bin"),
        .version = SLICE("V2"), .manufacturer = SLICE("m"),
    };

    if (arg & 1)
        platform_upgrade_fetched(run.p, session, 1000, arg & 2, run.now);
    else
        platform_upgrade_start(run.p, &o, run.now);
}

static void settle(unsigned arg, const uint8_t *v)
{
    struct platform_settings s = {
        .set = (unsigned)v[1] << 2 | (v[2] & 3),
        .password = v[3] & 1 ? SLICE(PASSWORD) : SLICE("other"),
        .group = v[3] & 2 ? SLICE("g") : slice_of(NULL, 0),
        .name = SLICE("Name"), .date = v[4] % 4, .edition = v[5] % 5,
        .ignore_require = v[3] & 4, .arm = v[3] & 8,
        .subscribe = { { v[6], 60u * v[6], v[6], 600 } },
        .subscribe_kinds = v[7] % 16,
        .media = (enum platform_transport)(v[4] % 4),
    };
    struct slice password = SLICE(PASSWORD);

    switch (arg % 6) {
    case 0:
        platform_device_set(run.p, whose(v[0]), &s, run.now);
        break;
    case 1:
        platform_device_remove(run.p, whose(v[0]), run.now);
        break;
    case 2:
        platform_device_create(run.p, whose(v[0]), &s, run.now);
        break;
    case 3:
        platform_group_set(run.p, SLICE("g"), v[3] & 1 ? &password : NULL, run.now);
        break;
    case 4:
        platform_group_remove(run.p, SLICE("g"), run.now);
        break;
    default:
        platform_group_subscribe(run.p, SLICE("g"), &s.subscribe,
                                 s.subscribe_kinds, run.now);
        break;
    }
}

void people(unsigned arg, const uint8_t *v)
{
    uint64_t id;

    switch (arg & 7) {
    case 0:
        play(arg >> 3, v);
        break;
    case 1:
        control(arg >> 3, v);
        break;
    case 2:
        command(v);
        break;
    case 3:
        move(arg >> 3, v);
        break;
    case 4:
        fetch(arg >> 3, v);
        break;
    case 5:
        speak(arg >> 3, v);
        break;
    case 6:
        if (arg & 8)
            saved(arg >> 4, v);
        else
            upgrade(arg >> 4, v);
        break;
    default:
        if (arg & 8)
            platform_command_refresh(run.p, whose(arg >> 4), run.now, &id);
        else
            settle(arg >> 4, v);
        break;
    }
    pump();
}
