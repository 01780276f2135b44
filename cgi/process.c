/* One worker process of a FastCGI program: its connections, tables and threads. The services are
 * started as soon as the database answers; until then requests get 503. */
#include "cgi/program.h"
#include "cgi/server/master.h"
#include "lib/base/log.h"
#include "lib/service/account/status.h"
#include "lib/service/common/replica.h"
#include "lib/service/common/user_rules.h"
#include "lib/store/memcached.h"
#include "lib/store/mysql.h"
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define START_PAUSE_US 500000
#define TOKENS_REMEMBERED 65536
#define DEFERRED_MAX 1024
#define KEPT_MEMORY_BYTES (32 << 20)
#define LOG_MAX_BYTES ((size_t)256 << 10)
#define WEB_SERVER_TIMEOUT_MS 10000
#define MEMORY_MAX_BYTES (UINT64_C(8) << 30)

/* ---- connections ---- */

struct connections {
    const struct config *config;
    struct server_list servers, replicas;
    struct mysql_settings primary, replica;
    struct server_state *cache;
};

static struct store *open_store(void *self)
{
    const struct connections *c = self;
    return mysql_store_new(&c->primary, &clock_system);
}

static struct store *open_replica(void *self)
{
    const struct connections *c = self;
    return mysql_store_new(&c->replica, &clock_system);
}

static struct cache *open_cache(void *self)
{
    const struct connections *c = self;
    return memcached_cache_new(c->config->cache_servers, (unsigned)c->config->cache_timeout_ms,
                               c->cache);
}

/* Return false if the servers are not valid, which config_load has checked. */
static bool connections_fill(struct connections *c, const struct config *config,
                             const struct config_pool *pool)
{
    c->config = config;
    c->primary = (struct mysql_settings){.servers = &c->servers,
                                         .database = config->db_name,
                                         .credentials = pool->credentials,
                                         .tls_ca = config->db_tls_ca,
                                         .timeout_s = (unsigned)config->db_timeout_s,
                                         .lock_wait_s = LOCK_WAIT_REQUEST_S};
    c->replica = c->primary;
    c->replica.servers = &c->replicas;
    c->replica.replica = true;
    c->replica.state = NULL; /* replica.h logs what matters of it */
    return server_list_init(&c->servers, config->db_servers, (unsigned)config->db_port) &&
           (config->db_replicas[0] == '\0' ||
            server_list_init(&c->replicas, config->db_replicas, (unsigned)config->db_port));
}

/* ---- memory ---- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif

/* No request can make a process exhaust the machine. Sanitizers reserve more than any limit. */
static void limit_memory(void)
{
#ifndef SANITIZED
    struct rlimit limit = {.rlim_cur = MEMORY_MAX_BYTES, .rlim_max = MEMORY_MAX_BYTES};
    setrlimit(RLIMIT_AS, &limit);
#endif
}

/* Every request allocates and frees the same few kilobytes, which is not worth system calls. */
static void keep_memory(void)
{
#ifdef M_TRIM_THRESHOLD
    mallopt(M_TRIM_THRESHOLD, KEPT_MEMORY_BYTES);
    mallopt(M_MMAP_THRESHOLD, KEPT_MEMORY_BYTES);
#endif
}

/* ---- the services ---- */

static int64_t mono_us(const struct process *p)
{
    return p->runtime.clock->mono_us(p->runtime.clock->self);
}

/* After a restore, keys of cache items, tickets and markers of before are void, and so is all that
 * this process remembers: it ends, and the one that takes its place starts again. */
static void look_for_restore(struct process *p, int64_t deadline_us)
{
    struct account_service account = {.runtime = &p->runtime, .sessions = p->sessions};
    uint8_t now[16];
    if (p->ending || status_generation(&account, deadline_us, now) != ERR_OK ||
        bytes_equal(now, p->runtime.generation, sizeof now))
        return;
    log_event(LOG_LEVEL_WARN, "generation_changed", "%s",
              "the database was restored; starting again");
    p->ending = true;
    kill(getpid(), SIGTERM);
}

static void look_at_replica(struct process *p, int64_t deadline_us)
{
    if (p->runtime.replica == NULL)
        return;
    struct session *session = session_pool_take(p->sessions, deadline_us);
    if (session == NULL)
        return;
    replica_look(p->runtime.replica, session->store, deadline_us);
    session_pool_give(p->sessions, session, ERR_OK);
}

/* Only the pools that change something need the rules of single users. */
static enum err refresh_rules(struct process *p, int64_t deadline_us)
{
    if (p->runtime.rules == NULL)
        return ERR_OK;
    struct session *session = session_pool_take(p->sessions, deadline_us);
    if (session == NULL)
        return ERR_UNAVAILABLE;
    enum err err = user_rules_refresh(p->runtime.rules, session->store);
    session_pool_give(p->sessions, session, err);
    return err;
}

static enum err process_start(struct process *p)
{
    struct account_service account = {.runtime = &p->runtime, .sessions = p->sessions};
    int64_t deadline_us = mono_us(p) + p->pool->deadline_ms * US_PER_MS;
    struct schema_state schema;
    enum err err = status_schema(&account, deadline_us, &schema);
    if (err == ERR_SCHEMA && p->start_err != ERR_SCHEMA)
        log_event(LOG_LEVEL_ERROR, "schema_wrong",
                  "the database has schema version %lld, this program needs %d: run hongbaoctl "
                  "migrate, or the other version of the programs",
                  (long long)schema.version, SCHEMA_VERSION);
    if (err == ERR_OK)
        err = refresh_rules(p, deadline_us);
    if (err == ERR_OK)
        err = status_generation(&account, deadline_us, p->runtime.generation);
    return err == ERR_OK ? p->program->start(p) : err;
}

bool process_ready(struct process *p)
{
    if (atomic_load(&p->ready))
        return true;
    if (mono_us(p) < atomic_load(&p->next_start_us) || atomic_flag_test_and_set(&p->starting))
        return false;
    enum err err = process_start(p);
    bool ok = err == ERR_OK;
    if (ok || p->start_err != err)
        log_event(ok ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, ok ? "ready" : "not_ready", "%s",
                  ok ? "" : err_name(err));
    p->start_err = err;
    atomic_store(&p->next_start_us, mono_us(p) + START_PAUSE_US);
    atomic_store(&p->ready, ok);
    atomic_flag_clear(&p->starting);
    return ok;
}

/* Beat, and start the services without a request that asks for it. */
static void process_tick(void *context)
{
    struct process *p = context;
    struct metric_worker state = {
        .program = metrics_program(p->program->name),
        .ready = process_ready(p),
        .threads = p->acceptors + p->waiters,
        .settings = p->settings,
        .generation = atomic_load(&p->ready) ? metrics_generation(p->runtime.generation) : 0,
        .busy = atomic_load_explicit(&p->busy, memory_order_relaxed)};
    int64_t deadline_us = mono_us(p) + p->pool->deadline_ms * US_PER_MS;
    if (state.ready) /* an error leaves the rules as they were; the state of the server logs it */
        (void)refresh_rules(p, deadline_us);
    if (state.ready)
        look_for_restore(p, deadline_us);
    if (state.ready)
        look_at_replica(p, deadline_us);
    metrics_beat(p->runtime.metrics, &state, mono_us(p));
}

/* ---- the process ---- */

static void process_free(struct process *p)
{
    unsigned threads = p->acceptors + p->waiters;
    metrics_leave(p->runtime.metrics);
    if (atomic_load(&p->ready))
        p->program->stop(p);
    session_pool_free(p->sessions);
    replica_free(p->runtime.replica);
    token_cache_free(p->tokens);
    server_state_free(p->database);
    server_state_free(p->cache);
    user_rules_free(p->runtime.rules);
    for (unsigned i = 0; p->logs != NULL && i < threads; i++)
        buf_free(&p->logs[i]);
    free(p->logs);
}

/* Return false if out of memory; process_free all the same. */
static bool process_init(struct process *p, const struct setup *setup,
                         struct connections *connections)
{
    const struct config *config = &setup->config;
    bool is_query = metrics_program(setup->program->name) == PROGRAM_QUERY;
    bool has_replica = is_query && config->db_replicas[0] != '\0'; /* no other pool reads lists */
    p->database =
        server_state_new("database", &clock_system, setup->metrics, METRIC_DATABASE_UNREACHABLE);
    p->cache = server_state_new("cache", &clock_system, setup->metrics, METRIC_CACHE_UNREACHABLE);
    connections->primary.state = p->database;
    connections->cache = p->cache;
    p->runtime = (struct runtime){.config = config,
                                  .clock = &clock_system,
                                  .rng = &rng_system,
                                  .metrics = setup->metrics,
                                  .markers = setup->markers,
                                  .ticket_keys = setup->ticket_keys,
                                  .store_open = open_store,
                                  .replica_open = has_replica ? open_replica : NULL,
                                  .cache_open = open_cache,
                                  .self = connections};
    p->acceptors = (unsigned)p->pool->acceptors; /* few, so that bursts are large */
    p->waiters = (unsigned)p->pool->threads;
    unsigned threads = p->acceptors + p->waiters;
    int64_t timeout_us = config->db_timeout_s * US_PER_S,
            half_us = p->pool->deadline_ms * US_PER_MS / 2;
    struct session_pool_settings sessions = {.leaders = (unsigned)p->pool->leaders,
                                             .threads = threads,
                                             .reserve_us =
                                                 timeout_us < half_us ? timeout_us : half_us};
    p->sessions = session_pool_new(&p->runtime, &sessions);
    p->tokens = token_cache_new(&p->keys, TOKENS_REMEMBERED);
    p->logs = calloc(threads, sizeof *p->logs);
    for (unsigned i = 0; p->logs != NULL && i < threads; i++)
        buf_init(&p->logs[i], LOG_MAX_BYTES);
    p->runtime.rules = !is_query ? user_rules_new() : NULL;
    p->runtime.replica = has_replica ? replica_new(&p->runtime) : NULL;
    return (p->runtime.rules != NULL || is_query) && (p->runtime.replica != NULL || !has_replica) &&
           p->database != NULL && p->cache != NULL && p->sessions != NULL && p->tokens != NULL &&
           p->logs != NULL && mysql_start() == ERR_OK;
}

static int process_serve(struct process *p, int listener, bool supervised)
{
    struct loop loop = {.listener = listener,
                        .linger_us = (unsigned)p->pool->linger_us,
                        .acceptors = p->acceptors,
                        .waiters = p->waiters,
                        .deferred_max = DEFERRED_MAX,
                        .body_max = (size_t)p->config->body_max_bytes,
                        .memory_size = dispatch_memory_size(p->program),
                        .timeout_ms = WEB_SERVER_TIMEOUT_MS,
                        .now = dispatch_now,
                        .wait = dispatch_wait,
                        .tick = process_tick,
                        .context = p};
    (void)process_ready(p); /* if the database is away, the tick tries again */
    if (supervised)
        master_child_ready();
    return loop_run(&loop);
}

int process_run(void *context, int listener)
{
    const struct setup *setup = context;
    struct connections connections;
    struct process p = {.program = setup->program, .config = &setup->config, .keys = setup->keys};
    p.settings = config_hash(&setup->config);
    p.pool = (const struct config_pool *)(const void *)((const char *)&setup->config +
                                                        setup->program->pool);
    loop_block_signals();
    limit_memory();
    keep_memory();
    atomic_flag_clear(&p.starting);
    int rc = -1;
    if (connections_fill(&connections, &setup->config, p.pool) &&
        process_init(&p, setup, &connections))
        rc = process_serve(&p, listener, setup->supervised);
    else
        log_event(LOG_LEVEL_ERROR, "start_failed", "no memory");
    process_free(&p);
    return rc;
}
