#include "manscdp/time.h"

#define DAY_MS INT64_C(86400000)
#define LAST_MS INT64_C(253402300799999) /* the end of the year 9999 */

static bool is_leap(unsigned y)
{
    return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

static unsigned month_days(unsigned y, unsigned m)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30,
                                    31, 31, 30, 31, 30, 31 };

    return days[m - 1] + (m == 2 && is_leap(y) ? 1u : 0u);
}

/* Days from 1970-01-01 to y-m-d, y >= 1970. */
static int64_t days_to(unsigned y, unsigned m, unsigned d)
{
    unsigned before = y - 1;
    int64_t days = 365 * (int64_t)(y - 1970) +
                   (before / 4 - before / 100 + before / 400) -
                   (1969 / 4 - 1969 / 100 + 1969 / 400);

    for (unsigned i = 1; i < m; i++)
        days += month_days(y, i);
    return days + d - 1;
}

/* Up to max digits off the front of *s. */
static bool take(struct slice *s, size_t max, unsigned *v)
{
    size_t n = 0;

    *v = 0;
    while (n < s->n && n < max && ascii_is_digit(s->p[n]))
        *v = *v * 10 + (unsigned)(s->p[n++] - '0');
    *s = slice_from(*s, n);
    return n > 0;
}

static bool take_char(struct slice *s, char c)
{
    if (!s->n || s->p[0] != c)
        return false;
    *s = slice_from(*s, 1);
    return true;
}

/* 'Z' or an offset; nothing left *zone as it was. */
static bool take_zone(struct slice *s, int *zone)
{
    unsigned h, m = 0;
    int sign;

    if (take_char(s, 'Z') || take_char(s, 'z')) {
        *zone = 0;
        return true;
    }
    if (!s->n)
        return true;
    sign = s->p[0] == '-' ? -1 : 1;
    if ((!take_char(s, '+') && !take_char(s, '-')) || !take(s, 2, &h))
        return false;
    take_char(s, ':');
    if (s->n && !take(s, 2, &m))
        return false;
    if (h > 14 || m > 59)
        return false;
    *zone = sign * (int)(h * 60 + m);
    return true;
}

static void take_fraction(struct slice *s, unsigned *ms)
{
    unsigned digit, scale = 100;

    *ms = 0;
    if (!take_char(s, '.') && !take_char(s, ','))
        return;
    for (; take(s, 1, &digit); scale /= 10)
        *ms += digit * scale;
}

bool manscdp_time_parse(struct slice text, int zone_min, int64_t *utc_ms)
{
    struct slice s = slice_trim(text);
    unsigned y, mo, d, h = 0, mi = 0, se = 0, ms = 0;
    int64_t t;

    if (!take(&s, 4, &y))
        return false;
    take_char(&s, '-');
    if (!take(&s, 2, &mo))
        return false;
    take_char(&s, '-');
    if (!take(&s, 2, &d))
        return false;
    if (take_char(&s, 'T') || take_char(&s, 't') || take_char(&s, ' ')) {
        if (!take(&s, 2, &h))
            return false;
        take_char(&s, ':');
        if (!take(&s, 2, &mi))
            return false;
        take_char(&s, ':');
        if (s.n && ascii_is_digit(s.p[0]))
            take(&s, 2, &se);
        take_fraction(&s, &ms);
        if (!take_zone(&s, &zone_min))
            return false;
    }
    if (s.n || y < 1970 || mo < 1 || mo > 12 || d < 1 ||
        d > month_days(y, mo) || h > 24 || mi > 59 || se > 60)
        return false;
    t = days_to(y, mo, d) * DAY_MS +
        ((int64_t)h * 3600 + mi * 60 + se) * 1000 + ms;
    *utc_ms = t - (int64_t)zone_min * 60000;
    return true;
}

void manscdp_time_write(struct writer *w, int64_t utc_ms, int zone_min)
{
    int64_t t = utc_ms + (int64_t)zone_min * 60000, day;
    unsigned y, m = 1, s;

    if (t < 0 || t > LAST_MS)
        return;
    day = t / DAY_MS;
    s = (unsigned)(t % DAY_MS / 1000);
    y = 1970 + (unsigned)(day / 366);
    while (days_to(y + 1, 1, 1) <= day)
        y++;
    day -= days_to(y, 1, 1);
    for (; day >= month_days(y, m); m++)
        day -= month_days(y, m);
    writer_u64_pad(w, y, 4);
    writer_char(w, '-');
    writer_u64_pad(w, m, 2);
    writer_char(w, '-');
    writer_u64_pad(w, (uint64_t)day + 1, 2);
    writer_char(w, 'T');
    writer_u64_pad(w, s / 3600, 2);
    writer_char(w, ':');
    writer_u64_pad(w, s / 60 % 60, 2);
    writer_char(w, ':');
    writer_u64_pad(w, s % 60, 2);
}
