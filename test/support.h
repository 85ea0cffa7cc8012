/* test/support.h - what every test shares: guard page, splitter, failing
 * allocator, files, a seeded random source. Include it instead of cmocka.h. */
#ifndef TEST_SUPPORT_H
#define TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/slice.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define S(lit) { (lit), sizeof(lit) - 1 } /* a static slice, in tables */

/* A copy of s whose last byte is flush against an unreadable page: one byte
 * too far and the test dies. Valid until the next 15 calls. */
struct slice guarded(struct slice s);

/* The whole file, freed with free(); fails the test when it is not there.
 * Paths are relative to the top of the repository, where tests run. */
struct slice read_file(const char *path);

/* Calls fn for every regular file in dir whose name ends in suffix, in name
 * order; fails the test when there is none. */
typedef void file_fn(void *ctx, const char *path, struct slice bytes);
void each_file(const char *dir, const char *suffix, file_fn *fn, void *ctx);

/* Removes the files of a folder, then the folder. */
void remove_dir(const char *path);

/* Makes a program of these lines of sh. */
void write_script(const char *path, const char *lines);

/* Compares got with the file at path; with GOLDEN=1 in the environment it
 * writes the file instead. */
void expect_golden(const char *path, struct slice got);

/* Fails unless got is want. */
void expect_slice(struct slice got, const char *want);

/* The part is somewhere in the text. */
bool text_has(const char *text, const char *part);
unsigned text_count(const char *text, const char *part); /* how often */

/* An allocator whose fail_at-th call (from 1) and all later ones return NULL;
 * 0 never fails. live counts what was not given back. */
struct failing_alloc {
    struct gb_alloc alloc; /* hand this on */
    unsigned long calls, fail_at, live;
};
void failing_alloc_init(struct failing_alloc *f, unsigned long fail_at);

/* An even port to try, another one for each i and process: below those that the
 * system gives to sockets that ask for any. It may be taken. */
uint16_t test_port(unsigned i);

/* xorshift64*: the same sequence from the same seed, everywhere. */
uint64_t test_random(uint64_t *state);
#endif
