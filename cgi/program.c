#include "cgi/program.h"
#include "cgi/server/loop.h"
#include "cgi/server/master.h"
#include "lib/base/log.h"
#include "lib/store/memcached.h"
#include "lib/store/mysql.h"
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#ifndef HONGBAO_CONFIG_FILE
#define HONGBAO_CONFIG_FILE "/etc/hongbao/hongbao.conf"
#endif
#ifndef HONGBAO_VERSION
#define HONGBAO_VERSION "0"
#endif

#define EXIT_USAGE 2
#define US_PER_MS 1000
#define US_PER_S 1000000
#define LOCK_WAIT_S 1
#define TOKENS_REMEMBERED 65536
#define KEPT_MEMORY_BYTES (32 << 20)
#define LOG_MAX_BYTES ((size_t)256 << 10)
#define WEB_SERVER_TIMEOUT_S 10
#define MEMORY_MAX_BYTES (UINT64_C(8) << 30)

/* The sessions of a process and what they connect with. */
struct connections {
    const struct config *config;
    struct mysql_settings primary, replica;
};

/* What main prepares and every worker gets. */
struct setup {
    const struct program *program;
    struct config config;
    struct token_keys keys;
    struct secret_pair ticket_keys;
    struct metrics *metrics;
    struct markers *markers;
};

static struct store *open_store(void *self)
{
    struct connections *c = self;
    return mysql_store_new(&c->primary, &clock_system);
}

static struct cache *open_cache(void *self)
{
    struct connections *c = self;
    return memcached_cache_new(c->config->cache_servers, (unsigned)c->config->cache_timeout_ms);
}

static void connections_fill(struct connections *c, const struct config *config,
                             const struct config_pool *pool)
{
    c->config = config;
    c->primary = (struct mysql_settings){.socket = config->db_socket,
                                         .host = config->db_host,
                                         .port = (unsigned)config->db_port,
                                         .database = config->db_name,
                                         .credentials = pool->credentials,
                                         .timeout_s = (unsigned)config->db_timeout_s,
                                         .lock_wait_s = LOCK_WAIT_S};
    c->replica = c->primary;
    if (config->db_replica_socket[0] != '\0')
        c->replica.socket = config->db_replica_socket;
}

/* A request passes the brake once, however often it asks. */
static bool may_ask(struct call *c)
{
    unsigned thread = (unsigned)(c->thread - c->process->threads);
    if (!c->uses_store)
        c->uses_store = brake_enter(c->process->brake, thread);
    return c->uses_store;
}

/* No statement is begun that could end after the request's deadline. */
static int64_t reserve_us(const struct config *config, const struct config_pool *pool)
{
    int64_t whole_us = pool->deadline_ms * US_PER_MS;
    int64_t timeout_us = config->db_timeout_s * US_PER_S;
    return timeout_us < whole_us / 2 ? timeout_us : whole_us / 2;
}

static int64_t last_question_us(const struct call *c)
{
    return c->deadline_us - reserve_us(c->process->config, c->process->pool);
}

struct store *call_store(struct call *c)
{
    if (!may_ask(c))
        return NULL;
    if (c->thread->store == NULL)
        c->thread->store = c->process->runtime.store_open(c->process->runtime.self);
    if (c->thread->store != NULL)
        c->thread->store->ops->set_deadline(c->thread->store, last_question_us(c));
    return c->thread->store;
}

struct store *call_replica(struct call *c)
{
    struct connections *connections = c->process->runtime.self;
    if (c->process->config->db_replica_socket[0] == '\0')
        return call_store(c);
    if (!may_ask(c))
        return NULL;
    if (c->thread->replica == NULL)
        c->thread->replica = mysql_store_new(&connections->replica, &clock_system);
    if (c->thread->replica != NULL)
        c->thread->replica->ops->set_deadline(c->thread->replica, last_question_us(c));
    return c->thread->replica;
}

struct cache *call_cache(struct call *c)
{
    if (c->thread->cache == NULL)
        c->thread->cache = c->process->runtime.cache_open(c->process->runtime.self);
    return c->thread->cache;
}

void call_key_hash(const struct call *c, uint8_t out[32])
{
    char text[USER_SIZE + 32 + KEY_SIZE];
    int len = snprintf(text, sizeof text, "%s %s %s", c->who.user, c->route->name,
                       c->request->idempotency_key);
    hash_sha256(out, text, (size_t)len);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif

/* No request can make a process eat the machine. Sanitizers need more room than there is. */
static void limit_memory(void)
{
#ifndef SANITIZED
    struct rlimit limit = {.rlim_cur = MEMORY_MAX_BYTES, .rlim_max = MEMORY_MAX_BYTES};
    setrlimit(RLIMIT_AS, &limit);
#endif
}

/* Requests take and give back the same few kilobytes: they are not worth a system call each. */
static void keep_memory(void)
{
#ifdef M_TRIM_THRESHOLD
    mallopt(M_TRIM_THRESHOLD, KEPT_MEMORY_BYTES);
    mallopt(M_MMAP_THRESHOLD, KEPT_MEMORY_BYTES);
#endif
}

static void threads_free(struct thread *threads, size_t n)
{
    for (size_t i = 0; threads != NULL && i < n; i++) {
        buf_free(&threads[i].log);
        if (threads[i].store != NULL)
            threads[i].store->ops->close(threads[i].store);
        if (threads[i].replica != NULL)
            threads[i].replica->ops->close(threads[i].replica);
        if (threads[i].cache != NULL)
            threads[i].cache->ops->close(threads[i].cache);
    }
    free(threads);
}

/* NULL: no memory. */
static struct thread *threads_new(size_t n)
{
    struct thread *threads = calloc(n, sizeof *threads);
    for (size_t i = 0; threads != NULL && i < n; i++)
        buf_init(&threads[i].log, LOG_MAX_BYTES);
    return threads;
}

static int run_worker(void *context, int listener)
{
    struct setup *setup = context;
    struct connections connections;
    struct process p = {.program = setup->program, .config = &setup->config, .keys = setup->keys};
    loop_block_signals();
    limit_memory();
    keep_memory();
    p.pool = (const struct config_pool *)(const void *)((const char *)&setup->config +
                                                        setup->program->pool);
    connections_fill(&connections, &setup->config, p.pool);
    p.runtime = (struct runtime){.config = &setup->config,
                                 .clock = &clock_system,
                                 .rng = &rng_system,
                                 .metrics = setup->metrics,
                                 .markers = setup->markers,
                                 .ticket_keys = setup->ticket_keys,
                                 .store_open = open_store,
                                 .cache_open = open_cache,
                                 .self = &connections};
    atomic_flag_clear(&p.starting);
    p.acceptors = (unsigned)p.pool->acceptors; /* few, so that bursts are large */
    p.waiters = (unsigned)p.pool->threads;
    p.threads = threads_new(p.acceptors + p.waiters);
    p.tokens = token_cache_new(&p.keys, TOKENS_REMEMBERED);
    p.brake = brake_new(p.acceptors + p.waiters);
    struct session_pool_settings sessions = {.leaders = (unsigned)p.pool->leaders,
                                             .threads = p.acceptors + p.waiters,
                                             .reserve_us = reserve_us(&setup->config, p.pool)};
    p.sessions = session_pool_new(&p.runtime, &sessions);
    if (p.brake == NULL || p.sessions == NULL || p.threads == NULL || p.tokens == NULL ||
        mysql_start() != ERR_OK) {
        log_event(LOG_LEVEL_ERROR, "start_failed", "no memory");
        return -1;
    }
    (void)process_ready(&p); /* if the database is away, the requests to come try again */
    struct loop loop = {.listener = listener,
                        .linger_us = (unsigned)p.pool->linger_us,
                        .acceptors = p.acceptors,
                        .waiters = p.waiters,
                        .body_max = (size_t)setup->config.body_max_bytes,
                        .memory_size = sizeof(struct call) + setup->program->work_size,
                        .timeout_s = WEB_SERVER_TIMEOUT_S,
                        .handler = dispatch,
                        .context = &p};
    int rc = loop_run(&loop);
    if (atomic_load(&p.ready))
        setup->program->stop(&p);
    threads_free(p.threads, p.acceptors + p.waiters);
    token_cache_free(p.tokens);
    brake_free(p.brake);
    session_pool_free(p.sessions);
    return rc;
}

static enum err load_secrets(struct setup *s, struct buf *message)
{
    const struct config *c = &s->config;
    struct {
        struct secret_pair *pair;
        const char *path;
    } files[] = {{&s->keys.kind[TOKEN_USER], c->token_file},
                 {&s->keys.kind[TOKEN_GUEST], c->guest_file},
                 {&s->keys.kind[TOKEN_WALLET], c->wallet_file},
                 {&s->ticket_keys, c->ticket_file}};
    enum err err = ERR_OK;
    for (size_t i = 0; i < sizeof files / sizeof files[0] && err == ERR_OK; i++)
        err = secret_load(files[i].pair, files[i].path, message);
    return err;
}

static int read_settings(struct setup *s, const char *config_path)
{
    struct buf message;
    buf_init(&message, 4096);
    enum err err = crypto_init();
    if (err == ERR_OK)
        err = config_load(&s->config, config_path, &message);
    if (err == ERR_OK)
        err = load_secrets(s, &message);
    if (err != ERR_OK)
        fprintf(stderr, "%s: %s\n", s->program->name,
                message.data != NULL ? message.data : err_name(err));
    buf_free(&message);
    return err == ERR_OK ? 0 : -1;
}

static int open_files(struct setup *s)
{
    char path[2 * CONFIG_PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s.log", s->config.log_dir,
             s->program->name + strlen("hongbao-"));
    if (log_open(s->config.log_dir[0] != '\0' ? path : NULL, s->program->name) != 0) {
        perror(path);
        return -1;
    }
    snprintf(path, sizeof path, "%s/metrics", s->config.run_dir);
    s->metrics = metrics_open(path);
    if (s->metrics == NULL)
        perror(path);
    if (s->config.markers)
        s->markers = markers_new(s->config.marker_dir, &clock_system);
    return s->metrics != NULL && (s->markers != NULL || !s->config.markers) ? 0 : -1;
}

static void print_help(const struct program *program)
{
    printf("Usage: %s [--config FILE]\n%s\n\n"
           "  --config FILE   settings (default " HONGBAO_CONFIG_FILE ")\n"
           "  --check-config  read settings and secrets, and exit\n"
           "  --help          this text\n"
           "  --version       the version\n\n"
           "Listens on the pool's unix socket, or on descriptor 0 if that is a listening socket.\n"
           "SIGTERM finishes the requests in hand; SIGHUP opens the log again.\n"
           "Exit codes: 0 ended by a signal, 1 could not start, 2 wrong usage.\n",
           program->name, program->summary);
}

int program_main(int argc, char **argv, const struct program *program)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"check-config", no_argument, NULL, 'k'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'v'},
                                            {NULL, 0, NULL, 0}};
    static struct setup setup; /* large, and workers keep it */
    const char *config_path = HONGBAO_CONFIG_FILE;
    bool check_only = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'c') {
            config_path = optarg;
        } else if (option == 'k') {
            check_only = true;
        } else if (option == 'h') {
            print_help(program);
            return EXIT_SUCCESS;
        } else if (option == 'v') {
            puts(HONGBAO_VERSION);
            return EXIT_SUCCESS;
        } else {
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "%s: unexpected argument %s\n", program->name, argv[optind]);
        return EXIT_USAGE;
    }
    setup.program = program;
    if (read_settings(&setup, config_path) != 0)
        return EXIT_FAILURE;
    if (check_only)
        return EXIT_SUCCESS;
    if (open_files(&setup) != 0)
        return EXIT_FAILURE;
    const struct config_pool *pool =
        (const struct config_pool *)(const void *)((const char *)&setup.config + program->pool);
    return master_run(pool->socket, (unsigned)pool->processes, run_worker, &setup) == 0
               ? EXIT_SUCCESS
               : EXIT_FAILURE;
}
