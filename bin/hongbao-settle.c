/* The daemon that adds claims to balances and refunds what expired envelopes have left. */
#include "bin/daemon.h"
#include "bin/settle_loop.h"
#include "lib/base/log.h"
#include "lib/base/service_manager.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE 2

static void print_help(void)
{
    puts(
        "Usage: hongbao-settle [--config FILE]\n"
        "Credits claims, largest first, and refunds expired envelopes. Several may run at once.\n\n"
        "  --config FILE  settings (default " HONGBAO_CONFIG_FILE ")\n"
        "  --help         this text\n"
        "  --version      the version\n\n"
        "SIGTERM finishes the running batches; SIGHUP reopens the log and reads the settings "
        "again.\n"
        "Exit codes: 0 ended by a signal, 1 could not start, 2 wrong usage.");
}

/* Return 0 to continue with *config_path, else the exit code plus one. */
static int read_options(int argc, char **argv, const char **config_path)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'v'},
                                            {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'c') {
            *config_path = optarg;
            continue;
        }
        if (option == 'h')
            print_help();
        if (option == 'v')
            puts(HONGBAO_VERSION);
        return option == '?' ? EXIT_USAGE + 1 : EXIT_SUCCESS + 1;
    }
    return optind < argc ? EXIT_USAGE + 1 : 0;
}

static int prepare(struct daemon *d, const char *config_path)
{
    char path[2 * CONFIG_PATH_SIZE];
    if (daemon_load(d, "hongbao-settle", config_path) != ERR_OK)
        return -1;
    snprintf(path, sizeof path, "%s/metrics", d->config.run_dir);
    d->runtime.metrics = metrics_open(path);
    if (d->runtime.metrics == NULL) {
        perror(path);
        return -1;
    }
    log_count_lost(d->runtime.metrics);
    snprintf(path, sizeof path, "%s/settle.log", d->config.log_dir);
    if (log_open(d->config.log_dir[0] != '\0' ? path : NULL, "hongbao-settle") != 0) {
        perror(path);
        return -1;
    }
    return daemon_connect(d, d->config.settle_credentials) == ERR_OK ? 0 : -1;
}

/* Read the settings again. What the process has opened stays; wrong settings change nothing. */
static void reload(struct daemon *d, const char *config_path)
{
    static struct config next; /* large */
    struct buf message;
    log_reopen();
    buf_init(&message, 4096);
    enum err err = config_load(&next, config_path, &message);
    if (err != ERR_OK)
        log_event(LOG_LEVEL_ERROR, "reload_failed", "the old settings stay: %s",
                  message.data != NULL ? message.data : err_name(err));
    buf_free(&message);
    if (err != ERR_OK || config_hash(&next) == config_hash(&d->config))
        return;
    bool differs = strcmp(next.run_dir, d->config.run_dir) != 0 ||
                   strcmp(next.log_dir, d->config.log_dir) != 0 ||
                   strcmp(next.marker_dir, d->config.marker_dir) != 0 ||
                   next.markers != d->config.markers;
    memcpy(next.run_dir, d->config.run_dir, sizeof next.run_dir);
    memcpy(next.log_dir, d->config.log_dir, sizeof next.log_dir);
    memcpy(next.marker_dir, d->config.marker_dir, sizeof next.marker_dir);
    next.markers = d->config.markers;
    d->config = next;
    d->servers.n = 0; /* no session is open; daemon_connect reads them again */
    if (differs)
        log_event(LOG_LEVEL_WARN, "reload_incomplete", "%s",
                  "run_dir, log_dir, markers and marker_dir change with a restart only");
    log_event(LOG_LEVEL_INFO, "reloaded", "%s", "new threads start with the new settings");
}

/* Run until a signal ends the program; SIGHUP ends the threads and starts them again. */
static enum err run(struct daemon *d, const sigset_t *signals, const char *config_path)
{
    int ended_by = SIGHUP;
    enum err err = ERR_OK;
    while (err == ERR_OK && ended_by == SIGHUP) {
        err = settle_loop(&d->runtime, signals, &ended_by);
        if (err == ERR_OK && ended_by == SIGHUP) {
            reload(d, config_path);
            err = daemon_connect(d, d->config.settle_credentials);
        }
    }
    return err;
}

int main(int argc, char **argv)
{
    static struct daemon d;
    const char *config_path = HONGBAO_CONFIG_FILE;
    int code = read_options(argc, argv, &config_path);
    if (code > 0)
        return code - 1;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (prepare(&d, config_path) != 0)
        return EXIT_FAILURE;
    service_manager_notify("READY=1");
    enum err err = run(&d, &signals, config_path);
    metrics_leave(d.runtime.metrics);
    return err == ERR_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
