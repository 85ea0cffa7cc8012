/* app/store/rows.h - what the store answers to a question: rows of texts
 *
 * Filled on the store's thread, sent to whoever asked, and freed there. */
#ifndef APP_STORE_ROWS_H
#define APP_STORE_ROWS_H

#include "app/net/mailbox.h"
#include "base/err.h"
#include "base/slice.h"

struct store_rows {
    struct mail mail;
    void *ctx;        /* of the question */
    uint64_t tag;     /* likewise */
    unsigned list;    /* enum store_list of the question */
    int err;          /* 0, GB_ENOMEM, GB_EIO, GB_EUNSUPPORTED */
    uint64_t total;   /* rows that fit the question, on this page or not */
    bool more;        /* there are rows behind the last one */
    size_t n, columns;
    char *bytes;      /* texts one behind the other, each with a NUL */
    size_t len, cap;
    size_t *off;      /* of the cells; STORE_NULL: none */
    size_t n_off, cap_off;
};

#define STORE_NULL SIZE_MAX

struct store_rows *store_rows_new(void *ctx, uint64_t tag); /* NULL: no memory */
void store_rows_free(struct store_rows *r);

/* The next cell, row by row; p NULL: SQL's NULL. Errors stay in r. */
void store_rows_put(struct store_rows *r, const void *p, size_t n);

/* Empty for NULL. Valid as long as r. */
struct slice store_rows_text(const struct store_rows *r, size_t row,
                             size_t column);
bool store_rows_is_null(const struct store_rows *r, size_t row, size_t column);
int64_t store_rows_i64(const struct store_rows *r, size_t row, size_t column);
#endif
