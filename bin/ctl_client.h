/* Runs the database's own programs, for what they do better than a client library: dump and load.
 */
#ifndef HONGBAO_BIN_CTL_CLIENT_H
#define HONGBAO_BIN_CTL_CLIENT_H

#include "bin/ctl.h"

/* Run program (found on PATH) as the administrator, after daemon_connect, with the arguments
 * more[0..n_more), from and to the open files in and out. Return ERR_OK if it exits with 0, else
 * ERR_FAULT after printing the reason. */
MUST_USE enum err ctl_run_client(const struct ctl *c, const char *program, const char *const *more,
                                 size_t n_more, int in, int out);

#endif
