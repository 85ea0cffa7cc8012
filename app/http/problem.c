#include "app/http/problem.h"

#include "app/http/http_head.h"
#include "app/http/json.h"
#include "app/platform/chinese.h"

/* "Not Found" to "not-found" */
static void code_of(unsigned status, char *out, size_t cap)
{
    const char *s = http_reason(status);
    size_t n = 0;

    for (; *s && n + 1 < cap; s++)
        out[n++] = *s == ' ' ? '-' : ascii_lower(*s);
    out[n] = '\0';
}

static void put_zh(struct jw *j, const char *key, struct slice text)
{
    char name[32];
    struct writer w = writer_of(name, sizeof(name) - 1);

    writer_f(&w, "%s_zh", key);
    name[w.len] = '\0';
    jw_put_str(j, name, text);
}

void http_put_words(struct jw *j, const char *key, struct slice text)
{
    char buf[CHINESE_MAX];

    jw_put_str(j, key, text);
    put_zh(j, key, chinese_of(buf, text));
}

static void put_told(struct jw *j, const char *key, struct slice text)
{
    char buf[CHINESE_MAX];
    struct slice zh = chinese_of(buf, text);

    if (!text.n)
        return;
    jw_put_str(j, key, text);
    if (zh.n)
        put_zh(j, key, zh);
}

void http_problem_write(struct buf *out, const struct http_problem *p)
{
    struct jw j = jw_to(out);
    char made[64], type[128];
    struct writer w = writer_of(type, sizeof(type));
    const char *code = p->code;

    if (!code) {
        code_of(p->status, made, sizeof(made));
        code = made;
    }
    writer_f(&w, "urn:gb28181d:problem:%s", code);
    jw_object(&j);
    jw_put_str(&j, "type", writer_slice(&w));
    jw_put_cstr(&j, "title", http_reason(p->status));
    jw_put_u64(&j, "status", p->status);
    put_told(&j, "detail", slice_str(p->detail ? p->detail : ""));
    jw_put_cstr(&j, "code", code);
    if (p->step.n)
        jw_put_str(&j, "step", p->step);
    put_told(&j, "evidence", p->evidence);
    put_told(&j, "hint", p->hint);
    if (p->errors.n) {
        jw_key(&j, "errors");
        jw_raw(&j, p->errors);
    }
    jw_end(&j);
}
