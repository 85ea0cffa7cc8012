/* The one table of what the daemon answers over HTTP. First fit wins: literal
 * paths stand before those with parameters. */
#include "app/http/api.h"

#define V HTTP_ROLE_VIEWER
#define O HTTP_ROLE_OPERATOR
#define A HTTP_ROLE_ADMIN
#define EXEMPT HTTP_ROUTE_EXEMPT
#define HIDDEN HTTP_ROUTE_HIDDEN
#define MEDIA HTTP_ROUTE_MEDIA
#define FILE_BODY HTTP_ROUTE_FILE
#define PIECE HTTP_ROUTE_PIECE
#define PICTURE HTTP_ROUTE_PICTURE
#define GUARDED HTTP_ROUTE_GUARDED
#define LIST "limit cursor q"
#define ROWS "device channel limit cursor"
#define ALARMS "device channel method type priority acknowledged from to "     \
               "limit cursor"
#define FILTERED LIST " online skip"
#define ACTS HTTP_ROUTE_ACTS

#define DEVICE "/api/v1/devices/{device}"
#define CHANNEL DEVICE "/channels/{channel}"

/* clang-format off */
static const struct http_route routes[] = {
    /* system */
    { HTTP_GET, "/healthz", http_get_healthz, V, EXEMPT, 0,
      "the loop is alive", "", NULL, NULL },
    { HTTP_GET, "/readyz", http_get_readyz, V, EXEMPT, 0,
      "ready for devices and viewers", "", NULL, NULL },
    { HTTP_GET, "/metrics", http_get_metrics, V, 0, 0,
      "figures as Prometheus text", "", NULL, NULL },
    { HTTP_GET, "/api/v1/openapi.json", http_get_openapi, V, HIDDEN, 0,
      "this description", "", NULL, NULL },
    { HTTP_GET, "/api/v1/settings", http_get_settings, A, 0, 0,
      "the daemon's configuration: each key with its value, its default and "
      "where it comes from; secrets are not told", "", NULL, "[Setting]" },
    { HTTP_PATCH, "/api/v1/settings", http_patch_settings, A, GUARDED, 0,
      "set those that `changes` is true of, by their keys; null: as by default. "
      "All or none; what is wrong stands in `errors`. Kept in the data "
      "directory, below the configuration file", "", "Elements",
      "[Setting]" },
    { HTTP_GET, "/api/v1/setup-hints", http_get_hints, V, 0, 0,
      "what to type into a camera", "", NULL, "SetupHints" },

    /* who */
    { HTTP_POST, "/api/v1/login", http_login, V, EXEMPT, 0,
      "open a cookie session", "", "Login", "Role" },
    { HTTP_GET, "/api/v1/login", http_get_login, V, EXEMPT, 0,
      "would this request be let in: without the 401 of /me",
      "", NULL, "LetIn" },
    { HTTP_POST, "/api/v1/logout", http_logout, V, 0, 0,
      "close the cookie session", "", NULL, NULL },
    { HTTP_GET, "/api/v1/me", http_get_me, V, 0, 0,
      "who am I", "", NULL, "Me" },
    { HTTP_POST, "/api/v1/me/password", http_post_password, V, 0, 0,
      "change the own password; ends the other sessions of this user", "",
      "NewPassword", NULL },
    { HTTP_GET, "/api/v1/users", http_get_users, A, 0, 0,
      "users in name order", "", NULL, "[User]" },
    { HTTP_POST, "/api/v1/users", http_post_user, A, 0, 0,
      "make a user: role is viewer, operator or admin; scope {devices, groups} "
      "is what he sees, null: all of it; groups have to be there", "", "NewUser", "User" },
    { HTTP_GET, "/api/v1/users/{user}", http_get_user, A, 0, 0,
      "one user", "", NULL, "User" },
    { HTTP_PATCH, "/api/v1/users/{user}", http_patch_user, A, GUARDED, 0,
      "set his password, role or scope, whose new groups have to be there; ends "
      "his sessions", "",
      "UserSettings", "User" },
    { HTTP_DELETE, "/api/v1/users/{user}", http_delete_user, A, GUARDED, 0,
      "remove him and end his sessions; the last admin stays", "", NULL,
      NULL },
    { HTTP_GET, "/api/v1/audit", http_get_audit, A, 0, 0,
      "who changed what, newest first; path: what it begins with",
      "who method path peer from to limit cursor", NULL, "[Audit]" },
    { HTTP_GET, "/api/v1/tokens", http_get_tokens, A, 0, 0,
      "API tokens in name order, without what is secret of them", "", NULL,
      "[Token]" },
    { HTTP_POST, "/api/v1/tokens", http_post_token, A, 0, 0,
      "make a token, which is told in this answer alone; groups of its scope have "
      "to be there", "", "NewToken",
      "Token" },
    { HTTP_DELETE, "/api/v1/tokens/{token}", http_delete_token, A, 0, 0,
      "revoke it", "", NULL, NULL },

    /* devices and channels */
    { HTTP_GET, "/api/v1/devices", http_get_devices, V, 0, 0,
      "known devices in id order; group: of this one, empty: of none",
      FILTERED " group", NULL, "[Device]" },
    { HTTP_GET, "/api/v1/devices.csv", http_get_devices_csv, A, 0, 0,
      "known devices as CSV, without passwords; a Link header names the rest "
      "when they are too many for one answer", "cursor", NULL, NULL },
    { HTTP_POST, "/api/v1/devices.csv", http_post_devices_csv, A, 0, 0,
      "add or change devices from CSV, UTF-8 or GBK: id, and any of name, "
      "group, media, arm, edition, date, require, password", "", NULL,
      "Import" },
    { HTTP_GET, DEVICE, http_get_device, V, 0, 0,
      "one device", "", NULL, "Device" },
    { HTTP_POST, "/api/v1/devices", http_post_device, A, 0, 0,
      "add a device that has not registered yet", "", "NewDevice", "Device" },
    { HTTP_PATCH, DEVICE, http_patch_device, A, GUARDED, 0,
      "set its password, group, name and policies; null: as configured", "",
      "DeviceSettings", "Device" },
    { HTTP_DELETE, DEVICE, http_delete_device, A, GUARDED, 0,
      "forget a device and its channels", "", NULL, NULL },
    { HTTP_POST, DEVICE "/refresh", http_refresh_device, O, 0, 0,
      "ask the device for its catalog", "", NULL, "Command" },
    { HTTP_GET, DEVICE "/channels", http_get_channels, V, 0, 0,
      "channels of a device in id order", FILTERED, NULL, "[Channel]" },
    { HTTP_GET, "/api/v1/channels", http_get_all_channels, V, 0, 0,
      "channels of all devices, in the order of devices and ids; a cursor is "
      "DEVICE/CHANNEL", FILTERED, NULL, "[Channel]" },
    { HTTP_GET, DEVICE "/tree", http_get_tree, V, 0, 0,
      "the catalog as a tree: children of a node, or the top; view is all, "
      "region, business or device", "view parent limit cursor", NULL,
      "Tree" },
    { HTTP_GET, DEVICE "/changes", http_get_changes, V, 0, 0,
      "the last changes between online and offline, newest first", "", NULL,
      "[Change]" },
    { HTTP_GET, DEVICE "/profile", http_get_profile, V, 0, 0,
      "what it has been seen to do: character set, edition, transport, "
      "commands, alarms, faults", "", NULL, "Profile" },
    { HTTP_GET, CHANNEL "/item", http_get_item, V, 0, 0,
      "what else its catalog item says, elements by their paths", "", NULL,
      "Item" },
    { HTTP_GET, CHANNEL, http_get_channel, V, 0, 0,
      "one channel", "", NULL, "Channel" },
    { HTTP_GET, "/api/v1/subscriptions", http_get_subscriptions, V, 0, 0,
      "what devices are asked to report, as subscribe.* wants it", LIST, NULL,
      "[Subscription]" },
    { HTTP_GET, "/api/v1/pending", http_get_pending, V, 0, 0,
      "unknown ids that knocked", "", NULL, "[Pending]" },
    { HTTP_POST, "/api/v1/pending/{id}/accept", http_accept_pending, A, 0, 0,
      "make it a device", "", NULL, "Device" },
    { HTTP_DELETE, "/api/v1/pending/{id}", http_delete_pending, A, 0, 0,
      "forget that it knocked", "", NULL, NULL },
    { HTTP_GET, "/api/v1/groups", http_get_groups, V, 0, 0,
      "groups of devices in name order", "", NULL, "[Group]" },
    { HTTP_POST, "/api/v1/groups", http_post_group, A, 0, 0,
      "make a group", "", "NewGroup", "Group" },
    { HTTP_GET, "/api/v1/groups/{group}", http_get_group, V, 0, 0,
      "one group", "", NULL, "Group" },
    { HTTP_PATCH, "/api/v1/groups/{group}", http_patch_group, A, GUARDED, 0,
      "set its password; null: none", "", "GroupSettings", "Group" },
    { HTTP_DELETE, "/api/v1/groups/{group}", http_delete_group, A, GUARDED, 0,
      "remove it; its devices stay", "", NULL, NULL },

    /* commands */
    { HTTP_POST, DEVICE "/commands", http_post_command, O, 0, 0,
      "send a query, DeviceControl or DeviceConfig: params are its elements by "
      "the names of the standard, extra those that the standard does not have",
      "wait", "NewCommand", "Command" },
    { HTTP_POST, DEVICE "/alarm-reset", http_post_alarm_reset, O, 0, 0,
      "reset the alarms of a device", "wait", "AlarmReset", "Command" },
    { HTTP_POST, CHANNEL "/alarm-reset", http_post_alarm_reset, O, 0, 0,
      "reset the alarm of a channel or alarm input", "wait", "AlarmReset",
      "Command" },
    { HTTP_POST, CHANNEL "/ptz", http_post_ptz, O, 0, 0,
      "turn, zoom, focus, stop; presets, cruises, scans, switches: see action",
      "wait", "Ptz", "Command" },
    { HTTP_GET, CHANNEL "/presets", http_get_presets, O, 0, 0,
      "ask the camera for its presets", "wait", NULL, "Command" },
    { HTTP_PUT, CHANNEL "/presets/{preset}", http_put_preset, O, 0, 0,
      "keep where it looks now as a preset, 1 to 255", "wait", "PresetName",
      "Command" },
    { HTTP_POST, CHANNEL "/presets/{preset}/call", http_call_preset, O, 0, 0,
      "turn to a preset", "wait", NULL, "Command" },
    { HTTP_DELETE, CHANNEL "/presets/{preset}", http_delete_preset, O, 0, 0,
      "delete a preset", "wait", NULL, "Command" },
    { HTTP_GET, DEVICE "/config", http_get_config, O, 0, 0,
      "ask the device for settings: types of ConfigDownload joined by '/', or "
      "BasicParam", "type wait", NULL, "Command" },
    { HTTP_GET, CHANNEL "/config", http_get_config, O, 0, 0,
      "ask for settings of a channel", "type wait", NULL, "Command" },
    { HTTP_PATCH, DEVICE "/config", http_patch_config, A, 0, 0,
      "change settings of the device: one type of DeviceConfig by its name",
      "wait", "Elements", "Command" },
    { HTTP_PATCH, CHANNEL "/config", http_patch_config, A, 0, 0,
      "change settings of a channel", "wait", "Elements", "Command" },
    { HTTP_GET, DEVICE "/guard", http_get_guard, V, 0, 0,
      "which of its alarm inputs are armed, as far as is known", "", NULL,
      "[Guard]" },
    { HTTP_POST, DEVICE "/guard", http_post_guard, O, 0, 0,
      "arm or disarm all of a device", "wait", "NewGuard", "Command" },
    { HTTP_POST, CHANNEL "/guard", http_post_guard, O, 0, 0,
      "arm or disarm a channel or alarm input", "wait", "NewGuard", "Command" },
    { HTTP_GET, "/api/v1/commands", http_get_commands, V, 0, 0,
      "commands, newest first; cmd is a CmdType or an order of DeviceControl",
      "device cmd state from to limit cursor", NULL, "[CommandState]" },
    { HTTP_GET, "/api/v1/commands/{command}", http_get_command, V, 0, 0,
      "what has become of one, and what the device answered", "", NULL,
      "Command" },

    /* firmware */
    { HTTP_GET, "/api/v1/firmware", http_get_firmware_list, A, 0, 0,
      "firmware files that were uploaded", "", NULL, "[Firmware]" },
    { HTTP_POST, "/api/v1/firmware", http_post_firmware, A, FILE_BODY, 0,
      "upload one: the body is the file; it is named by its SHA-256", "", NULL,
      "Firmware" },
    { HTTP_DELETE, "/api/v1/firmware/{sha256}", http_delete_firmware, A, 0, 0,
      "delete one that no open upgrade needs", "", NULL, NULL },
    { HTTP_POST, DEVICE "/upgrade", http_post_upgrade, A, 0, 0,
      "order the device to fetch a file and to install it", "", "NewUpgrade",
      "Upgrade" },
    { HTTP_GET, "/api/v1/upgrades", http_get_upgrades, V, 0, 0,
      "upgrades, newest first", "device limit cursor", NULL, "[Upgrade]" },
    { HTTP_GET, "/api/v1/upgrades/{session}", http_get_upgrade, V, 0, 0,
      "what has become of one", "", NULL, "Upgrade" },
    { HTTP_GET, "/firmware/{session}/{file}", http_get_firmware, V, MEDIA, 0,
      "the file of an upgrade, for the device: signed, with ranges", "t", NULL,
      NULL },

    /* live */
    { HTTP_POST, CHANNEL "/live", http_post_live, O, 0, 0,
      "start; answers when the first key frame is there", "stream wait",
      "LiveRequest", "Live" },
    { HTTP_GET, CHANNEL "/live", http_get_live, V, 0, 0,
      "the live session of a channel and its URLs", "stream", NULL, "Live" },
    { HTTP_GET, CHANNEL "/doctor", http_get_doctor, V, 0, 0,
      "the chain from the camera to its picture, link by link, as it was seen "
      "last; can: h264,h265 as the viewer shows them", "stream can", NULL,
      "Doctor" },
    { HTTP_POST, CHANNEL "/doctor", http_post_doctor, O, 0, 0,
      "ask for the picture, then the same", "stream can wait", "LiveRequest",
      "Doctor" },
    { HTTP_DELETE, CHANNEL "/live", http_delete_live, O, 0, 0,
      "stop it, whoever watches", "stream", NULL, NULL },

    /* pushes */
    { HTTP_GET, CHANNEL "/push", http_get_push, A, 0, 0,
      "where the channel is pushed to, and how that goes", "", NULL,
      "[Push]" },
    { HTTP_PUT, CHANNEL "/push", http_put_push, A, GUARDED, 0,
      "push it to these rtsp:// and rtmp:// URLs from now on, as long as it "
      "can be had; \"***\" for a password: as it was", "", "PushSettings",
      "[Push]" },
    { HTTP_DELETE, CHANNEL "/push", http_delete_push, A, GUARDED, 0,
      "push it no more", "", NULL, NULL },
    { HTTP_GET, "/api/v1/pushes", http_get_pushes, A, 0, 0,
      "all pushes", "", NULL, "[Push]" },

    /* recordings of this server */
    { HTTP_GET, CHANNEL "/record", http_get_record, V, 0, 0,
      "whether and how the channel is recorded", "", NULL, "Recorder" },
    { HTTP_PUT, CHANNEL "/record", http_put_record, A, GUARDED, 0,
      "record it never, always, by a weekly plan (7 days from Monday on, each "
      "48 half hours of 0 and 1, in server.timezone) or alarm_s seconds after "
      "an alarm; before: keep the stream up, so that the pictures before an "
      "alarm are there", "", "RecorderSettings", "Recorder" },
    { HTTP_POST, CHANNEL "/record", http_post_record, O, 0, 0,
      "start or stop by hand", "", "RecordAction", "Recorder" },
    { HTTP_GET, "/api/v1/recorders", http_get_recorders, V, 0, 0,
      "all channels that are to be recorded", ROWS, NULL, "[Recorder]" },
    { HTTP_GET, "/api/v1/records", http_get_records, V, 0, 0,
      "what this server has recorded of a channel, in order of time; a gap is "
      "where the next start is behind the end",
      "device! channel! start end limit cursor", NULL, "[Record]" },
    { HTTP_GET, CHANNEL "/records/{start}", http_get_record_file, V, MEDIA, 0,
      "one file of it, MP4; start is its id; part is as a playlist has it",
      "part t", NULL, NULL },
    { HTTP_GET, CHANNEL "/records.m3u8", http_get_records_hls, V, MEDIA, 0,
      "play what this server has recorded between start and end, a day at "
      "most: HLS; time runs on over files and gaps, each gap is a "
      "discontinuity; speed is 0.25 to 16, every picture and no sound",
      "start! end! speed t", NULL, NULL },
    { HTTP_GET, CHANNEL "/records.mp4", http_get_records_mp4, V, MEDIA, 0,
      "the same as one MP4 that begins at time zero, from the key frame at or "
      "before start on; gaps is close (they are cut out) or keep; speed as "
      "of the playlist; its length is known, HEAD tells it, but it has no "
      "ranges: ask for a later start in their place", "start! end! gaps speed t", NULL, NULL },
    { HTTP_DELETE, CHANNEL "/records/{start}", http_delete_record, A, 0, 0,
      "delete it", "", NULL, NULL },

    /* recordings of a device */
    { HTTP_GET, CHANNEL "/recordings", http_get_recordings, O, 0, 0,
      "ask the device what it has recorded between start and end, 31 days at "
      "most; type is all, time, alarm or manual. What has come after `wait` "
      "seconds is told, and whether it is complete",
      "start! end! type wait limit cursor", NULL, "Recordings" },
    { HTTP_GET, CHANNEL "/timeline", http_get_timeline, O, 0, 0,
      "what the device and this server have recorded, and the gaps where "
      "neither has", "start! end! wait", NULL, "Timeline" },
    { HTTP_POST, CHANNEL "/download", http_post_download, O, 0, 0,
      "fetch what the device has recorded into a file, as fast as it sends; "
      "goes on by itself after breaks and restarts", "", "NewDownload",
      "Download" },
    { HTTP_GET, "/api/v1/downloads", http_get_downloads, V, 0, 0,
      "downloads, newest first", ROWS, NULL, "[Download]" },
    { HTTP_GET, "/api/v1/downloads/{download}", http_get_download, V, 0, 0,
      "how far one is, and what is missing", "", NULL, "Download" },
    { HTTP_DELETE, "/api/v1/downloads/{download}", http_delete_download, O, 0,
      0, "end it, and remove its file", "", NULL, NULL },
    { HTTP_GET, "/api/v1/downloads/{download}/file", http_get_download_file, V,
      MEDIA, 0, "its file, with ranges, when it is over", "t", NULL, NULL },
    { HTTP_POST, CHANNEL "/playback", http_post_playback, O, 0, 0,
      "play what the device has recorded; answers when the first picture is "
      "there. 201: a session of its own, see its URLs", "wait", "NewPlayback",
      "Live" },
    { HTTP_POST, "/api/v1/sessions/{session}/control", http_post_control, O, 0,
      0, "pause, resume, seek (position_s) or scale a playback; answers when "
      "the device has", "", "Control", "Session" },

    /* pictures */
    { HTTP_POST, CHANNEL "/snapshot", http_post_snapshot, O, 0, 0,
      "order a camera (2022) to take `number` pictures `interval_s` apart and to "
      "upload them here", "", "NewSnapshot", "Snapshot" },
    { HTTP_GET, "/api/v1/snapshots", http_get_snapshots, V, 0, 0,
      "such orders, newest first", ROWS, NULL, "[Snapshot]" },
    { HTTP_GET, "/api/v1/snapshots/{session}", http_get_snapshot, V, 0, 0,
      "what has become of one, with its pictures", "", NULL, "Snapshot" },
    { HTTP_GET, "/api/v1/pictures", http_get_pictures, V, 0, 0,
      "the pictures that are kept, newest first", ROWS, NULL, "[Picture]" },
    { HTTP_GET, "/api/v1/pictures/{file}", http_get_picture, V, 0, 0,
      "one of them", "", NULL, NULL },
    { HTTP_DELETE, "/api/v1/pictures/{file}", http_delete_picture, O, 0, 0,
      "delete one", "", NULL, NULL },
    { HTTP_POST, "/snapshot/{session}", http_put_picture, V,
      MEDIA | PICTURE, 0, "for the camera: a JPEG or PNG picture of at most 4 "
      "MiB, raw or as multipart/form-data; signed", "t", NULL, NULL },
    { HTTP_PUT, "/snapshot/{session}", http_put_picture, V,
      MEDIA | PICTURE, 0, "the same", "t", NULL, NULL },
    { HTTP_POST, "/snapshot/{session}/{name}", http_put_picture, V,
      MEDIA | PICTURE | HIDDEN, 0, "", "t", NULL, NULL },
    { HTTP_PUT, "/snapshot/{session}/{name}", http_put_picture, V,
      MEDIA | PICTURE | HIDDEN, 0, "", "t", NULL, NULL },

    /* voice */
    { HTTP_GET, CHANNEL "/talk", http_get_talk, V, 0, 0,
      "who speaks to the device; as a WebSocket: speak. Binary messages are 16 "
      "bit samples, little-endian, of `rate`, or G.711 (coding pcma, pcmu); text "
      "messages tell what becomes of it",
      "rate coding mode transport packet_ms max_s bare", NULL, "Voice" },
    { HTTP_POST, CHANNEL "/talk", http_post_talk, O, 0, 0,
      "say a recording, the body: a WAV file of 16 bit PCM or G.711, at most "
      "1 MiB; answers when it is heard, or the step that failed",
      "mode transport packet_ms max_s bare wait", NULL, "Voices" },
    { HTTP_DELETE, CHANNEL "/talk", http_delete_talk, O, 0, 0,
      "end it, whoever speaks", "", NULL, NULL },
    { HTTP_GET, "/api/v1/talk", http_get_talks, V, 0, 0,
      "who speaks where; as a WebSocket: speak to all of `to`, "
      "DEVICE/CHANNEL with commas between",
      "to rate coding mode transport packet_ms max_s bare", NULL, "[Voice]" },
    { HTTP_POST, "/api/v1/talk", http_post_talk, O, 0, 0,
      "say a recording to all of `to`",
      "to! mode transport packet_ms max_s bare wait", NULL, "Voices" },

    /* sessions, alarms, events */
    { HTTP_GET, "/api/v1/sessions", http_get_sessions, V, 0, 0,
      "media sessions", "limit cursor", NULL, "[Session]" },
    { HTTP_GET, "/api/v1/sessions/{session}", http_get_session, V, 0, 0,
      "one session", "", NULL, "Session" },
    { HTTP_DELETE, "/api/v1/sessions/{session}", http_delete_session, O, 0, 0,
      "stop a session", "", NULL, NULL },
    { HTTP_GET, "/api/v1/alarms", http_get_alarms, V, 0, 0,
      "alarms, newest first; picture is a file of /api/v1/pictures that came with "
      "one, recording the id of one of its channel's records",
      ALARMS, NULL, "[Alarm]" },
    { HTTP_GET, "/api/v1/alarms.csv", http_get_alarms_csv, V, 0, 0,
      "the same as CSV; a Link header names the rest when there are more than "
      "`limit`, 10000 unless it is said", ALARMS, NULL, NULL },
    { HTTP_POST, "/api/v1/alarms/{alarm}/acknowledge", http_post_acknowledge,
      O, 0, 0, "it has been seen to, by whoever asks, now; the first one stays",
      "", NULL, "Alarm" },
    { HTTP_GET, "/api/v1/positions", http_get_positions, V, 0, 0,
      "where mobile devices were, newest first",
      "device channel from to limit cursor", NULL, "[Position]" },
    { HTTP_GET, "/api/v1/map", http_get_map, V, 0, 0,
      "are there tiles below the map, and how deep they go", "", NULL, "Map" },
    { HTTP_GET, "/api/v1/map/{z}/{x}/{y}.png", http_get_tile, V, 0, 0,
      "one of them", "", NULL, NULL },
    { HTTP_GET, "/api/v1/rules", http_get_rules, A, 0, 0,
      "what is done when alarms come, and how often that was", "", NULL,
      "[Rule]" },
    { HTTP_GET, "/api/v1/rules/{rule}", http_get_rule, A, 0, 0,
      "one rule", "", NULL, "Rule" },
    { HTTP_PUT, "/api/v1/rules/{rule}", http_put_rule, A, GUARDED, 0,
      "for alarms that fit `when` (device, group, channel, method, type, "
      "priority: this or a more urgent one), at the channel of the alarm or at "
      "`at` (device, channel): record record_s seconds, turn to preset, take a "
      "snapshot, call the webhook of this name; for the same place not again "
      "within every_s", "", "RuleSettings", "Rule" },
    { HTTP_DELETE, "/api/v1/rules/{rule}", http_delete_rule, A, GUARDED, 0,
      "remove it", "", NULL, NULL },
    { HTTP_GET, "/api/v1/webhooks", http_get_hooks, A, 0, 0,
      "webhooks and how their deliveries go", "", NULL, "[Webhook]" },
    { HTTP_POST, "/api/v1/webhooks", http_post_hook, A, 0, 0,
      "POST events to a URL; without a secret one is made, and told in this "
      "answer alone", "", "NewWebhook", "Webhook" },
    { HTTP_GET, "/api/v1/webhooks/{hook}", http_get_hook, A, 0, 0,
      "one webhook", "", NULL, "Webhook" },
    { HTTP_PATCH, "/api/v1/webhooks/{hook}", http_patch_hook, A, GUARDED, 0,
      "change it", "", "WebhookSettings", "Webhook" },
    { HTTP_DELETE, "/api/v1/webhooks/{hook}", http_delete_hook, A, GUARDED, 0,
      "remove it, with what waits", "", NULL, NULL },
    { HTTP_POST, "/api/v1/webhooks/{hook}/test", http_post_hook_test, A, 0, 0,
      "send it a test event", "", NULL, NULL },
    { HTTP_GET, "/api/v1/events", http_get_events, V, 0, 0,
      "server-sent events: device, channel, session, alarm, command, "
      "position, ptz, offer, upgrade, download, voice, push, recording",
      "last_event_id",
      NULL, NULL },

    /* evidence */
    { HTTP_GET, "/api/v1/trace", http_get_trace, O, 0, 0,
      "SIP messages in and out, masked; oldest first, the newest `limit`, or "
      "those behind a cursor", "device callid since limit cursor", NULL,
      "[TraceMessage]" },
    { HTTP_GET, "/api/v1/trace.pcap", http_get_trace_pcap, O, 0, 0,
      "the same as a capture (pcapng)", "device callid since limit", NULL,
      NULL },
    { HTTP_GET, "/api/v1/trace/events", http_get_trace_events, O, 0, 0,
      "the same as server-sent events, live", "device callid", NULL, NULL },
    { HTTP_GET, "/api/v1/trace/listeners", http_get_listeners, O, 0, 0,
      "what each SIP listener has received", "", NULL, "[Listener]" },
    { HTTP_GET, "/api/v1/log", http_get_log, A, 0, 0,
      "the last lines of the daemon's log; oldest first, the newest `limit`, or "
      "those behind a cursor; level: this or a worse one, q: with this text",
      "level q limit cursor", NULL, "[LogLine]" },
    { HTTP_GET, "/api/v1/log/events", http_get_log_events, A, 0, 0,
      "the same as server-sent events, live", "level q", NULL, NULL },

    /* media */
    { HTTP_GET, "/api/ws", http_get_media, V, MEDIA, HTTP_FORMAT_MSE,
      "live over WebSocket, go2rtc's MSE dialect", "src! stream delay t", NULL,
      NULL },
    { HTTP_GET, "/live/{device}/{channel}.flv", http_get_media, V, MEDIA,
      HTTP_FORMAT_FLV, "live as FLV, also over WebSocket",
      "stream enhanced audio delay t", NULL, NULL },
    /* before those that they would fit, too: no channel is called "frame" */
    { HTTP_GET, "/live/{device}/{channel}/init_{n}.mp4", http_get_hls, V,
      MEDIA | PIECE, HTTP_HLS_INIT, "a file that the HLS playlist names",
      "stream t", NULL, NULL },
    { HTTP_GET, "/live/{device}/{channel}/seg_{n}.m4s", http_get_hls, V,
      MEDIA | PIECE, HTTP_HLS_SEGMENT, "a file that the HLS playlist names",
      "stream t", NULL, NULL },
    { HTTP_GET, "/live/{channel}/init_{n}.mp4", http_get_hls, V,
      MEDIA | PIECE | HIDDEN, HTTP_HLS_INIT, "", "stream t", NULL, NULL },
    { HTTP_GET, "/live/{channel}/seg_{n}.m4s", http_get_hls, V,
      MEDIA | PIECE | HIDDEN, HTTP_HLS_SEGMENT, "", "stream t", NULL, NULL },
    { HTTP_GET, "/live/{channel}/frame.mp4", http_get_media, V,
      MEDIA | HIDDEN, HTTP_FORMAT_FRAME, "", "stream t", NULL, NULL },
    { HTTP_GET, "/live/{channel}/snapshot.jpg", http_get_media, V,
      MEDIA | HIDDEN, HTTP_FORMAT_JPEG, "", "stream t", NULL, NULL },
    { HTTP_GET, "/live/{device}/{channel}/snapshot.jpg", http_get_media, V,
      MEDIA, HTTP_FORMAT_JPEG, "the newest key frame as JPEG, where "
      "snapshot.ffmpeg is set; else 501", "stream t", NULL, NULL },
    { HTTP_GET, "/live/{device}/{channel}.mp4", http_get_media, V, MEDIA,
      HTTP_FORMAT_FMP4, "live as fragmented MP4, also over WebSocket",
      "stream audio delay t", NULL, NULL },
    { HTTP_GET, "/live/{device}/{channel}.ts", http_get_media, V, MEDIA,
      HTTP_FORMAT_TS, "live as MPEG-TS", "stream g711 audio delay t", NULL,
      NULL },
    { HTTP_GET, "/live/{device}/{channel}.ps", http_get_media, V, MEDIA,
      HTTP_FORMAT_PS, "live as the program stream that the device sends",
      "stream delay t", NULL, NULL },
    { HTTP_GET, "/live/{device}/{channel}/index.m3u8", http_get_media, V,
      MEDIA, HTTP_FORMAT_HLS, "live as HLS", "stream t", NULL, NULL },
    { HTTP_GET, "/live/{device}/{channel}/frame.mp4", http_get_media, V, MEDIA,
      HTTP_FORMAT_FRAME, "the newest key frame", "stream t", NULL, NULL },
    { HTTP_GET, "/live/{channel}.flv", http_get_media, V, MEDIA | HIDDEN,
      HTTP_FORMAT_FLV, "", "stream enhanced audio delay t", NULL, NULL },
    { HTTP_GET, "/live/{channel}.mp4", http_get_media, V, MEDIA | HIDDEN,
      HTTP_FORMAT_FMP4, "", "stream delay t", NULL, NULL },
    { HTTP_GET, "/live/{channel}.ts", http_get_media, V, MEDIA | HIDDEN,
      HTTP_FORMAT_TS, "", "stream g711 audio delay t", NULL, NULL },
    { HTTP_GET, "/live/{channel}.ps", http_get_media, V, MEDIA | HIDDEN,
      HTTP_FORMAT_PS, "", "stream delay t", NULL, NULL },
    { HTTP_GET, "/live/{channel}/index.m3u8", http_get_media, V,
      MEDIA | HIDDEN, HTTP_FORMAT_HLS, "", "stream t", NULL, NULL },

    { HTTP_GET, "/session/{session}/ws", http_get_session_media, V, MEDIA,
      HTTP_FORMAT_MSE, "a playback over WebSocket, go2rtc's MSE dialect",
      "t", NULL, NULL },
    { HTTP_GET, "/session/{session}.flv", http_get_session_media, V, MEDIA,
      HTTP_FORMAT_FLV, "a playback as FLV, also over WebSocket",
      "enhanced delay t", NULL, NULL },
    { HTTP_GET, "/session/{session}.mp4", http_get_session_media, V, MEDIA,
      HTTP_FORMAT_FMP4, "a playback as fragmented MP4, also over WebSocket",
      "delay t", NULL, NULL },
    { HTTP_GET, "/session/{session}.ts", http_get_session_media, V, MEDIA,
      HTTP_FORMAT_TS, "a playback as MPEG-TS", "g711 delay t", NULL, NULL },
    { HTTP_GET, "/session/{session}.ps", http_get_session_media, V, MEDIA,
      HTTP_FORMAT_PS, "a playback as the program stream that the device sends",
      "delay t", NULL, NULL },
    { HTTP_GET, "/session/{session}/index.m3u8", http_get_session_media, V,
      MEDIA, HTTP_FORMAT_HLS, "a playback as HLS", "t", NULL, NULL },
    { HTTP_GET, "/session/{session}/init_{n}.mp4", http_get_session_hls, V,
      MEDIA | PIECE, HTTP_HLS_INIT, "a file that the HLS playlist names", "t",
      NULL, NULL },
    { HTTP_GET, "/session/{session}/seg_{n}.m4s", http_get_session_hls, V,
      MEDIA | PIECE, HTTP_HLS_SEGMENT, "a file that the HLS playlist names",
      "t", NULL, NULL },

    /* as WVP has them: {"code":0,"msg":…,"data":…}, see wvp.c */
    { HTTP_GET, "/api/user/login", http_wvp, V, EXEMPT | ACTS, HTTP_WVP_LOGIN,
      "WVP: log in, where http.wvp_login is true; password is the MD5 of one that "
      "was set since then", "username! password!", NULL, "WvpUser" },
    { HTTP_GET, "/api/user/logout", http_wvp, V, ACTS, HTTP_WVP_LOGOUT,
      "WVP: log out", "", NULL, "WvpDone" },
    { HTTP_POST, "/api/user/userInfo", http_wvp, V, 0, HTTP_WVP_USER,
      "WVP: who am I", "", NULL, "WvpUser" },
    { HTTP_GET, "/api/device/query/devices", http_wvp, V, 0, HTTP_WVP_DEVICES,
      "WVP: a page of devices", "page count query status", NULL, "WvpDevices" },
    { HTTP_GET, "/api/device/query/devices/{device}", http_wvp, V, 0,
      HTTP_WVP_DEVICE, "WVP: one device", "", NULL, "WvpDevice" },
    { HTTP_GET, "/api/device/query/devices/{device}/channels", http_wvp, V, 0,
      HTTP_WVP_CHANNELS, "WVP: a page of its channels",
      "page count query online", NULL, "WvpChannels" },
    { HTTP_GET, "/api/device/query/devices/{device}/sync", http_wvp, O, ACTS,
      HTTP_WVP_SYNC, "WVP: ask the device for its catalog", "", NULL,
      "WvpDone" },
    { HTTP_DELETE, "/api/device/query/devices/{device}/delete", http_wvp, A, 0,
      HTTP_WVP_DELETE, "WVP: forget a device", "", NULL, "WvpDone" },
    { HTTP_GET, "/api/play/start/{device}/{channel}", http_wvp, O, ACTS,
      HTTP_WVP_START, "WVP: start live; answers when the first key frame is "
      "there", "", NULL, "WvpStream" },
    { HTTP_GET, "/api/play/stop/{device}/{channel}", http_wvp, O, ACTS,
      HTTP_WVP_STOP, "WVP: stop live, whoever watches", "", NULL, "WvpDone" },
    { HTTP_POST, "/api/ptz/control/{device}/{channel}", http_wvp, O, 0,
      HTTP_WVP_PTZ, "WVP: turn, zoom, stop",
      "command! horizonSpeed verticalSpeed zoomSpeed", NULL, "WvpDone" },
    { HTTP_GET, "/api/front-end/ptz/{device}/{channel}", http_wvp, O, ACTS,
      HTTP_WVP_PTZ, "WVP: turn, zoom, stop",
      "command! horizonSpeed verticalSpeed zoomSpeed", NULL, "WvpDone" },
    { HTTP_GET, "/api/front-end/preset/add/{device}/{channel}", http_wvp, O,
      ACTS, HTTP_WVP_PRESET_ADD, "WVP: keep a preset", "presetId!", NULL,
      "WvpDone" },
    { HTTP_GET, "/api/front-end/preset/call/{device}/{channel}", http_wvp, O,
      ACTS, HTTP_WVP_PRESET_CALL, "WVP: turn to a preset", "presetId!", NULL,
      "WvpDone" },
    { HTTP_GET, "/api/front-end/preset/delete/{device}/{channel}", http_wvp, O,
      ACTS, HTTP_WVP_PRESET_DELETE, "WVP: delete a preset", "presetId!", NULL,
      "WvpDone" },

    /* the page */
    { HTTP_GET, "/", http_get_file, V, EXEMPT | HIDDEN, 0,
      "the page", "", NULL, NULL },
    { HTTP_GET, "/{file}", http_get_file, V, EXEMPT | HIDDEN, 0,
      "a file of the page", "", NULL, NULL },
};
/* clang-format on */

const struct http_route *http_routes(size_t *n)
{
    *n = sizeof(routes) / sizeof(routes[0]);
    return routes;
}
