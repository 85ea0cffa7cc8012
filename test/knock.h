/* test/knock.h - anybody's datagrams, written by hand, at the door of the
 * platform of a sim */
#ifndef TEST_KNOCK_H
#define TEST_KNOCK_H

#include "test/sim.h"

/* sim_init with this configuration; must work. */
void knock_begin(struct sim *s, struct platform_config c);

/* A way from "192.168.1.10:5060" over UDP. */
struct sip_peer knock_peer(const struct sim *s, const char *from);

/* Gives the platform a datagram, if it admits it. The status of the answer that
 * goes back to there, 0: silence; the answer itself as text, if wanted. */
unsigned knock_say(struct sim *s, const struct sip_peer *peer,
                   const char *text, size_t n, char *answer, size_t cap);

/* A REGISTER of this id, with these lines between To and the end. */
size_t knock_register_text(char *buf, size_t cap, const char *id,
                           const char *lines);
unsigned knock_register(struct sim *s, const char *from, const char *id,
                        const char *lines, char *answer, size_t cap);
#endif
