/* tools/cam/cam.h - what the parts of gbcam share */
#ifndef TOOLS_CAM_CAM_H
#define TOOLS_CAM_CAM_H

#include "app/device/fleet.h"
#include "app/device/sender.h"
#include "app/net/sip_edge.h"
#include "app/net/tls.h"
#include "app/net/udp.h"
#include "base/list.h"
#include "tools/cam/clips.h"

#include <stdio.h>
#include <uv.h>

struct stream; /* stream.c */
struct loudspeaker; /* loudspeaker.c */

/* What main keeps for each device. */
struct camera {
    char id[DEVICE_ID_MAX + 1];
    struct device_channel *channel;
    char (*channel_id)[DEVICE_ID_MAX + 1];
    char (*channel_name)[32];
    struct stream *stream[DEVICE_MAX_SESSIONS];
    struct loudspeaker *loudspeaker; /* NULL: nobody speaks to it */
    uint64_t connection;
    uint64_t alarm_ms, flap_ms, position_ms, offer_ms;
    bool off; /* its first channel */
};

struct gbcam {
    struct options o;
    uv_loop_t loop;
    struct sip_stack *sip;
    struct sip_edge *edge;
    struct tls_ctx *tls; /* with --transport tls */
    struct fleet *fleet;
    struct camera *camera;
    struct udp_socket *media, *spare; /* spare: for faults of the port */
    struct clips clips;
    struct gb_addr server, local;
    struct list sending;
    uv_timer_t pace, second;
    uv_signal_t signals[3];
    uint32_t added, online, streams;
    uint64_t packets, started_ms, stop_ms;
    bool stopping, closed;
    FILE *stamps; /* --stamps; or NULL */
};

struct gb_time cam_now(struct gbcam *g);

/* stream.c: media of the device's session, as it says */
void stream_open(struct gbcam *g, uint32_t device,
                 const struct device_action *a);
void stream_pace(struct gbcam *g, uint32_t device,
                 const struct device_action *a);
void stream_key(struct gbcam *g, uint32_t device,
                const struct device_action *a);
void stream_start(struct gbcam *g, uint32_t device,
                  const struct device_action *a);
void stream_stop(struct gbcam *g, uint32_t device, uint32_t session);

/* upload.c */
void upload_pictures(struct gbcam *g, uint32_t device,
                     const struct device_action *a);

/* loudspeaker.c: the same of DEVICE_VOICE */
void loudspeaker_open(struct gbcam *g, uint32_t device,
                      const struct device_action *a);
void loudspeaker_start(struct gbcam *g, uint32_t device,
                       const struct device_action *a);
void loudspeaker_stop(struct gbcam *g, uint32_t device);
#endif
