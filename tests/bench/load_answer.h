/* Incremental parser for HTTP answers. It reads only the parts that the load client needs. */
#ifndef HONGBAO_BENCH_LOAD_ANSWER_H
#define HONGBAO_BENCH_LOAD_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#define ANSWER_KEPT_BYTES 4096
#define WORD_SIZE 32

struct answer {
    size_t received; /* bytes so far; data holds the first ANSWER_KEPT_BYTES */
    size_t whole;    /* size of the whole answer; 0 until the head is complete */
    size_t head;     /* size of the head */
    int status;
    int retry_after_s; /* 0: none */
    bool closes;       /* the server closes the connection after this answer */
    char data[ANSWER_KEPT_BYTES];
};

enum answer_end { ANSWER_MORE, ANSWER_DONE, ANSWER_BROKEN };

/* Prepare a for the next answer. */
void answer_reset(struct answer *a);
/* Read the available bytes of socket fd into a. Return ANSWER_BROKEN if the connection was closed
 * or failed, or if the answer has no Content-Length. */
enum answer_end answer_read(struct answer *a, int fd);
/* Copy the member "state" or "code" of the body to word, which holds WORD_SIZE bytes; "" if a has
 * neither. */
void answer_word(const struct answer *a, char *word);
/* Return the ticket in the body, or NULL if a has none of size bytes. */
const char *answer_ticket(const struct answer *a, size_t size);

/* Return the ETag in the head, or NULL if a has none of size bytes. */
const char *answer_etag(const struct answer *a, size_t size);

#endif
