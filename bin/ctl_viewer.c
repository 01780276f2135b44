/* A child takes the user, groups and mount namespace of the process and tries the access, because
 * only the kernel knows how modes, ACLs, read-only mounts and the units' bind mounts combine. */
#include "bin/ctl_viewer.h"
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LISTENERS 16 /* sockets that listen on one port */
#define PATH_CAP 64

/* ---- the user and groups of a process ---- */

static void take_groups(struct viewer *v, const char *words)
{
    char *end;
    for (v->n_groups = 0; v->n_groups < VIEWER_GROUPS; words = end) {
        unsigned long group = strtoul(words, &end, 10);
        if (end == words)
            return;
        v->groups[v->n_groups++] = (gid_t)group;
    }
}

static void take_line(struct viewer *v, const char *line)
{
    char *end;
    if (strncmp(line, "Uid:", 4) == 0) { /* real, effective, saved, for files */
        (void)strtoul(line + 4, &end, 10);
        v->uid = (uid_t)strtoul(end, NULL, 10);
    } else if (strncmp(line, "Gid:", 4) == 0) {
        (void)strtoul(line + 4, &end, 10);
        v->gid = (gid_t)strtoul(end, NULL, 10);
    } else if (strncmp(line, "Groups:", 7) == 0) {
        take_groups(v, line + 7);
    }
}

bool viewer_of_process(struct viewer *v, pid_t pid)
{
    char path[PATH_CAP], line[1024];
    memset(v, 0, sizeof *v);
    snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    FILE *f = pid > 0 ? fopen(path, "re") : NULL;
    if (f == NULL)
        return false;
    while (fgets(line, sizeof line, f) != NULL)
        take_line(v, line);
    fclose(f);
    v->pid = pid;
    const struct passwd *known = getpwuid(v->uid);
    if (known != NULL)
        snprintf(v->user, sizeof v->user, "%s", known->pw_name);
    else
        snprintf(v->user, sizeof v->user, "%lu", (unsigned long)v->uid);
    return true;
}

/* ---- what it may do ---- */

/* Take the view of v in this process, for good. Return false if this is not permitted. */
static bool viewer_enter(const struct viewer *v)
{
    struct stat own, its;
    char path[PATH_CAP];
    snprintf(path, sizeof path, "/proc/%ld/ns/mnt", (long)v->pid);
    if (stat("/proc/self/ns/mnt", &own) != 0 || stat(path, &its) != 0)
        return false;
    if (own.st_ino != its.st_ino) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || setns(fd, CLONE_NEWNS) != 0)
            return false;
        close(fd);
    }
    if (geteuid() != 0)
        return geteuid() == v->uid;
    return setgroups(v->n_groups, v->groups) == 0 && setresgid(v->gid, v->gid, v->gid) == 0 &&
           setresuid(v->uid, v->uid, v->uid) == 0;
}

bool viewer_may(const struct viewer *v, const char *path, int mode)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        _exit(viewer_enter(v) && access(path, mode) != 0 ? 1 : 0);
    return child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
           WEXITSTATUS(status) == 0;
}

/* ---- the process behind a port ---- */

/* Read the inode from a line of /proc/net/tcp if it is a socket that listens on port: number,
 * local address, remote address, state, queues, timers, retransmissions, user, time-out, inode. */
static bool listener_inode(char *line, unsigned port, unsigned long *inode)
{
    char *words[10], *rest = NULL;
    size_t n = 0;
    for (char *word = strtok_r(line, " ", &rest); word != NULL && n < 10;
         word = strtok_r(NULL, " ", &rest))
        words[n++] = word;
    const char *colon = n == 10 ? strchr(words[1], ':') : NULL;
    if (colon == NULL || strcmp(words[3], "0A") != 0 || strtoul(colon + 1, NULL, 16) != port)
        return false;
    *inode = strtoul(words[9], NULL, 10);
    return true;
}

static size_t find_listeners(unsigned port, unsigned long inodes[LISTENERS])
{
    static const char *const tables[] = {"/proc/net/tcp", "/proc/net/tcp6"};
    char line[512];
    size_t n = 0;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        FILE *f = fopen(tables[i], "re");
        while (f != NULL && n < LISTENERS && fgets(line, sizeof line, f) != NULL)
            n += listener_inode(line, port, &inodes[n]);
        if (f != NULL)
            fclose(f);
    }
    return n;
}

static bool holds_one_of(const char *pid, const unsigned long *inodes, size_t n)
{
    char path[PATH_CAP + 256], target[PATH_CAP], wanted[PATH_CAP];
    bool found = false;
    snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir != NULL && !found && (entry = readdir(dir)) != NULL;) {
        ssize_t len = readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1);
        target[len > 0 ? len : 0] = '\0';
        for (size_t i = 0; i < n && !found; i++) {
            snprintf(wanted, sizeof wanted, "socket:[%lu]", inodes[i]);
            found = strcmp(target, wanted) == 0;
        }
    }
    if (dir != NULL)
        closedir(dir);
    return found;
}

bool viewer_of_port(struct viewer *v, unsigned port)
{
    unsigned long inodes[LISTENERS];
    size_t n = find_listeners(port, inodes);
    DIR *proc = n > 0 ? opendir("/proc") : NULL;
    memset(v, 0, sizeof *v);
    /* The master of nginx and Apache is root's and holds the socket, too: go on to a worker. */
    for (struct dirent *entry;
         proc != NULL && (v->pid == 0 || v->uid == 0) && (entry = readdir(proc)) != NULL;) {
        struct viewer found;
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid > 1 && holds_one_of(entry->d_name, inodes, n) && viewer_of_process(&found, pid))
            *v = found;
    }
    if (proc != NULL)
        closedir(proc);
    return v->pid != 0;
}
