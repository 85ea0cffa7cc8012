#include "ps/program.h"

void program_fini(struct program *p)
{
    for (size_t i = 0; i < p->n; i++) {
        es_fini(p->stream[i]);
        gb_put(p->env->alloc, p->stream[i]);
    }
}

/* A stream that a map announced and that never came gives way, the one that
 * was named longest ago. p->n: none. */
static size_t ghost(const struct program *p)
{
    size_t best = p->n;

    for (size_t i = 0; i < p->n; i++)
        if (!p->stream[i]->fed &&
            (best == p->n ||
             p->stream[i]->named < p->stream[best]->named))
            best = i;
    return best;
}

/* The stream of id, made when it is new. NULL: too many, or no memory. */
static struct es *take_stream(struct program *p, uint8_t id)
{
    struct es *s = program_find(p, id);
    size_t i = p->n;

    if (s)
        return s;
    if (i == PS_MAX_STREAMS) {
        i = ghost(p);
        if (i == PS_MAX_STREAMS)
            return NULL;
        es_fini(p->stream[i]);
        s = p->stream[i];
    } else {
        s = gb_get(p->env->alloc, sizeof(*s));
        if (!s)
            return NULL;
        p->stream[p->n++] = s;
    }
    es_init(s, p->env, id, (unsigned)i);
    return s;
}

struct es *program_stream(struct program *p, uint8_t id)
{
    struct es *s = take_stream(p, id);
    enum ps_codec hint;

    if (!s || s->fed)
        return s;
    s->fed = true;
    if (s->info.source != PS_FROM_NOTHING)
        return s;
    hint = s->video ? p->env->opt.video_hint : p->env->opt.audio_hint;
    if (hint != PS_CODEC_UNKNOWN)
        es_set_codec(s, 0, hint, PS_FROM_SDP);
    if (s->info.codec == PS_CODEC_UNKNOWN)
        es_announce(s);
    return s;
}

void program_use_map(struct program *p, const struct ps_map *map)
{
    if (!map->current && p->map_known)
        return;
    p->map_known = true;
    for (size_t i = 0; i < map->n; i++) {
        uint8_t id = map->entry[i].id, type = map->entry[i].type;
        enum ps_codec codec = ps_codec_of_type(type);
        struct es *s;
        bool news;

        if (!ps_id_is_video(id) && !ps_id_is_audio(id) &&
            (id != PS_ID_PRIVATE1 || codec == PS_CODEC_UNKNOWN))
            continue;
        s = take_stream(p, id);
        if (!s)
            continue;
        s->named = p->env->count.psms;
        if (id == PS_ID_PRIVATE1 && s->video != ps_codec_is_video(codec)) {
            es_gap(s, false);
            s->video = !s->video;
        }
        news = map->entry[i].encrypted && !s->info.encrypted;
        s->info.encrypted |= news;
        if (s->info.stream_type == type && type && !news &&
            s->info.source != PS_FROM_SDP)
            continue; /* maps repeat */
        es_set_codec(s, type, codec, PS_FROM_PSM);
        if (news)
            es_announce(s);
    }
}
