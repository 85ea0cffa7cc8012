/* app/store/writer.h - the queue in front of the store's thread, shared by
 * both kinds of store
 *
 * A put copies what it is given into one job; the thread takes all that waits,
 * commits it as one, and sleeps until STORE_COMMIT_MS later. What waits holds
 * one job for each row, the newest: while the disk refuses, the queue grows with
 * the rows that change, not with time. */
#ifndef APP_STORE_WRITER_H
#define APP_STORE_WRITER_H

#include "app/store/jobs.h"
#include "app/store/pages.h"
#include "app/store/store.h"
#include "base/list.h"
#include "base/map.h"

#include <stdatomic.h>
#include <uv.h>

/* A question that waits; texts in the bytes behind the struct. */
struct store_question {
    struct list node;
    uint64_t after; /* jobs queued before it: they are committed first */
    bool lost;      /* some before it found no room */
    struct store_ask ask;
};

#define STORE_WHY 256

/* What a kind of store does with jobs; all of it on the writer's thread. */
struct store_backend {
    /* Applies and commits the jobs of a list, in order. false: nothing of it is
     * there, it will be tried again; why tells. */
    bool (*commit)(void *backend, struct list *jobs,
                   char why[static STORE_WHY]);
    /* Fills r. NULL: it has no history. */
    void (*answer)(void *backend, const struct store_ask *q,
                   struct store_rows *r);
    void *backend;
    bool whole; /* each commit writes all there is: no more often than needed */
};

struct store_writer {
    uv_thread_t thread;
    uv_mutex_t lock;
    uv_cond_t work, done; /* jobs wait; a commit is over */
    struct list jobs; /* oldest first */
    struct map rows;  /* the same jobs, by what they write */
    struct map taken; /* room of those that are being committed */
    uint64_t seed[2]; /* of both */
    struct store_pages pages; /* of all jobs */
    uint32_t n_jobs, max_jobs;
    uint32_t n_history; /* of the jobs: alarms and positions */
    struct list asks; /* struct store_question, oldest first */
    uint32_t n_asks;
    struct store_retention keep; /* of history; rows 0 and now NULL in all:
                                    nothing goes */
    bool keeps;                  /* keep was set */
    bool kept_anew;              /* and not looked at since */
    uint64_t n_queued; /* jobs since the start */
    uint64_t history; /* rows of history queued so far: each has a name */
    bool busy, ending, flush, no_asks;
    atomic_bool failing; /* the last commit was refused */
    struct store_backend b;
    uint64_t writes, commits, errors, dropped;
    uint64_t told_dropped; /* of them, to a question for STORE_NO_LIST */
};

/* Of either kind of store, for the functions of store.h in face.c. */
struct store_writer *store_writer_of(struct store *s);

/* max_jobs 0: STORE_QUEUE_MAX. 0 or GB_ENOMEM. */
int store_writer_start(struct store_writer *w, const struct store_backend *b,
                       uint32_t max_jobs);
/* Takes j over: it goes with the next commit, in the place of what waits for the
 * same row. */
void store_writer_queue(struct store_writer *w, struct store_job *j);
/* There was no memory for one. */
void store_writer_lost(struct store_writer *w);
void store_writer_stop(struct store_writer *w);
void store_writer_flush(struct store_writer *w);
void store_writer_counters(struct store_writer *w, struct store_counters *out);

void store_writer_retain(struct store_writer *w,
                         const struct store_retention *r);
/* On the store's thread: false: nothing is to go. *anew: it was set since. */
bool store_writer_keeps(struct store_writer *w, struct store_retention *out,
                        bool *anew);
int store_writer_ask(struct store_writer *w, const struct store_ask *q);
void store_writer_end_asks(struct store_writer *w);
#endif
