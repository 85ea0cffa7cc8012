/* app/secrets.h - the data directory and the secrets made at first start
 *
 *   device-password      what cameras type in; one line, mode 0600
 *   admin-token          bearer token of the API; one line, mode 0600
 *   admin-password.hash  PBKDF2 of the admin password, which is shown once
 *   installation-key     32 bytes in hex; signs media URLs, seals passwords */
#ifndef APP_SECRETS_H
#define APP_SECRETS_H

#include "app/why.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define SECRETS_TEXT_MAX 256

struct secrets {
    char dir[1024];
    char device_password[SECRETS_TEXT_MAX];
    char admin_token[SECRETS_TEXT_MAX];
    char admin_hash[SECRETS_TEXT_MAX];
    char new_admin_password[SECRETS_TEXT_MAX]; /* made just now, else "" */
    uint8_t key[32];
    bool first_start; /* any of them was made just now */
    int lock_fd;      /* holds the lock on the directory */
};

/* Makes the directory (0700) when it is missing, takes its lock, reads the
 * secrets and makes those that are not there; one that is there and cannot be
 * read, or is damaged, is never made anew. 0, GB_EIO, or GB_EEXIST: another
 * process has the lock; *why then holds one sentence. */
int secrets_open(struct secrets *s, const char *dir, char why[static WHY_MAX]);
void secrets_close(struct secrets *s);
/* The start has failed before the admin password that was made just now was shown:
 * the next one makes another. */
void secrets_forget_untold(struct secrets *s);

/* A password as the store keeps it: AES-256-GCM under a key made from the
 * installation key, as hex of nonce, text and tag. `what` names whose it is; it
 * cannot be opened as anybody else's. */
#define SECRETS_PLAIN_MAX 64
#define SECRETS_SEALED_MAX (2 * (12 + SECRETS_PLAIN_MAX + 16) + 1)
/* plain: at most SECRETS_PLAIN_MAX bytes; the empty one gives "". */
void secrets_seal(const struct secrets *s, struct slice what,
                  struct slice plain, char out[static SECRETS_SEALED_MAX]);
/* false: not sealed with this key for `what`. *plain is in buf. "" gives the
 * empty one. */
bool secrets_unseal(const struct secrets *s, struct slice what,
                    struct slice sealed, char buf[static SECRETS_PLAIN_MAX],
                    struct slice *plain);

#endif
