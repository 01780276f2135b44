/* As much of Redis as the peers need: one command, one answer. */
#ifndef HONGBAO_BENCH_PEERS_REDIS_H
#define HONGBAO_BENCH_PEERS_REDIS_H

#include <stdbool.h>
#include <stddef.h>

struct redis;

/* NULL: cannot connect. */
struct redis *redis_open(const char *socket_path);
void redis_close(struct redis *r);
/* Sends words[0..n) as one command. False: the connection is gone. */
bool redis_command(struct redis *r, const char *const *words, size_t n);
/* The next line of the answer without its type and line end, and the type ('$', '*', ':', '+',
 * '-'); valid until the next call. Of '$' the text itself; NULL text where it is nil. False: the
 * connection is gone. */
bool redis_reply(struct redis *r, char *type, const char **text);

#endif
