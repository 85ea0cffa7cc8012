/* app/replay.h - a capture through the same stack and platform, offline
 *
 * Time is that of the file. Only what the platform received is fed in; what it
 * had answered is compared with what is answered now. Three things cannot come
 * from the file, and how they are made up is told in the output:
 *
 * Credentials. Nonces differ, and exports are masked. A REGISTER with
 * credentials to which the recorded platform answered 200 is signed anew for
 * our own nonce, with the password of this run's platform; one that it refused
 * with 403 is signed with a wrong one. So the platform needs no door to come
 * in by, and no secret is read.
 *
 * Names that the platform chooses: Call-IDs, branches, tags, SN, SSRC. Each
 * recorded request of the platform is paired with the one that is sent now;
 * what devices said to the former is rewritten to belong to the latter. What
 * users asked for (INVITE, BYE) is asked for again at its time.
 *
 * Media: answered INVITEs get a picture, as if all had gone well. */
#ifndef APP_REPLAY_H
#define APP_REPLAY_H

#include "app/platform/platform.h"

#include <stdio.h>

struct replay_options {
    /* alloc, sip, seed, password are filled in; id NULL: the one to which the
     * devices of the file register */
    struct platform_config platform;
    size_t max_bytes; /* of a file, refused from there on; 0: 1 GiB */
    FILE *out;
};

struct replay_result {
    size_t messages;       /* SIP messages in the file */
    size_t requests;       /* of devices, fed in */
    size_t same, differ;   /* our answers beside the recorded ones */
    size_t unanswered;     /* the file holds no answer to compare with */
};

/* 0; GB_ESYNTAX: no capture, or one without SIP; GB_ENOMEM. *why then holds a
 * sentence. result may be NULL. */
int replay_run(const struct replay_options *o, struct slice file,
               struct replay_result *result, char why[static 256]);

/* The same of a file by name ("-": standard input); GB_EIO, GB_ELIMIT. */
int replay_file(const struct replay_options *o, const char *path,
                char why[static 256]);
#endif
