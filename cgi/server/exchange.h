/* One request in hand: from the web server's connection to the answer on it. The only user of
 * libfcgi. */
#ifndef HONGBAO_CGI_SERVER_EXCHANGE_H
#define HONGBAO_CGI_SERVER_EXCHANGE_H

#include "lib/wire/http.h"

struct exchange {
    struct http_request request;   /* its texts live as long as the exchange is in hand */
    struct http_response response; /* empty 200 after exchange_read */
    int64_t arrived_us;            /* monotonic, set by whoever accepted it */
    bool later;            /* set by a handler: not answered, a thread that may wait has to do it */
    int unread;            /* the holder's: a connection for exchange_read, or -1 */
    void *memory;          /* the handler's, kept while the request is in hand */
    struct exchange *next; /* of whoever holds it */
    struct exchange_io *io;
};

/* Once a process, before any thread is made. 0, or -1. */
int exchange_start(void);
/* body_max: bytes; a longer body is not read, and too_large is set. memory_size: bytes for the
 * handler, zeroed once. NULL: no memory. */
struct exchange *exchange_new(size_t body_max, size_t memory_size);
void exchange_free(struct exchange *x);
/* Reads the request that comes over fd, which the exchange takes over. False: there is none, or it
 * broke off; fd is closed and the exchange can be used again. timeout_s: of each read and write.
 * whole: all of it is there (arrival.h), so that no read can wait. */
bool exchange_read(struct exchange *x, int fd, int timeout_s, bool whole);
/* Sends the response, closes the connection; the exchange can be used again. */
void exchange_answer(struct exchange *x);

#endif
