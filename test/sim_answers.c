/* What a device answers when it is asked. */
#include "test/sim_int.h"

#include <stdio.h>

#include "base/writer.h"
#include "manscdp/catalog.h"
#include "manscdp/device.h"
#include "manscdp/media.h"
#include "manscdp/notify.h"
#include "manscdp/time.h"

static void send_catalog(struct sim_device *d, uint32_t sn, unsigned from,
                         unsigned to)
{
    struct manscdp_item item[8] = { 0 };
    char name[8][24], body[8192];
    const struct manscdp_dialect dialect = { MANSCDP_2016, MANSCDP_GB2312 };
    struct manscdp_catalog c = {
        .sn = sn,
        .device_id = slice_str(d->id),
        .is_notify = d->catalog_notified,
        .has_sum_num = true,
        .sum_num = d->catalog_sum ? d->catalog_sum : d->n_channels,
    };
    struct writer w = writer_of(body, sizeof(body));
    size_t n = 0;

    for (unsigned i = from; i < to; i++, n++) {
        snprintf(name[n], sizeof(name[n]), "Camera %u", i);
        item[n].id = slice_str(d->channel[i]);
        item[n].name = slice_str(name[n]);
        item[n].manufacturer = SLICE("Acme");
        item[n].model = SLICE("C1");
        item[n].parent_id = slice_str(d->id);
        item[n].status = SLICE("ON");
    }
    assert_int_equal(manscdp_catalog_encode(&w, &dialect, &c, item, n), 0);
    sim_send(d, SIP_METHOD_MESSAGE, d->id, writer_slice(&w), NULL);
}

static void answer_catalog(struct sim_device *d, uint32_t sn)
{
    unsigned n = d->n_channels - d->catalog_drop;

    d->catalogs++;
    if (d->catalog_mute)
        return;
    if (d->n_channels == 0)
        send_catalog(d, sn, 0, 0);
    for (unsigned i = 0; i < n; i++) {
        unsigned k = d->catalog_reversed ? n - 1 - i : i;

        send_catalog(d, sn, k, k + 1);
        if (d->catalog_twice)
            send_catalog(d, sn, k, k + 1);
    }
}

static void answer_info(struct sim_device *d, uint32_t sn)
{
    char body[1024];
    struct writer w = writer_of(body, sizeof(body));
    const struct manscdp_dialect dialect = { MANSCDP_2016, MANSCDP_GB2312 };
    const struct manscdp_device_info i = {
        .sn = sn,
        .device_id = slice_str(d->id),
        .result = MANSCDP_OK,
        .device_name = SLICE("Recorder"),
        .manufacturer = SLICE("Acme"),
        .model = SLICE("R8"),
        .firmware = SLICE("V1"),
    };

    d->infos++;
    if (d->info_mute)
        return;
    assert_int_equal(manscdp_device_info_encode(&w, &dialect, &i), 0);
    sim_send(d, SIP_METHOD_MESSAGE, d->id, writer_slice(&w), NULL);
}

/* "key>2023-11-15T06:13:20<" */
static int64_t time_in(const char *body, const char *key)
{
    const char *at = strstr(body, key);
    int64_t utc_ms = 0;

    assert_non_null(at);
    at = strchr(at, '>') + 1;
    assert_true(manscdp_time_parse(slice_of(at, 19), 480, &utc_ms));
    return utc_ms / 1000;
}

static void send_records(struct sim_device *d, uint32_t sn, uint32_t sum,
                         const unsigned *which, unsigned n)
{
    char body[2048], start[32], end[32];
    struct writer w = writer_of(body, sizeof(body));

    writer_f(&w, "<?xml version=\"1.0\"?>\r\n<Response>\r\n"
                 "<CmdType>RecordInfo</CmdType>\r\n<SN>%u</SN>\r\n"
                 "<DeviceID>%s</DeviceID>\r\n<SumNum>%u</SumNum>\r\n",
             sn, d->channel[0], sum);
    if (n)
        writer_f(&w, "<RecordList Num=\"%u\">\r\n", n);
    for (unsigned i = 0; i < n; i++) {
        struct writer a = writer_of(start, 31), b = writer_of(end, 31);

        manscdp_time_write(&a, (int64_t)d->record[which[i]].from_s * 1000, 480);
        manscdp_time_write(&b, (int64_t)d->record[which[i]].to_s * 1000, 480);
        writer_f(&w, "<Item><DeviceID>%s</DeviceID><Name>n</Name>"
                     "<StartTime>%.*s</StartTime><EndTime>%.*s</EndTime>"
                     "<Secrecy>0</Secrecy><Type>time</Type></Item>\r\n",
                 d->channel[0], (int)a.len, start, (int)b.len, end);
    }
    if (n)
        writer_str(&w, "</RecordList>\r\n");
    writer_str(&w, "</Response>\r\n");
    assert_int_equal(w.err, 0);
    sim_send(d, SIP_METHOD_MESSAGE, d->id, writer_slice(&w), NULL);
}

/* Four of them a message. */
static void answer_records(struct sim_device *d, uint32_t sn)
{
    unsigned which[SIM_MAX_RECORDS], n = 0, left;
    int64_t from, to;

    if (!d->has_store && !d->n_records)
        return;
    from = time_in(d->last_body, "<StartTime");
    to = time_in(d->last_body, "<EndTime");
    if (!d->record_queries++)
        snprintf(d->first_record_body, sizeof(d->first_record_body), "%s",
                 d->last_body);
    if (d->record_mute)
        return;
    for (unsigned i = 0; i < d->n_records; i++)
        if ((int64_t)d->record[i].from_s < to &&
            (int64_t)d->record[i].to_s > from)
            which[n++] = i;
    if (d->record_limit && n > d->record_limit)
        n = d->record_limit;
    left = n;
    if (d->record_hours_max && n && to - from > d->record_hours_max * 3600)
        left--;
    if (!n)
        send_records(d, sn, 0, which, 0);
    for (unsigned i = 0; i < left; i += 4)
        send_records(d, sn, d->record_sum ? d->record_sum : n, which + i,
                     left - i < 4 ? left - i : 4);
}

static void answer_status(struct sim_device *d, uint32_t sn)
{
    char body[1024], now[32];
    struct writer w = writer_of(body, sizeof(body)), t = writer_of(now, 31);

    d->status_queries++;
    if (!d->tells_time)
        return;
    manscdp_time_write(&t, d->sim->now.utc_ms + d->clock_off_ms, 480);
    writer_f(&w, "<?xml version=\"1.0\"?>\r\n<Response>\r\n"
                 "<CmdType>DeviceStatus</CmdType>\r\n<SN>%u</SN>\r\n"
                 "<DeviceID>%s</DeviceID>\r\n<Result>OK</Result>\r\n"
                 "<Online>ONLINE</Online>\r\n<Status>OK</Status>\r\n"
                 "<DeviceTime>%.*s</DeviceTime>\r\n</Response>\r\n",
             sn, d->id, (int)t.len, now);
    sim_send(d, SIP_METHOD_MESSAGE, d->id, writer_slice(&w), NULL);
}

void sim_broadcast_response(struct sim_device *d, const char *result)
{
    char body[400];

    snprintf(body, sizeof(body),
             "<?xml version=\"1.0\"?><Response><CmdType>Broadcast</CmdType>"
             "<SN>%u</SN><DeviceID>%s</DeviceID><Result>%s</Result></Response>",
             (unsigned)d->broadcast_sn, d->broadcast_target, result);
    sim_message(d, body);
}

static void on_device_broadcast(struct sim_device *d,
                                const struct manscdp_msg *m)
{
    struct manscdp_broadcast b;

    assert_int_equal(manscdp_broadcast_decode(&b, m), 0);
    expect_slice(b.source_id, SIM_ID);
    slice_copy(d->broadcast_target, sizeof(d->broadcast_target), b.target_id);
    d->broadcast_sn = m->sn;
    d->broadcasts++;
    if (d->broadcast_result)
        sim_broadcast_response(d, d->broadcast_result);
}

void sim_respond(struct sim *s, const struct sip_event *ev, unsigned status)
{
    const struct sip_response r = { .status = status, .expires = -1 };

    sip_stack_respond(s->field, ev->transaction, &r, s->now.mono_ms);
}

void sim_on_message(struct sim_device *d, const struct sip_event *ev)
{
    static char memory[65536];
    struct arena a = arena_of(memory, sizeof(memory));
    struct manscdp_msg m;

    d->messages++;
    snprintf(d->last_body, sizeof(d->last_body), "%.*s",
             SLICE_ARG(ev->msg->body));
    d->key_orders[0] += text_has(d->last_body, "<IFameCmd>Send</IFameCmd>");
    d->key_orders[1] += text_has(d->last_body, "<IFrameCmd>Send</IFrameCmd>");
    if (d->query_refused) {
        sim_respond(d->sim, ev, 404);
        return;
    }
    sim_respond(d->sim, ev, 200);
    if (manscdp_msg_parse(&m, &a, ev->msg->body, NULL, NULL))
        fail_msg("platform sent: %s", d->last_body);
    if (m.root == MANSCDP_QUERY && m.cmd == MANSCDP_CMD_CATALOG)
        answer_catalog(d, m.sn);
    else if (m.root == MANSCDP_QUERY && m.cmd == MANSCDP_CMD_RECORD_INFO)
        answer_records(d, m.sn);
    else if (m.root == MANSCDP_QUERY && m.cmd == MANSCDP_CMD_DEVICE_STATUS)
        answer_status(d, m.sn);
    else if (m.root == MANSCDP_QUERY && m.cmd == MANSCDP_CMD_DEVICE_INFO)
        answer_info(d, m.sn);
    else if (m.root == MANSCDP_RESPONSE && m.cmd == MANSCDP_CMD_ALARM)
        d->alarm_responses++;
    else if (m.root == MANSCDP_NOTIFY && m.cmd == MANSCDP_CMD_BROADCAST)
        on_device_broadcast(d, &m);
}
