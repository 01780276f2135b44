/* The peers that answer from MySQL: one way each to take a share. */
#ifndef HONGBAO_BENCH_PEERS_PEER_H
#define HONGBAO_BENCH_PEERS_PEER_H

#include "tests/bench/peers/redis.h"
#include <mysql.h>
#include <stdint.h>

struct share {
    int64_t seq, amount_fen;
};
enum outcome { SHARE_TAKEN, SHARE_NONE, SHARE_FAILED };

/* What one thread has; opened when it is first needed. */
struct peer_session {
    MYSQL *db;
    struct redis *redis;
    const char *script; /* of peer B: its SHA */
};

/* user has been checked: nothing in it needs quoting. Every way leaves no transaction open. A user
 * who has a share already gets it again. */
typedef enum outcome take_fn(struct peer_session *s, unsigned envelope, const char *user,
                             struct share *share);
take_fn take_by_lock, take_by_update, take_by_redis;

/* A connection to the database "peer" at the socket; NULL: none to be had. */
MYSQL *peer_connect(const char *socket_path);
/* Runs statements; false, with the rest of their results dropped, if one fails. With `out`, each
 * number of the rows they bring goes there, at most out_max; *n says how many. */
bool peer_run(MYSQL *db, const char *sql, int64_t *out, unsigned out_max, unsigned *n);

#endif
