/* How much of a request has come, so that reading it keeps nobody waiting. */
#ifndef HONGBAO_CGI_SERVER_REQUEST_PROBE_H
#define HONGBAO_CGI_SERVER_REQUEST_PROBE_H

enum probe {
    PROBE_WHOLE, /* to its end; or the other side has gone, which reading tells at once */
    PROBE_PART,  /* or nothing yet */
    PROBE_LARGE  /* more than is looked at, 16 KiB */
};
/* Looks at what waits on connection fd, and takes nothing. Of a connection that has said nothing
 * yet, waits up to wait_ms for the first word. */
enum probe request_probe(int fd, int wait_ms);

#endif
