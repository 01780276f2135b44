/* How much of a request has arrived, so that reading it blocks no thread. */
#ifndef HONGBAO_CGI_SERVER_REQUEST_PROBE_H
#define HONGBAO_CGI_SERVER_REQUEST_PROBE_H

#include <stddef.h>

#define PROBE_BYTES 65536 /* how much of a request is examined */

enum probe {
    PROBE_WHOLE, /* all of it: reading it cannot block */
    PROBE_PART,  /* some of it or nothing, and more may come */
    PROBE_LARGE, /* its parameters, and a body that is too large or goes beyond what is examined:
                    reading it may block */
    PROBE_NONE   /* there is no request to read, only a connection to close: the peer has closed it,
                    the records are not those of a request, the parameters have wrong lengths or are
                    more than is examined */
};

/* Examine what has arrived on connection fd without consuming it. A body is too large if it has
 * more than body_max bytes. If nothing has arrived, wait up to wait_ms for the first bytes. */
enum probe request_probe(int fd, size_t body_max, int wait_ms);

#endif
