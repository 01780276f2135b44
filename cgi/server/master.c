/* A socket file outlives a killed master, so the address is taken over only when no process accepts
 * connections there. Children die with their master. */
#include "cgi/server/master.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/service_manager.h"
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES_MAX 64
#define BACKLOG 1024
#define GRACE_US INT64_C(10000000)
#define RESPAWN_PAUSE_US INT64_C(1000000)
#define TAKEOVER_US INT64_C(2000000)
#define START_US INT64_C(10000000) /* how long a child may take until it makes progress */
#define WATCH_S 1

static int64_t now_us(void)
{
    return clock_system.mono_us(clock_system.self);
}

static bool set_address(struct sockaddr_un *address, const char *path)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path) {
        log_event(LOG_LEVEL_ERROR, "socket_path_too_long", "%s", path);
        return false;
    }
    memcpy(address->sun_path, path, strlen(path) + 1);
    return true;
}

/* Return true if a process accepts connections there, even if its queue is full. */
static bool is_served(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool served = fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ||
                              errno == EAGAIN);
    if (fd >= 0)
        close(fd);
    return served;
}

/* Wait for the workers of a killed master to close the listener. Return false if they have. */
static bool stays_served(const struct sockaddr_un *address)
{
    int64_t until_us = now_us() + TAKEOVER_US;
    while (is_served(address)) {
        if (now_us() >= until_us)
            return true;
        usleep(50 * 1000);
    }
    return false;
}

/* Replace a socket that a killed master left behind, but not one in use. Return -1 on failure. */
static int listen_at(const char *path)
{
    struct sockaddr_un address;
    if (!set_address(&address, path))
        return -1;
    if (stays_served(&address)) {
        log_event(LOG_LEVEL_ERROR, "socket_in_use", "%s", path);
        return -1;
    }
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    mode_t mask = umask(0117);
    bool ok = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
              listen(fd, BACKLOG) == 0;
    umask(mask);
    if (!ok)
        log_event(LOG_LEVEL_ERROR, "socket_failed", "%s: %s", path, strerror(errno));
    if (!ok && fd >= 0)
        close(fd);
    return ok ? fd : -1;
}

struct master {
    int listener;
    const struct master_worker *worker;
    unsigned processes;
    bool ending;
    pid_t pids[PROCESSES_MAX];
    int64_t started_us[PROCESSES_MAX];
    unsigned starting; /* children that have not reported since the last reload */
    unsigned n_old;    /* children of earlier settings */
    pid_t old[PROCESSES_MAX];
    bool old_ending; /* SIGTERM was sent to them */
    int64_t reloaded_us;
};

static void master_spawn(struct master *m, unsigned i)
{
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent)
            _exit(1); /* the master died before the prctl */
        exit(m->worker->run(m->worker->context, m->listener) == 0 ? 0 : 1);
    }
    if (pid < 0)
        log_event(LOG_LEVEL_ERROR, "fork_failed", "%s", strerror(errno));
    m->pids[i] = pid > 0 ? pid : 0;
    m->started_us[i] = now_us();
}

static void reap_old(struct master *m, pid_t pid)
{
    for (unsigned i = 0; i < m->n_old; i++)
        if (m->old[i] == pid)
            m->old[i--] = m->old[--m->n_old];
}

static void reap_current(struct master *m, unsigned i, int status)
{
    pid_t pid = m->pids[i];
    m->pids[i] = 0;
    if (m->ending)
        return;
    bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    log_event(clean ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, clean ? "worker_ended" : "worker_died",
              "pid %d, wait status %d", (int)pid, status);
    if (!clean && m->worker->died != NULL)
        m->worker->died(m->worker->context);
}

/* Collect dead children. Return true if one is missing. */
static bool reap(struct master *m)
{
    int status;
    pid_t pid;
    bool missing = false;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        reap_old(m, pid);
        for (unsigned i = 0; i < m->processes; i++)
            if (m->pids[i] == pid)
                reap_current(m, i, status);
    }
    for (unsigned i = 0; i < m->processes; i++)
        missing |= m->pids[i] == 0;
    return missing;
}

static void signal_all(const struct master *m, int signal_number)
{
    for (unsigned i = 0; i < m->processes; i++)
        if (m->pids[i] > 0)
            kill(m->pids[i], signal_number);
}

/* Replace missing children, each at most once a second. */
static void respawn(struct master *m)
{
    for (unsigned i = 0; i < m->processes; i++)
        if (m->pids[i] == 0 && now_us() - m->started_us[i] >= RESPAWN_PAUSE_US)
            master_spawn(m, i);
}

static void signal_old(struct master *m, int signal_number)
{
    for (unsigned i = 0; i < m->n_old; i++)
        kill(m->old[i], signal_number);
}

/* Start children with the new settings. The old ones go on until these accept. While some of an
 * earlier reload still end, a reload only reopens the log. */
static void reload(struct master *m)
{
    unsigned n =
        m->worker->reload != NULL && m->n_old == 0 ? m->worker->reload(m->worker->context) : 0;
    if (n == 0) {
        signal_all(m, SIGHUP);
        return;
    }
    for (unsigned i = 0; i < m->processes; i++)
        if (m->pids[i] > 0)
            m->old[m->n_old++] = m->pids[i];
    m->old_ending = false;
    m->reloaded_us = now_us();
    m->starting = m->processes = n;
    for (unsigned i = 0; i < n; i++)
        master_spawn(m, i);
}

/* End the old children once the new ones accept, or have had time to; kill those that do not end.
 */
static void end_old(struct master *m)
{
    int64_t since_us = now_us() - m->reloaded_us;
    if (!m->old_ending && (m->starting == 0 || since_us > GRACE_US)) {
        m->old_ending = true;
        m->reloaded_us = now_us();
        signal_old(m, SIGTERM);
    } else if (m->old_ending && since_us > GRACE_US) {
        signal_old(m, SIGKILL);
    }
}

/* A child without progress holds requests that the web server gives up, so the pool is not reported
 * alive: the service manager restarts it. Children that are new get time to start. */
static void report_progress(const struct master *m)
{
    int64_t now = now_us();
    for (unsigned i = 0; i < m->processes; i++)
        if (m->pids[i] > 0 && now - m->started_us[i] > START_US && m->worker->works != NULL &&
            !m->worker->works(m->worker->context, m->pids[i]))
            return;
    service_manager_notify("WATCHDOG=1");
}

/* Wait for a signal, as long as it can take until the master has something else to do. Return its
 * number; -1 if none arrived. */
static int await_signal(const struct master *m, const sigset_t *signals, bool busy, bool watched)
{
    const struct timespec soon = {.tv_nsec = 200L * 1000 * 1000}, later = {.tv_sec = WATCH_S};
    if (busy || m->n_old > 0)
        return sigtimedwait(signals, NULL, &soon);
    return watched ? sigtimedwait(signals, NULL, &later) : sigwaitinfo(signals, NULL);
}

static void supervise(struct master *m, const sigset_t *signals)
{
    const bool watched = service_manager_watches();
    int signal_number = 0;
    while (signal_number != SIGTERM && signal_number != SIGINT) {
        bool missing = reap(m);
        if (missing)
            respawn(m);
        if (m->n_old > 0)
            end_old(m);
        if (watched)
            report_progress(m);
        signal_number = await_signal(m, signals, missing, watched);
        if (signal_number == SIGHUP) {
            log_reopen();
            reload(m);
        }
        if (signal_number == SIGRTMIN && m->starting > 0)
            m->starting--;
    }
}

void master_child_ready(void)
{
    kill(getppid(), SIGRTMIN); /* queued: one from each child arrives */
}

/* Let the children finish the accepted requests; kill those that take longer than GRACE_US. */
static void end_all(struct master *m, const sigset_t *signals)
{
    int64_t until_us = now_us() + GRACE_US;
    m->ending = true;
    signal_all(m, SIGTERM);
    signal_old(m, SIGTERM);
    for (bool alive = true; alive;) {
        reap(m);
        alive = m->n_old > 0;
        for (unsigned i = 0; i < m->processes; i++)
            alive |= m->pids[i] > 0;
        if (alive && now_us() >= until_us) {
            signal_all(m, SIGKILL);
            signal_old(m, SIGKILL);
        }
        struct timespec pause = {.tv_nsec = 50L * 1000 * 1000};
        if (alive)
            sigtimedwait(signals, NULL, &pause);
    }
}

int master_run(const char *path, unsigned processes, const struct master_worker *worker)
{
    if (socket_is_listening(0))
        return worker->run(worker->context, 0);
    struct master m = {.worker = worker, .processes = processes};
    m.listener = service_manager_listener();
    bool inherited = m.listener >= 0;
    if (!inherited)
        m.listener = listen_at(path);
    if (m.listener < 0)
        return -1;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    for (unsigned i = 0; i < processes; i++)
        master_spawn(&m, i);
    service_manager_notify("READY=1");
    supervise(&m, &signals);
    service_manager_notify("STOPPING=1");
    if (!inherited) /* else connections wait there for the next master */
        unlink(path);
    end_all(&m, &signals);
    close(m.listener);
    return 0;
}
