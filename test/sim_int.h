/* test/sim_int.h - what the files of test/sim.h share; nobody else includes it */
#ifndef TEST_SIM_INT_H
#define TEST_SIM_INT_H

#include "test/sim.h"

/* ---- sim_wire.c ---- */
void sim_wire_put(struct sim *s, bool to_server, const struct sip_out *out);
/* One packet that is due; false: none is. */
bool sim_wire_get(struct sim *s);
uint64_t sim_wire_at(const struct sim *s); /* GB_NEVER: it is empty */
void sim_wire_free(struct sim *s);
struct sim_device *sim_by_addr(struct sim *s, const struct gb_addr *a);

/* ---- sim_device.c ---- */
/* t may be NULL. */
void sim_send(struct sim_device *d, enum sip_method method,
              const char *from_id, struct slice body, uint64_t *t);
void sim_on_register_answer(struct sim_device *d, const struct sip_event *ev);

/* ---- sim_answers.c ---- */
void sim_respond(struct sim *s, const struct sip_event *ev, unsigned status);
void sim_on_message(struct sim_device *d, const struct sip_event *ev);

/* ---- sim_calls.c ---- */
void sim_on_call_answer(struct sim_device *d, const struct sip_event *ev);
void sim_on_invite(struct sim_device *d, const struct sip_event *ev);

/* ---- sim_events.c ---- */
void sim_on_field_event(struct sim *s, const struct sip_event *ev);

/* ---- sim_media.c ---- */
void sim_on_order(struct sim *s, const struct platform_action *a);
void sim_on_file_order(struct sim *s, const struct platform_action *a);
/* The loop has been told that the session is gone. */
void sim_files_leave(struct sim *s, uint64_t session);
/* The device has its ACK: packets go to the port it was told. */
void sim_media_begins(struct sim *s, struct sim_device *d);
void sim_media_step(struct sim *s, struct sim_stream *st);
/* When something is to be done of it. */
uint64_t sim_stream_at(const struct sim_stream *st);
#endif
