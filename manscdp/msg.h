/* manscdp/msg.h - the envelope that all MANSCDP bodies share
 *
 * Root, CmdType, SN and DeviceID, read from elements or from attributes of the
 * root (both occur), and a dispatcher over (root, CmdType). */
#ifndef MANSCDP_MSG_H
#define MANSCDP_MSG_H

#include "manscdp/vocab.h"
#include "manscdp/xml.h"

#define MANSCDP_SN_MAX 0x7fffffffu

/* How a peer wants to be written to. {0} is 2011 in GB2312. */
struct manscdp_dialect {
    enum manscdp_edition edition;
    enum manscdp_charset charset;
};

struct manscdp_kept_item;

/* A body that was read. All slices are UTF-8, in the arena or in the body. */
struct manscdp_msg {
    enum manscdp_root root;
    enum manscdp_cmd cmd;
    struct slice cmd_name; /* as spelt, also when cmd is OTHER */
    uint32_t sn;           /* 0 when absent or unreadable */
    bool has_sn;
    struct slice device_id; /* empty when absent (Broadcast has none) */
    struct xml_doc doc;
    struct arena *arena; /* codecs put their lists here */
    /* of a Catalog, when doc.listed: what its DeviceList had. See catalog.h */
    const struct manscdp_kept_item *items;
    uint32_t n_items;
};

/* Parses body. limits and diag may be NULL. Errors of xml_parse, and
 * GB_EUNSUPPORTED when the root is none of the four; an unknown CmdType is no
 * error. *out is written only on 0 and lives as long as the arena's content and
 * the body. */
int manscdp_msg_parse(struct manscdp_msg *out, struct arena *a,
                      struct slice body, const struct xml_limits *limits,
                      struct gb_diag *diag);

/* Called with the context of manscdp_dispatch; returns what it returns. msg
 * and all it points to live during the call only. */
typedef int manscdp_handler_fn(void *ctx, const struct manscdp_msg *msg);

struct manscdp_handler {
    enum manscdp_root root;
    enum manscdp_cmd cmd;
    manscdp_handler_fn *fn;
};

/* Calls the handler of msg; GB_EUNSUPPORTED when the table has none. */
int manscdp_dispatch(const struct manscdp_handler *table, size_t n, void *ctx,
                     const struct manscdp_msg *msg);

/* OK, ERROR and their relatives ("ok", "FAIL", "1"). */
enum manscdp_result { MANSCDP_ABSENT, MANSCDP_OK, MANSCDP_ERROR };
enum manscdp_result manscdp_result_parse(struct slice text);

/* A number as devices write it: blanks around, a fraction, a unit behind are
 * ignored. false, *v untouched: no digit, negative, or above max. */
bool manscdp_number(struct slice text, uint32_t max, uint32_t *v);

/* Degrees: both are numbers within +-180 and +-90, and not both 0. Outputs
 * are written only when true. */
bool manscdp_position(struct slice longitude, struct slice latitude,
                      double *lon, double *lat);

/* Begins a body: declaration, root, CmdType, SN, DeviceID. *x is for the
 * elements that follow; x->w is w. */
void manscdp_put_begin(struct xml_out *x, struct writer *w,
                       const struct manscdp_dialect *d,
                       enum manscdp_root root, enum manscdp_cmd cmd,
                       uint32_t sn, struct slice device_id);
void manscdp_put_end(struct xml_out *x, enum manscdp_root root);

/* The Response of every command that is answered with a Result alone (Alarm,
 * DeviceControl, DeviceConfig, Broadcast), both directions. */
struct manscdp_response {
    enum manscdp_cmd cmd;
    uint32_t sn;
    struct slice device_id;
    enum manscdp_result result; /* decoded: ABSENT counts as OK for data */
    struct slice reason;        /* not of the standard, some devices add it */
};

/* 0, or GB_ESYNTAX when msg is no Response. */
int manscdp_response_decode(struct manscdp_response *out,
                            const struct manscdp_msg *msg);

/* Result OK or ERROR (ABSENT is written as OK). 0 or the error of w. */
int manscdp_response_encode(struct writer *w, const struct manscdp_dialect *d,
                            const struct manscdp_response *r);

/* A Query without further elements (DeviceInfo, DeviceStatus, PresetQuery). */
int manscdp_query_encode(struct writer *w, const struct manscdp_dialect *d,
                         enum manscdp_cmd cmd, uint32_t sn,
                         struct slice device_id);
#endif
