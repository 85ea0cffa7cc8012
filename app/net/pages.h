/* app/net/pages.h - what those who cut memory from huge pages go by */
#ifndef APP_NET_PAGES_H
#define APP_NET_PAGES_H

#include <stddef.h>
#include <stdint.h>

#define PAGES_HUGE ((size_t)2 << 20) /* bytes of one; asked for by MADV_HUGEPAGE */

/* Not to be cut: there is little address space, or a sanitizer has to see each
 * object apart. All comes from the heap then. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || UINTPTR_MAX == UINT32_MAX
#define PAGES_NONE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define PAGES_NONE 1
#endif
#endif
#ifndef PAGES_NONE
#define PAGES_NONE 0
#endif
#endif
