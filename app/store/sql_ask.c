/* Questions about history and details, answered from the tables. */
#include "app/store/sql.h"
#include "base/writer.h"

/* ?1 device, ?2 channel, ?3 from, ?4 to, ?5 before, ?6 limit + 1, ?7 method,
 * ?8 type, ?9 priority, ?10 cmd, ?11 state, ?12 devices. A filter that is not
 * asked for is not in the statement: the planner finds the index of those that
 * are. */
static const char *const filters[] = {
    " AND device=?1", " AND channel=?2",  " AND method=?7",
    " AND type=?8",   " AND priority=?9", " AND (cmd=?10 OR sub=?10)",
    " AND state=?11", " AND who=?1", " AND peer=?2",
    " AND substr(path,1,length(?8))=?8",
    " AND device IN (SELECT value FROM json_each(?12))",
    " AND acknowledged_ms IS NOT NULL", " AND acknowledged_ms IS NULL",
};
#define N_FILTERS (sizeof(filters) / sizeof(*filters))
#define SQL_MAX 1024

#define COMMAND_ROW                                                            \
    "SELECT id,device,target,cmd,sub,state,evidence,asked_ms,sent_ms,"         \
    "arrived_ms,answered_ms,tries,sip_status,flags,sn,messages,have,total"

static const struct {
    const char *rows;  /* the whole statement where there is no table */
    const char *table, *when; /* of a list that is paged; its column of time */
} questions[STORE_LISTS] = {
    [STORE_LIST_ALARMS] = {
        "SELECT id,device,channel,priority,method,type,time,description,"
        "longitude,latitude,received_ms,acknowledged_ms,acknowledged_by,"
        "event",
        "alarm", "received_ms" },
    [STORE_LIST_POSITIONS] = {
        "SELECT id,device,channel,time,longitude,latitude,speed,direction,"
        "altitude,received_ms", "position", "received_ms" },
    [STORE_LIST_DETAIL] = {
        "SELECT detail FROM channel_detail WHERE device=?1 AND id=?2",
        NULL, NULL },
    [STORE_LIST_COMMANDS] = { COMMAND_ROW, "command", "asked_ms" },
    [STORE_LIST_COMMAND] = { COMMAND_ROW ",answer FROM command WHERE id=?5",
                             NULL, NULL },
    [STORE_LIST_AUDIT] = { "SELECT id,who,role,peer,method,path,status,at_ms",
                           "audit", "at_ms" },
};

/* FROM and WHERE; the total has neither page nor order. */
static void put_where(struct writer *w, const struct store_ask *q, bool page)
{
    bool alarms = q->list == STORE_LIST_ALARMS;
    bool commands = q->list == STORE_LIST_COMMANDS;
    bool audit = q->list == STORE_LIST_AUDIT;
    const bool asked[N_FILTERS] = {
        q->device.n && !audit,
        q->channel.n && !commands && !audit,
        q->method.n && (alarms || audit),
        q->type.n && alarms,
        q->priority.n && alarms,
        q->cmd.n && commands,
        q->state.n && commands,
        q->device.n && audit,
        q->channel.n && audit,
        q->type.n && audit,
        q->devices.n && !audit,
        q->acknowledged > 0 && alarms,
        q->acknowledged < 0 && alarms,
    };

    writer_f(w, " FROM %s WHERE %s", questions[q->list].table,
             page ? "id<?5" : "1");
    for (size_t i = 0; i < N_FILTERS; i++)
        if (asked[i])
            writer_str(w, filters[i]);
    if (q->from_utc_ms || q->to_utc_ms)
        writer_f(w, " AND %s>=?3 AND %s<?4", questions[q->list].when,
                 questions[q->list].when);
}

static int prepare(sqlite3 *db, const struct writer *w, sqlite3_stmt **st)
{
    if (w->err)
        return SQLITE_NOMEM;
    return sqlite3_prepare_v2(db, w->p, (int)w->len, st, NULL);
}

/* A parameter that the statement does not have is not bound. */
static void bind_question(sqlite3_stmt *st, const struct store_ask *q)
{
    const struct slice text[] = { q->method, q->type, q->priority, q->cmd,
                                  q->state, q->devices };

    sql_bind(st, 1, q->device);
    sql_bind(st, 2, q->channel);
    sqlite3_bind_int64(st, 3, q->from_utc_ms);
    sqlite3_bind_int64(st, 4, q->to_utc_ms ? q->to_utc_ms : INT64_MAX);
    sqlite3_bind_int64(st, 5, q->before && q->before < INT64_MAX
                                  ? (int64_t)q->before
                                  : INT64_MAX);
    sqlite3_bind_int64(st, 6, (int64_t)q->limit + 1);
    for (int i = 0; i < 6; i++)
        sql_bind(st, 7 + i, text[i]);
}

static void take_row(sqlite3_stmt *st, struct store_rows *r)
{
    r->columns = (size_t)sqlite3_column_count(st);
    for (int i = 0; i < sqlite3_column_count(st); i++) {
        const void *p = sqlite3_column_text(st, i);

        store_rows_put(r, p, (size_t)sqlite3_column_bytes(st, i));
    }
    r->n++;
}

static int read_rows(sqlite3 *db, const struct store_ask *q,
                     struct store_rows *r)
{
    char text[SQL_MAX];
    struct writer w = writer_of(text, sizeof(text));
    sqlite3_stmt *st;
    int rc;

    writer_str(&w, questions[q->list].rows);
    if (questions[q->list].table) {
        put_where(&w, q, true);
        writer_str(&w, " ORDER BY id DESC LIMIT ?6");
    }
    rc = prepare(db, &w, &st);
    if (rc != SQLITE_OK)
        return rc;
    bind_question(st, q);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        r->more = r->n == q->limit;
        if (r->more)
            break;
        take_row(st, r);
    }
    sqlite3_finalize(st);
    return rc == SQLITE_ROW ? SQLITE_DONE : rc;
}

static int read_total(sqlite3 *db, const struct store_ask *q,
                      struct store_rows *r)
{
    char text[SQL_MAX];
    struct writer w = writer_of(text, sizeof(text));
    sqlite3_stmt *st;
    int rc;

    r->total = r->n;
    if (!questions[q->list].table)
        return SQLITE_DONE;
    writer_str(&w, "SELECT count(*)");
    put_where(&w, q, false);
    rc = prepare(db, &w, &st);
    if (rc != SQLITE_OK)
        return rc;
    bind_question(st, q);
    rc = sqlite3_step(st);
    r->total = (uint64_t)sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return rc == SQLITE_ROW ? SQLITE_DONE : rc;
}

int sql_answer(sqlite3 *db, const struct store_ask *q, struct store_rows *r)
{
    int rc = read_rows(db, q, r);

    if (rc == SQLITE_DONE)
        rc = read_total(db, q, r);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}
