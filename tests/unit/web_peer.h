/* The web server's side of FastCGI, for tests of the server. */
#ifndef HONGBAO_TESTS_UNIT_WEB_PEER_H
#define HONGBAO_TESTS_UNIT_WEB_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEER_BYTES_MAX 65536

struct peer_request {
    const char *method, *uri;
    const char *request_id;     /* NULL: no such header */
    const char *body;           /* NULL: none */
    const char *content_length; /* NULL: none is sent */
};

/* Encode r as FastCGI records in out, which holds PEER_BYTES_MAX; return the length. */
size_t peer_encode(const struct peer_request *r, uint8_t *out);

/* Send all of data. */
void peer_send(int fd, const uint8_t *data, size_t len);

/* Send a whole GET of uri. */
void peer_send_get(int fd, const char *uri);

/* Read until the server closes, then close fd. Store the text of the response, terminated, in out;
 * return its length, 0 if there was none. Fail the test after ten seconds of silence. */
size_t peer_receive(int fd, char *out, size_t cap);

/* Return true if the server has closed fd or does so within timeout_ms. */
bool peer_is_closed(int fd, int timeout_ms);

/* Create a listening socket in the abstract namespace; return it and store its name in name, which
 * holds 32 bytes. */
int peer_listen(char *name);

/* Connect to a name from peer_listen; return -1 if the connection is refused. */
int peer_connect(const char *name);

#endif
