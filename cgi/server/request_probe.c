/* libfcgi reads with blocking calls and cannot be resumed. So the records of a request are counted
 * in the socket's buffer first, and the request is read once it has all arrived. libfcgi also
 * believes the lengths of parameters and leaks what belongs to records that it does not know, so
 * both are checked here. */
#include "cgi/server/request_probe.h"
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

/* FastCGI 1.0, section 3.3: a record is version, type, id (2), content length (2), padding length
 * and a reserved byte, then content and padding. A request is one BEGIN record, its parameters and
 * its standard input; an empty record ends each stream. */
#define HEADER_BYTES 8
enum { FCGI_VERSION = 1, TYPE_BEGIN = 1, TYPE_PARAMS = 4, TYPE_STDIN = 5 };

static unsigned u16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* Read a length of a name or value (section 3.4) at p[*at], one byte or four, and advance *at.
 * Return false if it does not end before n. */
static bool read_length(const uint8_t *p, size_t n, size_t *at, size_t *length)
{
    if (*at >= n)
        return false;
    *length = p[*at];
    if (p[*at] < 0x80) {
        *at += 1;
        return true;
    }
    if (n - *at < 4)
        return false;
    *length = (size_t)(p[*at] & 0x7f) << 24 | (size_t)p[*at + 1] << 16 | u16(p + *at + 2);
    *at += 4;
    return true;
}

/* Return true if params[0..n) are pairs of names and values of the lengths that they state. Without
 * `ended`, the last of them may still be on its way. */
static bool pairs_valid(const uint8_t *params, size_t n, bool ended)
{
    for (size_t at = 0, name, value; at < n; at += name + value) {
        if (!read_length(params, n, &at, &name) || !read_length(params, n, &at, &value))
            return !ended;
        if (name + value > n - at)
            return !ended && name + value <= PROBE_BYTES;
    }
    return true;
}

/* Judge the records in data[0..len), whose parameters are moved together at its beginning. A body
 * that is too large need not be waited for: the socket's buffer may be full before more arrives. */
static enum probe examine(uint8_t *data, size_t len, size_t body_max)
{
    const unsigned id = len >= 4 ? u16(data + 2) : 0;
    size_t at = 0, params = 0, body = 0;
    bool params_ended = false;
    while (at + HEADER_BYTES <= len) {
        const uint8_t *header = data + at;
        const unsigned type = header[1];
        size_t content = u16(header + 4), next = at + HEADER_BYTES + content + header[6];
        bool begins = at == 0 && type == TYPE_BEGIN && content == 8;
        bool goes_on = at > 0 && type == (params_ended ? TYPE_STDIN : TYPE_PARAMS);
        if (header[0] != FCGI_VERSION || u16(header + 2) != id || id == 0 || !(begins || goes_on))
            return PROBE_NONE;
        if (type == TYPE_STDIN && content == 0)
            return PROBE_WHOLE;
        body += type == TYPE_STDIN ? content : 0;
        if (body > body_max)
            return PROBE_LARGE;
        params_ended = params_ended || (type == TYPE_PARAMS && content == 0);
        if (type == TYPE_PARAMS) {
            size_t arrived = len - at - HEADER_BYTES;
            arrived = content < arrived ? content : arrived;
            memmove(data + params, header + HEADER_BYTES, arrived);
            params += arrived;
            if (!pairs_valid(data, params, params_ended))
                return PROBE_NONE;
        }
        at = next;
    }
    if (len < PROBE_BYTES)
        return PROBE_PART;
    return params_ended ? PROBE_LARGE : PROBE_NONE;
}

static bool peer_closed(int fd)
{
    struct pollfd end = {.fd = fd, .events = POLLRDHUP};
    return poll(&end, 1, 0) > 0;
}

enum probe request_probe(int fd, size_t body_max, int wait_ms)
{
    uint8_t data[PROBE_BYTES];
    struct pollfd first_bytes = {.fd = fd, .events = POLLIN};
    ssize_t len = recv(fd, data, sizeof data, MSG_PEEK | MSG_DONTWAIT);
    if (len < 0 && wait_ms > 0 && poll(&first_bytes, 1, wait_ms) > 0)
        len = recv(fd, data, sizeof data, MSG_PEEK | MSG_DONTWAIT);
    enum probe probe = len > 0    ? examine(data, (size_t)len, body_max)
                       : len == 0 ? PROBE_NONE
                                  : PROBE_PART;
    return probe == PROBE_PART && peer_closed(fd) ? PROBE_NONE : probe;
}
