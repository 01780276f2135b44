/* Peer F's database: PostgreSQL, by the simple protocol, so that several statements are one round
 * trip here too. */
#include "tests/bench/peers/batch.h"
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *pgsql_open(const char *where)
{
    PGconn *c = PQconnectdb(where);
    if (PQstatus(c) == CONNECTION_OK)
        return c;
    fprintf(stderr, "batch_peer: %s", PQerrorMessage(c));
    PQfinish(c);
    return NULL;
}

static void take_numbers(const PGresult *r, int64_t *out, size_t out_max, size_t *n)
{
    for (int row = 0; out != NULL && row < PQntuples(r); row++)
        for (int i = 0; i < PQnfields(r) && *n < out_max; i++)
            out[(*n)++] = strtoll(PQgetvalue(r, row, i), NULL, 10);
}

static enum batch_result result_of(const PGresult *r)
{
    ExecStatusType status = PQresultStatus(r);
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return BATCH_OK;
    if (state != NULL && strcmp(state, "23505") == 0)
        return BATCH_DUPLICATE;
    if (state != NULL && (strcmp(state, "40P01") == 0 || strcmp(state, "40001") == 0))
        return BATCH_AGAIN;
    fprintf(stderr, "batch_peer: %s", PQresultErrorMessage(r));
    return BATCH_FAILED;
}

static enum batch_result pgsql_run(void *connection, const char *sql, int64_t *out, size_t out_max,
                                   size_t *n)
{
    enum batch_result result = BATCH_OK;
    *n = 0;
    if (PQsendQuery(connection, sql) != 1) {
        fprintf(stderr, "batch_peer: %s", PQerrorMessage(connection));
        return BATCH_FAILED;
    }
    for (PGresult *r; (r = PQgetResult(connection)) != NULL; PQclear(r)) {
        if (result == BATCH_OK)
            result = result_of(r);
        take_numbers(r, out, out_max, n);
    }
    return result;
}

const struct batch_db batch_pgsql = {.open = pgsql_open, .run = pgsql_run};
