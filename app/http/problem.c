#include "app/http/problem.h"

#include "app/http/http_head.h"
#include "app/http/json.h"

/* "Not Found" to "not-found" */
static void code_of(unsigned status, char *out, size_t cap)
{
    const char *s = http_reason(status);
    size_t n = 0;

    for (; *s && n + 1 < cap; s++)
        out[n++] = *s == ' ' ? '-' : ascii_lower(*s);
    out[n] = '\0';
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
    if (p->detail)
        jw_put_cstr(&j, "detail", p->detail);
    jw_put_cstr(&j, "code", code);
    if (p->step.n)
        jw_put_str(&j, "step", p->step);
    if (p->evidence.n)
        jw_put_str(&j, "evidence", p->evidence);
    if (p->hint.n)
        jw_put_str(&j, "hint", p->hint);
    if (p->errors.n) {
        jw_key(&j, "errors");
        jw_raw(&j, p->errors);
    }
    jw_end(&j);
}
