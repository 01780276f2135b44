/* The log: one JSON object a line, whole lines written with a single write(2) to one descriptor.
 * The sink is the only mutable global of the tree. Never pass a token, ticket, seed or secret. */
#ifndef HONGBAO_BASE_LOG_H
#define HONGBAO_BASE_LOG_H

#include "lib/base/buf.h"
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO };

/* Opens path for appending (NULL: stderr) and sets the program name of every line. Returns 0, or -1
 * with errno, the sink unchanged. */
int log_open(const char *path, const char *program);
/* Opens the path again (after rotation). Keeps the old descriptor if that fails. */
void log_reopen(void);
/* {"time":..,"level":..,"program":..,"pid":..,"event":event,"detail":formatted}. event is a short
 * snake_case constant. */
void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One line for a request. Text members may be NULL. All are escaped. */
struct log_request {
    const char *request_id, *method, *route, *user, *envelope, *state;
    int status;
    int64_t duration_us;
};
/* Appends the line to lines, which is the caller's until he writes it. */
void log_request(const struct log_request *r, struct buf *lines);
/* Writes what is in lines and empties it. */
void log_write(struct buf *lines);

#endif
