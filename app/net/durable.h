/* app/net/durable.h - a name that outlives a loss of power */
#ifndef APP_NET_DURABLE_H
#define APP_NET_DURABLE_H

/* rename(2), and the directory of `to` is on the disk: what was synced before
 * under `from` is there under `to` from now on, and so are other names that were
 * given in that directory. 0 or an errno. */
int durable_rename(const char *from, const char *to);
#endif
