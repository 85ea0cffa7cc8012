/* test/bench/limit_scan.h - the body of limit.c, once for each kind of compare
 *
 * One pass finds the line ends, one load a line its colon; a switch on the
 * length of the name and its letters finds the lines that are asked for.
 * KIND(name) and TARGET are set by the file that includes this. */

TARGET static inline const char *KIND(find)(const char *p, const char *end,
                                            char c)
{
    for (; p < end; p += 32) {
        uint32_t m = KIND(mask)(p, c);

        if (m) {
            p += __builtin_ctz(m);
            return p < end ? p : end;
        }
    }
    return end;
}

/* The number of lines before the empty one; -1: it is not there. */
TARGET static inline int KIND(split)(struct slice s, const char **body)
{
    const char *start = s.p, *end = s.p + s.n;
    int n = 0;

    for (const char *p = s.p; p < end; p += 64) {
        uint64_t m = KIND(mask)(p, '\n') |
                     (uint64_t)KIND(mask)(p + 32, '\n') << 32;

        for (; m; m &= m - 1) {
            const char *nl = p + __builtin_ctzll(m);
            uint32_t len = (uint32_t)(nl - start), colon;

            if (nl >= end)
                return -1;
            if (len && nl[-1] == '\r')
                len--;
            if (len == 0) {
                *body = nl + 1;
                return n;
            }
            if (n == MAX_LINES)
                return -1;
            colon = KIND(mask)(start, ':');
            lines[n++] = (struct line){
                start, len, colon ? (uint32_t)__builtin_ctz(colon) : 0
            };
            start = nl + 1;
        }
    }
    return -1;
}

TARGET static inline struct slice KIND(to)(const char *p, const char *end)
{
    return slice_of(p, (size_t)(end - p));
}

/* <sip:user@host...>;...;tag=x; tag may be NULL */
TARGET static inline void KIND(addr)(const char *p, const char *end,
                                     struct slice *user, struct slice *tag)
{
    const char *lt = KIND(find)(p, end, '<'), *u = lt < end ? lt + 1 : p, *at;

    if (end - u > 4 && u[3] == ':')
        u += 4;
    at = KIND(find)(u, end, '@');
    *user = KIND(to)(u, at < end ? at : u);
    if (!tag)
        return;
    p = lt < end ? KIND(find)(at, end, '>') : p;
    while ((p = KIND(find)(p, end, ';')) < end) {
        p++;
        if (end - p > 4 && (p[0] | 32) == 't' && (p[1] | 32) == 'a' &&
            (p[2] | 32) == 'g' && p[3] == '=') {
            *tag = KIND(to)(p + 4, KIND(find)(p + 4, end, ';'));
            return;
        }
    }
}

TARGET static inline uint32_t KIND(number)(const char *p, const char *end)
{
    uint32_t v = 0;

    for (; p < end && (unsigned)(*p - '0') < 10; p++)
        v = v * 10 + (uint32_t)(*p - '0');
    return v;
}

/* low: in lower case, n bytes */
TARGET static inline bool KIND(same)(const char *p, const char *low, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((p[i] | 32) != low[i])
            return false;
    return true;
}

TARGET static inline void KIND(via)(const char *p, const char *end,
                                    struct bench_fields *f)
{
    const char *host = KIND(find)(p, end, ' ') + 1;
    const char *semi = KIND(find)(host, end, ';');

    f->via_host = KIND(to)(host, KIND(find)(host, semi, ':'));
    while (semi < end) {
        semi++;
        if ((semi[0] | 32) == 'b' && KIND(same)(semi, "branch", 6)) {
            f->via_branch = KIND(to)(semi + 7, KIND(find)(semi + 7, end, ';'));
            return;
        }
        semi = KIND(find)(semi, end, ';');
    }
}

TARGET static inline void KIND(field)(const struct line *l,
                                      struct bench_fields *f)
{
    const char *p = l->p, *end = p + l->n, *v = p + l->name + 1;

    while (v < end && *v == ' ')
        v++;
    switch (l->name) {
    case 2:
        if (KIND(same)(p, "to", 2))
            KIND(addr)(v, end, &f->to_user, &f->to_tag);
        break;
    case 3:
        if (KIND(same)(p, "via", 3) && !f->via_branch.p)
            KIND(via)(v, end, f);
        break;
    case 4:
        if (KIND(same)(p, "from", 4)) {
            KIND(addr)(v, end, &f->from_user, &f->from_tag);
        } else if (KIND(same)(p, "cseq", 4)) {
            f->cseq = KIND(number)(v, end);
            if (f->status)
                f->method = KIND(to)(KIND(find)(v, end, ' ') + 1, end);
        }
        break;
    case 7:
        if (KIND(same)(p, "call-id", 7))
            f->call_id = KIND(to)(v, end);
        else if (KIND(same)(p, "contact", 7) && !f->contact_user.p)
            KIND(addr)(v, end, &f->contact_user, NULL);
        else if (KIND(same)(p, "expires", 7))
            f->expires = KIND(number)(v, end);
        break;
    case 12:
        if (KIND(same)(p, "content-type", 12))
            f->content_type = KIND(to)(v, end);
        break;
    default:
        break;
    }
}

TARGET static int KIND(extract)(struct slice s, struct bench_fields *f)
{
    const char *body, *end, *blank;
    int n = KIND(split)(s, &body);

    if (n < 2)
        return 1;
    memset(f, 0, sizeof(*f));
    f->expires = -1;
    f->body = KIND(to)(body, s.p + s.n);
    end = lines[0].p + lines[0].n;
    blank = KIND(find)(s.p, end, ' ');
    if (KIND(same)(s.p, "sip/2.0", 7)) {
        f->status = KIND(number)(blank + 1, end);
    } else {
        f->method = KIND(to)(s.p, blank);
        KIND(addr)(blank + 1, end, &f->uri_user, NULL);
    }
    for (int i = 1; i < n; i++)
        KIND(field)(&lines[i], f);
    return 0;
}

/* high: a byte >= 0x80 was seen in the windows up to here. */
TARGET static inline void KIND(leaf)(struct bench_xml *x, struct slice tag,
                                     struct slice text, bool high)
{
    x->n_text += text.n;
    x->n_high += high;
    if (tag.n == 7 && !x->cmd.n && memcmp(tag.p, "CmdType", 7) == 0)
        x->cmd = text;
    else if (tag.n == 8 && !x->device.n && memcmp(tag.p, "DeviceID", 8) == 0)
        x->device = text;
}

TARGET static int KIND(xml)(struct slice s, struct bench_xml *x)
{
    const char *end = s.p + s.n, *text = NULL;
    struct slice tag = { NULL, 0 };
    bool high = false;

    memset(x, 0, sizeof(*x));
    for (const char *p = s.p; p < end; p += 32) {
        uint32_t m = KIND(mask)(p, '<');

        high |= KIND(sign)(p) != 0;
        for (; m; m &= m - 1) {
            const char *q = p + __builtin_ctz(m);

            if (q >= end)
                break;
            if (q[1] == '/') {
                if (text)
                    KIND(leaf)(x, tag, KIND(to)(text, q), high);
                text = NULL;
                high = false;
            } else if (q[1] != '?' && q[1] != '!') {
                uint32_t gt;

                for (text = q + 1; !(gt = KIND(mask)(text, '>'));)
                    if ((text += 32) >= end)
                        return 1;
                text += __builtin_ctz(gt);
                tag = KIND(to)(q + 1, text++);
                x->n_elements++;
                x->n_items += tag.n == 4 && memcmp(tag.p, "Item", 4) == 0;
            }
        }
    }
    return x->n_elements == 0;
}
