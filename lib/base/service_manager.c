/* Two small protocols over the environment, written out here because libsystemd would bring a dozen
 * libraries into every worker for them. */
#include "lib/base/service_manager.h"
#include "lib/base/str.h"
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_PASSED_FD 3

bool socket_is_listening(int fd)
{
    int listening = 0;
    socklen_t len = sizeof listening;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening != 0;
}

/* Return whether the environment variable is this number. */
static bool env_is(const char *name, uint64_t expected)
{
    uint64_t n = 0;
    const char *text = getenv(name);
    return text != NULL && str_to_u64(text, strlen(text), &n) && n == expected;
}

bool service_manager_watches(void)
{
    return getenv("WATCHDOG_USEC") != NULL && env_is("WATCHDOG_PID", (uint64_t)getpid());
}

int service_manager_listener(void)
{
    bool passed = env_is("LISTEN_PID", (uint64_t)getpid()) && env_is("LISTEN_FDS", 1);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    if (!passed || !socket_is_listening(FIRST_PASSED_FD) ||
        fcntl(FIRST_PASSED_FD, F_SETFD, FD_CLOEXEC) != 0)
        return -1;
    return FIRST_PASSED_FD;
}

void service_manager_notify(const char *state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    size_t len = path != NULL ? strlen(path) : 0;
    if (len == 0 || len >= sizeof address.sun_path)
        return;
    memcpy(address.sun_path, path, len + 1);
    if (path[0] == '@')
        address.sun_path[0] = '\0'; /* a name in the abstract namespace */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    close(fd);
}
