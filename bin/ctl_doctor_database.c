/* The database: settings that decide whether committed money survives, patches, and each role as
 * itself. A role can read its own privileges, so that no administrator is needed for them. */
#include "bin/ctl_doctor.h"
#include "bin/ctl_grants.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIX_FULL "raise max_connections, or lower processes and threads"

/* ---- the server ---- */

struct variable {
    const char *name;
    const char *good; /* one of these words, or with "<=": 1 to that; "has:": contains */
    const char *fix;
};
static const struct variable variables[] = {
    {"innodb_flush_log_at_trx_commit", "1",
     "set innodb_flush_log_at_trx_commit = 1: else a crash takes back acknowledged money"},
    {"innodb_rollback_on_timeout", "ON",
     "set innodb_rollback_on_timeout = ON: else a lock time-out leaves half a transaction"},
    {"innodb_doublewrite", "ON DETECT_AND_RECOVER",
     "set innodb_doublewrite = ON: else torn pages after a power cut"},
    {"innodb_lock_wait_timeout", "<=10", "set innodb_lock_wait_timeout to 10 s or less"},
    {"idle_transaction_timeout", "<=10",
     "set idle_transaction_timeout to 1..10 s: else a program that stops holds its locks for ever"},
    {"local_infile", "OFF", "set local_infile = OFF"},
    {"character_set_server", "utf8mb4", "set character_set_server = utf8mb4"},
    {"collation_server", "utf8mb4_bin",
     "set collation_server = utf8mb4_bin: others merge user ids"},
    {"sql_mode", "has:STRICT", "set sql_mode to include STRICT_ALL_TABLES or STRICT_TRANS_TABLES"},
    {"foreign_key_checks", "ON", "leave foreign_key_checks = ON"},
    {"unique_checks", "ON", "leave unique_checks = ON"},
};

static bool word_in(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = words; *at != '\0';) {
        size_t n = strcspn(at, " ");
        if (n == len && strncmp(at, word, n) == 0)
            return true;
        at += n + (at[n] == ' ');
    }
    return false;
}

static bool is_good(const struct variable *v, const char *value)
{
    if (strncmp(v->good, "<=", 2) == 0)
        return strtoll(value, NULL, 10) >= 1 &&
               strtoll(value, NULL, 10) <= strtoll(v->good + 2, NULL, 10);
    if (strncmp(v->good, "has:", 4) == 0)
        return strstr(value, v->good + 4) != NULL;
    return word_in(v->good, value);
}

static int64_t number_of(struct admin *a, const char *name)
{
    char value[64];
    return admin_variable(a, name, value, sizeof value) == ERR_OK ? strtoll(value, NULL, 10) : 0;
}

/* Settings that matter only together with others. */
static void check_together(struct findings *f, struct admin *a, const struct config *c)
{
    char log_bin[16], semi_sync[16], point[32];
    const struct config_pool *const pools[] = {&c->send, &c->grab, &c->open, &c->query};
    int64_t sessions = 8 + c->settle_threads;
    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++)
        sessions += pools[i]->processes * (pools[i]->threads + 2 * pools[i]->leaders);
    int64_t allowed = number_of(a, "max_connections");
    char text[64];
    snprintf(text, sizeof text, "%lld, up to %lld needed", (long long)allowed, (long long)sessions);
    doctor_check(f, allowed < sessions, "max_connections", text, FIX_FULL);
    if (admin_variable(a, "log_bin", log_bin, sizeof log_bin) == ERR_OK &&
        strcmp(log_bin, "ON") == 0)
        doctor_check(f, number_of(a, "sync_binlog") != 1, "sync_binlog", "not 1, with log_bin = ON",
                     "set sync_binlog = 1: else replicas and primary part after a crash");
    if (admin_variable(a, "rpl_semi_sync_master_enabled", semi_sync, sizeof semi_sync) == ERR_OK &&
        strcmp(semi_sync, "ON") == 0 &&
        admin_variable(a, "rpl_semi_sync_master_wait_point", point, sizeof point) == ERR_OK)
        doctor_check(f, strcmp(point, "AFTER_SYNC") != 0, "rpl_semi_sync_master_wait_point", point,
                     "set it to AFTER_SYNC: else others see what a promotion loses");
}

/* ---- patches ---- */

/* Report each patch of sql_dir that the database lacks, and each that it has beyond them. */
static void check_patches(struct findings *f, struct admin *a, const struct config *config)
{
    char text[64];
    int64_t last = 0;
    struct dirent **entries = NULL;
    int n = scandir(config->sql_dir, &entries, ctl_is_patch, alphasort);
    doctor_check(f, n <= 0, "[admin] sql_dir", "has no patches", "set it to the directory sql");
    for (int i = 0; i < n; i++) {
        bool applied = true;
        last = strtoll(entries[i]->d_name, NULL, 10);
        enum err err = admin_patch_applied(a, last, &applied);
        doctor_check(f, err == ERR_OK && !applied, entries[i]->d_name, "is not applied",
                     "hongbaoctl migrate");
        free(entries[i]);
    }
    free(entries);
    snprintf(text, sizeof text, "patches above %lld are applied", (long long)last);
    bool newer = false;
    if (n > 0 && admin_patch_above(a, last, &newer) == ERR_OK)
        doctor_check(f, newer, "schema", text,
                     "install the version of the programs that the tables are for");
}

/* Return true if text, an error of the server, is about the number of connections. */
static bool is_full(const char *text)
{
    return strstr(text, "error 1040") != NULL || strstr(text, "error 1203") != NULL;
}

static void check_server(struct findings *f, struct ctl *c)
{
    enum ctl_exit ignored = CTL_OK;
    char value[256];
    struct admin *a = ctl_admin(c, &ignored);
    server_state_text(c->daemon.database, value, sizeof value);
    doctor_check(f, a == NULL, "database, as administrator", value,
                 is_full(value) ? FIX_FULL
                                : "start the server; check [database] and [admin] credentials");
    if (a == NULL)
        return;
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const struct variable *v = &variables[i];
        if (admin_variable(a, v->name, value, sizeof value) != ERR_OK || value[0] == '\0')
            continue; /* this server has no such variable */
        doctor_check(f, !is_good(v, value), v->name, value, v->fix);
    }
    check_together(f, a, &c->daemon.config);
    check_patches(f, a, &c->daemon.config);
    if (admin_growth(a, &f->claims, &f->bytes) != ERR_OK)
        f->claims = f->bytes = 0; /* tables are missing, which is a finding */
    admin_close(a);
}

/* ---- roles ---- */

/* Return how to fix that a role cannot connect, by the text of the error. */
static const char *connect_fix(const char *text)
{
    if (is_full(text))
        return FIX_FULL;
    if (strstr(text, "error 2026") != NULL)
        return "check [database] tls_ca and the certificate of the server";
    if (strstr(text, "error 20") != NULL)
        return "start the server; check [database] socket, host and port";
    if (strstr(text, "error 1130") != NULL)
        return "add this host to [database] client_hosts, run hongbaoctl init";
    return "run hongbaoctl init; if this host is not the database's, see [database] client_hosts";
}

static void report_privileges(struct findings *f, const char *user, const struct privilege *rows,
                              size_t n, bool missing)
{
    char text[FOUND_SIZE];
    if (n > 0)
        snprintf(text, sizeof text, "%zu %s, e.g. %s on %.60s", n,
                 missing ? "privileges are missing" : "privileges too many", rows[0].name,
                 rows[0].table[0] != '\0' ? rows[0].table : "*");
    doctor_check(f, n > 0, user, text, missing ? "run hongbaoctl migrate" : "run hongbaoctl init");
}

static void check_role(struct findings *f, struct ctl *c, const struct grants_role *role)
{
    static struct grants_difference d; /* large */
    char text[FOUND_SIZE], user[GRANTS_USER_SIZE], host[ADMIN_HOST_SIZE];
    struct admin *a = NULL;
    if (daemon_connect(&c->daemon, role->credentials) == ERR_OK)
        a = admin_open(&c->daemon.primary, c->daemon.runtime.clock);
    bool refused = a == NULL || admin_ping(a) != ERR_OK;
    server_state_text(c->daemon.database, text, sizeof text);
    doctor_check(f, refused, role->credentials, text, connect_fix(text));
    grants_user(&c->daemon.config, role->name, user);
    if (!refused && admin_own_host(a, host) == ERR_OK &&
        grants_compare(a, &c->daemon.config, role->name, host, &d) == ERR_OK) {
        report_privileges(f, user, d.missing, d.n_missing, true);
        report_privileges(f, user, d.surplus, d.n_surplus, false);
    }
    admin_close(a);
}

void doctor_database(struct findings *f, struct ctl *c)
{
    struct grants_role roles[GRANTS_ROLES];
    check_server(f, c);
    grants_roles(&c->daemon.config, roles);
    for (size_t i = 0; i < GRANTS_ROLES; i++)
        check_role(f, c, &roles[i]);
}
