/* FastCGI 1.0 as a web server speaks it: one request per connection. */
#include "tests/unit/web_peer.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SILENCE_MS 10000
#define HEADER_BYTES 8
enum { BEGIN = 1, PARAMS = 4, STDIN = 5, STDOUT = 6 };

static size_t put_record(uint8_t *out, uint8_t type, const void *content, size_t len)
{
    const uint8_t header[HEADER_BYTES] = {1, type, 0, 1, (uint8_t)(len >> 8), (uint8_t)len, 0, 0};
    memcpy(out, header, sizeof header);
    if (len > 0)
        memcpy(out + HEADER_BYTES, content, len);
    return HEADER_BYTES + len;
}

static size_t put_param(uint8_t *out, const char *name, const char *value)
{
    if (value == NULL)
        return 0;
    size_t name_len = strlen(name), value_len = strlen(value), n = 0;
    assert_true(name_len < 128);
    out[n++] = (uint8_t)name_len;
    if (value_len < 128) {
        out[n++] = (uint8_t)value_len;
    } else {
        out[n++] = (uint8_t)(0x80 | value_len >> 24);
        out[n++] = (uint8_t)(value_len >> 16);
        out[n++] = (uint8_t)(value_len >> 8);
        out[n++] = (uint8_t)value_len;
    }
    memcpy(out + n, name, name_len);
    memcpy(out + n + name_len, value, value_len);
    return n + name_len + value_len;
}

size_t peer_encode(const struct peer_request *r, uint8_t *out)
{
    static const uint8_t responder[8] = {0, 1};
    uint8_t params[8192];
    size_t n = 0, at = 0;
    n += put_param(params + n, "REQUEST_METHOD", r->method);
    n += put_param(params + n, "REQUEST_URI", r->uri);
    n += put_param(params + n, "CONTENT_LENGTH", r->content_length);
    n += put_param(params + n, "HTTP_X_REQUEST_ID", r->request_id);
    at += put_record(out + at, BEGIN, responder, sizeof responder);
    at += put_record(out + at, PARAMS, params, n);
    at += put_record(out + at, PARAMS, NULL, 0);
    if (r->body != NULL)
        at += put_record(out + at, STDIN, r->body, strlen(r->body));
    return at + put_record(out + at, STDIN, NULL, 0);
}

void peer_send(int fd, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        assert_true(n > 0);
        data += n;
        len -= (size_t)n;
    }
}

void peer_send_get(int fd, const char *uri)
{
    uint8_t data[PEER_BYTES_MAX];
    const struct peer_request r = {.method = "GET", .uri = uri};
    peer_send(fd, data, peer_encode(&r, data));
}

/* Read exactly len bytes. Return false at the end of the stream. */
static bool read_all(int fd, void *out, size_t len)
{
    uint8_t *to = out;
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    while (len > 0) {
        assert_int_equal(poll(&readable, 1, SILENCE_MS), 1);
        ssize_t n = recv(fd, to, len, 0);
        if (n <= 0)
            return false;
        to += n;
        len -= (size_t)n;
    }
    return true;
}

size_t peer_receive(int fd, char *out, size_t cap)
{
    uint8_t header[HEADER_BYTES], content[65535 + 255];
    size_t total = 0;
    while (read_all(fd, header, sizeof header)) {
        size_t len = (size_t)header[4] << 8 | header[5];
        assert_true(read_all(fd, content, len + header[6]));
        if (header[1] != STDOUT)
            continue;
        assert_true(total + len < cap);
        memcpy(out + total, content, len);
        total += len;
    }
    out[total] = '\0';
    close(fd);
    return total;
}

bool peer_is_closed(int fd, int timeout_ms)
{
    char byte;
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    return poll(&readable, 1, timeout_ms) == 1 && recv(fd, &byte, 1, MSG_PEEK) <= 0;
}

static socklen_t abstract_address(struct sockaddr_un *address, const char *name)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path + 1, name, strlen(name));
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
}

int peer_listen(char *name)
{
    static atomic_uint count;
    struct sockaddr_un address;
    snprintf(name, 32, "hb-test-%d-%u", (int)getpid(), atomic_fetch_add(&count, 1));
    socklen_t len = abstract_address(&address, name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 128), 0);
    return fd;
}

int peer_connect(const char *name)
{
    struct sockaddr_un address;
    socklen_t len = abstract_address(&address, name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (const struct sockaddr *)&address, len) == 0)
        return fd;
    close(fd);
    return -1;
}
