/* restored: the database was restored from a backup, so what caches, tickets and markers know of it
 * may never have happened. A new generation invalidates all of them. */
#include "bin/ctl.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* How long a web server may answer from its cache of file lookups. */
#define WEB_SERVER_CACHES_S 2
#define SEEN_S 10   /* a host beats every second, and pauses while it starts again */
#define FOLLOW_S 20 /* a process looks every second, and ends what it has begun */
#define HOSTS_MAX 64
#define POLL_US 200000

static bool is_served(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool served = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        close(fd);
    return served;
}

bool ctl_pools_run(const struct config *c)
{
    const char *const sockets[] = {c->send.socket, c->grab.socket, c->open.socket, c->query.socket};
    bool any = false;
    for (size_t i = 0; i < sizeof sockets / sizeof sockets[0]; i++) {
        if (!is_served(sockets[i]))
            continue;
        fprintf(stderr, "hongbaoctl: %s is in use; stop the pools first\n", sockets[i]);
        any = true;
    }
    return any;
}

enum err ctl_switch_markers(const struct ctl *c, const uint8_t generation[16])
{
    const struct config *config = &c->daemon.config;
    struct markers *m = markers_new(config->marker_dir, c->daemon.runtime.clock);
    bool ok = m != NULL && (config->markers ? markers_switch(m, generation) : markers_retire(m));
    if (!ok)
        fprintf(stderr, "hongbaoctl: [site] marker_dir, %s: %s\n", config->marker_dir,
                strerror(errno));
    markers_free(m);
    return ok ? ERR_OK : ERR_FAULT;
}

/* Wait until every host that beats works with generation. Print those that do not. */
static enum ctl_exit wait_for_hosts(struct ctl *c, struct admin *a, const uint8_t generation[16])
{
    char hosts[HOSTS_MAX][ADMIN_HOST_SIZE];
    const struct clock *clock = c->daemon.runtime.clock;
    int64_t until_us = clock->mono_us(clock->self) + FOLLOW_S * US_PER_S;
    size_t n = 1;
    while (n > 0 && clock->mono_us(clock->self) < until_us) {
        enum err err = admin_hosts_behind(a, generation, SEEN_S * US_PER_S, hosts, HOSTS_MAX, &n);
        if (err != ERR_OK)
            return ctl_fail(err, "restored");
        if (n > 0)
            usleep(POLL_US);
    }
    for (size_t i = 0; i < n; i++)
        fprintf(stderr,
                "hongbaoctl: host %s has not followed: a program of it may answer from before the "
                "restore; restart its pools\n",
                hosts[i]);
    return n > 0 ? CTL_WRONG : CTL_OK;
}

enum ctl_exit ctl_restored(struct ctl *c)
{
    enum ctl_exit exit_code = CTL_OK;
    uint8_t generation[16];
    if (c->argc > 2 || (c->argc == 2 && strcmp(c->argv[1], "--force") != 0))
        return ctl_usage(c, "unknown argument");
    struct admin *a = ctl_admin(c, &exit_code);
    if (a == NULL)
        return exit_code;
    c->daemon.runtime.rng->fill(c->daemon.runtime.rng->self, generation, sizeof generation);
    /* markers first: if this is interrupted, the web server finds none instead of wrong ones */
    enum err err = ctl_switch_markers(c, generation);
    if (err == ERR_OK)
        err = admin_set_generation(a, generation, true);
    if (err == ERR_OK)
        exit_code = wait_for_hosts(c, a, generation);
    admin_close(a);
    if (err != ERR_OK)
        return ctl_fail(err, "restored");
    sleep(WEB_SERVER_CACHES_S);
    puts("new generation: gates, tickets and markers of before are void");
    return exit_code;
}
