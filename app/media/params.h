/* app/media/params.h - the parameter sets of a video track, by id
 *
 * Collects VPS, SPS and PPS wherever they appear; repeats change nothing.
 * When a complete set exists it is made into a configuration. */
#ifndef APP_MEDIA_PARAMS_H
#define APP_MEDIA_PARAMS_H

#include "app/media/frame.h"

struct params;

/* codec: PS_CODEC_H264 or PS_CODEC_H265. 0, GB_EUNSUPPORTED or GB_ENOMEM. */
int params_new(struct params **out, const struct gb_alloc *alloc,
               enum ps_codec codec);
void params_free(struct params *p);

/* Takes the parameter sets of an access unit. true when one is new or
 * different from the last of its id. Damaged ones are ignored. */
bool params_take(struct params *p, const struct ps_au *au);

/* The configuration of what is there now. 0 (*out is the caller's), GB_EAGAIN
 * (the set is not complete), GB_ENOMEM, or why the SPS is refused. */
int params_config(struct params *p, uint32_t version,
                  struct media_config **out);
/* Nothing has been taken. */
bool params_are_none(const struct params *p);

/* The sets of a configuration without the rest of it, to be kept when the
 * stream is gone: immutable, counted, any thread (see app/media/frame.h). */
#define KEPT_SETS_BYTES 1024 /* of the sets of one stream; more is not kept */

struct kept_sets;
/* NULL: no memory. Of too many bytes none are in it: it stands for them, so that
 * older ones are not taken for the stream's. */
struct kept_sets *kept_sets_new(const struct gb_alloc *alloc,
                                const struct media_config *c);
bool kept_sets_are_none(const struct kept_sets *k);
struct kept_sets *kept_sets_ref(struct kept_sets *k); /* NULL is fine, */
void kept_sets_unref(struct kept_sets *k);            /* for both */
/* What params_config made of them. GB_EUNSUPPORTED: another codec's. */
int kept_sets_config(const struct kept_sets *k, const struct gb_alloc *alloc,
                     enum ps_codec codec, uint32_t version,
                     struct media_config **out);
#endif
