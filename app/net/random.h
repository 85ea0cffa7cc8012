/* app/net/random.h - the kernel's random bytes */
#ifndef APP_NET_RANDOM_H
#define APP_NET_RANDOM_H

#include <stddef.h>

/* n of them at p; ends the process when there are none. */
void random_bytes(void *p, size_t n);

#endif
