/* app/http/wvp.h - the paths of WVP (wvp-GB28181-pro), answered as it does
 *
 * Front-ends that were written for it ask for a page of devices, start a
 * channel, turn it. Each such path is a line of a table in wvp.c: which handler
 * of ours does it, how its question is put, how its answer is told. What our own
 * handlers refuse is refused here: {"code":…,"msg":…,"data":null} in a 200. */
#ifndef APP_HTTP_WVP_H
#define APP_HTTP_WVP_H

#include "app/http/http.h"

/* What a path of WVP is called with: the argument of its route. */
enum http_wvp_call {
    HTTP_WVP_LOGIN,
    HTTP_WVP_LOGOUT,
    HTTP_WVP_USER,
    HTTP_WVP_DEVICES, /* these tell nothing of a device that is not seen */
    HTTP_WVP_DEVICE,
    HTTP_WVP_CHANNELS,
    HTTP_WVP_SYNC,
    HTTP_WVP_DELETE,
    HTTP_WVP_START,
    HTTP_WVP_STOP,
    HTTP_WVP_PTZ,
    HTTP_WVP_PRESET_ADD,
    HTTP_WVP_PRESET_CALL,
    HTTP_WVP_PRESET_DELETE,
    HTTP_WVP_CALLS
};

/* How an answer is told; all zero: as we do. */
struct http_wvp {
    uint8_t shape;        /* enum shape of wvp.c; 0: as it is */
    bool md5;             /* the password of a login is an MD5 */
    uint32_t page, count; /* of a list */
};

/* r, an answer of ours with a body of JSON or with none, becomes WVP's. */
void http_wvp_answer(struct http_app *a, struct http_response *r,
                     const struct http_wvp *w);
#endif
