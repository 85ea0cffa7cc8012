/* app/device/device_ptz.h - where a simulated camera looks: movement, presets,
 * cruises, scans (GB/T 28181-2022 A.3). No clock: the time is handed in, and
 * where the camera looks is worked out when it is asked. */
#ifndef APP_DEVICE_DEVICE_PTZ_H
#define APP_DEVICE_DEVICE_PTZ_H

#include "base/alloc.h"
#include "manscdp/ptz.h"

#define DEVICE_MAX_TRACKS 8
#define DEVICE_MAX_POINTS 32 /* of one track */
#define DEVICE_PRESET_NAME 48 /* bytes of UTF-8 */
#define DEVICE_TRACK_NAME 32  /* GB/T 28181-2022 A.2.3.1.2 */

#define DEVICE_TILT_MIN (-30.0) /* up */
#define DEVICE_TILT_MAX 90.0    /* down: 0 is level, down counts up */
#define DEVICE_ZOOM_MAX 20.0

struct device_place {
    double pan;  /* degrees, 0 to 360, clockwise seen from above */
    double tilt; /* degrees, DEVICE_TILT_MIN to DEVICE_TILT_MAX */
    double zoom; /* times, 1 to DEVICE_ZOOM_MAX */
};

struct device_preset {
    uint8_t id; /* from 1 */
    char name[DEVICE_PRESET_NAME + 1];
    struct device_place at;
};

struct device_track {
    uint8_t group;
    char name[DEVICE_TRACK_NAME + 1];
    uint16_t stay_s, speed;
    size_t n;
    uint8_t preset[DEVICE_MAX_POINTS];
};

/* {0} with zoom 0 is a camera that has not been touched: it looks at pan 0,
 * tilt 0, zoom 1. */
struct device_ptz {
    enum { DEVICE_STILL, DEVICE_MOVES, DEVICE_CRUISES, DEVICE_SCANS } doing;
    struct device_place from; /* where it was at since_ms */
    uint64_t since_ms;
    struct device_place rate; /* MOVES: a second */
    uint8_t group;            /* CRUISES */
    double left, right;       /* SCANS: limits of pan; equal: all around */
    double scan_rate;         /* degrees a second; 0: the usual */
    struct device_preset *preset; /* by id; own memory */
    size_t n_presets, room;
    struct device_track track[DEVICE_MAX_TRACKS];
    size_t n_tracks;
};

void device_ptz_fini(struct device_ptz *z, const struct gb_alloc *alloc);

struct device_place device_ptz_place(const struct device_ptz *z,
                                     uint64_t now_ms);

/* Names go with the setting of a preset and with orders about a cruise; empty:
 * as it was. What the camera has no room for is not done: false. */
bool device_ptz_order(struct device_ptz *z, const struct gb_alloc *alloc,
                      const struct manscdp_ptz *c, struct slice preset_name,
                      struct slice track_name, uint64_t now_ms);

/* Looks there from now on; what is out of range moves to the limit. */
void device_ptz_look(struct device_ptz *z, struct device_place to,
                     uint64_t now_ms);

/* NULL: no such preset, no such track. */
const struct device_preset *device_ptz_preset(const struct device_ptz *z,
                                              uint32_t id);
const struct device_track *device_ptz_track(const struct device_ptz *z,
                                            uint32_t group);
#endif
