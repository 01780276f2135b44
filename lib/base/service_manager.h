/* The protocol of a service manager such as systemd: sockets that it keeps, and what it is notified
 * of. See sd_listen_fds(3) and sd_notify(3); no library is needed for either. */
#ifndef HONGBAO_BASE_SERVICE_MANAGER_H
#define HONGBAO_BASE_SERVICE_MANAGER_H

#include <stdbool.h>

/* Return true if fd is a listening stream socket. */
bool socket_is_listening(int fd);

/* Return the descriptor of the one listening socket that the service manager passed to this
 * process, close-on-exec, or -1 if it passed none. Removes LISTEN_FDS and LISTEN_PID from the
 * environment: call it once, before threads are started. */
int service_manager_listener(void);

/* Send state, such as "READY=1", to the service manager. Without one, or if it cannot be reached,
 * do nothing: a service runs the same unsupervised. Thread-safe while the environment is not
 * changed. */
void service_manager_notify(const char *state);

/* Return true if the service manager restarts this process unless it is notified of progress
 * ("WATCHDOG=1") again and again. See sd_watchdog_enabled(3). */
bool service_manager_watches(void);

#endif
