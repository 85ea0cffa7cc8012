#include "sip/vocab.h"

/* Length, first and last letter tell the names of a table apart; the factors
 * make of them a place of its own for each (a second name in one place is a
 * warning of the compiler and fails test_vocab). The name is compared
 * afterwards. */
#define METHOD_PLACE(n, first, last)                                           \
    (((unsigned)(n) * 26 + (unsigned)(first) + (unsigned)(last)) & 31)
#define LEN(lit) (sizeof(lit) - 1)

static const struct slice methods[SIP_METHOD_COUNT] = {
#define X(id, name, first, last) [SIP_METHOD_##id] = SLICE_INIT(name),
    SIP_METHOD_MAP(X)
#undef X
};

static const struct {
    struct slice name;
    char brief;
    uint8_t kind;
} hdrs[SIP_HDR_COUNT] = {
    [SIP_HDR_OTHER] = { { NULL, 0 }, 0, SIP_LINE },
#define X(id, name, brief, kind, first, last)                                  \
    [SIP_HDR_##id] = { SLICE_INIT(name), brief, SIP_##kind },
    SIP_HDR_MAP(X)
#undef X
};

static const uint8_t method_at[32] = {
#define X(id, name, first, last)                                               \
    [METHOD_PLACE(LEN(name), first, last)] = SIP_METHOD_##id,
    SIP_METHOD_MAP(X)
#undef X
};

const uint8_t sip_hdr_places[256] = {
#define X(id, name, brief, kind, first, last)                                  \
    [SIP_HDR_PLACE(LEN(name), first, last)] = SIP_HDR_##id,
    SIP_HDR_MAP(X)
#undef X
};

static enum sip_hdr hdr_of_brief(int c)
{
    switch (c) {
    case 0:
        return SIP_HDR_OTHER;
#define X(id, name, brief, kind, first, last)                                  \
    case brief ? brief : -(int)SIP_HDR_##id:                                   \
        return SIP_HDR_##id;
        SIP_HDR_MAP(X)
#undef X
    default:
        return SIP_HDR_OTHER;
    }
}

/* Eight octets of s and of t (letters and '-') are equal but for case. */
static bool fold8_eq(const char *s, const char *t)
{
    uint64_t a, b;

    memcpy(&a, s, 8);
    memcpy(&b, t, 8);
    return ((a ^ b) & ~((b & 0x4040404040404040u) >> 1)) == 0;
}

static bool fold4_eq(const char *s, const char *t)
{
    uint32_t a, b;

    memcpy(&a, s, 4);
    memcpy(&b, t, 4);
    return ((a ^ b) & ~((b & 0x40404040u) >> 1)) == 0;
}

static bool fold2_eq(const char *s, const char *t)
{
    uint16_t a, b;

    memcpy(&a, s, 2);
    memcpy(&b, t, 2);
    return ((a ^ b) & ~((b & 0x4040u) >> 1)) == 0;
}

/* As slice_ieq; t is a name of our table, where only letters have bit 6, and
 * n is 2 or more. */
static bool name_ieq(const char *s, const char *t, size_t n)
{
    if (n < 4)
        return fold2_eq(s, t) && fold2_eq(s + n - 2, t + n - 2);
    if (n < 8)
        return fold4_eq(s, t) && fold4_eq(s + n - 4, t + n - 4);
    for (size_t i = 0; i + 8 < n; i += 8)
        if (!fold8_eq(s + i, t + i))
            return false;
    return fold8_eq(s + n - 8, t + n - 8);
}

/* n is 3 or more. */
static bool name_eq(const char *s, const char *t, size_t n)
{
    if (n == 3)
        return memcmp(s, t, 3) == 0;
    if (n < 8)
        return memcmp(s, t, 4) == 0 && memcmp(s + n - 4, t + n - 4, 4) == 0;
    if (n < 16)
        return memcmp(s, t, 8) == 0 && memcmp(s + n - 8, t + n - 8, 8) == 0;
    return memcmp(s, t, n) == 0;
}

enum sip_method sip_method_lookup(struct slice name)
{
    unsigned m;

    if (name.n < 3)
        return SIP_METHOD_OTHER;
    m = method_at[METHOD_PLACE(name.n, (unsigned char)name.p[0],
                               (unsigned char)name.p[name.n - 1])];
    return methods[m].n == name.n && name_eq(name.p, methods[m].p, name.n)
               ? (enum sip_method)m
               : SIP_METHOD_OTHER;
}

struct slice sip_method_name(enum sip_method m)
{
    return methods[m];
}

enum sip_hdr sip_hdr_lookup(struct slice name)
{
    unsigned h;

    if (name.n < 2)
        return name.n ? hdr_of_brief((unsigned char)ascii_lower(name.p[0]))
                      : SIP_HDR_OTHER;
    h = sip_hdr_places[SIP_HDR_PLACE(
        name.n, (unsigned char)(name.p[0] | 0x20),
        (unsigned char)(name.p[name.n - 1] | 0x20))];
    return hdrs[h].name.n == name.n && name_ieq(name.p, hdrs[h].name.p, name.n)
               ? (enum sip_hdr)h
               : SIP_HDR_OTHER;
}

const char sip_hdr_lines[SIP_HDR_COUNT][24] = {
#define X(id, name, brief, kind, first, last) [SIP_HDR_##id] = name ":",
    SIP_HDR_MAP(X)
#undef X
};

struct slice sip_hdr_name(enum sip_hdr h)
{
    return hdrs[h].name;
}

char sip_hdr_brief(enum sip_hdr h)
{
    return hdrs[h].brief;
}

enum sip_hdr_kind sip_hdr_kind(enum sip_hdr h)
{
    return (enum sip_hdr_kind)hdrs[h].kind;
}

static struct slice reason_of(unsigned status)
{
    switch (status) {
#define X(code, text)                                                          \
    case code:                                                                 \
        return SLICE(text);
        SIP_STATUS_MAP(X)
#undef X
    default:
        return SLICE("");
    }
}

struct slice sip_reason(unsigned status)
{
    struct slice s = reason_of(status);

    if (s.n == 0 && status >= 100 && status <= 699)
        s = reason_of(status < 200 ? 183 : status / 100 * 100);
    return s.n ? s : SLICE("Unknown");
}

static const bool token_char[256] = {
    ['!'] = true, ['%'] = true, ['\''] = true, ['*'] = true, ['+'] = true,
    ['-'] = true, ['.'] = true, ['_'] = true,  ['`'] = true, ['~'] = true,
    ['0'] = true, ['1'] = true, ['2'] = true,  ['3'] = true, ['4'] = true,
    ['5'] = true, ['6'] = true, ['7'] = true,  ['8'] = true, ['9'] = true,
    ['A'] = true, ['B'] = true, ['C'] = true,  ['D'] = true, ['E'] = true,
    ['F'] = true, ['G'] = true, ['H'] = true,  ['I'] = true, ['J'] = true,
    ['K'] = true, ['L'] = true, ['M'] = true,  ['N'] = true, ['O'] = true,
    ['P'] = true, ['Q'] = true, ['R'] = true,  ['S'] = true, ['T'] = true,
    ['U'] = true, ['V'] = true, ['W'] = true,  ['X'] = true, ['Y'] = true,
    ['Z'] = true, ['a'] = true, ['b'] = true,  ['c'] = true, ['d'] = true,
    ['e'] = true, ['f'] = true, ['g'] = true,  ['h'] = true, ['i'] = true,
    ['j'] = true, ['k'] = true, ['l'] = true,  ['m'] = true, ['n'] = true,
    ['o'] = true, ['p'] = true, ['q'] = true,  ['r'] = true, ['s'] = true,
    ['t'] = true, ['u'] = true, ['v'] = true,  ['w'] = true, ['x'] = true,
    ['y'] = true, ['z'] = true,
};

bool sip_is_token_char(char c)
{
    return token_char[(unsigned char)c];
}

bool sip_is_token(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!token_char[(unsigned char)s.p[i]])
            return false;
    return s.n > 0;
}
