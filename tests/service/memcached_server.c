#include "tests/service/memcached_server.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static bool answers(const struct memcached_server *s)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, s->socket, strlen(s->socket) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    bool ok = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return ok;
}

void memcached_server_again(struct memcached_server *s)
{
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        execlp("memcached", "memcached", "-u", "root", "-s", s->socket, "-B", "ascii", "-U", "0",
               "-F", "-m", "16", "-t", "1", (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 1000 && !answers(s); i++)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    assert_true(answers(s));
}

void memcached_server_start(struct memcached_server *s)
{
    memset(s, 0, sizeof *s);
    snprintf(s->directory, sizeof s->directory, "/tmp/hb-cache-XXXXXX");
    assert_non_null(mkdtemp(s->directory));
    snprintf(s->socket, sizeof s->socket, "%s/s", s->directory);
    memcached_server_again(s);
}

void memcached_server_kill(struct memcached_server *s)
{
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    unlink(s->socket);
}

void memcached_server_end(struct memcached_server *s)
{
    memcached_server_kill(s);
    rmdir(s->directory);
}
