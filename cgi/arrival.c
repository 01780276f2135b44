#include "cgi/arrival.h"
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#define LOOK_BYTES 16384
#define FIRST_WORD_MS 1

/* FastCGI 1.0, 3.3: a record is version, type, id (2), length of the content (2), length of the
 * padding, a reserved byte; content and padding follow. A request ends with an empty record of its
 * standard input. */
#define HEADER_BYTES 8
#define TYPE_STDIN 5

static bool has_end(const uint8_t *data, size_t len)
{
    size_t at = 0;
    while (at + HEADER_BYTES <= len) {
        const uint8_t *header = data + at;
        size_t content = (size_t)header[4] << 8 | header[5];
        if (header[1] == TYPE_STDIN && content == 0)
            return true;
        at += HEADER_BYTES + content + header[6];
    }
    return false;
}

bool arrival_whole(int fd)
{
    uint8_t data[LOOK_BYTES];
    struct pollfd first_word = {.fd = fd, .events = POLLIN};
    ssize_t len = recv(fd, data, sizeof data, MSG_PEEK | MSG_DONTWAIT);
    if (len < 0 && poll(&first_word, 1, FIRST_WORD_MS) > 0)
        len = recv(fd, data, sizeof data, MSG_PEEK | MSG_DONTWAIT);
    return len == 0 || (len > 0 && has_end(data, (size_t)len));
}
