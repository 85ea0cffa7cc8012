/* test/bench/pictures.h - pictures of an encoded file, for media made on the fly */
#ifndef BENCH_PICTURES_H
#define BENCH_PICTURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_FILE_BYTES (256u << 20)

/* The whole file, on the heap; ends the program when there is none. */
uint8_t *bench_load(const char *path, size_t *n);

/* Bytes of the first picture in Annex B H.264 with one slice a picture, its
 * parameter sets in front included. */
size_t bench_picture(const uint8_t *p, size_t n, bool *key);
/* The same of H.265. */
size_t bench_picture265(const uint8_t *p, size_t n, bool *key);
#endif
