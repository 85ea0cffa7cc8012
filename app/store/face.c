/* app/store/face.c - the writing functions of store.h, the same for both kinds
 * of store */
#include "app/store/writer.h"

static const struct slice nothing = { NULL, 0 };

void store_put_device(struct store *s, const struct platform_device *d)
{
    store_writer_device(store_writer_of(s), d);
}

void store_remove_device(struct store *s, struct slice id)
{
    store_writer_remove(store_writer_of(s), STORE_REMOVE_DEVICE, id, nothing);
}

void store_put_settings(struct store *s, struct slice id,
                        const struct platform_settings *set)
{
    store_writer_settings(store_writer_of(s), id, set);
}

void store_put_group(struct store *s, struct slice name, struct slice sealed,
                     const struct platform_policy *subscribe)
{
    store_writer_group(store_writer_of(s), name, sealed, subscribe);
}

void store_remove_group(struct store *s, struct slice name)
{
    store_writer_remove(store_writer_of(s), STORE_REMOVE_GROUP, name, nothing);
}

void store_put_download(struct store *s, const struct platform_download *d)
{
    store_writer_download(store_writer_of(s), d);
}

void store_remove_download(struct store *s, uint64_t id)
{
    char key[STORE_KEY_TEXT];

    store_writer_remove(store_writer_of(s), STORE_REMOVE_DOWNLOAD,
                        store_key_text(key, id), nothing);
}

void store_put_hook(struct store *s, const struct store_hook *h)
{
    store_writer_hook(store_writer_of(s), h);
}

void store_put_account(struct store *s, const struct store_account *v)
{
    store_writer_account(store_writer_of(s), v);
}

void store_remove_account(struct store *s, struct slice name)
{
    store_writer_remove(store_writer_of(s), STORE_REMOVE_ACCOUNT, name,
                        nothing);
}

void store_add_audit(struct store *s, const struct store_audit *a)
{
    store_writer_audit(store_writer_of(s), a);
}

void store_remove_hook(struct store *s, struct slice name)
{
    store_writer_remove(store_writer_of(s), STORE_REMOVE_HOOK, name, nothing);
}

void store_put_rule(struct store *s, const struct store_rule *v)
{
    store_writer_rule(store_writer_of(s), v);
}

void store_remove_rule(struct store *s, struct slice name)
{
    store_writer_remove(store_writer_of(s), STORE_REMOVE_RULE, name,
                        (struct slice){ NULL, 0 });
}

void store_put_push(struct store *s, const struct store_push *p)
{
    store_writer_push(store_writer_of(s), p);
}

void store_remove_push(struct store *s, struct slice name)
{
    store_writer_remove(store_writer_of(s), STORE_REMOVE_PUSH, name, nothing);
}

void store_put_recorder(struct store *s, struct slice device,
                        struct slice channel,
                        const struct recorders_settings *set)
{
    store_writer_recorder(store_writer_of(s), device, channel, set);
}

void store_remove_recorder(struct store *s, struct slice device,
                           struct slice channel)
{
    store_writer_remove(store_writer_of(s), STORE_REMOVE_RECORDER, device,
                        channel);
}

void store_put_record(struct store *s, struct slice device,
                      struct slice channel,
                      const struct archive_segment *segment)
{
    store_writer_record(store_writer_of(s), STORE_PUT_RECORD, device, channel,
                        segment);
}

void store_remove_record(struct store *s, struct slice device,
                         struct slice channel, int64_t begin_utc_ms)
{
    const struct archive_segment gone = { .begin_utc_ms = begin_utc_ms };

    store_writer_record(store_writer_of(s), STORE_REMOVE_RECORD, device,
                        channel, &gone);
}

void store_put_upgrade(struct store *s, const struct platform_upgrade *u)
{
    store_writer_upgrade(store_writer_of(s), u);
}

void store_put_channel(struct store *s, const struct platform_channel *c)
{
    store_writer_channel(store_writer_of(s), c);
}

void store_remove_channel(struct store *s, struct slice device,
                          struct slice channel)
{
    store_writer_remove(store_writer_of(s), STORE_REMOVE_CHANNEL, device,
                        channel);
}

void store_put_dialog(struct store *s, uint64_t key,
                      const struct sip_dialog_state *d,
                      const struct sip_peer *peer)
{
    store_writer_dialog(store_writer_of(s), key, d, peer);
}

void store_remove_dialog(struct store *s, uint64_t key)
{
    store_writer_remove_dialog(store_writer_of(s), key);
}

void store_put_detail(struct store *s, struct slice device,
                      struct slice channel, struct slice detail)
{
    store_writer_detail(store_writer_of(s), device, channel, detail);
}

void store_add_alarm(struct store *s, const struct platform_alarm *a)
{
    store_writer_alarm(store_writer_of(s), a);
}

void store_acknowledge_alarm(struct store *s, uint64_t id, struct slice who,
                             int64_t utc_ms)
{
    store_writer_acknowledge(store_writer_of(s), id, who, utc_ms);
}

void store_add_position(struct store *s, const struct platform_position *p)
{
    store_writer_position(store_writer_of(s), p);
}

void store_put_command(struct store *s, const struct platform_command *c)
{
    store_writer_command(store_writer_of(s), c);
}

void store_retain(struct store *s, const struct store_retention *r)
{
    store_writer_retain(store_writer_of(s), r);
}

int store_ask(struct store *s, const struct store_ask *q)
{
    return store_writer_ask(store_writer_of(s), q);
}

void store_end_asks(struct store *s)
{
    store_writer_end_asks(store_writer_of(s));
}

void store_flush(struct store *s)
{
    store_writer_flush(store_writer_of(s));
}

void store_counters(struct store *s, struct store_counters *out)
{
    store_writer_counters(store_writer_of(s), out);
}
