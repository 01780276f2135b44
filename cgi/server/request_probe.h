/* How much of a request has arrived, so that reading it blocks no thread. */
#ifndef HONGBAO_CGI_SERVER_REQUEST_PROBE_H
#define HONGBAO_CGI_SERVER_REQUEST_PROBE_H

enum probe {
    PROBE_WHOLE, /* all of it, or the peer has closed: reading it cannot block */
    PROBE_PART,  /* some of it or nothing, and more may come */
    PROBE_LARGE  /* more than is examined, 16 KiB: reading it may block */
};

/* Examine what has arrived on connection fd without consuming it. If nothing has, wait up to
 * wait_ms for the first bytes. */
enum probe request_probe(int fd, int wait_ms);

#endif
