/* tools/ctl/ctl.h - what the parts of gbctl share: options, requests, printing
 *
 * What cannot be done ends the program by ctl_die, with a code of sysexits. */
#ifndef TOOLS_CTL_CTL_H
#define TOOLS_CTL_CTL_H

#include "base/slice.h"
#include "base/writer.h"

#include <getopt.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sysexits.h>

#define CTL_TOKEN_MAX 256

struct ctl_options {
    const char *url, *token_option, *timeout;
    uint32_t timeout_s; /* for the head of an answer */
    char token[CTL_TOKEN_MAX];
    bool json, chinese;
    /* of trace, some of log */
    const char *device, *call_id, *since, *limit, *pcap;
    const char *channel, *edition; /* of send */
    const char *body; /* of the next request, JSON; NULL: none */
    bool follow, text;
    const char *level; /* of log */
};
extern struct ctl_options ctl;

#define CTL_TOKEN_HERE "./gb28181d-data/admin-token"
#define CTL_TOKEN_SYSTEM "/var/lib/gb28181d/admin-token"

extern const char ctl_help_zh[]; /* --help */

/* In the language of who looks: a sentence of gbctl's own, or a format. */
const char *ctl_words(const char *english);
/* fmt: its Chinese is looked up. */
void ctl_die(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noreturn));
/* The same with a line of what to try, of gbctl's own. */
void ctl_die_hint(int code, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), noreturn));
void ctl_hint(const char *hint);
int ctl_usage(void); /* tells how this command is used; EX_USAGE */

/* ---- commands ---- */

struct ctl_column {
    const char *key, *english, *chinese;
};

/* What is behind its name: min to max arguments. Without `run` it is a list. */
struct ctl_command {
    const char *name;
    int min, max;
    int (*run)(char **arg, int n); /* the exit code */
    const char *path;
    const struct ctl_column *columns;
    size_t n_columns;
};
#define CTL_RUN(min, max, run) min, max, run, NULL, NULL, 0
#define CTL_LIST(path, columns)                                                \
    0, 0, NULL, path, columns, sizeof(columns) / sizeof(columns[0])

/* Each ends with one without a name. */
extern const struct ctl_command ctl_list_commands[], ctl_command_commands[],
    ctl_camera_commands[], ctl_live_commands[], ctl_webhook_commands[],
    ctl_firmware_commands[], ctl_trace_commands[], ctl_doctor_commands[],
    ctl_user_commands[], ctl_download_commands[], ctl_log_commands[],
    ctl_device_commands[];

/* ---- client.c ---- */

/* An answer whose head has been read. */
struct ctl_answer {
    FILE *f;
    unsigned status;
    bool chunked, to_end; /* to_end: until the connection closes */
    uint64_t left;        /* of the body, or of its chunk */
    bool ended;
};

/* With ctl.body, if there is one. */
struct ctl_answer ctl_request(const char *method, const char *path,
                              const char *accept);
/* The body is the file `name`, read to its end. */
struct ctl_answer ctl_send_file(const char *path, const char *name, FILE *file);
/* The caller frees it; closes the connection. */
struct slice ctl_body(struct ctl_answer *a);
/* One line without its end; false at the end of the stream. *line: as getline. */
bool ctl_read_line(FILE *f, char **line, size_t *cap, struct slice *out);
/* Tells each server-sent event, with --json as it came, until the server goes:
 * that ends the program. */
void ctl_follow(const char *path, void (*each)(void *ctx, const json_t *j),
                void *ctx) __attribute__((noreturn));
/* Ends the program with what the server says. */
void ctl_problem(unsigned status, struct slice body);
/* The JSON of an answer, NULL for none; frees the body. Ends the program with what
 * the server says when it says no. */
json_t *ctl_answer_json(unsigned status, struct slice body);
/* That of a request. */
json_t *ctl_call(const char *method, const char *path);
/* All pages of a list as one object {items, total}. */
json_t *ctl_list(const char *path);

void ctl_escape(struct writer *w, const char *s);
void ctl_parameter(struct writer *w, const char *name, const char *value);
const char *ctl_finished(struct writer *w);
/* path, name escaped, end */
const char *ctl_path(char text[static 1024], const char *path,
                     const char *name, const char *end);
const char *ctl_device_path(char text[static 1024], const char *device,
                            const char *end);
/* channel NULL: all of them */
const char *ctl_channel_path(char text[static 1024], const char *device,
                             const char *channel, const char *end);

/* ---- print.c ---- */

const char *ctl_text(const json_t *j, const char *key); /* "" for none */
/* KEY_zh for who reads Chinese, where it is told; else KEY. */
const char *ctl_told(const json_t *j, const char *key);
/* The bytes at s that a terminal would take for more than text: 0, 1 or 2. */
size_t ctl_control_at(const char *s);
/* What a peer wrote, with ? for what would steer the terminal. Valid for the
 * next seven calls. */
const char *ctl_shown(const char *s);
const char *ctl_shown_of(const json_t *j, const char *key);
void ctl_put_json(const char *s, size_t len);
void ctl_dump(const json_t *j);
int ctl_show(const char *path, const struct ctl_column *c, size_t n);
#define CTL_SHOW(path, columns)                                                \
    ctl_show(path, columns, sizeof(columns) / sizeof(columns[0]))
int ctl_show_object(const char *path);

/* ---- command.c ---- */

/* Takes j; the caller frees the text. */
char *ctl_json_text(json_t *j);
/* NAME=VALUE, NAME:=JSON as one object. */
json_t *ctl_pairs(char **arg, int n);
char *ctl_object(char **arg, int n); /* the same as text */
/* One line of the standard input, not shown where a person types it. */
json_t *ctl_read_password(void);
/* Takes j. Waits for what becomes of it; EX_OK when the device did it, as far
 * as it says. */
int ctl_show_command(json_t *j);
/* CMD [NAME=VALUE ...] */
int ctl_send(const char *device, char **arg, int n);

/* ---- complete.c ---- */

/* Prints a completion script for this shell, of n tables of commands and the
 * options; false: there is none for it. */
bool ctl_complete(const char *shell, const struct ctl_command *const *all,
                  size_t n, const struct option *options);
#endif
