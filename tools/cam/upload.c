/* Snapshots on their way to the platform: one POST each, on a connection of its
 * own (GB/T 28181-2022 9.14). */
#include "tools/cam/cam.h"

#include "app/net/log.h"
#include "app/net/sockaddr.h"

#include <stdlib.h>
#include <string.h>

#define LATE_MS 3000
#define LARGE_BYTES (5u << 20)
#define FORM "x-gbcam-picture"

/* 16 times 16 grey points. */
static const uint8_t jpeg[] = {
    0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10, 0x4a, 0x46, 0x49, 0x46, 0x00, 0x01,
    0x02, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0xff, 0xdb, 0x00, 0x43,
    0x00, 0x08, 0x3e, 0x3e, 0x49, 0x3e, 0x49, 0x55, 0x55, 0x55, 0x55, 0x55,
    0x55, 0x64, 0x5d, 0x64, 0x68, 0x68, 0x68, 0x64, 0x64, 0x64, 0x64, 0x68,
    0x68, 0x68, 0x70, 0x70, 0x70, 0x83, 0x83, 0x83, 0x70, 0x70, 0x70, 0x68,
    0x68, 0x70, 0x70, 0x7c, 0x7c, 0x83, 0x83, 0x8f, 0x93, 0x8f, 0x87, 0x87,
    0x83, 0x87, 0x93, 0x93, 0x9b, 0x9b, 0x9b, 0xba, 0xba, 0xb2, 0xb2, 0xd9,
    0xd9, 0xe0, 0xff, 0xff, 0xff, 0xff, 0xc4, 0x00, 0x4a, 0x00, 0x01, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x01, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x11, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xc0, 0x00,
    0x11, 0x08, 0x00, 0x10, 0x00, 0x10, 0x03, 0x01, 0x22, 0x00, 0x02, 0x11,
    0x00, 0x03, 0x11, 0x00, 0xff, 0xda, 0x00, 0x0c, 0x03, 0x01, 0x00, 0x02,
    0x11, 0x03, 0x11, 0x00, 0x3f, 0x00, 0x00, 0x0f, 0xff, 0xd9,
};

struct upload {
    struct gbcam *cam;
    uint32_t device;
    unsigned left, taken; /* pictures */
    struct gb_addr to;
    char host[64], path[512];
    uv_timer_t wait;
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    char *request;
    size_t n;
    char answer[64];
    size_t n_answer;
    unsigned handles;
};

static void next_picture(struct upload *u);

static void on_closed(uv_handle_t *h)
{
    struct upload *u = h->data;

    if (--u->handles == 0) {
        free(u->request);
        free(u);
    }
}

static void done(struct upload *u)
{
    struct device *d = fleet_device(u->cam->fleet, u->device);

    log_f(LOG_INFO, "msg=\"pictures uploaded\" device=%s taken=%u",
          device_id(d), u->taken);
    device_uploaded(d, u->taken, cam_now(u->cam));
    fleet_touch(u->cam->fleet, u->device);
    sip_edge_touch(u->cam->edge);
    uv_close((uv_handle_t *)&u->wait, on_closed);
}

static void on_tcp_closed(uv_handle_t *h)
{
    struct upload *u = h->data;

    u->handles--;
    if (u->left && !u->cam->stopping)
        next_picture(u);
    else
        done(u);
}

static void end_picture(struct upload *u)
{
    if (uv_is_closing((uv_handle_t *)&u->tcp))
        return;
    u->left--;
    u->taken += u->n_answer > 12 && strncmp(u->answer + 9, "200", 3) == 0;
    uv_close((uv_handle_t *)&u->tcp, on_tcp_closed);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *b)
{
    static char sink[4096];

    (void)h;
    (void)suggested;
    *b = uv_buf_init(sink, sizeof(sink));
}

/* The status line is all that counts. */
static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct upload *u = s->data;

    for (ssize_t i = 0; i < n && u->n_answer + 1 < sizeof(u->answer); i++)
        u->answer[u->n_answer++] = b->base[i];
    if (n < 0 || u->n_answer > 12)
        end_picture(u);
}

static void on_written(uv_write_t *req, int status)
{
    (void)req;
    (void)status; /* the reader finds out */
}

static void on_connected(uv_connect_t *req, int status)
{
    struct upload *u = req->handle->data;
    uv_buf_t b = uv_buf_init(u->request, (unsigned)u->n);

    if (status || uv_read_start((uv_stream_t *)&u->tcp, on_alloc, on_read) ||
        uv_write(&u->write, (uv_stream_t *)&u->tcp, &b, 1, on_written))
        end_picture(u);
}

/* Head and body, as the faults want it. */
static bool make_request(struct upload *u)
{
    const struct device_faults *f = &u->cam->o.faults.device;
    size_t body = f->large_upload ? LARGE_BYTES : sizeof(jpeg);
    char head[1200], before[256] = "", after[64] = "";
    const char *type = "image/jpeg";
    int n;

    if (f->form_upload) {
        type = "multipart/form-data; boundary=" FORM;
        snprintf(before, sizeof(before),
                 "--" FORM "\r\nContent-Disposition: form-data; "
                 "name=\"file\"; filename=\"a.jpg\"\r\n"
                 "Content-Type: image/jpeg\r\n\r\n");
        snprintf(after, sizeof(after), "\r\n--" FORM "--\r\n");
    }
    n = snprintf(head, sizeof(head),
                 "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\n"
                 "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                 u->path, u->host, type,
                 strlen(before) + body + strlen(after), before);
    if (n < 0 || (size_t)n >= sizeof(head))
        return false;
    free(u->request);
    u->n = (size_t)n + body + strlen(after);
    u->request = calloc(1, u->n);
    if (!u->request)
        return false;
    memcpy(u->request, head, (size_t)n);
    memcpy(u->request + n, jpeg, sizeof(jpeg));
    if (f->wrong_upload)
        memcpy(u->request + n, "no picture", 10);
    memcpy(u->request + (size_t)n + body, after, strlen(after));
    return true;
}

static void next_picture(struct upload *u)
{
    struct sockaddr_storage ss;

    u->n_answer = 0;
    uv_tcp_init(&u->cam->loop, &u->tcp);
    u->tcp.data = u;
    u->handles++;
    sockaddr_of(&ss, &u->to, false);
    if (!make_request(u) ||
        uv_tcp_connect(&u->connect, &u->tcp, (struct sockaddr *)&ss,
                       on_connected))
        end_picture(u);
}

static void on_wait(uv_timer_t *t)
{
    next_picture(t->data);
}

/* "http://ADDRESS:PORT/PATH"; other URLs are not uploaded to. */
static bool read_url(struct upload *u, struct slice url)
{
    struct slice host;
    size_t end;

    if (!slice_has_prefix(url, SLICE("http://")))
        return false;
    url = slice_from(url, 7);
    end = slice_find(url, '/');
    host = slice_head(url, end);
    return slice_copy(u->host, sizeof(u->host), host) &&
           slice_copy(u->path, sizeof(u->path), slice_from(url, end)) &&
           gb_addr_parse(&u->to, host, 80) == 0;
}

void upload_pictures(struct gbcam *g, uint32_t device,
                     const struct device_action *a)
{
    struct upload *u = calloc(1, sizeof(*u));

    if (!u)
        return;
    u->cam = g;
    u->device = device;
    u->left = a->status;
    if (!read_url(u, slice_str(a->text))) {
        log_f(LOG_WARN, "msg=\"no URL to upload to\" url=\"%s\"", a->text);
        free(u);
        return;
    }
    uv_timer_init(&g->loop, &u->wait);
    u->wait.data = u;
    u->handles = 1;
    uv_timer_start(&u->wait, on_wait,
                   g->o.faults.device.late_upload ? LATE_MS : 0, 0);
}
