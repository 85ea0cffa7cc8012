#include "app/device/device_ptz.h"

#include "manscdp/text.h"

#define PAN_RATE 100.0 /* degrees a second at full speed */
#define TILT_RATE 60.0
#define ZOOM_RATE 5.0  /* times a second */
#define SCAN_RATE 20.0
#define STAY_S 10      /* of a track that was not told another */
#define SPEED 5

void device_ptz_fini(struct device_ptz *z, const struct gb_alloc *alloc)
{
    gb_put(alloc, z->preset);
    z->preset = NULL;
    z->n_presets = z->room = 0;
}

/* ---- where it looks ------------------------------------------------------- */

static double clamp(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* 0 to below 360. */
static double around(double pan)
{
    pan -= 360.0 * (double)(int64_t)(pan / 360.0);
    return pan < 0 ? pan + 360.0 : pan;
}

static struct device_place moved(const struct device_ptz *z, double s)
{
    return (struct device_place){
        around(z->from.pan + z->rate.pan * s),
        clamp(z->from.tilt + z->rate.tilt * s, DEVICE_TILT_MIN,
              DEVICE_TILT_MAX),
        clamp(z->from.zoom + z->rate.zoom * s, 1.0, DEVICE_ZOOM_MAX),
    };
}

/* Every point for its time; it is there at once. */
static struct device_place cruising(const struct device_ptz *z, double s)
{
    const struct device_track *t = device_ptz_track(z, z->group);
    const struct device_preset *p = NULL;

    if (t && t->n)
        p = device_ptz_preset(
            z, t->preset[(uint64_t)(s / (t->stay_s ? t->stay_s : 1)) % t->n]);
    return p ? p->at : z->from;
}

/* From the right limit to the left one, and back. */
static struct device_place scanning(const struct device_ptz *z, double s)
{
    double rate = z->scan_rate > 0 ? z->scan_rate : SCAN_RATE;
    double width = around(z->right - z->left);
    struct device_place at = z->from;
    double way, turn;

    if (width <= 0) {
        at.pan = around(at.pan - rate * s);
        return at;
    }
    way = rate * s;
    turn = way - 2 * width * (double)(uint64_t)(way / (2 * width));
    at.pan = around(turn < width ? z->right - turn
                                 : z->left + (turn - width));
    return at;
}

struct device_place device_ptz_place(const struct device_ptz *z,
                                     uint64_t now_ms)
{
    double s = (double)(now_ms - z->since_ms) / 1000.0;
    struct device_place at = z->from;

    switch (z->doing) {
    case DEVICE_STILL:
        break;
    case DEVICE_MOVES:
        at = moved(z, s);
        break;
    case DEVICE_CRUISES:
        at = cruising(z, s);
        break;
    case DEVICE_SCANS:
        at = scanning(z, s);
        break;
    }
    if (at.zoom < 1.0)
        at.zoom = 1.0;
    return at;
}

/* Whatever it does ends here. */
static void settle(struct device_ptz *z, uint64_t now_ms)
{
    z->from = device_ptz_place(z, now_ms);
    z->since_ms = now_ms;
    z->doing = DEVICE_STILL;
}

void device_ptz_look(struct device_ptz *z, struct device_place to,
                     uint64_t now_ms)
{
    settle(z, now_ms);
    z->from.pan = to.pan < 0 || to.pan > 360 ? clamp(to.pan, 0, 360)
                                             : around(to.pan);
    z->from.tilt = clamp(to.tilt, DEVICE_TILT_MIN, DEVICE_TILT_MAX);
    z->from.zoom = clamp(to.zoom, 1.0, DEVICE_ZOOM_MAX);
}

/* ---- presets -------------------------------------------------------------- */

const struct device_preset *device_ptz_preset(const struct device_ptz *z,
                                              uint32_t id)
{
    for (size_t i = 0; i < z->n_presets; i++)
        if (z->preset[i].id == id)
            return &z->preset[i];
    return NULL;
}

static bool make_room(struct device_ptz *z, const struct gb_alloc *alloc)
{
    size_t room = z->room ? z->room * 2 : 8;
    struct device_preset *more;

    if (z->n_presets < z->room)
        return true;
    more = gb_get(alloc, room * sizeof(*more));
    if (!more)
        return false;
    if (z->n_presets)
        memcpy(more, z->preset, z->n_presets * sizeof(*more));
    gb_put(alloc, z->preset);
    z->preset = more;
    z->room = room;
    return true;
}

/* The one of that id, made at its place among the others. */
static struct device_preset *preset_at(struct device_ptz *z,
                                       const struct gb_alloc *alloc,
                                       uint8_t id)
{
    size_t i = 0;

    while (i < z->n_presets && z->preset[i].id < id)
        i++;
    if (i < z->n_presets && z->preset[i].id == id)
        return &z->preset[i];
    if (!make_room(z, alloc))
        return NULL;
    memmove(z->preset + i + 1, z->preset + i,
            (z->n_presets - i) * sizeof(*z->preset));
    z->n_presets++;
    z->preset[i] = (struct device_preset){ .id = id };
    return &z->preset[i];
}

static bool preset_set(struct device_ptz *z, const struct gb_alloc *alloc,
                       uint8_t id, struct slice name, uint64_t now_ms)
{
    struct device_preset *p = preset_at(z, alloc, id);

    if (!p)
        return false;
    p->at = device_ptz_place(z, now_ms);
    if (name.n)
        slice_copy(p->name, sizeof(p->name),
                   manscdp_text_cut(name, DEVICE_PRESET_NAME));
    return true;
}

static bool preset_call(struct device_ptz *z, uint8_t id, uint64_t now_ms)
{
    const struct device_preset *p = device_ptz_preset(z, id);

    if (p)
        device_ptz_look(z, p->at, now_ms);
    return p != NULL;
}

static bool preset_delete(struct device_ptz *z, uint8_t id)
{
    for (size_t i = 0; i < z->n_presets; i++) {
        if (z->preset[i].id != id)
            continue;
        z->n_presets--;
        memmove(z->preset + i, z->preset + i + 1,
                (z->n_presets - i) * sizeof(*z->preset));
        return true;
    }
    return false;
}

/* ---- cruises -------------------------------------------------------------- */

const struct device_track *device_ptz_track(const struct device_ptz *z,
                                            uint32_t group)
{
    for (size_t i = 0; i < z->n_tracks; i++)
        if (z->track[i].group == group)
            return &z->track[i];
    return NULL;
}

static struct device_track *track_at(struct device_ptz *z, uint8_t group,
                                     struct slice name)
{
    struct device_track *t = z->track;

    while (t < z->track + z->n_tracks && t->group != group)
        t++;
    if (t == z->track + DEVICE_MAX_TRACKS)
        return NULL;
    if (t == z->track + z->n_tracks) {
        *t = (struct device_track){ .group = group, .stay_s = STAY_S,
                                    .speed = SPEED };
        z->n_tracks++;
    }
    if (name.n)
        slice_copy(t->name, sizeof(t->name),
                   manscdp_text_cut(name, DEVICE_TRACK_NAME));
    return t;
}

static bool track_drop(struct device_ptz *z, const struct device_track *t)
{
    size_t i = (size_t)(t - z->track);

    z->n_tracks--;
    memmove(z->track + i, z->track + i + 1,
            (z->n_tracks - i) * sizeof(*z->track));
    return true;
}

static bool point_delete(struct device_ptz *z, uint8_t group, uint8_t preset)
{
    const struct device_track *known = device_ptz_track(z, group);
    struct device_track *t = known ? z->track + (known - z->track) : NULL;

    if (!t || !preset)
        return t && track_drop(z, t);
    for (size_t i = 0; i < t->n; i++) {
        if (t->preset[i] != preset)
            continue;
        t->n--;
        memmove(t->preset + i, t->preset + i + 1, t->n - i);
        return true;
    }
    return false;
}

static bool cruise(struct device_ptz *z, const struct manscdp_ptz *c,
                   struct slice name, uint64_t now_ms)
{
    struct device_track *t;

    if (c->op == MANSCDP_PTZ_CRUISE_DELETE)
        return point_delete(z, c->group, c->preset);
    if (c->op == MANSCDP_PTZ_CRUISE_START) {
        const struct device_track *known = device_ptz_track(z, c->group);

        if (!known || !known->n)
            return false;
        settle(z, now_ms);
        z->doing = DEVICE_CRUISES;
        z->group = c->group;
        return true;
    }
    t = track_at(z, c->group, name);
    if (!t || (c->op == MANSCDP_PTZ_CRUISE_ADD && t->n == DEVICE_MAX_POINTS))
        return false;
    if (c->op == MANSCDP_PTZ_CRUISE_ADD)
        t->preset[t->n++] = c->preset;
    else if (c->op == MANSCDP_PTZ_CRUISE_SPEED)
        t->speed = c->value;
    else
        t->stay_s = c->value;
    return true;
}

/* ---- movement ------------------------------------------------------------- */

static void move(struct device_ptz *z, const struct manscdp_ptz *c,
                 uint64_t now_ms)
{
    settle(z, now_ms);
    if (manscdp_ptz_is_stop(c))
        return;
    z->doing = DEVICE_MOVES;
    z->rate = (struct device_place){
        c->pan * PAN_RATE * c->pan_speed / 255,
        -c->tilt * TILT_RATE * c->tilt_speed / 255, /* up counts down */
        c->zoom * ZOOM_RATE * c->zoom_speed / 15,
    };
}

static void scan(struct device_ptz *z, const struct manscdp_ptz *c,
                 uint64_t now_ms)
{
    struct device_place at = device_ptz_place(z, now_ms);

    if (c->op == MANSCDP_PTZ_SCAN_LEFT) {
        z->left = at.pan;
    } else if (c->op == MANSCDP_PTZ_SCAN_RIGHT) {
        z->right = at.pan;
    } else if (c->op == MANSCDP_PTZ_SCAN_SPEED) {
        z->scan_rate = c->value;
    } else {
        settle(z, now_ms);
        z->doing = DEVICE_SCANS;
    }
}

bool device_ptz_order(struct device_ptz *z, const struct gb_alloc *alloc,
                      const struct manscdp_ptz *c, struct slice preset_name,
                      struct slice track_name, uint64_t now_ms)
{
    switch (c->op) {
    case MANSCDP_PTZ_MOVE:
        move(z, c, now_ms);
        return true;
    case MANSCDP_PTZ_PRESET_SET:
        return preset_set(z, alloc, c->preset, preset_name, now_ms);
    case MANSCDP_PTZ_PRESET_CALL:
        return preset_call(z, c->preset, now_ms);
    case MANSCDP_PTZ_PRESET_DELETE:
        return preset_delete(z, c->preset);
    case MANSCDP_PTZ_CRUISE_ADD:
    case MANSCDP_PTZ_CRUISE_DELETE:
    case MANSCDP_PTZ_CRUISE_SPEED:
    case MANSCDP_PTZ_CRUISE_DWELL:
    case MANSCDP_PTZ_CRUISE_START:
        return cruise(z, c, track_name, now_ms);
    case MANSCDP_PTZ_SCAN_START:
    case MANSCDP_PTZ_SCAN_LEFT:
    case MANSCDP_PTZ_SCAN_RIGHT:
    case MANSCDP_PTZ_SCAN_SPEED:
        scan(z, c, now_ms);
        return true;
    case MANSCDP_PTZ_LENS: /* nothing of it can be read back */
    case MANSCDP_PTZ_AUX_ON:
    case MANSCDP_PTZ_AUX_OFF:
    case MANSCDP_PTZ_OP_COUNT:
        break;
    }
    return true;
}
