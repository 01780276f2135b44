/* One HTTP request over FastCGI and its response: reads a request from a web server's connection,
 * sends the response and closes the connection. The only user of libfcgi. */
#ifndef HONGBAO_CGI_SERVER_EXCHANGE_H
#define HONGBAO_CGI_SERVER_EXCHANGE_H

#include "lib/wire/http.h"

struct exchange {
    struct http_request request;   /* its strings are valid until exchange_answer */
    struct http_response response; /* an empty 200 after exchange_read */
    int64_t arrived_us;            /* monotonic; set by the thread that accepted the connection */
    void *memory;                  /* the handler's; exchange_read leaves it as it was */
    struct exchange *next;         /* for the list that holds it */
    struct exchange_io *io;
};

/* Initialise libfcgi, once per process, before any thread is made. Return 0, or -1 on failure. */
int exchange_start(void);

/* Create an exchange for bodies of up to body_max bytes, with memory_size bytes for the handler,
 * zeroed. Return NULL if out of memory. */
struct exchange *exchange_new(size_t body_max, size_t memory_size);

/* Free x and its memory; a request in it must have been answered. x may be NULL. */
void exchange_free(struct exchange *x);

/* Read a request from connection fd, which x owns from now on. A body over body_max is not read and
 * sets request.too_large. whole: the request has arrived (request_probe), so no read can block;
 * else each read may take up to timeout_ms, and so may each write of a long response. Return false
 * if there is no request or it breaks off; fd is then closed and x can be used again. */
bool exchange_read(struct exchange *x, int fd, int timeout_ms, bool whole);

/* Send x->response and close the connection. x can then be used again. */
void exchange_answer(struct exchange *x);

#endif
