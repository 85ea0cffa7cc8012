/* What is printed: texts that a terminal may show, JSON, tables. */
#include "tools/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN 8 /* cleaned texts at once */

const char *ctl_text(const json_t *o_, const char *key)
{
    const char *s = json_string_value(json_object_get(o_, key));

    return s ? s : "";
}

const char *ctl_told(const json_t *o_, const char *key)
{
    char name[32];
    struct writer w = writer_of(name, sizeof(name) - 1);
    const char *zh;

    writer_f(&w, "%s_zh", key);
    name[w.len] = '\0';
    zh = ctl.chinese ? ctl_text(o_, name) : "";
    return *zh ? zh : ctl_text(o_, key);
}

/* The bytes at s that a terminal would take for more than text: C0 and DEL,
 * and C1, which is two in UTF-8. */
size_t ctl_control_at(const char *s)
{
    unsigned char c = (unsigned char)s[0], next = c ? (unsigned char)s[1] : 0;

    if (c < 0x20 || c == 0x7f)
        return 1;
    return c == 0xc2 && next >= 0x80 && next <= 0x9f ? 2 : 0;
}

/* What a peer wrote, with ? for what would steer the terminal. Valid for the
 * next SHOWN - 1 calls. */
const char *ctl_shown(const char *s)
{
    static char *ring[SHOWN];
    static unsigned at;
    char *out = realloc(ring[at], strlen(s) + 1), *to = out;

    if (!out)
        ctl_die(EX_OSERR, "no memory");
    ring[at] = out;
    at = (at + 1) % SHOWN;
    while (*s) {
        size_t n = ctl_control_at(s);

        *to++ = n ? '?' : *s;
        s += n ? n : 1;
    }
    *to = '\0';
    return out;
}

const char *ctl_shown_of(const json_t *o_, const char *key)
{
    return ctl_shown(ctl_told(o_, key));
}

/* JSON, in which DEL and C1 are written as what they are called. */
void ctl_put_json(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        size_t n = (unsigned char)s[i] < 0x20 ? 0 : ctl_control_at(s + i);

        if (n)
            printf("\\u%04x", (unsigned char)s[i + n - 1]);
        else
            putchar(s[i]);
        i += n == 2;
    }
    putchar('\n');
}

void ctl_dump(const json_t *j)
{
    char *text = json_dumps(j, JSON_INDENT(2));

    if (!text)
        ctl_die(EX_OSERR, "no memory");
    ctl_put_json(text, strlen(text));
    free(text);
}

/* ---- tables ---- */

/* Columns of a terminal: UTF-8, wide from U+1100 as East Asian text is. */
static size_t columns_of(const char *s)
{
    size_t n = 0;

    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;

        if ((c & 0xc0) != 0x80)
            n += c >= 0xe1 ? 2 : 1;
    }
    return n;
}

/* What somebody sees, "device:ID group:NAME"; null: everything. Valid until the
 * next call. */
static const char *scope_cell(json_t *scope)
{
    static char text[512];
    static const char *const kinds[][2] = { { "devices", "device" },
                                            { "groups", "group" } };
    struct writer w = writer_of(text, sizeof(text) - 1);
    json_t *one;
    size_t i;

    if (json_is_null(scope))
        return ctl.chinese ? "全部" : "everything";
    for (size_t k = 0; k < 2; k++)
        json_array_foreach(json_object_get(scope, kinds[k][0]), i, one)
            writer_f(&w, "%s%s:%s", w.len ? " " : "", kinds[k][1],
                     json_string_value(one));
    text[w.len] = '\0';
    return w.len ? text : ctl.chinese ? "无" : "nothing";
}

static const char *cell(const json_t *item, const char *key, char buf[32])
{
    json_t *v = json_object_get(item, key);

    if (slice_eq(slice_str(key), SLICE("scope")))
        return scope_cell(v);
    if (json_is_integer(v))
        snprintf(buf, 32, "%lld", (long long)json_integer_value(v));
    else if (json_is_boolean(v))
        snprintf(buf, 32, "%s", json_is_true(v) ? (ctl.chinese ? "是" : "yes")
                                                : (ctl.chinese ? "否" : "no"));
    else
        return json_is_string(v) ? ctl_told(item, key) : "-";
    return buf;
}

static void pad(size_t n)
{
    for (; n; n--)
        putchar(' ');
}

static void table(const json_t *j, const struct ctl_column *c, size_t n)
{
    const json_t *items = json_object_get(j, "items"), *item;
    size_t width[16] = { 0 }, i;
    char buf[32];

    for (size_t k = 0; k < n; k++) {
        width[k] = columns_of(ctl.chinese ? c[k].chinese : c[k].english);
        json_array_foreach(items, i, item) {
            size_t w = columns_of(cell(item, c[k].key, buf));

            width[k] = w > width[k] ? w : width[k];
        }
    }
    for (size_t k = 0; k < n; k++) {
        const char *h = ctl.chinese ? c[k].chinese : c[k].english;

        fputs(h, stdout);
        pad(k + 1 < n ? width[k] + 2 - columns_of(h) : 0);
    }
    putchar('\n');
    json_array_foreach(items, i, item) {
        for (size_t k = 0; k < n; k++) {
            const char *text = cell(item, c[k].key, buf);

            fputs(ctl_shown(text), stdout);
            pad(k + 1 < n ? width[k] + 2 - columns_of(text) : 0);
        }
        putchar('\n');
    }
}

int ctl_show(const char *path, const struct ctl_column *c, size_t n)
{
    json_t *j = ctl_list(path);

    if (ctl.json)
        ctl_dump(j);
    else
        table(j, c, n);
    json_decref(j);
    return EX_OK;
}

int ctl_show_object(const char *path)
{
    json_t *j = ctl_call("GET", path);

    ctl_dump(j);
    json_decref(j);
    return EX_OK;
}
