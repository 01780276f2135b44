/* Keeps the head and the start of the body; further body bytes are counted and dropped, so that
 * long answers cost only the recv. */
#include "tests/bench/load_answer.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

void answer_reset(struct answer *a)
{
    a->received = a->whole = a->head = 0;
    a->status = a->retry_after_s = 0;
    a->closes = false;
}

static size_t kept(const struct answer *a)
{
    return a->received < ANSWER_KEPT_BYTES ? a->received : ANSWER_KEPT_BYTES;
}

/* Return the value of a header line if it begins with name ("name:", case-insensitive), else NULL.
 */
static const char *value_of(const char *line, const char *name)
{
    size_t length = strlen(name);
    if (strncasecmp(line, name, length) != 0)
        return NULL;
    return line + length + strspn(line + length, " ");
}

/* Parse the head, which is complete and NUL-terminated. */
static bool read_head(struct answer *a)
{
    bool has_length = false;
    size_t body = 0;
    if (a->head < 16 || memcmp(a->data, "HTTP/1.", 7) != 0)
        return false;
    a->status = atoi(a->data + 9);
    for (const char *line = a->data; (line = strchr(line, '\n')) != NULL;) {
        const char *value;
        line++;
        if ((value = value_of(line, "content-length:")) != NULL) {
            has_length = true;
            body = strtoul(value, NULL, 10);
        } else if ((value = value_of(line, "retry-after:")) != NULL) {
            a->retry_after_s = atoi(value);
        } else if ((value = value_of(line, "connection:")) != NULL) {
            a->closes = strncasecmp(value, "close", 5) == 0;
        }
    }
    if (a->status == 304 || a->status == 204) {
        has_length = true;
        body = 0;
    }
    a->whole = a->head + body;
    return has_length;
}

static bool find_head(struct answer *a)
{
    char *end = memmem(a->data, kept(a), "\r\n\r\n", 4);
    if (end == NULL)
        return kept(a) < ANSWER_KEPT_BYTES;
    a->head = (size_t)(end + 4 - a->data);
    end[3] = '\0';
    return read_head(a);
}

enum answer_end answer_read(struct answer *a, int fd)
{
    char rest[16384];
    for (;;) {
        size_t have = kept(a);
        bool fits = have < ANSWER_KEPT_BYTES;
        ssize_t got = recv(fd, fits ? a->data + have : rest,
                           fits ? ANSWER_KEPT_BYTES - have : sizeof rest, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return ANSWER_MORE;
        if (got <= 0)
            return ANSWER_BROKEN;
        a->received += (size_t)got;
        if (a->whole == 0 && !find_head(a))
            return ANSWER_BROKEN;
        if (a->whole != 0 && a->received >= a->whole)
            return a->received == a->whole ? ANSWER_DONE : ANSWER_BROKEN;
    }
}

/* Return the text between `name` and the next quote in the kept part of the body; set *size to its
 * length. */
static const char *member(const struct answer *a, const char *name, size_t *size)
{
    size_t length = strlen(name), end = kept(a);
    if (a->head >= end)
        return NULL;
    const char *at = memmem(a->data + a->head, end - a->head, name, length);
    if (at == NULL)
        return NULL;
    at += length;
    const char *quote = memchr(at, '"', (size_t)(a->data + end - at));
    *size = quote != NULL ? (size_t)(quote - at) : 0;
    return quote != NULL ? at : NULL;
}

void answer_word(const struct answer *a, char *word)
{
    size_t size = 0;
    const char *at = member(a, a->status < 400 ? "\"state\":\"" : "\"code\":\"", &size);
    if (at == NULL || size >= WORD_SIZE)
        size = 0;
    if (size > 0)
        memcpy(word, at, size);
    word[size] = '\0';
}

const char *answer_ticket(const struct answer *a, size_t size)
{
    size_t found = 0;
    const char *at = member(a, "\"ticket\":\"", &found);
    return at != NULL && found == size ? at : NULL;
}

const char *answer_etag(const struct answer *a, size_t size)
{
    const char *value = NULL;
    for (const char *line = a->data; value == NULL && (line = strchr(line, '\n')) != NULL;)
        value = value_of(++line, "etag:");
    return value != NULL && strcspn(value, "\r") == size ? value : NULL;
}
