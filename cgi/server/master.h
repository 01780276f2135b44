/* Prefork: one listening socket, several worker processes, replaced when they die. */
#ifndef HONGBAO_CGI_SERVER_MASTER_H
#define HONGBAO_CGI_SERVER_MASTER_H

#include <stdbool.h>
#include <stdint.h>

struct master_worker {
    /* Serve on listener and return the exit code of the process. */
    int (*run)(void *context, int listener);
    /* Read the settings again, in the master, on SIGHUP. Return the number of children to run with
     * them, 1..64, in place of those that run, or 0 if these go on: nothing has changed, or the
     * settings are wrong (logged). context is that of run. NULL: there are no settings. */
    unsigned (*reload)(void *context);
    /* Note, in the master, that a child has died and will be replaced. NULL: nothing. */
    void (*died)(void *context);
    /* Return true if the child pid makes progress. Called in the master. NULL: assume it. */
    bool (*works)(void *context, int64_t pid);
    void *context; /* of all */
};

/* Run worker->run(context, listener) in `processes` children, 1..64, that share one unix socket at
 * path (mode 0660), until SIGTERM or SIGINT. Then pass SIGTERM on, wait up to 10 s for the
 * children, remove the socket and return 0. SIGHUP reopens the log and is passed on; if
 * worker->reload then asks for it, new children are started, and the old ones end once these
 * accept. A child that dies is replaced. A service manager that watches is notified of progress
 * while each child makes some. If the service manager passed a listening socket, use that
 * instead of path, and leave it in place. If descriptor 0 is already a listening socket
 * (spawn-fcgi, a web server's bin-path), call worker->run in this process and return its result.
 * Return -1 if the socket cannot be created or is in use (logged). Call it before any thread is
 * made. */
int master_run(const char *path, unsigned processes, const struct master_worker *worker);

/* Report to the master, in a child that master_run has forked, that it accepts connections. */
void master_child_ready(void);

#endif
