/* The programs, by what each of their processes writes to the shared file once a second; memcached;
 * the replica; and frozen envelopes. */
#include "bin/ctl_doctor.h"
#include "lib/base/str.h"
#include "lib/service/account/status.h"
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define CACHE_MIN_BYTES (INT64_C(16) << 20)

static void check_programs(struct findings *f, struct ctl *c)
{
    static const char *const names[METRIC_PROGRAMS] = {"send pool", "grab pool", "open pool",
                                                       "query pool", "settle"};
    const struct config *config = &c->daemon.config;
    const struct clock *clock = &clock_system;
    char path[2 * CONFIG_PATH_SIZE];
    snprintf(path, sizeof path, "%s/metrics", config->run_dir);
    const struct metrics *m = metrics_look(path);
    doctor_check(f, m == NULL, "[site] run_dir", "has no counters of this version",
                 "start the programs");
    if (m == NULL)
        return;
    int64_t now_us = clock->mono_us(clock->self);
    for (int p = 0; p < METRIC_PROGRAMS; p++) {
        enum metric_program program = (enum metric_program)p;
        bool works = metrics_ready(m, program, now_us) > 0;
        doctor_check(f, !works, names[p], "no process of it works",
                     p == PROGRAM_SETTLE
                         ? "systemctl restart hongbao-settle; its log has the reason"
                         : "systemctl restart hongbao@POOL; its log has the reason");
        if (works)
            doctor_check(f, metrics_other_settings(m, program, config_hash(config), now_us),
                         names[p], "runs with other settings than the file has", "restart it");
    }
}

/* ---- memcached ---- */

static int connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Return how much memory the memcached behind fd may use, in bytes; 0: unknown. */
static int64_t cache_limit_bytes(int fd)
{
    static const char request[] = "stats\r\n", name[] = "STAT limit_maxbytes ";
    const struct timeval second = {.tv_sec = 1};
    char text[16384];
    size_t len = 0;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
    if (write(fd, request, sizeof request - 1) != (ssize_t)sizeof request - 1)
        return 0;
    while (len < sizeof text - 1) {
        ssize_t n = read(fd, text + len, sizeof text - 1 - len);
        if (n <= 0)
            break;
        len += (size_t)n;
        text[len] = '\0';
        if (strstr(text, "\r\nEND\r\n") != NULL)
            break;
    }
    text[len] = '\0';
    const char *found = strstr(text, name);
    return found != NULL ? strtoll(found + sizeof name - 1, NULL, 10) : 0;
}

static void check_cache(struct findings *f, struct ctl *c)
{
    static const struct session_pool_settings one = {.threads = 1};
    const struct runtime *runtime = &c->daemon.runtime; /* connected by doctor_database */
    struct account_service s = {.runtime = runtime, .sessions = session_pool_new(runtime, &one)};
    char text[FOUND_SIZE];
    bool answers = false, has_cas = true;
    if (s.sessions != NULL)
        status_cache(&s, &answers, &has_cas);
    session_pool_free(s.sessions);
    server_state_text(c->daemon.cache, text, sizeof text);
    doctor_check(f, !answers, "[cache] servers", text[0] != '\0' ? text : "do not answer",
                 "start memcached for gates; check [cache] servers");
    if (!answers)
        return;
    doctor_check(f, !has_cas, "memcached", "gives no CAS numbers", "start memcached without -C");
    const char *servers = c->daemon.config.cache_servers;
    int fd = servers[0] == '/' && strchr(servers, ',') == NULL ? connect_unix(servers) : -1;
    if (fd < 0)
        return;
    int64_t limit = cache_limit_bytes(fd);
    close(fd);
    snprintf(text, sizeof text, "has %lld MiB of memory", (long long)(limit >> 20));
    doctor_check(f, limit > 0 && limit < CACHE_MIN_BYTES, "memcached", text,
                 "start memcached with -m 64 or more: gates are lost when it is full");
}

/* ---- other database servers, and frozen envelopes ---- */

/* Check that *server alone lets the query pool in. */
static void check_database_at(struct findings *f, struct ctl *c, const char *what,
                              const struct server_address *server, const char *fix)
{
    char text[FOUND_SIZE];
    if (daemon_connect(&c->daemon, c->daemon.config.query.credentials) != ERR_OK)
        return;
    struct server_list one = {.n = 1, .at = {*server}};
    struct mysql_settings settings = c->daemon.primary;
    settings.servers = &one;
    struct admin *a = admin_open(&settings, c->daemon.runtime.clock);
    bool away = a == NULL || admin_ping(a) != ERR_OK;
    server_state_text(c->daemon.database, text, sizeof text);
    doctor_check(f, away, what, text, fix);
    admin_close(a);
}

static void check_databases(struct findings *f, struct ctl *c)
{
    const struct config *config = &c->daemon.config;
    struct server_list list;
    char name[FOUND_SIZE];
    bool several =
        server_list_init(&list, config->db_servers, (unsigned)config->db_port) && list.n > 1;
    for (size_t i = 0; several && i < list.n; i++) {
        server_name(&list.at[i], name, sizeof name);
        check_database_at(f, c, name, &list.at[i],
                          "start this server, or take it from [database] servers");
    }
    bool replicas = config->db_replicas[0] != '\0' &&
                    server_list_init(&list, config->db_replicas, (unsigned)config->db_port);
    for (size_t i = 0; replicas && i < list.n; i++) {
        char what[FOUND_SIZE];
        server_name(&list.at[i], name, sizeof name);
        snprintf(what, sizeof what, "[database] replicas, %.200s", name);
        check_database_at(f, c, what, &list.at[i],
                          "start this replica, or take it from [database] replicas");
    }
}

static void check_frozen(struct findings *f, struct ctl *c)
{
    enum ctl_exit ignored = CTL_OK;
    struct frozen first;
    char text[FOUND_SIZE], id[ID_TEXT_SIZE];
    size_t n = 0;
    const struct account_service *s =
        ctl_connect(c, c->daemon.config.support_credentials, &ignored);
    if (s == NULL)
        return; /* reported by doctor_database */
    enum err err = status_frozen(s, &first, 1, &n);
    ctl_disconnect(c);
    if (err == ERR_OK && n > 0)
        id_format(id, &first.envelope);
    snprintf(text, sizeof text, "there are some, e.g. %s: %s", n > 0 ? id : "",
             n > 0 ? books_rule_name(first.rule) : "");
    doctor_check(
        f, n > 0, "frozen envelopes", text,
        "hongbaoctl frozen, hongbaoctl history ENVELOPE; then hongbaoctl envelope unfreeze");
}

void doctor_processes(struct findings *f, struct ctl *c)
{
    check_programs(f, c);
    check_cache(f, c);
    check_databases(f, c);
    check_frozen(f, c);
}
