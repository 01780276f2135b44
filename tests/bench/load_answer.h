/* An HTTP answer as its bytes come in: as little of it is looked at as a client needs. */
#ifndef HONGBAO_BENCH_LOAD_ANSWER_H
#define HONGBAO_BENCH_LOAD_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#define ANSWER_KEPT_BYTES 4096
#define WORD_SIZE 32

struct answer {
    size_t received; /* bytes so far; the first ANSWER_KEPT_BYTES of them are in data */
    size_t whole;    /* bytes of the whole answer; 0: its head is not complete yet */
    size_t head;     /* bytes of the head */
    int status;
    int retry_after_s; /* 0: none */
    bool closes;       /* the server closes the connection after it */
    char data[ANSWER_KEPT_BYTES];
};

enum answer_end { ANSWER_MORE, ANSWER_DONE, ANSWER_BROKEN };

/* Makes it ready for the next answer. */
void answer_reset(struct answer *a);
/* Reads what the socket has. BROKEN: it was closed or failed, or this is no answer with a length.
 */
enum answer_end answer_read(struct answer *a, int fd);
/* What the body says: its "state", or its problem's "code"; "" if neither. word holds WORD_SIZE. */
void answer_word(const struct answer *a, char *word);
/* The ticket in the body; NULL if there is none of that size. */
const char *answer_ticket(const struct answer *a, size_t size);

/* The ETag in the head; NULL if there is none of that size. */
const char *answer_etag(const struct answer *a, size_t size);

#endif
