/* Whether a request has come whole, so that reading it keeps nobody waiting. */
#ifndef HONGBAO_CGI_ARRIVAL_H
#define HONGBAO_CGI_ARRIVAL_H

#include <stdbool.h>

/* Looks at what waits on connection fd, and takes nothing. True: a request to its end (or the other
 * side has gone: reading tells so at once). False: part of it is still to come, or it is larger
 * than what is looked at, 16 KiB. Of a connection that has said nothing yet, waits for the first
 * word for a millisecond: web servers connect, and then write. */
bool arrival_whole(int fd);

#endif
