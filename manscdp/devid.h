/* manscdp/devid.h - the 20-digit ids and the civil codes
 * (GB/T 28181-2022 Annex E, tables of digits 9 to 14)
 *
 * Peers send ids of other lengths too (regions of 2 to 8 digits, 18 digits of
 * the old rule B, garbage). Those are kept as opaque text; nothing here
 * refuses an item for its id. */
#ifndef MANSCDP_DEVID_H
#define MANSCDP_DEVID_H

#include "base/err.h"
#include "base/slice.h"

#define MANSCDP_DEVID_LEN 20
#define MANSCDP_DEVID_MAX 32     /* longest opaque id that we keep */
#define MANSCDP_CIVIL_CODE_MAX 8 /* digits of a civil code */

/* Digits 11 to 13; those that the code asks for by name. */
enum manscdp_type {
    MANSCDP_TYPE_DVR = 111,
    MANSCDP_TYPE_NVR = 118,
    MANSCDP_TYPE_CAMERA = 131,
    MANSCDP_TYPE_IPC = 132,
    MANSCDP_TYPE_ALARM_IN = 134,
    MANSCDP_TYPE_ALARM_OUT = 135,
    MANSCDP_TYPE_AUDIO_IN = 136,
    MANSCDP_TYPE_AUDIO_OUT = 137,
    MANSCDP_TYPE_SYSTEM = 200,
    MANSCDP_TYPE_GROUP = 215,
    MANSCDP_TYPE_ORG = 216,
    MANSCDP_TYPE_USER = 300
};

/* What a catalog node is, by its id alone. */
enum manscdp_kind {
    MANSCDP_KIND_UNKNOWN, /* decide by Parental and Info: catalog.h */
    MANSCDP_KIND_REGION,  /* 2, 4, 6 or 8 digits */
    MANSCDP_KIND_SYSTEM,  /* 200 */
    MANSCDP_KIND_GROUP,   /* 215, business group */
    MANSCDP_KIND_ORG,     /* 216, virtual organisation */
    MANSCDP_KIND_DEVICE,  /* 111 to 130: has children */
    MANSCDP_KIND_CHANNEL, /* 131, 132: video */
    MANSCDP_KIND_ALARM,   /* 134, 135 */
    MANSCDP_KIND_AUDIO    /* 136, 137 */
};

struct manscdp_devid {
    struct slice text;   /* borrowed: the 20 digits */
    struct slice centre; /* digits 1 to 8 */
    struct slice domain; /* digits 1 to 10: the SIP domain */
    uint8_t industry;    /* digits 9 and 10 */
    uint16_t type;       /* digits 11 to 13 */
    uint8_t network;     /* digit 14 */
    uint32_t serial;     /* digits 15 to 20 */
};

/* Exactly 20 ASCII digits; out->text borrows. 0 or GB_ESYNTAX. */
int manscdp_devid_parse(struct manscdp_devid *out, struct slice text);

/* Fit to be kept as the id of somebody else's object: 1 to MANSCDP_DEVID_MAX
 * visible ASCII characters. Escape it all the same wherever it goes. */
bool manscdp_devid_is_usable(struct slice id);

/* Digits 11 to 13 of a 20-digit id, else 0. */
unsigned manscdp_devid_type(struct slice id);

enum manscdp_kind manscdp_devid_kind(struct slice id);
const char *manscdp_kind_name(enum manscdp_kind kind);

/* "IP camera" and so on, of digits 11 to 13; never NULL. */
const char *manscdp_type_name(unsigned type);

/* What field devices write in CivilCode, made 2, 4, 6 or 8 digits: leading
 * digits, at most eight, an even count, trailing "00" pairs off; empty when
 * nothing is left. The result borrows from text. */
struct slice manscdp_civil_code(struct slice text);

/* The region above: two digits less; empty above a province. */
struct slice manscdp_civil_parent(struct slice code);
#endif
