#include "lib/base/config_table.h"

/* clang-format off */
/* NOLINTBEGIN(bugprone-macro-parentheses): the arguments are names of members */
#define NUMBER(section, name, field, low, high, value, unit, help) \
    {section, name, SETTING_NUMBER, offsetof(struct config, field), 0, low, high, value, unit, help}
#define TEXT(section, name, field, value, help) \
    {section, name, SETTING_TEXT, offsetof(struct config, field), \
     sizeof ((struct config *)0)->field, 0, 0, value, "", help}
#define BOOL(section, name, field, value, help) \
    {section, name, SETTING_BOOL, offsetof(struct config, field), 0, 0, 1, value, "", help}
#define POOL(section, field, default_ms) \
    TEXT(section, "socket", field.socket, "/run/hongbao/" section ".sock", "Unix socket that the web server connects to."), \
    TEXT(section, "credentials", field.credentials, "/etc/hongbao/secrets/" section ".cnf", "Database user of this pool: an option file with a [client] group."), \
    NUMBER(section, "processes", field.processes, 1, 64, "2", "processes", "Processes in the pool."), \
    NUMBER(section, "threads", field.threads, 1, 256, "32", "threads", "Requests that a process works on at once, besides those that are answered together."), \
    NUMBER(section, "deadline", field.deadline_ms, 100, 60000, default_ms, "ms", "Every request is answered within this.")
#define BURSTS(section, field, default_acceptors, default_linger) \
    TAKING(section, field, default_acceptors, default_linger), \
    NUMBER(section, "leaders", field.leaders, 1, 4, "1", "batches", "Batches that a process runs at once.")
#define TAKING(section, field, default_acceptors, default_linger) \
    NUMBER(section, "acceptors", field.acceptors, 1, 8, default_acceptors, "threads", "Threads that take requests in, one after the other: another takes the turn when one is held up for 20 ms."), \
    NUMBER(section, "linger", field.linger_us, 0, 10000, default_linger, "us", "How long a crowd is let gather before it is taken in: longer bursts cost less a request.")

const struct setting config_table[] = {
    TEXT("site", "currency", currency, "CNY", "Label of the money: a currency code, or what a community calls its points. Two decimals."),
    NUMBER("site", "year_offset", year_offset_min, -720, 840, "480", "min", "Minutes east of UTC at which years and days begin."),
    BOOL("site", "demo", demo, "no", "Guests may sign in by themselves and are given play money."),
    NUMBER("site", "demo_balance", demo_balance_fen, 1, 100000000, "100000", "fen", "What a guest starts with."),
    TEXT("site", "run_dir", run_dir, "/run/hongbao", "Shared counters lie here."),
    TEXT("site", "log_dir", log_dir, "", "Log files lie here, one a program; empty: standard error."),
    NUMBER("site", "set_number", set_number, 0, 4095, "0", "", "Number of this installation, part of every id."),
    BOOL("site", "markers", markers, "yes", "The web server itself answers grabs of closed envelopes, from files that tell their end."),
    TEXT("site", "marker_dir", marker_dir, "/var/lib/hongbao/markers", "Those files lie here."),
    NUMBER("site", "marker_days", marker_days, 1, 3650, "7", "days", "How long they are kept after an envelope has closed."),

    NUMBER("limits", "share_cap", share_cap_fen, 1, 1000000000, "20000", "fen", "The most that one share can be."),
    NUMBER("limits", "shares_max", shares_max, 1, 1000000, "500", "shares", "The most shares of one envelope."),
    NUMBER("limits", "greeting_max", greeting_max, 1, 50, "50", "characters", "The longest greeting."),
    TEXT("limits", "greeting_default", greeting_default, "\xe6\x81\xad\xe5\x96\x9c\xe5\x8f\x91\xe8\xb4\xa2\xef\xbc\x8c\xe5\xa4\xa7\xe5\x90\x89\xe5\xa4\xa7\xe5\x88\xa9", "The greeting of those who write none."),
    NUMBER("limits", "expires_min", expires_min_s, 1, 604800, "60", "s", "The shortest life of an envelope."),
    NUMBER("limits", "expires_max", expires_max_s, 1, 2592000, "604800", "s", "The longest life of an envelope."),
    NUMBER("limits", "expires_default", expires_default_s, 1, 2592000, "86400", "s", "The life of an envelope whose sender says nothing."),
    NUMBER("limits", "sent_per_day", sent_per_day_fen, 1, 1000000000000, "2000000", "fen", "The most that a user can send on one day."),
    NUMBER("limits", "grabs_per_second", grabs_per_s, 1, 10000, "10", "grabs/s", "Grabs of one user, on average."),
    NUMBER("limits", "grabs_burst", grabs_burst, 1, 100000, "20", "grabs", "Grabs of one user, at once."),
    NUMBER("limits", "body_max", body_max_bytes, 256, 1048576, "8192", "bytes", "The largest request body."),

    TEXT("secrets", "token", token_file, "/etc/hongbao/secrets/token.key", "Key of users' tokens: 64 hex digits a line, the current one first, then the previous one."),
    TEXT("secrets", "wallet", wallet_file, "/etc/hongbao/secrets/wallet.key", "Key of wallet tokens."),
    TEXT("secrets", "guest", guest_file, "/etc/hongbao/secrets/guest.key", "Key of guests' tokens."),
    TEXT("secrets", "ticket", ticket_file, "/etc/hongbao/secrets/ticket.key", "Key of tickets."),

    TEXT("database", "socket", db_socket, "/run/mysqld/mysqld.sock", "Unix socket of the primary; empty: host and port."),
    TEXT("database", "host", db_host, "127.0.0.1", "Host of the primary, where there is no socket."),
    NUMBER("database", "port", db_port, 1, 65535, "3306", "", "Port of the primary."),
    TEXT("database", "name", db_name, "hongbao", "Name of the database."),
    NUMBER("database", "timeout", db_timeout_s, 1, 60, "2", "s", "Time-out of connecting, reading and writing."),
    TEXT("database", "replica_socket", db_replica_socket, "", "Unix socket of a replica for yearly records and ledgers; empty: none."),

    TEXT("cache", "servers", cache_servers, "/run/hongbao/cache.sock", "memcached for gates: sockets or host:port, separated by commas."),
    NUMBER("cache", "timeout", cache_timeout_ms, 10, 5000, "200", "ms", "Time-out of one question to memcached."),

    POOL("send", send, "5000"),
    BURSTS("send", send, "3", "0"),
    POOL("grab", grab, "3000"),
    BURSTS("grab", grab, "2", "600"),
    NUMBER("grab", "ticket_life", ticket_life_s, 5, 3600, "60", "s", "How long a ticket can be used."),
    NUMBER("grab", "cas_tries", cas_tries, 1, 100, "8", "tries", "Lost races before a grab is let through."),
    NUMBER("grab", "hold", hold_s, 1, 60, "2", "s", "How long nobody asks the database after the last ticket went."),

    POOL("open", open, "5000"),
    BURSTS("open", open, "3", "0"),
    POOL("query", query, "5000"),
    TAKING("query", query, "2", "600"),

    TEXT("settle", "credentials", settle_credentials, "/etc/hongbao/secrets/settle.cnf", "Database user of hongbao-settle."),
    NUMBER("settle", "interval", settle_interval_ms, 10, 10000, "100", "ms", "Pause between looks when there is nothing to do."),
    NUMBER("settle", "threads", settle_threads, 1, 16, "2", "threads", "Batches of credits that are booked at once."),
    NUMBER("settle", "old", settle_old_s, 1, 3600, "10", "s", "A credit that waited this long is not passed over for larger ones."),
    NUMBER("settle", "batch", settle_batch, 2, 512, "500", "credits", "Credits booked together; a fifth of them are the oldest."),
    NUMBER("settle", "reconcile_interval", reconcile_interval_ms, 10, 3600000, "1000", "ms", "Pause after each hundred envelopes whose books were compared."),
    NUMBER("settle", "reconcile_days", reconcile_days, 1, 3650, "8", "days", "Envelopes sent longer ago are compared no more."),
    NUMBER("settle", "idempotency_days", idempotency_days, 1, 3650, "30", "days", "How long idempotency keys are kept."),

    TEXT("admin", "credentials", admin_credentials, "", "Option file of the database administrator, for hongbaoctl; empty: the system user."),
    TEXT("admin", "audit_credentials", audit_credentials, "/etc/hongbao/secrets/audit.cnf", "Option file of a database user that can only read."),
    TEXT("admin", "sql_dir", sql_dir, "/usr/local/share/hongbao/sql", "Where the numbered SQL files lie."),
};
/* NOLINTEND(bugprone-macro-parentheses) */
/* clang-format on */

const size_t config_table_n = sizeof config_table / sizeof config_table[0];
