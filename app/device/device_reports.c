/* app/device/device_reports.c - where a simulated camera looks and where it is:
 * it drives around a block (GB/T 28181-2022 A.2.5.6, A.2.6.13) */
#include "app/device/device_impl.h"

#include "manscdp/filter.h"
#include "manscdp/media.h"
#include "manscdp/preset.h"
#include "manscdp/time.h"

#include <stdio.h>

#define REAL_MAX 16
#define SIDE_MS 60000     /* a side of the block */
#define SIDE_DEGREES 0.01 /* about a kilometre: */
#define SPEED_KMH "60"
#define ALTITUDE_M "12"
#define WIDE_DEGREES 60.0 /* of the picture at zoom 1 */
#define HIGH_DEGREES 34.0
#define SOMEWHERE_E 118.376451
#define SOMEWHERE_N 31.326319

static struct slice real(char out[static REAL_MAX], const char *form, double v)
    __attribute__((format(printf, 2, 0)));

static struct slice real(char out[static REAL_MAX], const char *form, double v)
{
    snprintf(out, REAL_MAX, form, v);
    return slice_str(out);
}

void device_write_look(const struct device *d, struct writer *w,
                       const struct manscdp_body *b,
                       const struct manscdp_head *head, size_t target,
                       uint64_t now_ms)
{
    static const struct device_ptz untouched;
    const struct device_target *t = device_model_find(&d->model, target);
    struct device_place at = device_ptz_place(t ? &t->ptz : &untouched,
                                              now_ms);
    char text[5][REAL_MAX];
    const struct manscdp_ptz_position p = {
        .head = *head,
        .pan = real(text[0], "%.2f", at.pan),
        .tilt = real(text[1], "%.2f", at.tilt),
        .zoom = real(text[2], "%.2f", at.zoom),
        .horizontal_angle = real(text[3], "%.2f", WIDE_DEGREES / at.zoom),
        .vertical_angle = real(text[4], "%.2f", HIGH_DEGREES / at.zoom),
        .max_view_distance = SLICE("200"),
    };

    device_encode(d, w, b, &p); /* of answer and notice alike */
}

struct spot {
    double e, n; /* degrees */
    unsigned direction; /* degrees from north */
};

/* North, east, south, west. */
static struct spot spot_at(const struct device *d, uint64_t now_ms)
{
    bool is_set = d->c.longitude != 0 || d->c.latitude != 0;
    unsigned side = (unsigned)(now_ms / SIDE_MS % 4);
    double part = (double)(now_ms % SIDE_MS) / SIDE_MS;
    double e = side == 0 ? 0 : side == 1 ? part : side == 2 ? 1 : 1 - part;
    double n = side == 0 ? part : side == 1 ? 1 : side == 2 ? 1 - part : 0;

    return (struct spot){
        (is_set ? d->c.longitude : SOMEWHERE_E) + e * SIDE_DEGREES,
        (is_set ? d->c.latitude : SOMEWHERE_N) + n * SIDE_DEGREES, side * 90,
    };
}

void device_write_position(const struct device *d, struct writer *w,
                           uint32_t sn, size_t target, struct gb_time now)
{
    struct spot at = spot_at(d, now.mono_ms);
    struct slice id = slice_str(target < d->c.n_channels
                                    ? d->c.channel[target].id
                                    : d->c.id);
    char text[3][REAL_MAX], when[40];
    struct writer tw = writer_of(when, sizeof(when));
    struct manscdp_position_item item = { .device_id = id };
    struct manscdp_position_report r = {
        .head = { .sn = sn, .device_id = id },
        .sum_num = manscdp_int(1), .item = &item, .n_item = 1,
    };

    manscdp_time_write(&tw, now.utc_ms, d->c.timezone_min);
    r.time = item.time = writer_slice(&tw);
    r.longitude = item.longitude = real(text[0], "%.6f", at.e);
    r.latitude = item.latitude = real(text[1], "%.6f", at.n);
    r.direction = item.direction = real(text[2], "%.0f", at.direction);
    r.speed = item.speed = SLICE(SPEED_KMH);
    r.altitude = item.altitude = SLICE(ALTITUDE_M);
    item.height = SLICE("1.5");
    device_encode(d, w, &manscdp_position_report_body, &r);
}

int device_report_position(struct device *d, struct gb_time now)
{
    char buf[1024];
    struct writer w = writer_of(buf, sizeof(buf));

    if (d->state != DEVICE_ONLINE)
        return GB_ESTATE;
    if (device_is_watched(d, MANSCDP_CMD_MOBILE_POSITION))
        return 0; /* it hears of it at its own interval */
    device_write_position(d, &w, ++d->sn, d->c.n_channels, now);
    return device_send(d, &w, FOR_OTHER, now);
}

int device_offer_video(struct device *d, struct gb_time now)
{
    struct spot at = spot_at(d, now.mono_ms);
    char text[2][REAL_MAX], when[40], buf[1024];
    struct writer tw = writer_of(when, sizeof(when));
    struct writer w = writer_of(buf, sizeof(buf));
    struct manscdp_video_upload v = {
        .head = { .sn = ++d->sn, .device_id = slice_str(d->c.id) },
        .longitude = real(text[0], "%.6f", at.e),
        .latitude = real(text[1], "%.6f", at.n),
    };

    if (d->state != DEVICE_ONLINE)
        return GB_ESTATE;
    manscdp_time_write(&tw, now.utc_ms, d->c.timezone_min);
    v.time = writer_slice(&tw);
    if (device_encode(d, &w, &manscdp_video_upload_body, &v))
        return w.err;
    return device_send(d, &w, FOR_OTHER, now);
}
