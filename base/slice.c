#include "base/slice.h"

static uint64_t load(const char *p, size_t n)
{
    uint64_t v = 0;

    memcpy(&v, p, n);
    return v;
}

/* Where a and b differ, n >= 4: the bits of all bytes, one over the other. */
static uint64_t differ(const char *a, const char *b, size_t n)
{
    uint64_t bits = 0;

    if (n < 8)
        return (load(a, 4) ^ load(b, 4)) |
               (load(a + n - 4, 4) ^ load(b + n - 4, 4));
    for (size_t i = 0; i + 8 < n; i += 8)
        bits |= load(a + i, 8) ^ load(b + i, 8);
    return bits | (load(a + n - 8, 8) ^ load(b + n - 8, 8));
}

bool slice_ieq_bytes(const char *a, const char *b, size_t n)
{
    if (n >= 4) {
        uint64_t bits = differ(a, b, n);

        if ((bits & ~0x2020202020202020u) != 0)
            return false;
        if (bits == 0)
            return true;
    }
    for (size_t i = 0; i < n; i++)
        if (ascii_lower(a[i]) != ascii_lower(b[i]))
            return false;
    return true;
}

bool slice_has_prefix(struct slice s, struct slice prefix)
{
    return s.n >= prefix.n && slice_eq(slice_head(s, prefix.n), prefix);
}

bool slice_has_iprefix(struct slice s, struct slice prefix)
{
    return s.n >= prefix.n && slice_ieq(slice_head(s, prefix.n), prefix);
}

int slice_cmp(struct slice a, struct slice b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;

    if (c)
        return c;
    return (a.n > b.n) - (a.n < b.n);
}

struct slice slice_trim_ends(struct slice s)
{
    while (s.n && ascii_is_space(s.p[s.n - 1]))
        s.n--;
    while (s.n && ascii_is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    return s;
}

size_t slice_find(struct slice s, char c)
{
    const char *q = s.n ? memchr(s.p, c, s.n) : NULL;

    return q ? (size_t)(q - s.p) : s.n;
}

size_t slice_find_slice(struct slice s, struct slice needle)
{
    if (needle.n == 0)
        return 0;
    for (size_t i = 0; i + needle.n <= s.n;) {
        size_t at = i + slice_find(slice_from(s, i), needle.p[0]);

        if (at + needle.n > s.n)
            break;
        if (memcmp(s.p + at, needle.p, needle.n) == 0)
            return at;
        i = at + 1;
    }
    return s.n;
}

bool slice_cut(struct slice *s, char sep, struct slice *head)
{
    size_t at = slice_find(*s, sep);
    bool found = at < s->n;

    *head = slice_head(*s, at);
    *s = slice_from(*s, found ? at + 1 : at);
    return found;
}

bool slice_u64(struct slice s, uint64_t max, uint64_t *v)
{
    uint64_t sum = 0;

    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned d = (unsigned char)s.p[i] - (unsigned)'0';

        if (d > 9 || sum > UINT64_MAX / 10 || sum * 10 > UINT64_MAX - d)
            return false;
        sum = sum * 10 + d;
        if (sum > max)
            return false;
    }
    *v = sum;
    return true;
}

bool slice_u32(struct slice s, uint32_t max, uint32_t *v)
{
    uint64_t wide;

    if (!slice_u64(s, max, &wide))
        return false;
    *v = (uint32_t)wide;
    return true;
}

static bool take_sign(struct slice *s)
{
    bool minus = s->n && s->p[0] == '-';

    if (minus || (s->n && s->p[0] == '+'))
        *s = slice_from(*s, 1);
    return minus;
}

size_t slice_exponent(struct slice s, size_t off)
{
    struct slice e = slice_from(s, off);
    size_t sign, n;

    if (!e.n || (e.p[0] != 'e' && e.p[0] != 'E'))
        return off;
    sign = e.n > 1 && (e.p[1] == '-' || e.p[1] == '+');
    for (n = 1 + sign; n < e.n && ascii_is_digit(e.p[n]);)
        n++;
    return n > 1 + sign ? off + n : off;
}

/* e: "e+02", or empty. false: there is none, or it is out of range. */
static bool scale(struct slice e, double *sum, double *unit)
{
    bool minus;
    uint32_t v;

    if (!e.n)
        return true;
    e = slice_from(e, 1);
    minus = take_sign(&e);
    if (!slice_u32(e, SLICE_EXPONENT_MAX, &v))
        return false;
    for (; v; v--)
        *(minus ? unit : sum) *= 10;
    return true;
}

bool slice_double(struct slice s, double *v)
{
    double sum = 0, unit = 1;
    bool minus = take_sign(&s), digits = false, point = false;
    size_t n = 0;

    for (; n < s.n; n++) {
        if (s.p[n] == '.' && !point) {
            point = true;
        } else if (ascii_is_digit(s.p[n])) {
            digits = true;
            sum = sum * 10 + (s.p[n] - '0');
            unit = point ? unit * 10 : unit;
        } else {
            break;
        }
    }
    if (!digits || s.n > 64 || slice_exponent(s, n) != s.n ||
        !scale(slice_from(s, n), &sum, &unit))
        return false;
    *v = minus ? -(sum / unit) : sum / unit;
    return true;
}

bool slice_copy(char *buf, size_t cap, struct slice s)
{
    size_t n = s.n < cap ? s.n : cap - 1;

    if (n)
        memcpy(buf, s.p, n);
    buf[n] = '\0';
    return n == s.n;
}
