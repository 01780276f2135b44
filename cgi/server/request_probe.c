#include "cgi/server/request_probe.h"
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#define LOOK_BYTES 16384

/* FastCGI 1.0, 3.3: a record is version, type, id (2), length of the content (2), length of the
 * padding, a reserved byte; content and padding follow. A request is one record that begins it, its
 * parameters and its standard input, each ended by an empty record. */
#define HEADER_BYTES 8
enum { FCGI_VERSION = 1, TYPE_BEGIN = 1, TYPE_PARAMS = 4, TYPE_STDIN = 5 };

static unsigned u16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* Whatever else there may be is not whole: libfcgi would pass over it, and read on. */
static bool has_end(const uint8_t *data, size_t len)
{
    bool params_ended = false;
    for (size_t at = 0; at + HEADER_BYTES <= len;) {
        const uint8_t *header = data + at;
        unsigned type = header[1], content = u16(header + 4);
        bool begins = at == 0 && type == TYPE_BEGIN;
        bool goes_on = at > 0 && (params_ended ? type == TYPE_STDIN : type == TYPE_PARAMS);
        if (header[0] != FCGI_VERSION || u16(header + 2) != u16(data + 2) || u16(data + 2) == 0 ||
            !(begins || goes_on))
            return false;
        if (type == TYPE_STDIN && content == 0)
            return true;
        params_ended = params_ended || (type == TYPE_PARAMS && content == 0);
        at += HEADER_BYTES + content + header[6];
    }
    return false;
}

/* The other side will say no more. */
static bool has_gone(int fd)
{
    struct pollfd end = {.fd = fd, .events = POLLRDHUP};
    return poll(&end, 1, 0) > 0;
}

enum probe request_probe(int fd, int wait_ms)
{
    uint8_t data[LOOK_BYTES];
    struct pollfd first_word = {.fd = fd, .events = POLLIN};
    ssize_t len = recv(fd, data, sizeof data, MSG_PEEK | MSG_DONTWAIT);
    if (len < 0 && wait_ms > 0 && poll(&first_word, 1, wait_ms) > 0)
        len = recv(fd, data, sizeof data, MSG_PEEK | MSG_DONTWAIT);
    if (len == 0 || (len > 0 && has_end(data, (size_t)len)))
        return PROBE_WHOLE;
    if (len == (ssize_t)sizeof data)
        return PROBE_LARGE;
    return has_gone(fd) ? PROBE_WHOLE : PROBE_PART;
}
