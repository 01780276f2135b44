/* Sessions read the turn without a lock: one that misses a change serves one more transaction,
 * which the server that was left refuses. */
#include "lib/base/server_list.h"
#include "lib/base/str.h"
#include <stdio.h>
#include <string.h>

/* Split text, "HOST", "HOST:PORT" or "[IPV6]:PORT", into *server. */
static bool parse_host(struct server_address *server, const char *text, unsigned port)
{
    bool bracket = text[0] == '[';
    size_t len = bracket ? strcspn(text, "]") : strcspn(text, ":");
    const char *rest = text + len + (bracket && text[len] == ']');
    int64_t number = port;
    if (*rest == ':' && !(str_to_i64(rest + 1, strlen(rest + 1), &number) && number <= 65535))
        return false;
    if ((*rest != '\0' && *rest != ':') || number < 1 || (bracket && text[len] != ']'))
        return false;
    server->port = (unsigned)number;
    return len > (size_t)bracket &&
           str_set(server->address, sizeof server->address, text + bracket, len - bracket);
}

bool server_list_init(struct server_list *s, const char *list, unsigned port)
{
    char text[SERVER_ADDRESS_SIZE];
    bool good = true;
    memset(s, 0, sizeof *s);
    while (good && s->n < SERVER_LIST_MAX && str_item(&list, text, sizeof text)) {
        struct server_address *server = &s->at[s->n++];
        good = text[0] == '/' ? str_set(server->address, sizeof server->address, text, strlen(text))
                              : parse_host(server, text, port);
    }
    if (!good || list[strspn(list, ", ")] != '\0')
        s->n = 0;
    return s->n > 0;
}

bool server_list_use(struct server_list *s, size_t server)
{
    bool changed = atomic_exchange(&s->current, server) != server;
    if (changed)
        atomic_fetch_add(&s->turn, 1);
    return changed;
}

void server_list_leave(struct server_list *s, size_t server)
{
    if (s->n > 1 && atomic_load(&s->current) == server)
        atomic_fetch_add(&s->turn, 1);
}

void server_name(const struct server_address *server, char *out, size_t cap)
{
    bool ipv6 = strchr(server->address, ':') != NULL;
    if (server->port == 0)
        snprintf(out, cap, "%s", server->address);
    else
        snprintf(out, cap, ipv6 ? "[%s]:%u" : "%s:%u", server->address, server->port);
}
