/* app/media/push_url.h - where a stream is pushed to
 *
 *     rtsp://user:password@host:port/path
 *     rtmp://host:port/app/key
 *
 * and over TLS rtsps:// and rtmps://.
 *
 * An IPv6 address stands in brackets. What is in front of "@" is as it is in
 * the text: nothing is unescaped. */
#ifndef APP_MEDIA_PUSH_URL_H
#define APP_MEDIA_PUSH_URL_H

#include "base/err.h"
#include "base/slice.h"
#include "base/writer.h"

#define PUSH_URL_MAX 512
#define PUSH_PASSWORD_MAX 64
#define PUSH_RTSP_PORT 554
#define PUSH_RTMP_PORT 1935
#define PUSH_RTSPS_PORT 322
#define PUSH_RTMPS_PORT 443

/* Slices of the text. */
struct push_url {
    bool rtmp;                  /* else RTSP */
    bool tls;
    struct slice user, password; /* RTSP; empty: none */
    struct slice authority;     /* "host:port" as written */
    struct slice host;          /* name or IP literal, IPv6 without brackets */
    uint16_t port;
    struct slice path;          /* behind the authority, begins with '/' */
    struct slice app, key;      /* RTMP: first part of the path, and the rest */
};

/* 0; GB_ESYNTAX: no such URL. */
int push_url_parse(struct push_url *out, struct slice text);

/* "rtsps://" and so on. */
const char *push_url_scheme(const struct push_url *u);

/* With another password, or none (empty). */
void push_url_write(struct writer *w, const struct push_url *u,
                    struct slice password);

/* The text with "***" in place of its password: for people to see. What cannot
 * be parsed is not written. */
void push_url_mask(struct writer *w, struct slice text);
#endif
