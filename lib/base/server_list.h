/* The database servers that a process may use, in the order of preference, and which of them it
 * uses: the first that it found writable, until that one fails or becomes read-only. Going back to
 * an earlier one takes a failure or a restart, since a server that returns may lack what was
 * committed meanwhile. */
#ifndef HONGBAO_BASE_SERVER_LIST_H
#define HONGBAO_BASE_SERVER_LIST_H

#include "lib/base/err.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define SERVER_LIST_MAX 8
#define SERVER_ADDRESS_SIZE 256

struct server_address {
    char address[SERVER_ADDRESS_SIZE]; /* path of a socket, or host name or address */
    unsigned port;                     /* 0: a socket */
};

struct server_list {
    size_t n;
    struct server_address at[SERVER_LIST_MAX];
    _Atomic size_t current; /* the server in use */
    _Atomic unsigned
        turn; /* a session of another turn connects again before its next transaction */
};

/* Fill *s from list: "SOCKET", "HOST", "HOST:PORT" or "[IPV6]:PORT", separated by commas; port:
 * that of a host without one. Return false, with n 0, if an item has another form or they are none
 * or too many. */
MUST_USE bool server_list_init(struct server_list *s, const char *list, unsigned port);

/* Make server the one in use. Return false if it was. Thread-safe, as are those below. */
bool server_list_use(struct server_list *s, size_t server);
/* Note that server cannot be written: sessions connect again before their next transaction. Nothing
 * happens if another one is in use already, or if there is no other. */
void server_list_leave(struct server_list *s, size_t server);
/* Write the name of server to out, which holds cap bytes: "SOCKET" or "HOST:PORT". */
void server_name(const struct server_address *server, char *out, size_t cap);

#endif
