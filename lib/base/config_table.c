/* One row per setting; everything that is printed about a setting comes from its row. */
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
    TEXT(section, "socket", field.socket, "/run/hongbao/" section ".sock", "Unix socket on which the pool accepts connections from the web server."), \
    TEXT(section, "credentials", field.credentials, "/etc/hongbao/secrets/" section ".cnf", "Option file whose [client] group holds this pool's database user and password."), \
    NUMBER(section, "processes", field.processes, 1, 64, "2", "processes", "Worker processes in the pool."), \
    NUMBER(section, "threads", field.threads, 1, 256, "32", "threads", "Waiter threads per process, which answer requests that have to wait for the database or for a slow client."), \
    NUMBER(section, "deadline", field.deadline_ms, 100, 60000, default_ms, "ms", "Time limit of a request. After it, the answer is status 503.")
#define BURSTS(section, field, default_acceptors, default_linger, leaders_help) \
    TAKING(section, field, default_acceptors, default_linger), \
    NUMBER(section, "leaders", field.leaders, 1, 4, "1", "batches", leaders_help)
#define TAKING(section, field, default_acceptors, default_linger) \
    NUMBER(section, "acceptors", field.acceptors, 1, 8, default_acceptors, "threads", "Acceptor threads per process. One accepts at a time; when a burst takes it longer than 20 ms, another takes over."), \
    NUMBER(section, "linger", field.linger_us, 0, 10000, default_linger, "us", "How long an acceptor waits for more connections under load. Larger bursts cost less per request.")

const struct setting config_table[] = {
    TEXT("site", "currency", currency, "CNY", "Currency code, or the name of a community's points. Amounts have two decimals."),
    NUMBER("site", "year_offset", year_offset_min, -720, 840, "480", "min", "Time zone in which years and days begin, as minutes east of UTC."),
    BOOL("site", "demo", demo, "no", "Allow anyone to sign in as a guest with play money."),
    BOOL("site", "withdrawals", withdrawals, "yes",
         "Let back ends withdraw money. No: it can only be passed on within the site."),
    NUMBER("site", "demo_balance", demo_balance_fen, 1, 100000000, "100000", "fen", "Initial balance of a guest."),
    TEXT("site", "address", site_address, "", "Public address of the page, such as https://hongbao.example.com/, for the card that chats show of a pasted link. It ends in a slash. Empty: the card has no absolute addresses, which some chats do not accept."),
    TEXT("site", "url", site_url, "http://127.0.0.1/", "Address at which the web server of this host answers, without TLS, for hongbaoctl doctor. Empty: it is not checked."),
    TEXT("site", "host", host, "", "Name of this host, different from those of other hosts with the same database. Empty: its hostname."),
    TEXT("site", "run_dir", run_dir, "/run/hongbao", "Directory of the file with the shared counters."),
    TEXT("site", "log_dir", log_dir, "", "Directory of the log files, one per program. Empty: log to standard error."),
    NUMBER("site", "set_number", set_number, 0, 4095, "0", "", "Number of this installation. It is part of every envelope's id."),
    BOOL("site", "markers", markers, "yes", "Let the web server answer claims and grabs of closed envelopes from marker files."),
    TEXT("site", "marker_dir", marker_dir, "/var/lib/hongbao/markers", "Directory of the marker files."),
    NUMBER("site", "marker_days", marker_days, 1, 3650, "7", "days", "How long a marker file is kept after its envelope has closed."),

    NUMBER("limits", "share_cap", share_cap_fen, 1, 1000000000, "20000", "fen", "Maximum amount of one share."),
    NUMBER("limits", "shares_max", shares_max, 1, 1000000, "500", "shares", "Maximum number of shares of one envelope."),
    NUMBER("limits", "greeting_max", greeting_max, 1, 50, "50", "characters", "Maximum length of a greeting."),
    TEXT("limits", "greeting_default", greeting_default, "\xe6\x81\xad\xe5\x96\x9c\xe5\x8f\x91\xe8\xb4\xa2\xef\xbc\x8c\xe5\xa4\xa7\xe5\x90\x89\xe5\xa4\xa7\xe5\x88\xa9", "Greeting of an envelope sent without one."),
    NUMBER("limits", "expires_min", expires_min_s, 1, 604800, "60", "s", "Shortest time until an envelope may expire."),
    NUMBER("limits", "expires_max", expires_max_s, 1, 2592000, "604800", "s", "Longest time until an envelope may expire."),
    NUMBER("limits", "expires_default", expires_default_s, 1, 2592000, "86400", "s", "Time until an envelope expires if the sender sets none."),
    NUMBER("limits", "sent_per_day", sent_per_day_fen, 1, 1000000000000, "2000000", "fen", "Maximum total that one user may send per day."),
    NUMBER("limits", "grabs_per_second", grabs_per_s, 1, 10000, "10", "grabs/s", "Sustained rate of claims and grabs allowed to one user."),
    NUMBER("limits", "grabs_burst", grabs_burst, 1, 100000, "20", "grabs", "Claims and grabs that one user may make at once before the sustained rate applies."),
    NUMBER("limits", "sends_per_minute", sends_per_minute, 1, 100000, "60", "envelopes/min", "Envelopes that one user may send per minute."),
    NUMBER("limits", "open_envelopes", open_envelopes, 10, 1000000, "1000", "envelopes", "How many envelopes of one user may be open before they are counted at each send. It may have up to twice as many."),
    NUMBER("limits", "guests_per_minute", guests_per_minute, 1, 100000, "100", "guests/min", "Guests that one client address may create per minute. Loopback addresses are not limited."),
    NUMBER("limits", "guests", guests_max, 10, 100000000, "100000", "guests", "How many guests there may be before they are counted at each new one. There may be a few more."),
    NUMBER("limits", "anonymous_per_second", anonymous_per_s, 1, 10000, "100", "requests/s", "Sustained rate of requests without a token (previews, /readyz) or with a wrong one allowed to one client address. Loopback addresses are not limited."),
    NUMBER("limits", "body_max", body_max_bytes, 256, 1048576, "8192", "bytes", "Maximum size of a request body."),

    TEXT("secrets", "token", token_file, "/etc/hongbao/secrets/token.key", "File with the keys of user tokens: 64 hex digits per line, the current key first, then the previous one."),
    TEXT("secrets", "wallet", wallet_file, "/etc/hongbao/secrets/wallet.key", "File with the keys of wallet tokens."),
    TEXT("secrets", "guest", guest_file, "/etc/hongbao/secrets/guest.key", "File with the keys of guest tokens."),
    TEXT("secrets", "ticket", ticket_file, "/etc/hongbao/secrets/ticket.key", "File with the keys of tickets."),
    TEXT("secrets", "archive", archive_key_file, "", "File with the key that protects what hongbaoctl archive carries. Only hongbaoctl reads it. Empty: archive.key beside the keys of user tokens."),
    TEXT("secrets", "audience", audience, "", "Name of this service in the aud of tokens. A token with an aud that does not contain it is refused. Empty: any."),
    TEXT("secrets", "issuer", issuer, "", "The iss that tokens must have. Empty: any."),

    TEXT("database", "servers", db_servers, "", "Database servers in the order of preference, separated by commas: sockets, or host:port. The first that can be written is used, until it fails or becomes read-only. Empty: socket, or host and port."),
    TEXT("database", "socket", db_socket, "/run/mysqld/mysqld.sock", "Unix socket of the primary. Empty: connect to host and port."),
    TEXT("database", "host", db_host, "127.0.0.1", "Host of the primary, if socket is empty."),
    NUMBER("database", "port", db_port, 1, 65535, "3306", "", "Port of the primary, if socket is empty."),
    TEXT("database", "client_hosts", db_client_hosts, "localhost", "Hosts from which the programs connect, separated by commas: hongbaoctl init makes the database users for each of them. May have wildcards, such as 10.0.0.%."),
    TEXT("database", "tls_ca", db_tls_ca, "", "File with the certificates that the server's is checked against. Connections to host then use TLS and check its name. Empty: without TLS."),
    TEXT("database", "name", db_name, "hongbao", "Name of the database."),
    NUMBER("database", "timeout", db_timeout_s, 1, 60, "2", "s", "Time-out for connecting, reading and writing."),
    TEXT("database", "replicas", db_replicas, "", "Replicas that serve histories and ledgers, separated by commas: sockets, or host:port. One that answers is used. Empty: replica_socket."),
    NUMBER("database", "replica_lag", db_replica_lag_s, 1, 3600, "10", "s", "How far a replica may lag until the primary is asked instead."),
    TEXT("database", "replica_socket", db_replica_socket, "", "Unix socket of a replica; an older name of replicas. Empty: none."),

    TEXT("cache", "servers", cache_servers, "/run/hongbao/cache.sock", "memcached servers: sockets or host:port, separated by commas."),
    NUMBER("cache", "timeout", cache_timeout_ms, 10, 5000, "200", "ms", "Time-out of one request to memcached."),

    POOL("send", send, "5000"),
    BURSTS("send", send, "3", "0", "Batches that a process runs concurrently."),
    POOL("grab", grab, "3000"),
    BURSTS("grab", grab, "2", "600", "No effect. Accepted so that configurations of 0.1 still load."),
    NUMBER("grab", "ticket_life", ticket_life_s, 5, 3600, "60", "s", "How long a ticket is valid."),
    NUMBER("grab", "cas_tries", cas_tries, 1, 100, "8", "tries", "Compare-and-swap conflicts after which a grab or claim is admitted without taking a share from the gate."),
    NUMBER("grab", "hold", hold_s, 1, 60, "2", "s", "Minimum interval between database checks of a gate that has no shares left."),

    POOL("open", open, "5000"),
    BURSTS("open", open, "3", "0", "Batches that a process runs concurrently."),
    POOL("query", query, "5000"),
    TAKING("query", query, "2", "600"),

    TEXT("settle", "credentials", settle_credentials, "/etc/hongbao/secrets/settle.cnf", "Option file whose [client] group holds the database user and password of hongbao-settle."),
    NUMBER("settle", "interval", settle_interval_ms, 10, 10000, "100", "ms", "Polling interval when idle."),
    NUMBER("settle", "threads", settle_threads, 1, 16, "2", "threads", "Threads that move claims to balances."),
    NUMBER("settle", "old", settle_old_s, 1, 3600, "10", "s", "Credits older than this are booked before larger ones."),
    NUMBER("settle", "batch", settle_batch, 2, 512, "500", "credits", "Maximum number of credits in one transaction. A fifth of them are chosen by age, the others by amount."),
    NUMBER("settle", "reconcile_interval", reconcile_interval_ms, 10, 3600000, "1000", "ms", "Pause after reconciling 100 envelopes."),
    NUMBER("settle", "reconcile_days", reconcile_days, 1, 3650, "8", "days", "Only envelopes sent within this many days are reconciled."),
    NUMBER("settle", "clock_steady", clock_steady_s, 10, 86400, "600", "s", "How long the clock of the database must be steady after it was set by more than 10 s, until refunds are made and idempotency keys deleted again."),
    NUMBER("settle", "idempotency_days", idempotency_days, 1, 3650, "30", "days", "How long idempotency keys are kept."),

    TEXT("admin", "credentials", admin_credentials, "", "Option file with the database administrator's user and password. Empty: authenticate as the system user."),
    TEXT("admin", "audit_credentials", audit_credentials, "/etc/hongbao/secrets/audit.cnf", "Option file with a database user that can only read."),
    TEXT("admin", "support_credentials", support_credentials, "/etc/hongbao/secrets/support.cnf", "Option file with a database user that can read everything but secrets. hongbaoctl reads with it, so it is all that support needs."),
    TEXT("admin", "desk_credentials", desk_credentials, "/etc/hongbao/secrets/desk.cnf", "Option file with the database user that hongbaoctl writes acts and rules of users with."),
    TEXT("admin", "sql_dir", sql_dir, "/usr/local/share/hongbao/sql", "Directory of the numbered SQL patches."),
};
/* NOLINTEND(bugprone-macro-parentheses) */
/* clang-format on */

const size_t config_table_n = sizeof config_table / sizeof config_table[0];
