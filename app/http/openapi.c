#include "app/http/openapi.h"

#include "app/http/api.h"

static const struct schema {
    const char *name, *fields;
} schemas[] = {
    { "Device",
      "id:string name:string manufacturer:string model:string "
      "firmware:string user_agent:string online:boolean state_reason:string "
      "state_reason_zh:string "
      "transport:string address:string edition:string charset:string "
      "registered_at:time keepalive_at:time expires_at:time channels:integer "
      "catalog:string catalog_have:integer catalog_sum:integer "
      "deviations:integer media:string group:string has_password:boolean "
      "date:string edition_set:string require:string arm:string "
      "digest:strings subscribe:object clock:object?" },
    { "Profile",
      "device:string charset:string edition:string edition_from:string "
      "media:string digest:string behind_nat:boolean "
      "keepalive_gap_ms:integer alarms:object commands:objects "
      "deviations:integer deviation_kinds:strings deviation_kinds_zh:strings" },
    { "Import",
      "created:integer updated:integer failed:integer errors:objects?" },
    { "DeviceSettings",
      "password:string? group:string? name:string? date:string? "
      "edition:string? require:string? digest:strings? media:string? "
      "arm:string? subscribe:object?" },
    { "NewDevice",
      "id:string password:string? group:string? name:string? date:string? "
      "edition:string? require:string? digest:strings? media:string? "
      "arm:string? subscribe:object?" },
    { "Group",
      "name:string has_password:boolean devices:integer subscribe:object" },
    { "NewGroup", "name:string password:string? subscribe:object?" },
    { "GroupSettings", "password:string? subscribe:object?" },
    { "Channel",
      "device:string id:string name:string manufacturer:string model:string "
      "owner:string civil_code:string address:string parent:string "
      "status:string online:boolean type:string ptz_type:string "
      "business_group:string observed:string failed_at:time "
      "failed_step:string? "
      "longitude:number? latitude:number? delivered_at:time push:strings "
      "session:string?" },
    { "TreeNode",
      "id:string name:string kind:string listed:boolean children:integer "
      "parents:strings online:boolean? observed:string?" },
    { "Tree",
      "items:[TreeNode] next:string? total:integer faults:object" },
    { "CommandState",
      "id:string device:string target:string cmd:string sub:string "
      "state:string final:boolean partial:boolean late:boolean cut:boolean "
      "tries:integer sip_status:integer sn:integer messages:integer "
      "have:integer sum:integer evidence:string evidence_zh:string "
      "asked_at:time sent_at:time "
      "arrived_at:time answered_at:time" },
    { "Command",
      "id:string device:string target:string cmd:string sub:string "
      "state:string final:boolean partial:boolean late:boolean cut:boolean "
      "tries:integer sip_status:integer sn:integer messages:integer "
      "have:integer sum:integer evidence:string evidence_zh:string "
      "asked_at:time sent_at:time "
      "arrived_at:time answered_at:time answer:objects" },
    { "NewCommand",
      "cmd:string channel:string? params:object? extra:object? "
      "edition:string?" },
    { "Ptz",
      "action:string speed:integer? pan:integer? tilt:integer? zoom:integer? "
      "focus:integer? iris:integer? pan_speed:integer? tilt_speed:integer? "
      "zoom_speed:integer? focus_speed:integer? iris_speed:integer? "
      "preset:integer? group:integer? value:integer? name:string? "
      "bound:boolean?" },
    { "PresetName", "name:string?" },
    { "Elements", "" },
    { "Guard", "target:string duty:string from:string time:time" },
    { "NewGuard", "GuardCmd:string" },
    { "AlarmReset", "AlarmMethod:string? AlarmType:string?" },
    { "Change", "time:time online:boolean cause:string cause_zh:string" },
    { "Session",
      "id:string kind:string device:string channel:string stream:string "
      "state:string step:string sip_status:integer evidence:string "
      "evidence_zh:string hint:string hint_zh:string "
      "transport:string port:integer ssrc:integer from:string call_id:string "
      "started_at:time steps_ms:object consumers:integer video:string "
      "audio:string width:integer height:integer packets:integer "
      "bytes:integer lost:integer foreign:integer playback:object?" },
    { "Recordings",
      "items:objects next:string? total:integer complete:boolean "
      "evidence:string evidence_zh:string command:string" },
    { "Timeline",
      "items:objects gaps:objects complete:boolean evidence:string "
      "evidence_zh:string" },
    { "NewDownload",
      "start:time end:time format:string? speed:integer? transport:string?" },
    { "Download",
      "id:string device:string channel:string start:time end:time "
      "format:string transport:string speed:integer state:string "
      "evidence:string evidence_zh:string "
      "percent:number covered_s:number total_s:number at:time "
      "bytes:integer received_bytes:integer announced_bytes:integer "
      "files:integer files_done:integer sessions:integer tries:integer "
      "session:string? created_at:time ended_at:time gaps:objects file:string?" },
    { "NewPlayback", "start:time end:time transport:string?" },
    { "Control", "action:string position_s:number? scale:number?" },
    { "LiveRequest", "transport:string? stream:string?" },
    { "Live",
      "session:string device:string channel:string stream:string "
      "state:string step:string transport:string video:string audio:string "
      "width:integer height:integer flv:string? ws_flv:string? fmp4:string? "
      "ws_fmp4:string? hls:string? ts:string? ps:string? mse:string? frame:string? jpeg:string? "
      "rtsp:string? playback:object?" },
    { "WvpUser", "code:integer msg:string data:object?" },
    { "WvpDone", "code:integer msg:string data:object?" },
    { "WvpDevice", "code:integer msg:string data:object?" },
    { "WvpDevices", "code:integer msg:string data:object?" },
    { "WvpChannels", "code:integer msg:string data:object?" },
    { "WvpStream", "code:integer msg:string data:object?" },
    { "Doctor",
      "device:string channel:string stream:string verdict:string first:string? "
      "tried_at:time running:boolean links:objects" },
    { "Subscription",
      "device:string kind:string state:string sip_status:integer "
      "reason:string reason_zh:string notifies:integer expires_at:time next_at:time" },
    { "Pending",
      "id:string user_agent:string reason:string "
      "reason_zh:string transport:string "
      "address:string first_at:time last_at:time tries:integer" },
    { "Alarm",
      "id:string device:string channel:string priority:string method:string "
      "type:string method_name:string method_name_zh:string "
      "type_name:string type_name_zh:string event_type:string "
      "event_name:string event_name_zh:string time:string description:string "
      "longitude:number? latitude:number? received_at:time "
      "acknowledged_at:time acknowledged_by:string? "
      "picture:string? recording:string?" },
    { "Map", "tiles:boolean zoom:integer" },
    { "Position",
      "device:string channel:string longitude:number latitude:number "
      "speed:number? direction:number? altitude:number? time:string "
      "received_at:time" },
    { "Firmware", "sha256:string size:integer uploaded_at:time" },
    { "NewUpgrade",
      "firmware:string version:string manufacturer:string? channel:string?" },
    { "Upgrade",
      "session:string device:string target:string firmware:string "
      "version:string runs:string state:string evidence:string "
      "evidence_zh:string "
      "command:string? fetches:integer fetched_bytes:integer asked_at:time "
      "fetched_at:time ended_at:time" },
    { "Voice",
      "id:string device:string channel:string target:string mode:string "
      "state:string step:string steps_ms:object who:string transport:string "
      "codec:string ps:boolean port:integer ssrc:integer remote:string "
      "sip_status:integer evidence:string evidence_zh:string hint:string "
      "hint_zh:string started_at:time "
      "packets:integer bytes:integer spoken_ms:integer silent_ms:integer "
      "dropped_ms:integer received:integer audio:string" },
    { "NewSnapshot", "number:integer? interval_s:integer?" },
    { "Snapshot",
      "session:string device:string channel:string command:string state:string "
      "number:integer announced:integer asked_at:time ended_at:time "
      "pictures:[Picture]" },
    { "Picture",
      "file:string device:string channel:string session:string size:integer "
      "received_at:time" },
    { "Voices", "items:[Voice]" },
    { "Push",
      "id:string device:string channel:string stream:string url:string? "
      "state:string why:string why_zh:string failures:integer bytes:integer "
      "session:string? since:time next_at:time" },
    { "Recorder",
      "device:string channel:string mode:string plan:strings alarm_s:integer "
      "before:boolean stream:string by_hand:boolean state:string "
      "alarm:boolean why:string why_zh:string failures:integer "
      "session:string? "
      "segment_start:time segment_bytes:integer lost:integer since:time "
      "next_at:time" },
    { "RecorderSettings",
      "mode:string plan:strings? alarm_s:integer? before:boolean? "
      "stream:string?" },
    { "RecordAction", "action:string" },
    { "Record",
      "id:string start:time end:time length_ms:integer bytes:integer "
      "sound:boolean open:boolean file:string" },
    { "Rule",
      "name:string enabled:boolean when:object at:object every_s:integer "
      "record_s:integer preset:integer snapshot:boolean webhook:string "
      "followed:integer held_back:integer followed_at:time failed:integer "
      "why:string why_zh:string" },
    { "RuleSettings",
      "enabled:boolean? when:object? at:object? every_s:integer? "
      "record_s:integer? preset:integer? snapshot:boolean? webhook:string?" },
    { "PushSettings", "urls:strings stream:string?" },
    { "Webhook",
      "name:string url:string events:strings enabled:boolean from:string "
      "state:string queued:integer failures:integer delivered:integer "
      "tries:integer refused:integer given_up:integer dropped:integer "
      "status:integer why:string why_zh:string called_at:time delivered_at:time "
      "next_at:time secret:string?" },
    { "NewWebhook",
      "name:string url:string secret:string? events:strings? "
      "enabled:boolean?" },
    { "WebhookSettings",
      "url:string? secret:string? events:strings? enabled:boolean?" },
    { "Item", "device:string id:string item:object" },
    { "TraceMessage",
      "id:string time:time last_at:time count:integer direction:string "
      "transport:string local:string peer:string device:string known:boolean "
      "method:string status:integer reason:string cmd:string from:string "
      "to:string call_id:string cseq:integer branch:string length:integer "
      "text:string" },
    { "Setting",
      "key:string type:string value:string? default:string choices:strings "
      "min:integer max:integer list:boolean from:string reloads:boolean "
      "changes:boolean secret:boolean help:string" },
    { "SettingFault", "key:string detail:string detail_zh:string?" },
    { "LogLine", "id:string time:time level:string text:string" },
    { "Listener",
      "address:string received:integer last_at:time last_from:string "
      "malformed:integer malformed_at:time malformed_from:string "
      "malformed_why:string" },
    { "Login", "name:string? password:string" },
    { "LetIn", "in:boolean" },
    { "Role", "name:string role:string" },
    { "Me",
      "name:string? role:string scope:object? via:string login:boolean "
      "version:string" },
    { "NewPassword", "password:string new_password:string" },
    { "User", "name:string role:string scope:object? created_at:time" },
    { "NewUser", "name:string password:string role:string scope:object?" },
    { "UserSettings", "password:string? role:string? scope:object?" },
    { "Token",
      "name:string role:string scope:object? created_at:time token:string?" },
    { "Audit",
      "id:string at:time who:string role:string peer:string method:string "
      "path:string status:integer" },
    { "NewToken", "name:string role:string scope:object?" },
    { "SetupHints",
      "server_id:string domain:string addresses:strings port:integer "
      "transports:strings password:string?" },
    { "Problem",
      "type:string title:string status:integer detail:string? code:string "
      "step:string? evidence:string? hint:string? detail_zh:string? "
      "evidence_zh:string? hint_zh:string? errors:[SettingFault]?" },
};

#define N_SCHEMAS (sizeof(schemas) / sizeof(schemas[0]))

const char *http_schema_fields(const char *name)
{
    for (size_t i = 0; i < N_SCHEMAS; i++)
        if (slice_eq(slice_str(name), slice_str(schemas[i].name)))
            return schemas[i].fields;
    return NULL;
}

/* ---- objects ---------------------------------------------------------------- */

static void ref_write(struct jw *j, const char *prefix, struct slice name)
{
    char text[96];
    struct writer w = writer_of(text, sizeof(text));

    writer_str(&w, prefix);
    writer_slice_put(&w, name);
    jw_object(j);
    jw_put_str(j, "$ref", writer_slice(&w));
    jw_end(j);
}

static void type_write(struct jw *j, struct slice type)
{
    bool null = type.n && type.p[type.n - 1] == '?';
    bool time;

    type.n -= null;
    time = slice_eq(type, SLICE("time"));
    jw_object(j);
    jw_key(j, "type");
    if (slice_has_prefix(type, SLICE("["))) {
        jw_str(j, SLICE("array"));
        jw_key(j, "items");
        ref_write(j, "#/components/schemas/", slice_of(type.p + 1, type.n - 2));
    } else if (slice_eq(type, SLICE("objects"))) {
        jw_str(j, SLICE("array"));
        jw_key(j, "items");
        jw_object(j);
        jw_put_cstr(j, "type", "object");
        jw_end(j);
    } else if (slice_eq(type, SLICE("strings"))) {
        if (null)
            jw_array(j);
        jw_str(j, SLICE("array"));
        if (null) {
            jw_str(j, SLICE("null"));
            jw_end(j);
        }
        jw_key(j, "items");
        jw_object(j);
        jw_put_cstr(j, "type", "string");
        jw_end(j);
    } else if (null || time) {
        jw_array(j);
        jw_str(j, time ? SLICE("string") : type);
        jw_str(j, SLICE("null"));
        jw_end(j);
    } else {
        jw_str(j, type);
    }
    if (time)
        jw_put_cstr(j, "format", "date-time");
    jw_end(j);
}

/* Calls for every "name:type" of a list. */
static bool field_next(struct slice *rest, char name[static 32],
                       struct slice *type)
{
    struct slice item, key;

    if (rest->n == 0)
        return false;
    slice_cut(rest, ' ', &item);
    slice_cut(&item, ':', &key);
    slice_copy(name, 32, key);
    *type = item;
    return true;
}

static void schema_write(struct jw *j, const struct schema *s)
{
    struct slice rest = slice_str(s->fields), type;
    char name[32];

    jw_key(j, s->name);
    jw_object(j);
    jw_put_cstr(j, "type", "object");
    jw_key(j, "properties");
    jw_object(j);
    while (field_next(&rest, name, &type)) {
        jw_key(j, name);
        type_write(j, type);
    }
    jw_end(j);
    jw_key(j, "required");
    jw_array(j);
    rest = slice_str(s->fields);
    while (field_next(&rest, name, &type))
        if (type.p[type.n - 1] != '?')
            jw_str(j, slice_str(name));
    jw_end(j);
    jw_end(j);
}

static void components_write(struct jw *j)
{
    jw_object(j);
    jw_key(j, "schemas");
    jw_object(j);
    for (size_t i = 0; i < N_SCHEMAS; i++)
        schema_write(j, &schemas[i]);
    http_openapi_bodies(j);
    jw_end(j);
    jw_key(j, "securitySchemes");
    jw_object(j);
    jw_key(j, "token");
    jw_object(j);
    jw_put_cstr(j, "type", "http");
    jw_put_cstr(j, "scheme", "bearer");
    jw_end(j);
    jw_key(j, "cookie");
    jw_object(j);
    jw_put_cstr(j, "type", "apiKey");
    jw_put_cstr(j, "in", "cookie");
    jw_put_cstr(j, "name", HTTP_COOKIE);
    jw_end(j);
    jw_key(j, "signature");
    jw_object(j);
    jw_put_cstr(j, "type", "apiKey");
    jw_put_cstr(j, "in", "query");
    jw_put_cstr(j, "name", "t");
    jw_end(j);
    jw_end(j);
    jw_end(j);
}

/* ---- paths ------------------------------------------------------------------- */

/* "Device", or "[Device]": a list of them. */
static void schema_ref_write(struct jw *j, const char *answer)
{
    struct slice name = slice_str(answer);

    if (name.p[0] != '[') {
        ref_write(j, "#/components/schemas/", name);
        return;
    }
    name = slice_of(name.p + 1, name.n - 2);
    jw_object(j);
    jw_put_cstr(j, "type", "object");
    jw_key(j, "properties");
    jw_object(j);
    jw_key(j, "items");
    jw_object(j);
    jw_put_cstr(j, "type", "array");
    jw_key(j, "items");
    ref_write(j, "#/components/schemas/", name);
    jw_end(j);
    jw_key(j, "next");
    type_write(j, SLICE("string?"));
    jw_key(j, "total");
    type_write(j, SLICE("integer"));
    jw_end(j);
    jw_end(j);
}

static void content_write(struct jw *j, const char *type, const char *answer)
{
    jw_key(j, "content");
    jw_object(j);
    jw_key(j, type);
    jw_object(j);
    jw_key(j, "schema");
    schema_ref_write(j, answer);
    jw_end(j);
    jw_end(j);
}

static void param_write(struct jw *j, struct slice name, const char *in,
                        bool required)
{
    jw_object(j);
    jw_put_str(j, "name", name);
    jw_put_cstr(j, "in", in);
    jw_put_bool(j, "required", required);
    jw_key(j, "schema");
    type_write(j, SLICE("string"));
    jw_end(j);
}

static void params_write(struct jw *j, const struct http_route *r)
{
    struct slice rest = slice_str(r->pattern), name;

    jw_key(j, "parameters");
    jw_array(j);
    while (slice_cut(&rest, '{', &name)) {
        slice_cut(&rest, '}', &name);
        param_write(j, name, "path", true);
    }
    rest = slice_str(r->query);
    while (rest.n) {
        bool required;

        slice_cut(&rest, ' ', &name);
        required = name.p[name.n - 1] == '!';
        name.n -= required;
        param_write(j, name, "query", required);
    }
    if (r->flags & HTTP_ROUTE_GUARDED)
        param_write(j, SLICE("If-Match"), "header", false);
    jw_end(j);
}

static void responses_write(struct jw *j, const struct http_route *r)
{
    jw_key(j, "responses");
    jw_object(j);
    jw_key(j, "2XX"); /* 200, 201 or 202, as it goes */
    jw_object(j);
    jw_put_cstr(j, "description", r->summary);
    if (r->answer)
        content_write(j, "application/json", r->answer);
    jw_end(j);
    jw_key(j, "default");
    jw_object(j);
    jw_put_cstr(j, "description", "a problem (RFC 9457)");
    content_write(j, HTTP_PROBLEM_TYPE, "Problem");
    jw_end(j);
    jw_end(j);
}

static void security_write(struct jw *j, const struct http_route *r)
{
    static const char *const names[] = { "token", "cookie", "signature" };
    size_t n = r->flags & HTTP_ROUTE_EXEMPT ? 0
               : r->flags & HTTP_ROUTE_MEDIA ? 3
                                             : 2;

    jw_key(j, "security");
    jw_array(j);
    for (size_t i = 0; i < n; i++) {
        jw_object(j);
        jw_key(j, names[i]);
        jw_array(j);
        jw_end(j);
        jw_end(j);
    }
    jw_end(j);
}

static void lower_method(char out[static 16], enum http_method m)
{
    const char *s = http_method_name(m);
    size_t n = 0;

    for (; s[n] && n < 15; n++)
        out[n] = ascii_lower(s[n]);
    out[n] = '\0';
}

static void route_write(struct jw *j, const struct http_route *r)
{
    char method[16];

    lower_method(method, r->method);
    jw_key(j, method);
    jw_object(j);
    jw_put_cstr(j, "summary", r->summary);
    params_write(j, r);
    if (r->body) {
        jw_key(j, "requestBody");
        jw_object(j);
        content_write(j, "application/json", r->body);
        jw_end(j);
    }
    responses_write(j, r);
    security_write(j, r);
    jw_end(j);
}

/* Is this the first route of its pattern that is shown? */
static bool is_first(const struct http_route *table, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (slice_eq(slice_str(table[k].pattern),
                     slice_str(table[i].pattern)))
            return false;
    return !(table[i].flags & HTTP_ROUTE_HIDDEN);
}

void http_openapi_write(struct buf *out, const struct http_route *table,
                        size_t n, const char *version)
{
    struct jw j = jw_to(out);

    jw_object(&j);
    jw_put_cstr(&j, "openapi", "3.1.0");
    jw_key(&j, "info");
    jw_object(&j);
    jw_put_cstr(&j, "title", "gb28181d");
    jw_put_cstr(&j, "version", version ? version : "");
    jw_end(&j);
    jw_key(&j, "paths");
    jw_object(&j);
    for (size_t i = 0; i < n; i++) {
        if (!is_first(table, i))
            continue;
        jw_key(&j, table[i].pattern);
        jw_object(&j);
        for (size_t k = i; k < n; k++)
            if (slice_eq(slice_str(table[k].pattern),
                         slice_str(table[i].pattern)))
                route_write(&j, &table[k]);
        jw_end(&j);
    }
    jw_end(&j);
    jw_key(&j, "components");
    components_write(&j);
    jw_end(&j);
}

void http_get_openapi(struct http_call *c)
{
    size_t n;
    const struct http_route *table = http_routes(&n);

    c->out->status = 200;
    c->out->type = "application/json";
    http_openapi_write(&c->out->body, table, n, c->app->cfg.version);
}
