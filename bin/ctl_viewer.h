/* Another process's view of the files: what its user may do, in its mount namespace. Root may do
 * everything, so a check by root shows nothing about the programs. */
#ifndef HONGBAO_BIN_CTL_VIEWER_H
#define HONGBAO_BIN_CTL_VIEWER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define VIEWER_GROUPS 64

struct viewer {
    pid_t pid; /* 0: none */
    uid_t uid;
    gid_t gid;
    gid_t groups[VIEWER_GROUPS];
    size_t n_groups;
    char user[64]; /* its name, or its number if it has none */
};
/* Fill *v with the user and groups of process pid. Return false, with v->pid 0, if there is no such
 * process. */
bool viewer_of_process(struct viewer *v, pid_t pid);
/* Fill *v with a process of this host that listens on the TCP port, one of an unprivileged user if
 * there is one. Return false, with v->pid 0, if none is found, which is always so for a caller that
 * may not see the descriptors of other users. */
bool viewer_of_port(struct viewer *v, unsigned port);
/* Return false if the process of v is refused access of mode (see access(2)) to path, as that
 * process sees it; true also if the caller lacks the privileges to find out. */
bool viewer_may(const struct viewer *v, const char *path, int mode);

#endif
