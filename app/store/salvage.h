/* app/store/salvage.h - the rows of a damaged store that can still be read */
#ifndef APP_STORE_SALVAGE_H
#define APP_STORE_SALVAGE_H

#include <sqlite3.h>
#include <stdint.h>

/* Copies what can be read of the file at `path`, table by table, into db, which
 * has the tables and none of the rows. Columns go by their names; a row that is
 * there already stays. Where reading breaks off it goes on from the other end.
 * The number of rows that were copied; 0 also where nothing can be read. */
uint64_t store_salvage(sqlite3 *db, const char *path);
#endif
