/* Peers B, C and D, which answer from MySQL: one function each to take a share. */
#ifndef HONGBAO_BENCH_PEERS_PEER_H
#define HONGBAO_BENCH_PEERS_PEER_H

#include "tests/bench/peers/redis.h"
#include <mysql.h>
#include <stdint.h>

struct share {
    int64_t seq, amount_fen;
};
enum outcome { SHARE_TAKEN, SHARE_NONE, SHARE_FAILED };

/* Connections of one thread, opened on first use. */
struct peer_session {
    MYSQL *db;
    struct redis *redis;
    const char *script; /* SHA of the script of peer B */
};

/* Take a share of envelope for user and store it in *share; a user that has one gets it again. user
 * needs no quoting. No transaction is left open. */
typedef enum outcome take_fn(struct peer_session *s, unsigned envelope, const char *user,
                             struct share *share);
take_fn take_by_lock, take_by_update, take_by_redis;

/* Connect to the database "peer" at socket_path. Return NULL on failure. */
MYSQL *peer_connect(const char *socket_path);
/* Run the statements in sql. Return false, discarding further results, if one fails. If out is not
 * NULL, store the numbers of all result rows there, at most out_max, and their count in *n. */
bool peer_run(MYSQL *db, const char *sql, int64_t *out, unsigned out_max, unsigned *n);

#endif
