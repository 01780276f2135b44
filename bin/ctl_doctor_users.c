/* What the users of the programs and of the web server reach. A file that its program cannot read
 * goes unnoticed until the next restart, and root, which runs doctor, can read all. */
#include "bin/ctl_doctor.h"
#include "bin/ctl_viewer.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FIX_SECRET                                                                                 \
    "chown it to that user, mode 0400, or let the unit pass it (LoadCredential=), and restart it"
#define FIX_MARKERS "chown -R it to the users of the pools, chmod -R g+w"

/* Report that v, a process of program, may not use path, which exists. Settings that are no path
 * of a file are left out. */
static void check_access(struct findings *f, const struct viewer *v, const char *program,
                         const char *path, int mode, const char *fix)
{
    char text[FOUND_SIZE];
    if (path[0] != '/' || access(path, F_OK) != 0)
        return; /* reported by doctor_files */
    snprintf(text, sizeof text, "%s (%s) may not %s it", v->user, program,
             mode == R_OK ? "read" : "use");
    doctor_check(f, !viewer_may(v, path, mode), path, text, fix);
}

/* Return a process of program that works; 0 if there is none. */
static pid_t process_of(const struct ctl *c, enum metric_program program)
{
    const struct clock *clock = &clock_system;
    char path[2 * CONFIG_PATH_SIZE];
    snprintf(path, sizeof path, "%s/metrics", c->daemon.config.run_dir);
    const struct metrics *m = metrics_look(path);
    return m == NULL ? 0 : (pid_t)metrics_process(m, program, clock->mono_us(clock->self));
}

static void check_program(struct findings *f, const struct ctl *c, const struct viewer *v,
                          enum metric_program program, const char *name)
{
    const struct config *config = &c->daemon.config;
    const bool pool = program != PROGRAM_SETTLE;
    const bool tickets = program == PROGRAM_GRAB || program == PROGRAM_OPEN;
    const char *const credentials[METRIC_PROGRAMS] = {
        config->send.credentials, config->grab.credentials, config->open.credentials,
        config->query.credentials, config->settle_credentials};
    const char *const secrets[] = {
        credentials[program], pool ? config->token_file : "", pool ? config->guest_file : "",
        tickets ? config->ticket_file : "", program == PROGRAM_SEND ? config->wallet_file : ""};
    check_access(f, v, name, c->config_path, R_OK,
                 "chmod 0644: it has no secrets; and let others enter its directory");
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        check_access(f, v, name, secrets[i], R_OK, FIX_SECRET);
    if (strchr(config->cache_servers, ',') == NULL)
        check_access(f, v, name, config->cache_servers, W_OK,
                     "add that user to the group of the socket, and restart the program");
    check_access(f, v, name, config->log_dir, W_OK | X_OK, "chown it to that user");
    if (config->markers && (program == PROGRAM_OPEN || program == PROGRAM_SETTLE)) {
        char shard[CONFIG_PATH_SIZE + 16];
        snprintf(shard, sizeof shard, "%s/current/00", config->marker_dir);
        check_access(f, v, name, shard, W_OK | X_OK, FIX_MARKERS);
    }
}

/* Look with one process of each program: all of a program have the same user. */
void doctor_users(struct findings *f, struct ctl *c)
{
    static const char *const names[METRIC_PROGRAMS] = {"send pool", "grab pool", "open pool",
                                                       "query pool", "settle"};
    struct viewer v;
    for (int p = 0; p < METRIC_PROGRAMS; p++) {
        enum metric_program program = (enum metric_program)p;
        if (!viewer_of_process(&v, process_of(c, program)))
            continue; /* reported by doctor_processes */
        doctor_note(f, v.uid == 0, names[p], "runs as root", "give it a user of its own");
        check_program(f, c, &v, program, names[p]);
    }
}

void doctor_web_user(struct findings *f, const struct ctl *c, unsigned port)
{
    const struct config *config = &c->daemon.config;
    const struct config_pool *const pools[] = {&config->send, &config->grab, &config->open,
                                               &config->query};
    char current[CONFIG_PATH_SIZE + 16];
    static const char fix_root[] =
        "set its user: server.username (lighttpd), user (nginx), User (Apache); chown its logs";
    struct viewer v, pool;
    if (!viewer_of_port(&v, port))
        return;
    /* In an installation for a trial, as ./start makes it, every process has one user. */
    bool separate = viewer_of_process(&pool, process_of(c, PROGRAM_QUERY)) && pool.uid != 0;
    doctor_check(f, v.uid == 0 && separate, "web server", "runs as root", fix_root);
    doctor_note(f, v.uid == 0 && !separate, "web server", "runs as root", fix_root);
    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++)
        check_access(f, &v, "web server", pools[i]->socket, W_OK,
                     "add that user to the group of the socket, and restart the web server");
    snprintf(current, sizeof current, "%s/current", config->marker_dir);
    if (config->markers)
        check_access(f, &v, "web server", current, R_OK | X_OK,
                     "chmod o+rx, and each directory above it");
}
