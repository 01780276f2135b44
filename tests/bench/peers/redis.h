/* Minimal Redis client: one command, one reply. */
#ifndef HONGBAO_BENCH_PEERS_REDIS_H
#define HONGBAO_BENCH_PEERS_REDIS_H

#include <stdbool.h>
#include <stddef.h>

struct redis;

/* Connect to socket_path. Return NULL on failure. */
struct redis *redis_open(const char *socket_path);
/* Close and free r. */
void redis_close(struct redis *r);
/* Send words[0..n) as one command. Return false if the connection is lost. */
bool redis_command(struct redis *r, const char *const *words, size_t n);
/* Read the next line of the reply: its type ('$', '*', ':', '+', '-') to *type and the rest,
 * without the line end, to *text, which is valid until the next call. For '$', *text is the string,
 * or NULL for nil. Return false if the connection is lost. */
bool redis_reply(struct redis *r, char *type, const char **text);

#endif
