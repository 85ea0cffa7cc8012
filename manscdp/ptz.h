/* manscdp/ptz.h - the eight bytes of PTZCmd (GB/T 28181-2022 A.3)
 *
 *     1    2     3       4            5      6      7               8
 *     A5   0F    address instruction  data1  data2  data3 | address sum
 *
 * Byte 2 is the version (0) and a check of the first two; the low nibble of
 * byte 7 is bits 8 to 11 of the address. 16 hex digits on the wire. */
#ifndef MANSCDP_PTZ_H
#define MANSCDP_PTZ_H

#include "base/err.h"
#include "base/slice.h"
#include "base/writer.h"

#define MANSCDP_PTZ_BYTES 8
#define MANSCDP_PTZ_ADDRESS 1 /* where a DeviceID addresses already */
#define MANSCDP_PTZ_VALUE_MAX 0xfff

/* MOVE and LENS go on until the next of them; one without any movement stops
 * them, and MOVE stops cruises and scans too. */
#define MANSCDP_PTZ_MAP(X)                                                     \
    X(MOVE,          "move")          /* pan, tilt, zoom, their speeds */      \
    X(LENS,          "lens")          /* focus, iris, their speeds */          \
    X(PRESET_SET,    "preset_set")    /* preset */                             \
    X(PRESET_CALL,   "preset_call")   /* preset */                             \
    X(PRESET_DELETE, "preset_delete") /* preset */                             \
    X(CRUISE_ADD,    "cruise_add")    /* group, preset */                      \
    X(CRUISE_DELETE, "cruise_delete") /* group, preset; 0: all of it */        \
    X(CRUISE_SPEED,  "cruise_speed")  /* group, value */                       \
    X(CRUISE_DWELL,  "cruise_dwell")  /* group, value in s */                  \
    X(CRUISE_START,  "cruise_start")  /* group */                              \
    X(SCAN_START,    "scan_start")    /* group */                              \
    X(SCAN_LEFT,     "scan_left")     /* group: where it turns */              \
    X(SCAN_RIGHT,    "scan_right")    /* group */                              \
    X(SCAN_SPEED,    "scan_speed")    /* group, value */                       \
    X(AUX_ON,        "aux_on")        /* group: number of the switch */        \
    X(AUX_OFF,       "aux_off")       /* 1: the wiper */

enum manscdp_ptz_op {
#define X(id, name) MANSCDP_PTZ_##id,
    MANSCDP_PTZ_MAP(X)
#undef X
    MANSCDP_PTZ_OP_COUNT
};

struct manscdp_ptz {
    enum manscdp_ptz_op op;
    uint16_t address; /* 12 bits */
    /* MOVE, LENS: directions are -1, 0 and +1 */
    int8_t pan;   /* +1 right */
    int8_t tilt;  /* +1 up */
    int8_t zoom;  /* +1 in: a longer focal length */
    int8_t focus; /* +1 far */
    int8_t iris;  /* +1 open */
    uint8_t pan_speed, tilt_speed, focus_speed, iris_speed;
    uint8_t zoom_speed; /* 0 to 15 */
    uint8_t group;
    uint8_t preset; /* from 1 */
    uint16_t value; /* 12 bits */
};

/* "preset_set"; NULL out of range. by_name: without regard to case. */
const char *manscdp_ptz_name(enum manscdp_ptz_op op);
bool manscdp_ptz_by_name(struct slice name, enum manscdp_ptz_op *op);

/* Nothing moves: MOVE or LENS without a direction. */
bool manscdp_ptz_is_stop(const struct manscdp_ptz *c);

/* Reads 16 hex digits, blanks between them ignored. Byte 2 may be anything.
 * 0; GB_ESYNTAX: no such digits, another first byte, a wrong sum, or opposite
 * directions at once; GB_ERANGE: preset 0; GB_EUNSUPPORTED: an instruction the
 * standard does not have. *out is written only on 0; diag may be NULL. */
int manscdp_ptz_parse(struct manscdp_ptz *out, struct slice hex,
                      struct gb_diag *diag);

/* Appends 16 hex digits in upper case; GB_ERANGE, nothing appended: a value
 * that does not fit, or preset 0 where it means nothing. Errors are w's. */
int manscdp_ptz_write(struct writer *w, const struct manscdp_ptz *c);
#endif
