/* The master of a FastCGI program: options, settings, secrets and files, which its worker processes
 * inherit. Whatever can be wrong with them is reported here, before anything is served. */
#include "cgi/program.h"
#include "cgi/server/master.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/service_manager.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef HONGBAO_CONFIG_FILE
#define HONGBAO_CONFIG_FILE "/etc/hongbao/hongbao.conf"
#endif
#define EXIT_USAGE 2
#define PROGRESS_MAX_US (20 * US_PER_S) /* longer than a beat waits for a stalled database */

/* Load the keys that the program checks with: one that is taken over can sign with no other.
 * Without guests, no guest's token is valid. */
static enum err load_secrets(struct setup *s, struct buf *message)
{
    const struct config *c = &s->config;
    struct {
        struct secret_pair *pair;
        const char *path;
        const char *programs; /* NULL: all */
    } files[] = {{&s->keys.kind[TOKEN_USER], c->token_file, NULL},
                 {&s->keys.kind[TOKEN_GUEST], c->guest_file, NULL},
                 {&s->keys.kind[TOKEN_WALLET], c->wallet_file, "hongbao-send"},
                 {&s->ticket_keys, c->ticket_file, "hongbao-grab hongbao-open"}};
    const size_t n = sizeof files / sizeof files[0];
    for (size_t i = 0; i < n; i++) {
        if (files[i].programs != NULL && strstr(files[i].programs, s->program->name) == NULL)
            continue;
        if (files[i].pair == &s->keys.kind[TOKEN_GUEST] && !c->demo)
            continue;
        if (secret_load(files[i].pair, files[i].path, message) != ERR_OK)
            return ERR_FAULT;
        for (size_t k = 0; k < i; k++)
            if (secret_overlaps(files[i].pair, files[k].pair)) {
                buf_printf(message, "%s and %s: the same key in both", files[i].path,
                           files[k].path);
                return ERR_FAULT;
            }
    }
    s->keys.audience = c->audience;
    s->keys.issuer = c->issuer;
    return ERR_OK;
}

/* Read settings and secrets; on error append what is wrong to message. */
static enum err setup_load(struct setup *s, struct buf *message)
{
    enum err err = config_load(&s->config, s->config_path, message);
    return err == ERR_OK ? load_secrets(s, message) : err;
}

static int setup_read(struct setup *s, const char *config_path)
{
    struct buf message;
    buf_init(&message, 4096);
    s->config_path = config_path;
    enum err err = crypto_init();
    if (err == ERR_OK)
        err = secret_keep_out_of_dumps();
    if (err == ERR_OK)
        err = setup_load(s, &message);
    if (err != ERR_OK)
        fprintf(stderr, "%s: %s\n", s->program->name,
                message.data != NULL ? message.data : err_name(err));
    buf_free(&message);
    return err == ERR_OK ? 0 : -1;
}

static int setup_files(struct setup *s)
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
    else
        log_count_lost(s->metrics);
    if (s->config.markers)
        s->markers = markers_new(s->config.marker_dir, &clock_system);
    return s->metrics != NULL && (s->markers != NULL || !s->config.markers) ? 0 : -1;
}

static void print_help(const struct program *program)
{
    printf("Usage: %s [--config FILE]\n%s\n\n"
           "  --config FILE   settings (default " HONGBAO_CONFIG_FILE ")\n"
           "  --check-config  check settings and secrets, and exit\n"
           "  --help          this text\n"
           "  --version       the version\n\n"
           "Listens on the pool's unix socket, or on descriptor 0 if that is a listening socket.\n"
           "SIGTERM finishes the accepted requests; SIGHUP reopens the log and reads the\n"
           "settings again: new workers take over, and no request fails.\n"
           "Exit codes: 0 ended by a signal, 1 could not start, 2 wrong usage.\n",
           program->name, program->summary);
}

static const struct config_pool *pool_of(const struct setup *s)
{
    return (const struct config_pool *)(const void *)((const char *)&s->config + s->program->pool);
}

/* Keep in next what the master has opened and does not open again. Return true if the file would
 * have it otherwise. */
static bool keep_opened(const struct setup *s, struct setup *next)
{
    struct config *c = &next->config;
    const struct config *old = &s->config;
    struct config_pool *pool =
        (struct config_pool *)(void *)((char *)&next->config + s->program->pool);
    bool differs = strcmp(c->run_dir, old->run_dir) != 0 || strcmp(c->log_dir, old->log_dir) != 0 ||
                   strcmp(pool->socket, pool_of(s)->socket) != 0 || c->markers != old->markers ||
                   strcmp(c->marker_dir, old->marker_dir) != 0;
    memcpy(c->run_dir, old->run_dir, sizeof c->run_dir);
    memcpy(c->log_dir, old->log_dir, sizeof c->log_dir);
    memcpy(c->marker_dir, old->marker_dir, sizeof c->marker_dir);
    memcpy(pool->socket, pool_of(s)->socket, sizeof pool->socket);
    c->markers = old->markers;
    next->metrics = s->metrics;
    next->markers = s->markers;
    return differs;
}

static bool same_setup(const struct setup *a, const struct setup *b)
{
    return config_hash(&a->config) == config_hash(&b->config) &&
           memcmp(&a->keys.kind, &b->keys.kind, sizeof a->keys.kind) == 0 &&
           memcmp(&a->ticket_keys, &b->ticket_keys, sizeof a->ticket_keys) == 0;
}

/* Read settings and secrets again; a rotated log needs no new workers, so compare them. */
static unsigned worker_reload(void *context)
{
    static struct setup next; /* large */
    struct setup *s = context;
    struct buf message;
    memset(&next, 0, sizeof next);
    next.program = s->program;
    next.config_path = s->config_path;
    next.supervised = s->supervised;
    buf_init(&message, 4096);
    enum err err = setup_load(&next, &message);
    if (err != ERR_OK)
        log_event(LOG_LEVEL_ERROR, "reload_failed", "the old settings stay: %s",
                  message.data != NULL ? message.data : err_name(err));
    buf_free(&message);
    if (err == ERR_OK && keep_opened(s, &next))
        log_event(LOG_LEVEL_WARN, "reload_incomplete", "%s",
                  "socket, run_dir, log_dir, markers and marker_dir change with a restart only");
    bool changed = err == ERR_OK && !same_setup(s, &next);
    if (changed) {
        *s = next;
        s->keys.audience = s->config.audience;
        s->keys.issuer = s->config.issuer;
        log_event(LOG_LEVEL_INFO, "reloaded", "%s", "new workers start with the new settings");
    }
    bytes_wipe(&next, sizeof next);
    return changed ? (unsigned)pool_of(s)->processes : 0;
}

static void worker_died(void *context)
{
    const struct setup *s = context;
    metrics_restart(s->metrics, metrics_program(s->program->name));
}

/* The beat is that of the thread which also starts the services, so it stops with them. */
static bool worker_works(void *context, int64_t pid)
{
    const struct setup *s = context;
    return metrics_process_beats(s->metrics, pid, clock_system.mono_us(clock_system.self),
                                 PROGRESS_MAX_US);
}

int program_main(int argc, char **argv, const struct program *program)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"check-config", no_argument, NULL, 'k'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'v'},
                                            {NULL, 0, NULL, 0}};
    static struct setup setup; /* large; workers inherit it */
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
    if (setup_read(&setup, config_path) != 0)
        return EXIT_FAILURE;
    if (check_only)
        return EXIT_SUCCESS;
    if (setup_files(&setup) != 0)
        return EXIT_FAILURE;
    const struct config_pool *pool = pool_of(&setup);
    setup.supervised = !socket_is_listening(0);
    const struct master_worker worker = {.run = process_run,
                                         .reload = worker_reload,
                                         .died = worker_died,
                                         .works = worker_works,
                                         .context = &setup};
    return master_run(pool->socket, (unsigned)pool->processes, &worker) == 0 ? EXIT_SUCCESS
                                                                             : EXIT_FAILURE;
}
