/* The chain from a camera to its picture, a line a link. */
#include "tools/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOKS 60 /* half a minute of them */
#define LOOK_US 500000

static const char *mark(const char *state)
{
    bool colours = isatty(STDOUT_FILENO);

    if (strcmp(state, "green") == 0)
        return colours ? "\033[32m✔\033[0m" : "✔";
    if (strcmp(state, "red") == 0)
        return colours ? "\033[31m✘\033[0m" : "✘";
    return "·";
}

static void print_link(const json_t *l)
{
    const char *hint = ctl_told(l, "hint");
    bool red = strcmp(ctl_text(l, "state"), "red") == 0;
    json_t *r;
    size_t i;

    printf("%s %s", mark(ctl_text(l, "state")),
           ctl_shown(ctl_told(l, "text")));
    if (*ctl_text(l, "evidence"))
        printf(": %s", ctl_shown(ctl_told(l, "evidence")));
    putchar('\n');
    if (!red)
        return;
    if (*hint)
        printf("    %s\n", ctl_shown(hint));
    json_array_foreach(json_object_get(l, "remedies"), i, r)
        printf("    %s %s\n", ctl.chinese ? "可尝试：" : "to try:",
               ctl_shown(ctl_told(r, "title")));
}

/* The server answers after ten seconds, and may try another transport then: waits
 * for what comes of that. */
static json_t *examine(char **arg)
{
    char text[1024];
    const char *path = ctl_channel_path(text, arg[0], arg[1], "/doctor");
    json_t *j = ctl_call("POST", path);

    for (int i = 0; i < LOOKS && strcmp(ctl_text(j, "verdict"), "unknown") == 0 &&
                    json_is_true(json_object_get(j, "running")); i++) {
        usleep(LOOK_US);
        json_decref(j);
        j = ctl_call("GET", path);
    }
    return j;
}

/* ID CHANNEL: asks for the picture first. EX_OK when no link is red. */
static int doctor(char **arg, int n)
{
    json_t *j = examine(arg), *l;
    bool red = strcmp(ctl_text(j, "verdict"), "red") == 0;
    size_t i;

    (void)n;
    if (ctl.json) {
        ctl_dump(j);
    } else {
        json_array_foreach(json_object_get(j, "links"), i, l)
            print_link(l);
    }
    json_decref(j);
    return red ? EX_UNAVAILABLE : EX_OK;
}

const struct ctl_command ctl_doctor_commands[] = {
    { "doctor", CTL_RUN(2, 2, doctor) },
    { 0 },
};
