/* The daemon that adds claims to balances and refunds what expired envelopes have left. */
#include "bin/daemon.h"
#include "bin/settle_loop.h"
#include "lib/base/log.h"
#include "lib/base/service_manager.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define EXIT_USAGE 2

static void print_help(void)
{
    puts(
        "Usage: hongbao-settle [--config FILE]\n"
        "Credits claims, largest first, and refunds expired envelopes. Several may run at once.\n\n"
        "  --config FILE  settings (default " HONGBAO_CONFIG_FILE ")\n"
        "  --help         this text\n"
        "  --version      the version\n\n"
        "SIGTERM finishes the running batches; SIGHUP reopens the log.\n"
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
    return settle_loop(&d.runtime, &signals) == ERR_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
