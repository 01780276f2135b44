/* libfcgi reads with blocking calls and cannot be resumed. So the records of a request are counted
 * in the socket's buffer first, and the request is read once it has all arrived. */
#include "cgi/server/request_probe.h"
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#define PROBE_BYTES 16384

/* FastCGI 1.0, section 3.3: a record is version, type, id (2), content length (2), padding length
 * and a reserved byte, then content and padding. A request is one BEGIN record, its parameters and
 * its standard input; an empty record ends each stream. */
#define HEADER_BYTES 8
enum { FCGI_VERSION = 1, TYPE_BEGIN = 1, TYPE_PARAMS = 4, TYPE_STDIN = 5 };

static unsigned u16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* Any other sequence of records is not whole: libfcgi would skip them and go on reading. */
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

static bool peer_closed(int fd)
{
    struct pollfd end = {.fd = fd, .events = POLLRDHUP};
    return poll(&end, 1, 0) > 0;
}

enum probe request_probe(int fd, int wait_ms)
{
    uint8_t data[PROBE_BYTES];
    struct pollfd first_bytes = {.fd = fd, .events = POLLIN};
    ssize_t len = recv(fd, data, sizeof data, MSG_PEEK | MSG_DONTWAIT);
    if (len < 0 && wait_ms > 0 && poll(&first_bytes, 1, wait_ms) > 0)
        len = recv(fd, data, sizeof data, MSG_PEEK | MSG_DONTWAIT);
    if (len == 0 || (len > 0 && has_end(data, (size_t)len)))
        return PROBE_WHOLE;
    if (len == (ssize_t)sizeof data)
        return PROBE_LARGE;
    return peer_closed(fd) ? PROBE_WHOLE : PROBE_PART;
}
