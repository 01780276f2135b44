/* Health and metrics of an installation. Each is the `wait` of a door that is always open. */
#ifndef HONGBAO_CGI_QUERY_STATUS_H
#define HONGBAO_CGI_QUERY_STATUS_H

#include "cgi/program.h"

/* Fill the response of c: the process is alive. ERR_OK. */
enum err status_healthz(struct call *c);

/* Fill the response of c: the installation can do its work, with what is degraded.
 * ERR_RATE_LIMITED; ERR_UNAVAILABLE with the reason in the problem if it cannot. */
enum err status_readyz(struct call *c);

/* Fill the response of c with all metrics, those of the database only if it answers. ERR_NOT_FOUND
 * unless the request came through the listener for metrics; ERR_FAULT if out of memory. */
enum err status_metrics(struct call *c);

#endif
