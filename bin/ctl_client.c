/* The programs connect as hongbaoctl did last: to the same server, with the option file of the
 * administrator or, without one, the system user. */
#include "bin/ctl_client.h"
#include <assert.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 16
#define CONNECTION_ARGUMENTS 7 /* with the name of the program */
#define ARGUMENT_SIZE (CONFIG_PATH_SIZE + 32)

extern char **environ;

/* Write the arguments that name the server to text; return their number. */
static size_t connection_arguments(const struct config *config, const struct server_address *server,
                                   char text[CONNECTION_ARGUMENTS][ARGUMENT_SIZE])
{
    size_t n = 0;
    const char *file = config->admin_credentials;
    snprintf(text[n++], ARGUMENT_SIZE, file[0] != '\0' ? "--defaults-file=%s" : "--no-defaults",
             file);
    if (server->port == 0) {
        snprintf(text[n++], ARGUMENT_SIZE, "--socket=%s", server->address);
        return n;
    }
    snprintf(text[n++], ARGUMENT_SIZE, "--host=%s", server->address);
    snprintf(text[n++], ARGUMENT_SIZE, "--port=%u", server->port);
    snprintf(text[n++], ARGUMENT_SIZE, "--protocol=tcp");
    if (config->db_tls_ca[0] != '\0') {
        snprintf(text[n++], ARGUMENT_SIZE, "--ssl-ca=%s", config->db_tls_ca);
        snprintf(text[n++], ARGUMENT_SIZE, "--ssl-verify-server-cert");
    }
    return n;
}

/* Start argv[0] with these files; return 0 or an error number. */
static int start(pid_t *pid, char **argv, int in, int out)
{
    posix_spawn_file_actions_t files;
    int why = posix_spawn_file_actions_init(&files);
    if (why != 0)
        return why;
    why = posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    if (why == 0)
        why = posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    if (why == 0)
        why = posix_spawnp(pid, argv[0], &files, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    return why;
}

/* posix_spawn changes no argument, though its type allows it. */
static char *argument(const char *text)
{
    char *out;
    memcpy(&out, &text, sizeof out);
    return out;
}

enum err ctl_run_client(const struct ctl *c, const char *program, const char *const *more,
                        size_t n_more, int in, int out)
{
    const struct server_list *servers = &c->daemon.servers;
    assert(servers->n > 0);
    char text[CONNECTION_ARGUMENTS][ARGUMENT_SIZE];
    char *argv[ARGUMENTS_MAX + 1] = {argument(program)};
    size_t n = connection_arguments(&c->daemon.config, &servers->at[atomic_load(&servers->current)],
                                    text),
           argc = 1;
    assert(1 + n + n_more <= ARGUMENTS_MAX);
    for (size_t i = 0; i < n; i++)
        argv[argc++] = text[i];
    for (size_t i = 0; i < n_more; i++)
        argv[argc++] = argument(more[i]);
    pid_t pid = 0;
    int status = 0, why = start(&pid, argv, in, out);
    if (why != 0) {
        fprintf(stderr, "hongbaoctl: %s: %s\n", program, strerror(why));
        return ERR_FAULT;
    }
    bool ok = waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!ok)
        fprintf(stderr, "hongbaoctl: %s failed\n", program);
    return ok ? ERR_OK : ERR_FAULT;
}
