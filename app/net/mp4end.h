/* app/net/mp4end.h - the index at the end of a fragmented MP4 file that was
 * written without one: a writer that was interrupted, or several */
#ifndef APP_NET_MP4END_H
#define APP_NET_MP4END_H

#include <stdint.h>

/* Looks at the head of each fragment. *size: of the file, all of it whole; it
 * grows by the index. A file that has one stays as it is, and so does one on a
 * disk that is full. 0 or an errno; on the disk's thread. */
int mp4end_write(int fd, uint64_t *size);
#endif
