/* All settings, read from an INI file (conf/hongbao.conf.example lists them). config.c is the only
 * user of libinih; the table in config_table.c gives each setting its section, name, type, range,
 * default and unit. */
#ifndef HONGBAO_BASE_CONFIG_H
#define HONGBAO_BASE_CONFIG_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include <stdint.h>

#define CONFIG_PATH_SIZE 256

/* Settings of one FastCGI pool: section [send], [grab], [open] or [query]. */
struct config_pool {
    char socket[CONFIG_PATH_SIZE];      /* Unix socket that the web server connects to */
    char credentials[CONFIG_PATH_SIZE]; /* option file with [client] user and password */
    int64_t processes, threads;         /* 1..64, 1..256 */
    int64_t deadline_ms;                /* a request is answered within this */
    int64_t acceptors;                  /* threads that accept requests, 1..8 */
    int64_t linger_us;                  /* how long an acceptor waits for more under load */
    int64_t leaders;                    /* batches a process runs at once, 1..4; not query */
};

struct config {
    /* [site] */
    char currency[16];
    int64_t year_offset_min; /* -720..840; default 480 */
    bool demo;               /* POST /v1/guests on */
    bool withdrawals;        /* POST /v1/withdrawals on */
    int64_t demo_balance_fen;
    char site_address[CONFIG_PATH_SIZE]; /* public, ends in '/'; "": unknown */
    char site_url[CONFIG_PATH_SIZE]; /* of this host's web server, for doctor; "": not checked */
    char host[64];                   /* "": the hostname */
    char run_dir[CONFIG_PATH_SIZE];  /* metrics file, pids */
    char log_dir[CONFIG_PATH_SIZE];  /* "": stderr */
    int64_t set_number;              /* 0..4095 */
    bool markers;                    /* the web server answers grabs of closed envelopes */
    char marker_dir[CONFIG_PATH_SIZE];
    int64_t marker_days;
    /* [limits] */
    int64_t share_cap_fen, shares_max, greeting_max, expires_min_s, expires_max_s,
        expires_default_s;
    int64_t sent_per_day_fen, grabs_per_s, grabs_burst, body_max_bytes;
    int64_t sends_per_minute, guests_per_minute, anonymous_per_s, open_envelopes, guests_max;
    char greeting_default[256];
    /* [secrets] files of 32-byte hex lines: current first, then the previous one (0400) */
    char token_file[CONFIG_PATH_SIZE], wallet_file[CONFIG_PATH_SIZE], guest_file[CONFIG_PATH_SIZE],
        ticket_file[CONFIG_PATH_SIZE];
    char archive_key_file[CONFIG_PATH_SIZE]; /* the same form */
    char audience[256], issuer[256];         /* of tokens; "": any */
    /* [database] */
    char db_servers[1024]; /* db_socket, or db_host and db_port, unless it is set */
    char db_socket[CONFIG_PATH_SIZE], db_host[CONFIG_PATH_SIZE], db_name[64];
    int64_t db_port, db_timeout_s;
    char db_client_hosts[256];        /* of the database users */
    char db_tls_ca[CONFIG_PATH_SIZE]; /* "": no TLS */
    char db_replicas[1024];           /* db_replica_socket, unless it is set; "": none */
    int64_t db_replica_lag_s;
    char db_replica_socket[CONFIG_PATH_SIZE];
    /* [cache] */
    char cache_servers[512]; /* libmemcached: "/path/socket" or "host:port", comma separated */
    int64_t cache_timeout_ms;
    /* [grab] and tickets */
    int64_t ticket_life_s, cas_tries, hold_s;
    /* pools */
    struct config_pool send, grab, open, query;
    /* [settle] */
    char settle_credentials[CONFIG_PATH_SIZE];
    int64_t settle_interval_ms, settle_old_s, settle_batch, settle_threads;
    int64_t reconcile_interval_ms, reconcile_days;
    int64_t idempotency_days, clock_steady_s;
    /* [admin] for hongbaoctl; audit_credentials is a user that can only read */
    char admin_credentials[CONFIG_PATH_SIZE], audit_credentials[CONFIG_PATH_SIZE];
    char support_credentials[CONFIG_PATH_SIZE], desk_credentials[CONFIG_PATH_SIZE];
    char sql_dir[CONFIG_PATH_SIZE]; /* folder of the numbered patches */
};

/* Set every setting of *c to its default. */
void config_defaults(struct config *c);
/* Set *c to the defaults and then to what the file path holds. ERR_INVALID_REQUEST, with file,
 * line, setting and range appended to *message, if the file is unreadable, a section or setting is
 * unknown or set twice, a value does not parse or lies outside its range, or a line is too long:
 * more than 1,022 bytes, or 198 where libinih does not let it be raised. Comments may be longer. *c
 * is undefined after an error. Not thread-safe: it sets libinih's length of a line. */
MUST_USE enum err config_load(struct config *c, const char *path, struct buf *message);
/* Return a hash of all settings in c, however their file is written. */
uint64_t config_hash(const struct config *c);
/* Append the table of settings to out as a commented example file: name, unit, range, default. */
void config_print_example(struct buf *out);

#endif
