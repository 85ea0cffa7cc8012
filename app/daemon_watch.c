/* Is everything in time? The main loop tells by its timer, the media loops by a
 * mail that must come back; systemd is told while both do (sd_notify(3)), and
 * ends a process of which it hears no more. */
#include "app/daemon_int.h"

#include "app/net/pulse.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* One datagram to whoever started us, if he listens. */
static void notify(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    size_t n = path ? strlen(path) : 0;
    int fd;

    if (n < 2 || n >= sizeof(to.sun_path) || (*path != '/' && *path != '@'))
        return;
    memcpy(to.sun_path, path, n);
    if (*path == '@')
        to.sun_path[0] = '\0'; /* a name that is in no directory */
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
        log_f(LOG_DEBUG, "msg=\"NOTIFY_SOCKET takes nothing\"");
    close(fd);
}

/* Once when a loop stalls, once when it turns again. */
static void tell_loop(struct daemon *d, unsigned loop, uint64_t silent_ms)
{
    bool stalled = silent_ms >= PULSE_LATE_MS;

    if (stalled && !d->stalled)
        log_f(LOG_ERROR, "msg=\"a media loop has stalled: its streams stand "
                         "still\" loop=%u ms=%llu", loop,
              (unsigned long long)silent_ms);
    else if (!stalled && d->stalled)
        log_f(LOG_WARN, "msg=\"all media loops turn again\"");
    d->stalled = stalled;
}

static void ask_loops(struct daemon *d)
{
    uint64_t now_ms = uv_now(&d->loop), silent_ms;
    unsigned loop = 0;

    if (d->closing || now_ms < d->asked_loops_ms + PULSE_EVERY_MS)
        return;
    d->asked_loops_ms = now_ms;
    silent_ms = media_net_silent(d->media, now_ms, &loop);
    d->silent_ms = silent_ms;
    tell_loop(d, loop, silent_ms);
    if (!d->stalled && getenv("WATCHDOG_USEC"))
        notify("WATCHDOG=1");
}

/* Field-note 3.3: a loop that turns late is told before everything is offline. */
static void on_in_time(uv_timer_t *t)
{
    struct daemon *d = t->data;
    uint32_t late_ms = lag_note(&d->lag, uv_now(&d->loop));

    if (late_ms)
        log_f(LOG_WARN, "msg=\"the main loop was late\" ms=%u",
              (unsigned)late_ms);
    ask_loops(d);
    uv_timer_start(t, on_in_time, LAG_EVERY_MS, 0);
}

void daemon_watch(struct daemon *d)
{
    uv_timer_init(&d->loop, &d->in_time);
    d->in_time.data = d;
    uv_update_time(&d->loop); /* starting takes as long as it takes */
    notify("READY=1");
    on_in_time(&d->in_time);
}

void daemon_watch_end(void)
{
    notify("STOPPING=1");
}
