/* Prefork: one listening socket, several worker processes, replaced when they die. */
#ifndef HONGBAO_CGI_SERVER_MASTER_H
#define HONGBAO_CGI_SERVER_MASTER_H

/* Runs worker(context, listener) in `processes` children that share one unix socket at path (mode
 * 0660) until SIGTERM or SIGINT; then tells them to finish, waits up to 10 s, removes the socket
 * and returns 0. SIGHUP is passed on. If descriptor 0 is a listening socket already (spawn-fcgi, a
 * web server's bin-path), this very process is the one worker. -1: the socket cannot be had
 * (logged). */
int master_run(const char *path, unsigned processes, int (*worker)(void *context, int listener),
               void *context);

#endif
