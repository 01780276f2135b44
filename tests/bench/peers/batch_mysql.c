/* Peer E's database, on the connections of peers B to D. */
#include "tests/bench/peers/batch.h"
#include "tests/bench/peers/peer.h"
#include <stdio.h>

#define ERROR_DUPLICATE 1062
#define ERROR_DEADLOCK 1213

static void *mysql_open(const char *where)
{
    return peer_connect(where);
}

static enum batch_result mysql_run(void *connection, const char *sql, int64_t *out, size_t out_max,
                                   size_t *n)
{
    unsigned found = 0;
    bool ok = peer_run(connection, sql, out, (unsigned)out_max, &found);
    unsigned error = ok ? 0 : mysql_errno(connection);
    *n = found;
    if (ok)
        return BATCH_OK;
    if (error == ERROR_DUPLICATE)
        return BATCH_DUPLICATE;
    if (error == ERROR_DEADLOCK)
        return BATCH_AGAIN;
    fprintf(stderr, "batch_peer: %s\n", mysql_error(connection));
    return BATCH_FAILED;
}

const struct batch_db batch_mysql = {.open = mysql_open, .run = mysql_run};
