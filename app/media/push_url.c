#include "app/media/push_url.h"

static bool is_plain(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] <= ' ' || (uint8_t)s.p[i] == 0x7f ||
            s.p[i] == '"' || s.p[i] == '\\' || s.p[i] == '#' ||
            s.p[i] == '<' || s.p[i] == '>')
            return false;
    return true;
}

/* Everything up to the last '@' of the authority. */
static void take_user(struct push_url *u, struct slice *authority)
{
    size_t at = authority->n;
    struct slice info;

    while (at && authority->p[at - 1] != '@')
        at--;
    if (at == 0)
        return;
    info = slice_head(*authority, at - 1);
    *authority = slice_from(*authority, at);
    slice_cut(&info, ':', &u->user);
    u->password = info;
}

static bool take_host(struct push_url *u, struct slice s)
{
    struct slice port = { 0 };
    uint32_t n = u->port;

    u->authority = s;
    if (s.n && s.p[0] == '[') {
        size_t end = slice_find(s, ']');

        if (end == s.n)
            return false;
        u->host = slice_head(slice_from(s, 1), end - 1);
        port = slice_from(s, end + 1);
        if (port.n && port.p[0] != ':')
            return false;
    } else {
        size_t end = slice_find(s, ':');

        u->host = slice_head(s, end);
        port = slice_from(s, end);
    }
    if (port.n && (!slice_u32(slice_from(port, 1), 65535, &n) || n == 0))
        return false;
    u->port = (uint16_t)n;
    return u->host.n > 0 && u->host.n < 254;
}

static const struct scheme {
    struct slice text;
    bool rtmp, tls;
    uint16_t port;
} schemes[] = {
    { SLICE_INIT("rtsp://"), false, false, PUSH_RTSP_PORT },
    { SLICE_INIT("rtmp://"), true, false, PUSH_RTMP_PORT },
    { SLICE_INIT("rtsps://"), false, true, PUSH_RTSPS_PORT },
    { SLICE_INIT("rtmps://"), true, true, PUSH_RTMPS_PORT },
};

static bool take_scheme(struct push_url *u, struct slice text,
                        struct slice *rest)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        const struct scheme *s = &schemes[i];

        if (!slice_has_iprefix(text, s->text))
            continue;
        u->rtmp = s->rtmp;
        u->tls = s->tls;
        u->port = s->port;
        *rest = slice_from(text, s->text.n);
        return true;
    }
    return false;
}

const char *push_url_scheme(const struct push_url *u)
{
    for (size_t i = 0;; i++)
        if (schemes[i].rtmp == u->rtmp && schemes[i].tls == u->tls)
            return schemes[i].text.p;
}

int push_url_parse(struct push_url *out, struct slice text)
{
    struct push_url u = { 0 };
    struct slice rest, authority;

    if (text.n > PUSH_URL_MAX || !is_plain(text) ||
        !take_scheme(&u, text, &rest))
        return GB_ESYNTAX;
    authority = slice_head(rest, slice_find(rest, '/'));
    u.path = slice_from(rest, authority.n);
    take_user(&u, &authority);
    if (!take_host(&u, authority) || u.path.n < 2 ||
        u.password.n > PUSH_PASSWORD_MAX)
        return GB_ESYNTAX;
    if (u.rtmp) {
        u.key = slice_from(u.path, 1);
        slice_cut(&u.key, '/', &u.app);
        if (u.app.n == 0 || u.key.n == 0 || u.user.n || u.password.n)
            return GB_ESYNTAX;
    }
    *out = u;
    return 0;
}

void push_url_write(struct writer *w, const struct push_url *u,
                    struct slice password)
{
    writer_str(w, push_url_scheme(u));
    writer_slice_put(w, u->user);
    if (password.n)
        writer_char(w, ':');
    writer_slice_put(w, password);
    if (u->user.n || password.n)
        writer_char(w, '@');
    writer_slice_put(w, u->authority);
    writer_slice_put(w, u->path);
}

void push_url_mask(struct writer *w, struct slice text)
{
    struct push_url u;

    if (push_url_parse(&u, text) == 0)
        push_url_write(w, &u, u.password.n ? SLICE("***") : u.password);
}
