/* The log: one JSON object per line, each line written with a single write(2) to one descriptor.
 * A line that does not fit on the disk is left out as a whole and counted, never written in part.
 * The sink in log.c is the only state that functions share without having it passed in. Never log a
 * token, ticket, seed or secret. */
#ifndef HONGBAO_BASE_LOG_H
#define HONGBAO_BASE_LOG_H

#include "lib/base/buf.h"
#include "lib/base/metrics.h"
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO };

/* Open the file path for appending (NULL: standard error) and use program as the program name of
 * every line. Call before threads start. Return 0, or -1 with errno set and the sink unchanged. */
int log_open(const char *path, const char *program);
/* Count lines that cannot be written in metrics, which must outlive the log. Call before threads
 * start. */
void log_count_lost(struct metrics *metrics);
/* Open the file of log_open again, after log rotation; on failure keep writing to the old one.
 * Thread-safe: the descriptor is replaced atomically. */
void log_reopen(void);
/* Write one line {"time","level","program","pid","event","detail"}. event is a short snake_case
 * constant; format and its arguments give detail, as printf does. Thread-safe. */
void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The line of one request. A text member that is NULL is left out; all text is escaped. */
struct log_request {
    const char *request_id, *method, *route, *user, *envelope, *state, *reason; /* NULL: left out */
    const char *account;   /* whose balance a top-up or withdrawal changes; NULL: left out */
    const char *reference; /* of a top-up or withdrawal; NULL: left out */
    int64_t amount_fen;    /* sent, opened, topped up or withdrawn; 0: left out */
    int status;            /* HTTP status; from 500 the line is a warning */
    int64_t duration_us;
};
/* Append the line of r to lines; the caller writes it with log_write. */
void log_request(const struct log_request *r, struct buf *lines);
/* The line of money that moves without a request: a claim that is credited, an envelope that closes
 * and is refunded. Text members that are NULL are left out. */
struct log_money {
    const char *event; /* "credited", "closed" */
    const char *envelope, *account, *state;
    int64_t amount_fen;
    int64_t seq; /* of the claim; 0: left out */
};
/* Append the line of m to lines; the caller writes it with log_write. */
void log_money(const struct log_money *m, struct buf *lines);
/* Write the contents of lines with one write(2) and empty lines. Thread-safe if lines is private.
 */
void log_write(struct buf *lines);

#endif
