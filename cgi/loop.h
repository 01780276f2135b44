/* The FastCGI loop of one process; the only user of libfcgi. */
#ifndef HONGBAO_CGI_LOOP_H
#define HONGBAO_CGI_LOOP_H

#include "lib/wire/http.h"

/* Answers one request. thread: 0..threads-1, each used by one thread only. response is initialised;
 * the loop sends and frees it. */
typedef void loop_handler_fn(void *context, unsigned thread, const struct http_request *request,
                             struct http_response *response);
struct loop {
    int listener; /* made non-blocking here */
    unsigned threads;
    size_t body_max; /* bytes; a longer body is not read, and too_large is set */
    int timeout_s;   /* of reading from and writing to the web server */
    loop_handler_fn *handler;
    void *context;
};
/* Serves until the process is sent SIGTERM or SIGINT, then finishes the requests in hand and
 * returns 0; what waits in the listener's queue is left for others, and the listener is closed.
 * SIGHUP opens the log again. -1: could not start. Call loop_block_signals before any thread is
 * made. */
int loop_run(const struct loop *loop);
void loop_block_signals(void);

#endif
