/* Keeps a stalled database from holding all threads of a process: at most three quarters of them
 * ask it at once, nobody queues behind requests that hang, and after a stall one request at a time
 * finds out whether it is over. Thread-safe. */
#ifndef HONGBAO_CGI_BRAKE_H
#define HONGBAO_CGI_BRAKE_H

#include <stdbool.h>
#include <stdint.h>

struct brake;
struct brake *brake_new(unsigned threads); /* NULL: no memory */
void brake_free(struct brake *b);
/* True: go on, and call brake_leave. False: answer "unavailable" at once. thread: 0..threads-1, and
 * not inside already. May wait for a moment while many are inside. */
bool brake_enter(struct brake *b, unsigned thread);
enum brake_result { BRAKE_ANSWERED, BRAKE_FAILED };
/* FAILED after a long time inside is a stall. True: this very one was the first to notice. */
bool brake_leave(struct brake *b, unsigned thread, enum brake_result result);

#endif
