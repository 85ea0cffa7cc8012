#include "app/media/rtmp.h"

#include "base/bytes.h"

#define HELLO_IN (1 + 2 * RTMP_HELLO)
#define CHUNK_DEFAULT 128

enum message {
    SET_CHUNK = 1, ABORT = 2, ACK = 3, CONTROL = 4, WINDOW = 5, BANDWIDTH = 6,
    AUDIO = 8, VIDEO = 9, COMMAND3 = 17, SCRIPT = 18, COMMAND = 20,
};

enum lane { LANE_CONTROL = 2, LANE_COMMAND = 3, LANE_AUDIO = 4,
            LANE_SCRIPT = 5, LANE_VIDEO = 6 };

enum call { CALL_CONNECT = 1, CALL_RELEASE, CALL_FCPUBLISH, CALL_CREATE,
            CALL_PUBLISH };

enum amf { AMF_NUMBER, AMF_BOOL, AMF_STRING, AMF_OBJECT, AMF_NULL = 5,
           AMF_UNDEFINED, AMF_ECMA = 8, AMF_END, AMF_ARRAY, AMF_DATE,
           AMF_LONG };

static int fail(struct rtmp *r, const char *why, struct slice more)
{
    struct writer w = writer_of(r->why, sizeof(r->why) - 1);

    if (r->state == RTMP_FAILED)
        return GB_EIO;
    r->state = RTMP_FAILED;
    writer_str(&w, why);
    writer_visible(&w, slice_head(more, w.cap - w.len), '\''); /* of the peer */
    r->why[w.len] = '\0';
    return GB_EIO;
}

/* ---- AMF 0 ------------------------------------------------------------------- */

static void put_name(struct writer *w, struct slice s)
{
    writer_be16(w, (uint16_t)s.n);
    writer_slice_put(w, s);
}

static void put_string(struct writer *w, struct slice s)
{
    writer_char(w, AMF_STRING);
    put_name(w, s);
}

static void put_number(struct writer *w, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof(bits));
    writer_char(w, AMF_NUMBER);
    writer_be64(w, bits);
}

static bool get_bytes(struct slice *in, size_t n, struct slice *out)
{
    if (n > in->n)
        return false;
    *out = slice_head(*in, n);
    *in = slice_from(*in, n);
    return true;
}

static bool get_number_of(struct slice *in, unsigned width, uint32_t *v)
{
    struct slice s;

    if (!get_bytes(in, width, &s))
        return false;
    *v = 0;
    for (unsigned i = 0; i < width; i++)
        *v = *v << 8 | (uint8_t)s.p[i];
    return true;
}

/* A text with its length in front. */
static bool get_text(struct slice *in, unsigned width, struct slice *out)
{
    uint32_t n;

    return get_number_of(in, width, &n) && get_bytes(in, n, out);
}

static bool skip_value(struct slice *in, unsigned depth);

/* name, value, ... and the mark of its end. With key: *out is the text of that
 * property, when it is one. */
static bool get_pairs(struct slice *in, unsigned depth, struct slice key,
                      struct slice *out)
{
    struct slice name, peek;
    uint32_t type;

    for (;;) {
        if (!get_text(in, 2, &name))
            return false;
        peek = *in;
        if (name.n == 0 && get_number_of(&peek, 1, &type) && type == AMF_END) {
            *in = peek;
            return true;
        }
        if (key.n && slice_eq(name, key) && get_number_of(&peek, 1, &type) &&
            type == AMF_STRING)
            get_text(&peek, 2, out);
        if (!skip_value(in, depth + 1))
            return false;
    }
}

static bool skip_array(struct slice *in, unsigned depth)
{
    uint32_t n;

    if (!get_number_of(in, 4, &n))
        return false;
    while (n--)
        if (!skip_value(in, depth + 1))
            return false;
    return true;
}

static bool skip_value(struct slice *in, unsigned depth)
{
    struct slice s, none = { 0 };
    uint32_t type;

    if (depth > RTMP_AMF_DEPTH || !get_number_of(in, 1, &type))
        return false;
    switch (type) {
    case AMF_NUMBER:
        return get_bytes(in, 8, &s);
    case AMF_BOOL:
        return get_bytes(in, 1, &s);
    case AMF_STRING:
        return get_text(in, 2, &s);
    case AMF_NULL:
    case AMF_UNDEFINED:
        return true;
    case AMF_ECMA:
        return get_bytes(in, 4, &s) && get_pairs(in, depth, none, &s);
    case AMF_OBJECT:
        return get_pairs(in, depth, none, &s);
    case AMF_ARRAY:
        return skip_array(in, depth);
    case AMF_DATE:
        return get_bytes(in, 10, &s);
    case AMF_LONG:
        return get_text(in, 4, &s);
    default:
        return false;
    }
}

static bool get_string(struct slice *in, struct slice *out)
{
    uint32_t type;

    return get_number_of(in, 1, &type) && type == AMF_STRING &&
           get_text(in, 2, out);
}

/* A number from 0 to 2^32 - 1; others are refused. */
static bool get_u32(struct slice *in, uint32_t *v)
{
    struct slice s;
    uint32_t type;
    struct bytes b;
    uint64_t bits;
    double d;

    if (!get_number_of(in, 1, &type) || type != AMF_NUMBER ||
        !get_bytes(in, 8, &s))
        return false;
    b = bytes_of(s.p, s.n);
    bits = bytes_be64(&b);
    memcpy(&d, &bits, sizeof(d));
    if (!(d >= 0 && d <= 4294967295.0))
        return false;
    *v = (uint32_t)d;
    return true;
}

/* ---- what is sent -------------------------------------------------------------- */

/* One message; a long one in chunks. */
static void put_message(struct rtmp *r, enum lane lane, enum message type,
                        uint32_t stream, struct slice body)
{
    struct writer w;

    if (r->out_off) {
        memmove(r->out, r->out + r->out_off, r->out_n - r->out_off);
        r->out_n -= r->out_off;
        r->out_off = 0;
    }
    w = writer_of(r->out + r->out_n, sizeof(r->out) - r->out_n);
    writer_char(&w, (char)lane);
    writer_be24(&w, 0);
    writer_be24(&w, (uint32_t)body.n);
    writer_char(&w, (char)type);
    for (unsigned i = 0; i < 4; i++) /* the one field in little-endian */
        writer_char(&w, (char)(uint8_t)(stream >> (8 * i)));
    writer_slice_put(&w, body); /* shorter than RTMP_CHUNK */
    if (w.err)
        r->out_full = true;
    else
        r->out_n += w.len;
}

static void put_control(struct rtmp *r, enum message type, uint32_t v)
{
    char text[4];
    struct writer w = writer_of(text, sizeof(text));

    writer_be32(&w, v);
    put_message(r, LANE_CONTROL, type, 0, writer_slice(&w));
}

static void put_connect(struct rtmp *r)
{
    char text[1024 + PUSH_URL_MAX];
    struct writer w = writer_of(text, sizeof(text));
    char at[PUSH_URL_MAX];
    struct writer url = writer_of(at, sizeof(at));

    put_control(r, SET_CHUNK, RTMP_CHUNK);
    writer_str(&url, push_url_scheme(&r->url));
    writer_slice_put(&url, r->url.authority);
    writer_char(&url, '/');
    writer_slice_put(&url, r->url.app);
    put_string(&w, SLICE("connect"));
    put_number(&w, CALL_CONNECT);
    writer_char(&w, AMF_OBJECT);
    put_name(&w, SLICE("app"));
    put_string(&w, r->url.app);
    put_name(&w, SLICE("type"));
    put_string(&w, SLICE("nonprivate"));
    put_name(&w, SLICE("flashVer"));
    put_string(&w, SLICE("FMLE/3.0 (compatible; gb28181d)"));
    put_name(&w, SLICE("tcUrl"));
    put_string(&w, writer_slice(&url));
    put_name(&w, SLICE("fourCcList")); /* enhanced RTMP: what may come */
    writer_char(&w, AMF_ARRAY);
    writer_be32(&w, 1);
    put_string(&w, SLICE("hvc1"));
    writer_be24(&w, AMF_END);
    put_message(r, LANE_COMMAND, COMMAND, 0, writer_slice(&w));
    r->state = RTMP_CONNECTING;
}

/* name, number, null, and an argument or two. */
static void put_call(struct rtmp *r, const char *name, enum call call,
                     uint32_t stream, struct slice arg, struct slice arg2)
{
    char text[128 + PUSH_URL_MAX];
    struct writer w = writer_of(text, sizeof(text));

    put_string(&w, slice_str(name));
    put_number(&w, call);
    writer_char(&w, AMF_NULL);
    if (arg.n)
        put_string(&w, arg);
    if (arg2.n)
        put_string(&w, arg2);
    put_message(r, LANE_COMMAND, COMMAND, stream, writer_slice(&w));
}

static void put_create(struct rtmp *r)
{
    struct slice none = { 0 };

    put_call(r, "releaseStream", CALL_RELEASE, 0, r->url.key, none);
    put_call(r, "FCPublish", CALL_FCPUBLISH, 0, r->url.key, none);
    put_call(r, "createStream", CALL_CREATE, 0, none, none);
    r->state = RTMP_CREATING;
}

/* ---- what is heard --------------------------------------------------------------- */

static int take_result(struct rtmp *r, uint32_t call, struct slice in)
{
    if (call == CALL_CONNECT && r->state == RTMP_CONNECTING) {
        put_create(r);
    } else if (call == CALL_CREATE && r->state == RTMP_CREATING) {
        if (!skip_value(&in, 0) || !get_u32(&in, &r->stream))
            return fail(r, "the server names no stream", slice_of(NULL, 0));
        put_call(r, "publish", CALL_PUBLISH, r->stream, r->url.key,
                 SLICE("live"));
        r->state = RTMP_PUBLISHING;
    }
    return 0;
}

/* null, {level, code, description} */
static void read_info(struct slice in, struct slice *level, struct slice *code,
                      struct slice *text)
{
    struct slice at, none = { 0 };
    uint32_t type;

    *level = *code = *text = none;
    if (!skip_value(&in, 0) || !get_number_of(&in, 1, &type) ||
        type != AMF_OBJECT)
        return;
    at = in;
    get_pairs(&at, 0, SLICE("level"), level);
    at = in;
    get_pairs(&at, 0, SLICE("code"), code);
    at = in;
    get_pairs(&at, 0, SLICE("description"), text);
}

static bool is_for_us(struct slice name)
{
    return slice_eq(name, SLICE("_result")) ||
           slice_eq(name, SLICE("_error")) ||
           slice_eq(name, SLICE("onStatus"));
}

static int take_command(struct rtmp *r, struct slice in)
{
    struct slice name, level, code, text;
    uint32_t call;

    if (!get_string(&in, &name))
        return fail(r, "the server's command cannot be read",
                    slice_of(NULL, 0));
    if (!is_for_us(name))
        return 0; /* onFCPublish of some servers is a name and nothing else */
    if (!get_u32(&in, &call))
        return fail(r, "the server's command cannot be read",
                    slice_of(NULL, 0));
    if (slice_eq(name, SLICE("_result")))
        return take_result(r, call, in);
    read_info(in, &level, &code, &text);
    if (slice_eq(name, SLICE("_error"))) {
        if (call == CALL_RELEASE || call == CALL_FCPUBLISH)
            return 0; /* not every server knows these two */
        return fail(r, "the server refuses: ", text.n ? text : code);
    }
    if (slice_eq(level, SLICE("error")))
        return fail(r, "the server refuses: ", text.n ? text : code);
    if (r->state == RTMP_PUBLISHING &&
        slice_eq(code, SLICE("NetStream.Publish.Start")))
        r->state = RTMP_LIVE;
    return 0;
}

static void take_control(struct rtmp *r, const uint8_t *p, size_t n)
{
    char text[6];
    struct writer w = writer_of(text, sizeof(text));

    if (n < 6 || p[0] != 0 || p[1] != 6) /* PingRequest */
        return;
    writer_be16(&w, 7);
    writer_bytes(&w, p + 2, 4);
    put_message(r, LANE_CONTROL, CONTROL, 0, writer_slice(&w));
}

static void abort_lane(struct rtmp *r, uint32_t id)
{
    for (size_t i = 0; i < RTMP_LANES; i++)
        if (r->lanes[i].id == id)
            r->lanes[i].got = 0;
}

static int take_message(struct rtmp *r, struct rtmp_lane *l)
{
    size_t n = l->length < RTMP_BODY_MAX ? l->length : RTMP_BODY_MAX;
    struct slice body = slice_of((const char *)l->body, n);
    struct slice at = body;
    uint32_t v = 0;
    bool has = get_number_of(&at, 4, &v);

    l->got = 0;
    switch (l->type) {
    case SET_CHUNK:
        if (!has || v == 0 || v > INT32_MAX)
            return fail(r, "a chunk size that is none", slice_of(NULL, 0));
        r->chunk_in = v < RTMP_CHUNK_IN_MAX ? v : RTMP_CHUNK_IN_MAX;
        break;
    case ABORT:
        if (has)
            abort_lane(r, v);
        break;
    case CONTROL:
        take_control(r, l->body, n);
        break;
    case WINDOW:
        if (has)
            r->window = v;
        break;
    case BANDWIDTH:
        if (has)
            put_control(r, WINDOW, v);
        break;
    case COMMAND:
        return take_command(r, body);
    case COMMAND3:
        return take_command(r, slice_from(body, 1));
    default:
        break;
    }
    return 0;
}

/* ---- chunks of the peer ---------------------------------------------------------- */

static struct rtmp_lane *lane_find(struct rtmp *r, uint32_t id)
{
    for (size_t i = 0; i < RTMP_LANES; i++)
        if (r->lanes[i].id == id)
            return &r->lanes[i];
    return NULL;
}

static uint32_t lane_id(const uint8_t *h, size_t *n)
{
    unsigned low = h[0] & 0x3f;

    *n = low == 0 ? 2 : low == 1 ? 3 : 1;
    if (low == 0)
        return 64u + h[1];
    if (low == 1)
        return 64u + h[1] + 256u * h[2];
    return low;
}

static uint32_t be24(const uint8_t *p)
{
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

/* How long the head is, as far as is known from head_n bytes of it. */
static size_t head_size(struct rtmp *r)
{
    static const uint8_t more[4] = { 11, 7, 3, 0 };
    unsigned fmt = r->head[0] >> 6;
    unsigned low = r->head[0] & 0x3f;
    size_t basic = low == 0 ? 2 : low == 1 ? 3 : 1;
    struct rtmp_lane *l;

    if (r->head_n < basic + more[fmt])
        return basic + more[fmt];
    if (fmt < 3)
        return basic + more[fmt] +
               (be24(r->head + basic) == 0xffffff ? 4u : 0u);
    l = lane_find(r, lane_id(r->head, &basic));
    return basic + (l && l->extended ? 4u : 0u);
}

static int take_head(struct rtmp *r)
{
    unsigned fmt = r->head[0] >> 6;
    size_t n;
    uint32_t id = lane_id(r->head, &n);
    struct rtmp_lane *l = lane_find(r, id);
    const uint8_t *p = r->head + n;

    if (!l && fmt == 0 && (l = lane_find(r, 0)))
        l->id = id;
    if (!l)
        return fail(r, fmt ? "a chunk of a stream that has not begun"
                           : "too many chunk streams", slice_of(NULL, 0));
    if (l->got && fmt != 3)
        return fail(r, "a message within a message", slice_of(NULL, 0));
    if (fmt < 3)
        l->extended = be24(p) == 0xffffff;
    if (fmt < 2) {
        l->length = be24(p + 3);
        l->type = p[6];
    }
    r->lane = l;
    r->chunk_left = l->length - l->got;
    if (r->chunk_left > r->chunk_in)
        r->chunk_left = r->chunk_in;
    r->head_n = 0;
    return l->length ? 0 : take_message(r, l);
}

static void take_body(struct rtmp *r, struct slice *in)
{
    struct rtmp_lane *l = r->lane;
    size_t n = in->n < r->chunk_left ? in->n : r->chunk_left;
    size_t keep = l->got < RTMP_BODY_MAX ? RTMP_BODY_MAX - l->got : 0;

    if (keep)
        memcpy(l->body + l->got, in->p, n < keep ? n : keep);
    l->got += (uint32_t)n;
    r->chunk_left -= (uint32_t)n;
    *in = slice_from(*in, n);
}

static int take_hello(struct rtmp *r, struct slice *in)
{
    while (in->n && r->hello < HELLO_IN) {
        uint8_t c = (uint8_t)in->p[0];

        if (r->hello == 0 && c != 3)
            return fail(r, "what answers does not speak RTMP",
                        slice_of(NULL, 0));
        if (r->hello >= 1 && r->hello < 1 + RTMP_HELLO)
            r->echo[r->hello - 1] = c;
        r->hello++;
        *in = slice_from(*in, 1);
        if (r->hello == 1 + RTMP_HELLO) {
            memcpy(r->out + r->out_n, r->echo, RTMP_HELLO);
            r->out_n += RTMP_HELLO;
        }
    }
    if (r->hello == HELLO_IN)
        put_connect(r);
    return 0;
}

/* The peer counts on hearing of what we have got. */
static void acknowledge(struct rtmp *r, size_t n)
{
    r->bytes_in += n;
    if (!r->window || r->bytes_in - r->acked < r->window / 2 ||
        r->bytes_in - r->acked < 256)
        return;
    r->acked = r->bytes_in;
    put_control(r, ACK, (uint32_t)r->bytes_in);
}

static int take_chunks(struct rtmp *r, struct slice in)
{
    while (in.n && r->state != RTMP_FAILED) {
        if (r->chunk_left == 0) {
            r->head[r->head_n++] = (uint8_t)in.p[0];
            in = slice_from(in, 1);
            if (r->head_n >= head_size(r) && take_head(r))
                return GB_EIO;
            continue;
        }
        take_body(r, &in);
        if (r->chunk_left == 0 && r->lane->got == r->lane->length &&
            take_message(r, r->lane))
            return GB_EIO;
    }
    return r->state == RTMP_FAILED ? GB_EIO : 0;
}

int rtmp_input(struct rtmp *r, struct slice in)
{
    if (r->state == RTMP_FAILED)
        return GB_EIO;
    if (r->state == RTMP_HANDSHAKE && take_hello(r, &in))
        return GB_EIO;
    if (r->state != RTMP_HANDSHAKE) {
        size_t n = in.n;

        if (take_chunks(r, in))
            return GB_EIO;
        acknowledge(r, n);
    }
    if (r->out_full)
        return fail(r, "the server asks, and does not read",
                    slice_of(NULL, 0));
    return 0;
}

void rtmp_begin(struct rtmp *r, const struct push_url *url, uint64_t seed)
{
    memset(r, 0, sizeof(*r));
    r->url = *url;
    r->chunk_in = CHUNK_DEFAULT;
    r->skip = 13; /* the header of FLV, and the size of no tag */
    r->out[0] = 3;
    for (size_t i = 8; i < RTMP_HELLO; i++) { /* behind time and zero */
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        r->out[1 + i] = (char)(uint8_t)(seed >> 56);
    }
    r->out_n = 1 + RTMP_HELLO;
}

struct slice rtmp_output(const struct rtmp *r)
{
    return slice_of(r->out + r->out_off, r->out_n - r->out_off);
}

void rtmp_sent(struct rtmp *r, size_t n)
{
    r->out_off += n;
}

/* ---- FLV ------------------------------------------------------------------------- */

static void put_stamp(const struct rtmp *r, struct writer *w)
{
    if (r->tag_ms >= 0xffffff)
        writer_be32(w, r->tag_ms);
}

/* The head of a message in place of that of its tag. */
static void begin_tag(struct rtmp *r, struct writer *w)
{
    static const char set[] = "\x02\x00\x0d@setDataFrame";
    uint32_t n = be24(r->tag + 1);
    bool script = r->tag[0] == SCRIPT;
    uint32_t extra = script ? (uint32_t)sizeof(set) - 1 : 0;

    r->tag_left = n;
    r->tag_ms = be24(r->tag + 4) | (uint32_t)r->tag[7] << 24;
    r->tag_lane = script               ? LANE_SCRIPT
                  : r->tag[0] == AUDIO ? LANE_AUDIO
                                       : LANE_VIDEO;
    writer_char(w, (char)r->tag_lane);
    writer_be24(w, r->tag_ms >= 0xffffff ? 0xffffff : r->tag_ms);
    writer_be24(w, n + extra);
    writer_char(w, (char)r->tag[0]);
    for (unsigned i = 0; i < 4; i++)
        writer_char(w, (char)(uint8_t)(r->stream >> (8 * i)));
    put_stamp(r, w);
    writer_bytes(w, set, extra);
    r->chunk_out = RTMP_CHUNK - extra;
}

static size_t put_data(struct rtmp *r, struct slice flv, struct writer *w)
{
    size_t n = r->tag_left, room;

    if (r->chunk_out == 0) {
        writer_char(w, (char)(0xc0 | r->tag_lane));
        put_stamp(r, w);
        r->chunk_out = RTMP_CHUNK;
    }
    room = w->cap - w->len;
    n = n < flv.n ? n : flv.n;
    n = n < room ? n : room;
    n = n < r->chunk_out ? n : r->chunk_out;
    writer_bytes(w, flv.p, n);
    r->tag_left -= (uint32_t)n;
    r->chunk_out -= (uint32_t)n;
    if (r->tag_left == 0)
        r->skip = 4; /* the size of the tag, told again */
    return n;
}

size_t rtmp_media(struct rtmp *r, struct slice flv, struct writer *w)
{
    struct slice in = flv;

    while (in.n && w->cap - w->len >= RTMP_MEDIA_ROOM) {
        size_t n;

        if (r->tag_left) {
            n = put_data(r, in, w);
        } else if (r->skip) {
            n = in.n < r->skip ? in.n : r->skip;
            r->skip -= n;
        } else {
            n = 1;
            r->tag[r->tag_n++] = (uint8_t)in.p[0];
            if (r->tag_n == sizeof(r->tag)) {
                r->tag_n = 0;
                begin_tag(r, w);
                if (r->tag_left == 0)
                    r->skip = 4;
            }
        }
        in = slice_from(in, n);
    }
    return flv.n - in.n;
}

bool rtmp_at_boundary(const struct rtmp *r)
{
    return r->tag_left == 0 && r->tag_n == 0;
}
