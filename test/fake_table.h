/* test/fake_table.h - what the fake platform knows, and what it was told last */
#ifndef TEST_FAKE_TABLE_H
#define TEST_FAKE_TABLE_H

#include "app/platform/doctor.h"
#include "app/platform/platform.h"
#include "app/platform/voice.h"
#include "base/writer.h"

#define FAKE_MAX 64
#define FAKE_GROUPS 8

static struct fake {
    struct platform_device device[FAKE_MAX]; /* in id order */
    size_t n_devices;
    struct platform_channel channel[FAKE_MAX]; /* in (device, id) order */
    size_t n_channels;
    struct platform_session session[FAKE_MAX]; /* id 0: free */
    int holds[FAKE_MAX + 1]; /* by session id: holds less releases */
    uint64_t next_session;
    int live_err;            /* platform_live_start fails */
    uint32_t longer_ms;      /* of the sessions that it starts */
    struct platform_session live_failed;
    struct platform_live live_req; /* the last one; slices not kept */
    struct platform_recording recording; /* the last one; slices not kept */
    struct platform_control control;     /* the last one */
    int control_err;
    int refresh_err;
    int sick;                /* a link of the doctor, from 1; 0: none */
    unsigned can;            /* of the last question to it */
    struct platform_records records; /* its id: of all questions */
    struct platform_records_ask records_ask; /* the last one */
    char records_type[20];
    int records_err;
    struct platform_record record[16];
    struct platform_download_order download_order; /* the last one */
    bool is_2022; /* devices are of this edition */
    struct platform_download download[4];
    size_t n_downloads;
    struct platform_download_gap gap[4];
    size_t n_gaps;
    int download_err;
    uint64_t cancelled;
    unsigned refreshed;
    struct platform_pending pending[4];
    size_t n_pending;
    struct platform_settings set; /* the last one; texts in the buffers below */
    char password[80], given_name[140], group_of[80], created[40];
    char order[200];         /* the last one sent, as text */
    uint64_t n_commands, first_command; /* ids remembered */
    bool commands_final;
    const struct platform_command *command; /* what all of them are; NULL */
    char upgrade[80], upgrade_file[80], upgrade_url[300], upgrade_maker[80];
    enum platform_upgrade_state upgrade_state;
    struct platform_policy group_policy; /* the last one */
    unsigned group_kinds;
    uint64_t fetched;        /* bytes */
    unsigned fetched_whole;
    struct platform_voice voice[4]; /* id 0: free */
    int voice_err;           /* platform_voice_start fails */
    struct platform_voice_wish voice_wish; /* the last one; slices not kept */
    char voice_who[80];
    const char *voice_stop;  /* the last reason; NULL: none was stopped */
    int set_err;             /* what platform_device_set and _create say */
    struct {
        char name[80], password[80];
    } group[FAKE_GROUPS];    /* in name order; name "": free */
} fake;

static inline void fake_device(const char *id, const char *name, bool online)
{
    struct platform_device *d = &fake.device[fake.n_devices++];

    *d = (struct platform_device){ .id = slice_str(id),
                                   .name = slice_str(name),
                                   .online = online,
                                   .registered_utc_ms = 1000 };
    d->peer.remote = (struct gb_addr){ GB_IPV4, { 192, 0, 2, 7 }, 5060 };
}

static inline void fake_channel(const char *device, const char *id,
                                const char *name)
{
    struct platform_channel *c = &fake.channel[fake.n_channels++];

    *c = (struct platform_channel){ .device = slice_str(device),
                                    .id = slice_str(id),
                                    .name = slice_str(name),
                                    .status = SLICE("ON"),
                                    .on = true };
    for (size_t i = 0; i < fake.n_devices; i++)
        if (slice_eq(fake.device[i].id, c->device))
            fake.device[i].n_channels++;
}

static inline struct platform_session *fake_session(uint64_t id)
{
    for (size_t i = 0; i < FAKE_MAX; i++)
        if (id && fake.session[i].id == id)
            return &fake.session[i];
    return NULL;
}
#endif
