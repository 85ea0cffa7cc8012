/* tools/cam/options.h - the command line of gbcam */
#ifndef TOOLS_CAM_OPTIONS_H
#define TOOLS_CAM_OPTIONS_H

#include "app/device/fleet.h"
#include "ps/codec.h"

/* What the command line says. */
struct options {
    char server_id[DEVICE_ID_MAX + 1], host[256];
    uint16_t port;
    const char *id, *password, *name, *media, *media_sub, *local, *ca, *stamps;
    enum sip_transport transport;
    enum ps_codec codec, audio; /* audio UNKNOWN: none */
    bool quiet;
    uint32_t devices, channels, keepalive_s, expires_s, retry_s, items, fps;
    uint32_t preset_items, records;
    uint32_t position_s, offer_s, alarm_method, alarm_type;
    double longitude, latitude;
    uint32_t alarm_s, flap_s, seconds, sessions, rate;
    struct manscdp_dialect dialect;
    struct faults faults;
};

/* 0, or a number of sysexits.h and a line on stderr. --help and the like end
 * the program. */
int options_parse(int argc, char **argv, struct options *o);
#endif
