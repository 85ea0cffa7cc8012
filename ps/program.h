/* ps/program.h - the elementary streams of a program, as maps, SDP and their
 * bytes name them
 *
 * Inside ps only; ps/demux.c reads the headers, this knows whose they are. */
#ifndef PS_PROGRAM_H
#define PS_PROGRAM_H

#include "ps/es.h"

struct program {
    struct es_env *env; /* shared by its streams */
    struct es *stream[PS_MAX_STREAMS];
    size_t n;
    bool map_known; /* a map that is in force was read */
};

void program_fini(struct program *p);

/* The stream of this id; NULL: there is none. */
static inline struct es *program_find(const struct program *p, uint8_t id)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->stream[i]->info.stream_id == id)
            return p->stream[i];
    return NULL;
}

/* The stream of a PES; a new one knows what SDP said. NULL: too many, or no
 * memory. */
struct es *program_stream(struct program *p, uint8_t id);

/* What a map says of the streams, as far as it is news. */
void program_use_map(struct program *p, const struct ps_map *map);
#endif
