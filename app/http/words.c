/* Words that filters and rules name: one that nothing can ever fit would be an
 * empty list, or a rule that never acts, without a reason. */
#include "app/http/api.h"

#define WORD_SHOWN 40 /* bytes of one that is refused */

static bool is_number(struct slice s)
{
    return slice_digits(s) == s.n;
}

/* Several as devices tell them: "2/5". */
static bool are_numbers(struct slice s)
{
    size_t n;

    while ((n = slice_digits(s)) < s.n && (s.p[n] == '/' || s.p[n] == ','))
        s = slice_from(s, n + 1);
    return n == s.n;
}

const char *http_alarm_words(struct slice method, struct slice type,
                             struct slice priority)
{
    if (!are_numbers(method))
        return "method is a number: 1 phone, 2 device, 3 SMS, 4 GPS, 5 video, "
               "6 fault, 7 other, or several as a device tells them: 2/5";
    if (!is_number(type))
        return "type is a number that goes with the method: of 5, video, 2 is "
               "motion and 6 intrusion";
    if (!is_number(priority))
        return "priority is a number: 1, the most urgent, to 4";
    return NULL;
}

static bool is_state(struct slice s)
{
    return !s.n || platform_command_state_by_name(s) != PLATFORM_COMMAND_STATES;
}

static bool is_order(struct slice s)
{
    size_t n;
    const struct manscdp_row *r = manscdp_rows(&n);

    if (!s.n || manscdp_cmd_by_name(s) != MANSCDP_CMD_OTHER)
        return true;
    for (; n; n--, r++)
        if (slice_eq(r->sub, s))
            return true;
    return false;
}

/* What changes something; some of WVP are GET. */
static bool is_method(struct slice s)
{
    static const enum http_method known[] = {
        HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE,
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (slice_eq(s, slice_str(http_method_name(known[i]))))
            return true;
    return !s.n;
}

static const char *unknown_state(char *buf, size_t cap)
{
    struct writer w = writer_of(buf, cap - 1);

    writer_str(&w, "state: one of ");
    for (unsigned i = 0; i < PLATFORM_COMMAND_STATES; i++)
        writer_f(&w, "%s%s", i ? ", " : "", platform_command_state_name(i));
    writer_str(&w, " is wanted");
    buf[w.len] = '\0';
    return buf;
}

static const char *unknown_order(char *buf, size_t cap, struct slice cmd)
{
    struct writer w = writer_of(buf, cap - 1);

    writer_slice_put(&w, slice_head(cmd, WORD_SHOWN));
    writer_str(&w, ": no CmdType, such as DeviceStatus, and no order of "
                   "DeviceControl, such as PTZCmd");
    buf[w.len] = '\0';
    return buf;
}

bool http_words_known(struct http_call *c, const struct http_ask *q)
{
    const char *why = NULL;
    char text[200];

    if (q->list == HTTP_HISTORY_ALARMS)
        why = http_alarm_words(q->method, q->type, q->priority);
    else if (q->list == HTTP_HISTORY_AUDIT && !is_method(q->method))
        why = "method: one of GET, POST, PUT, PATCH, DELETE is wanted";
    else if (!is_state(q->state))
        why = unknown_state(text, sizeof(text));
    else if (!is_order(q->cmd))
        why = unknown_order(text, sizeof(text), q->cmd);
    if (why)
        http_answer_fail(c, 400, "bad-parameter", why);
    return !why;
}
