/* doctor: report what endangers money or speed, each finding with what to do about it. */
#include "bin/ctl.h"
#include "lib/base/str.h"
#include "lib/service/account/status.h"
#include "lib/service/settle/marker_check.h"
#include "lib/wire/json.h"
#include "lib/wire/secret.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FINDINGS_MAX 64
#define JSON_MAX_BYTES 65536

struct finding {
    const char *what;
    char found[256];
    const char *fix;
};
struct findings {
    size_t n, checks;
    struct finding rows[FINDINGS_MAX];
};

/* Count a check; if wrong, add a finding. */
static void check(struct findings *f, bool wrong, const char *what, const char *found,
                  const char *fix)
{
    f->checks++;
    if (!wrong || f->n == FINDINGS_MAX)
        return;
    struct finding *row = &f->rows[f->n++];
    row->what = what;
    row->fix = fix;
    snprintf(row->found, sizeof row->found, "%s", found);
}

/* ---- the database server ---- */

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
    check(f, allowed < sessions, "max_connections", text,
          "raise max_connections, or lower processes and threads");
    if (admin_variable(a, "log_bin", log_bin, sizeof log_bin) == ERR_OK &&
        strcmp(log_bin, "ON") == 0)
        check(f, number_of(a, "sync_binlog") != 1, "sync_binlog", "not 1, with log_bin = ON",
              "set sync_binlog = 1: else replicas and primary part after a crash");
    if (admin_variable(a, "rpl_semi_sync_master_enabled", semi_sync, sizeof semi_sync) == ERR_OK &&
        strcmp(semi_sync, "ON") == 0 &&
        admin_variable(a, "rpl_semi_sync_master_wait_point", point, sizeof point) == ERR_OK)
        check(f, strcmp(point, "AFTER_SYNC") != 0, "rpl_semi_sync_master_wait_point", point,
              "set it to AFTER_SYNC: else others see what a promotion loses");
}

static void check_server(struct findings *f, struct ctl *c)
{
    enum ctl_exit ignored = CTL_OK;
    char value[256];
    struct admin *a = ctl_admin(c, &ignored);
    check(f, a == NULL, "database, as administrator", "cannot be reached",
          "start the server; check [database] socket and [admin] credentials");
    if (a == NULL)
        return;
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const struct variable *v = &variables[i];
        if (admin_variable(a, v->name, value, sizeof value) != ERR_OK || value[0] == '\0')
            continue; /* this server has no such variable */
        check(f, !is_good(v, value), v->name, value, v->fix);
    }
    check_together(f, a, &c->daemon.config);
    admin_close(a);
}

/* ---- our own files and sockets ---- */

static void check_secret(struct findings *f, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        check(f, true, path, "is not there", "run hongbaoctl init");
    else
        check(f, (st.st_mode & 0337) != 0, path, "can be written, or read by others",
              "chmod 0400, or 0440 for a group of its own");
}

/* Load each key file as the pools do, and look for a key in two of them. */
static void check_keys(struct findings *f, const struct config *config)
{
    static struct secret_pair pairs[4]; /* cleared below */
    const char *const paths[] = {config->token_file, config->wallet_file, config->guest_file,
                                 config->ticket_file};
    struct buf why;
    buf_init(&why, sizeof f->rows[0].found);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        buf_reset(&why);
        bool bad = secret_load(&pairs[i], paths[i], &why) != ERR_OK;
        check(f, bad, paths[i], why.data != NULL ? why.data : "cannot be read",
              "chmod 0400; or remove it and run hongbaoctl init, which ends the tokens it signed");
        for (size_t k = 0; k < i; k++)
            check(f, secret_overlaps(&pairs[i], &pairs[k]), paths[i], paths[k],
                  "these have a key in common: remove one and run hongbaoctl init");
    }
    bytes_wipe(pairs, sizeof pairs);
    buf_free(&why);
}

static bool answers(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

static void check_pool(struct findings *f, struct ctl *c, const struct config_pool *pool)
{
    struct stat st;
    check(f, !answers(pool->socket), pool->socket, "does not answer", "start the pool");
    if (stat(pool->socket, &st) == 0)
        check(f, (st.st_mode & 0117) != 0, pool->socket, "others can connect",
              "chmod 0660: a process that can connect can forge every request");
    check_secret(f, pool->credentials);
    struct admin *a = NULL;
    if (daemon_connect(&c->daemon, pool->credentials) == ERR_OK)
        a = admin_open(&c->daemon.primary, c->daemon.runtime.clock);
    check(f, a == NULL || admin_ping(a) != ERR_OK, pool->credentials,
          "the database refuses this user", "run hongbaoctl init");
    admin_close(a);
}

static void check_cache(struct findings *f, struct ctl *c)
{
    static const struct session_pool_settings one = {.threads = 1};
    const struct runtime *runtime = &c->daemon.runtime; /* connected above */
    struct account_service s = {.runtime = runtime, .sessions = session_pool_new(runtime, &one)};
    bool answers = false, has_cas = true;
    if (s.sessions != NULL)
        status_cache(&s, &answers, &has_cas);
    session_pool_free(s.sessions);
    check(f, !answers, "[cache] servers", "do not answer",
          "start memcached for gates; check [cache] servers");
    if (answers)
        check(f, !has_cas, "memcached", "gives no CAS numbers", "start memcached without -C");
}

/* ---- markers ---- */

/* Store the name of the generation's directory, as the database has it, in out; "" if the database
 * cannot be reached. Compare the markers in it with the database. */
static void read_generation(struct findings *f, struct ctl *c, char out[MARKER_GENERATION_SIZE])
{
    enum ctl_exit ignored = CTL_OK;
    struct audit_count markers = {.rows = 0};
    char text[256];
    const struct account_service *s = ctl_connect(c, c->daemon.config.settle_credentials, &ignored);
    out[0] = '\0';
    if (s == NULL)
        return;
    str_to_hex(out, s->runtime->generation, sizeof s->runtime->generation);
    struct session *session = session_pool_take(s->sessions, 0);
    enum err err =
        session == NULL ? ERR_UNAVAILABLE : marker_check(s->runtime, session->store, &markers);
    if (session != NULL)
        session_pool_give(s->sessions, session, err);
    snprintf(text, sizeof text,
             "%lld of %lld state an end that the database does not have, e.g. %s",
             (long long)markers.violations, (long long)markers.rows, markers.example);
    check(f, markers.violations > 0, "markers", text,
          "if a backup was restored: stop the pools, hongbaoctl restored, start them; else "
          "reconciliation removes them");
    ctl_disconnect(c);
}

/* The web server must find the markers of this generation and have permission to read them; the
 * pools must have permission to write them. */
static void check_markers(struct findings *f, struct ctl *c)
{
    const struct config *config = &c->daemon.config;
    char current[MARKER_GENERATION_SIZE], generation[MARKER_GENERATION_SIZE];
    char path[2 * CONFIG_PATH_SIZE];
    struct stat dir, tree, pool;
    struct markers *m = markers_new(config->marker_dir, c->daemon.runtime.clock);
    markers_current(m, current);
    markers_free(m);
    if (!config->markers) {
        check(f, current[0] != '\0', "markers", "are found, though switched off",
              "run hongbaoctl init");
        return;
    }
    read_generation(f, c, generation);
    snprintf(path, sizeof path, "%s/%s", config->marker_dir, current);
    bool there = current[0] != '\0' && strcmp(current, generation) == 0 &&
                 stat(config->marker_dir, &dir) == 0 && stat(path, &tree) == 0;
    check(f, !there, "markers", "the web server looks at none of this database's",
          "run hongbaoctl init");
    check(f, there && ((dir.st_mode & tree.st_mode & 0005) != 0005), "[site] marker_dir",
          "the web server may not look into the directory of markers", "chmod 0755");
    check(f, there && stat(config->open.socket, &pool) == 0 && pool.st_uid != tree.st_uid,
          "[site] marker_dir", "the pools may not put markers there",
          "chown -R it to the user of the pools");
}

static enum ctl_exit print(const struct findings *f, bool json)
{
    struct buf out;
    buf_init(&out, JSON_MAX_BYTES);
    struct json_writer *w = json ? json_writer_new(&out) : NULL;
    if (json && w == NULL)
        return CTL_FAULT;
    if (json) {
        json_open_object(w, NULL);
        json_put_bool(w, "ok", f->n == 0);
        json_put_int(w, "checks", (int64_t)f->checks);
        json_open_array(w, "findings");
    }
    for (size_t i = 0; i < f->n; i++) {
        const struct finding *row = &f->rows[i];
        if (!json) {
            printf("%s: %s\n    mend: %s\n", row->what, row->found, row->fix);
            continue;
        }
        json_open_object(w, NULL);
        json_put_string(w, "what", row->what);
        json_put_string(w, "found", row->found);
        json_put_string(w, "mend", row->fix);
        json_close_object(w);
    }
    if (json) {
        json_close_array(w);
        json_close_object(w);
        json_writer_free(w);
        puts(out.data);
    } else {
        printf("%zu checks, %zu findings\n", f->checks, f->n);
    }
    buf_free(&out);
    return f->n == 0 ? CTL_OK : CTL_WRONG;
}

enum ctl_exit ctl_doctor(struct ctl *c)
{
    static struct findings f; /* large */
    const struct config *config = &c->daemon.config;
    const char *const secrets[] = {config->settle_credentials, config->audit_credentials};
    const struct config_pool *const pools[] = {&config->send, &config->grab, &config->open,
                                               &config->query};
    bool json = c->argc == 2 && strcmp(c->argv[1], "--json") == 0;
    if (c->argc > 1 && !json)
        return ctl_usage(c, "unknown argument");
    check_server(&f, c);
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        check_secret(&f, secrets[i]);
    check_keys(&f, config);
    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++)
        check_pool(&f, c, pools[i]);
    check_cache(&f, c);
    check_markers(&f, c);
    return print(&f, json);
}
