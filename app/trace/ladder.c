#include "app/trace/ladder.h"

#define TIME_COLUMNS 12 /* with the two blanks behind it */
#define LABEL_MAX 256
#define LABEL_ROOM 40   /* columns kept for the arrow of the last device */
#define ID_COLUMNS 22   /* of a device whose id is written whole */
#define SHORT_COLUMNS 10

void ladder_init(struct ladder *l, const struct ladder_config *cfg)
{
    *l = (struct ladder){ .cfg = *cfg };
    if (l->cfg.width < LADDER_WIDTH_MIN)
        l->cfg.width = LADDER_WIDTH_MIN;
    if (l->cfg.width > LADDER_WIDTH_MAX)
        l->cfg.width = LADDER_WIDTH_MAX;
}

/* The column of a device; it is given one when it has none. */
static size_t party(struct ladder *l, struct slice device)
{
    char id[LADDER_ID_MAX + 1];

    /* a stranger may call itself anything: nothing of it steers a terminal */
    slice_copy(id, sizeof(id), device);
    for (size_t i = 0; i < LADDER_ID_MAX && i < device.n; i++)
        if ((unsigned char)id[i] <= 0x20 || (unsigned char)id[i] >= 0x7f)
            id[i] = '?';
    device = slice_str(id);
    for (size_t i = 0; i < l->n_devices; i++)
        if (slice_eq(slice_str(l->device[i]), device))
            return i;
    if (l->n_devices < LADDER_DEVICES) {
        slice_copy(l->device[l->n_devices], sizeof(l->device[0]), device);
        l->headed = false;
        return l->n_devices++;
    }
    if (!l->more)
        l->headed = false;
    l->more = true;
    return LADDER_DEVICES - 1;
}

void ladder_party(struct ladder *l, struct slice device)
{
    party(l, device);
}

/* ---- where things stand ---- */

static bool ids_are_whole(const struct ladder *l)
{
    return TIME_COLUMNS + (l->n_devices - 1) * ID_COLUMNS + LABEL_ROOM <=
           l->cfg.width;
}

static size_t device_x(const struct ladder *l, size_t i)
{
    return TIME_COLUMNS + i * (ids_are_whole(l) ? ID_COLUMNS : SHORT_COLUMNS);
}

static size_t platform_x(const struct ladder *l)
{
    return l->cfg.width - 2;
}

static void blanks(struct writer *w, size_t n)
{
    for (; n; n--)
        writer_char(w, ' ');
}

/* ---- the heading ---- */

static void device_heading(const struct ladder *l, struct writer *w, size_t i,
                           size_t room)
{
    struct slice id = slice_str(l->device[i]);
    size_t columns;

    if (l->more && i == LADDER_DEVICES - 1) {
        writer_str(w, l->cfg.chinese ? "其他" : "others");
        blanks(w, room - (l->cfg.chinese ? 4 : 6));
        return;
    }
    if (id.n == 0)
        id = SLICE("?");
    columns = id.n;
    if (id.n + 1 > room) { /* the end of an id tells more than its begin */
        columns = room - 1;
        writer_str(w, "..");
        id = slice_from(id, id.n - (columns - 2));
    }
    writer_slice_put(w, id);
    blanks(w, room - columns);
}

static void heading(struct ladder *l, struct writer *w)
{
    size_t name = l->cfg.chinese ? 4 : 8; /* columns of "platform" */
    size_t at = TIME_COLUMNS;

    if (l->cfg.colour)
        writer_str(w, "\x1b[1m");
    blanks(w, TIME_COLUMNS - 6);
    writer_str(w, l->cfg.chinese ? "时间  " : "time  ");
    for (size_t i = 0; i < l->n_devices; i++) {
        bool last = i + 1 == l->n_devices;
        size_t next = last ? platform_x(l) + 1 - name : device_x(l, i + 1);
        size_t room = next - at < ID_COLUMNS ? next - at : ID_COLUMNS;

        device_heading(l, w, i, room);
        at += room;
        if (last)
            blanks(w, next - at);
    }
    writer_str(w, l->cfg.chinese ? "平台" : "platform");
    if (l->cfg.colour)
        writer_str(w, "\x1b[0m");
    writer_char(w, '\n');
    l->headed = true;
}

/* ---- rows ---- */

static void plain(struct writer *w, struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c >= 0x20 && c < 0x7f)
            writer_char(w, (char)c);
        else if ((c & 0xc0) != 0x80) /* one for a character */
            writer_char(w, '?');
    }
}

static void label_write(struct writer *w, const struct ladder_item *i)
{
    if (i->method.n == 0) {
        writer_str(w, "(no SIP)");
    } else if (i->status) {
        writer_u64(w, i->status);
        if (i->reason.n)
            writer_char(w, ' ');
        plain(w, slice_head(i->reason, 120));
        writer_str(w, " (");
        plain(w, slice_head(i->method, 20));
        writer_f(w, " %u)", i->cseq);
    } else {
        plain(w, slice_head(i->method, 20));
        if (i->cmd.n) {
            writer_char(w, ' ');
            plain(w, slice_head(i->cmd, 40));
        }
        writer_f(w, " %u", i->cseq);
    }
    if (i->count > 1)
        writer_f(w, " x%u", i->count);
}

static const char *colour_of(const struct ladder_item *i)
{
    return i->status == 0    ? "\x1b[36m"
           : i->status < 200 ? "\x1b[0m"
           : i->status < 300 ? "\x1b[32m"
           : i->status < 400 ? "\x1b[33m" : "\x1b[31m";
}

/* The part of the label that fits, cut behind a blank where there is one. */
static struct slice cut_label(struct slice *rest, size_t room)
{
    struct slice part = slice_head(*rest, room);

    if (part.n < rest->n)
        for (size_t n = part.n; n > room / 2; n--)
            if (rest->p[n - 1] == ' ') {
                part.n = n;
                break;
            }
    *rest = slice_from(*rest, part.n);
    return slice_trim(part);
}

static void put_label(char *line, size_t from, size_t room, struct slice s)
{
    size_t at = from + (room - s.n) / 2;

    memcpy(line + at, s.p, s.n);
    if (at > from)
        line[at - 1] = ' ';
    if (at + s.n < from + room)
        line[at + s.n] = ' ';
}

static void line_write(const struct ladder *l, struct writer *w,
                       const struct ladder_item *i, const char *line,
                       size_t from, size_t to)
{
    size_t end = platform_x(l) + 1;

    if (!l->cfg.colour) {
        writer_bytes(w, line, end);
    } else {
        writer_bytes(w, line, from + 1);
        writer_str(w, colour_of(i));
        writer_bytes(w, line + from + 1, to - from - 1);
        writer_str(w, "\x1b[0m");
        writer_bytes(w, line + to, end - to);
    }
    writer_char(w, '\n');
}

void ladder_row(struct ladder *l, struct writer *w,
                const struct ladder_item *item)
{
    char line[LADDER_WIDTH_MAX], text[LABEL_MAX], time[24];
    struct writer label = writer_of(text, sizeof(text));
    struct writer t = writer_of(time, sizeof(time));
    size_t from = party(l, item->device), to, room;
    struct slice rest;
    bool arrow = true;
    int64_t ms;

    if (l->start_ms == 0)
        l->start_ms = item->utc_ms;
    if (!l->headed)
        heading(l, w);
    ms = item->utc_ms - l->start_ms;
    writer_f(&t, "%s%lld.%03lld", ms < 0 ? "-" : "+",
             (long long)(ms < 0 ? -ms : ms) / 1000,
             (long long)(ms < 0 ? -ms : ms) % 1000);
    label_write(&label, item);
    rest = writer_slice(&label);
    from = device_x(l, from);
    to = platform_x(l);
    room = to - from - 5; /* an arrow head, a dash and blanks around */
    do {
        struct slice part = cut_label(&rest, room);

        memset(line, ' ', sizeof(line));
        for (size_t i = 0; i < l->n_devices; i++)
            line[device_x(l, i)] = '|';
        line[to] = '|';
        if (arrow) {
            if (t.len <= TIME_COLUMNS - 2)
                memcpy(line + TIME_COLUMNS - 2 - t.len, time, t.len);
            memset(line + from + 1, '-', to - from - 1);
            line[item->out ? from + 1 : to - 1] = item->out ? '<' : '>';
        }
        put_label(line, from + 3, room, part);
        line_write(l, w, item, line, from, to);
        arrow = false;
    } while (rest.n);
}
