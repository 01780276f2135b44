/* The primary on libmariadb or libmysqlclient: sessions that implement store.h. The mysql_*.c files
 * of this folder are the only users of the client library; mysql_internal.h is theirs alone. */
#ifndef HONGBAO_STORE_MYSQL_H
#define HONGBAO_STORE_MYSQL_H

#include "lib/base/clock.h"
#include "lib/base/server_list.h"
#include "lib/base/server_state.h"
#include "lib/store/store.h"

/* innodb_lock_wait_timeout: a request must be answered soon; settle and hongbaoctl may wait longer.
 */
#define LOCK_WAIT_REQUEST_S 1
#define LOCK_WAIT_SETTLE_S 2

struct mysql_settings {
    struct server_list *servers;
    const char *database;    /* "": none selected */
    const char *credentials; /* option file with a group [client]; "": none */
    const char *tls_ca;      /* certificates that check a host's; "": no TLS. Sockets have none */
    bool replica;            /* the servers may be read-only, and any that answers will do */
    unsigned timeout_s; /* connect, write; read, which is longer than lock_wait_s in any case */
    unsigned lock_wait_s;
    struct server_state *state; /* to which all sessions report; NULL: log every failure */
};

/* Initialize the client library. Call once per process, before threads start. ERR_FAULT: no memory.
 */
MUST_USE enum err mysql_start(void);
/* Return a session that connects at its first operation and again after the connection was lost,
 * but never within a transaction. Every connection is set to READ COMMITTED, STRICT_ALL_TABLES,
 * time_zone +00:00, utf8mb4, settings->lock_wait_s, autocommit and multiple statements. settings
 * and clock must outlive it; free it with its close operation. Return NULL if there is no memory.
 */
struct store *mysql_store_new(const struct mysql_settings *settings, const struct clock *clock);

#endif
