/* Limits by user and by client address. The address is what the web server passes as REMOTE_ADDR; a
 * header could be chosen by the client. */
#include "cgi/program.h"
#include "lib/base/clock.h"
#include <arpa/inet.h>
#include <string.h>

#define NETWORK_BYTES 8      /* of an IPv6 address: what one client is usually given */
#define ANONYMOUS_BURST_S 10 /* a party opens the same link at once */

enum err call_refuse_rate(struct call *c, int64_t retry_after_s, int64_t limit, const char *detail)
{
    problem_set_limit(&c->problem, ERR_RATE_LIMITED, NULL, limit, "%s", detail);
    c->problem.retry_after_s = retry_after_s;
    return ERR_RATE_LIMITED;
}

enum err call_limit(struct call *c, const struct rate *rate, int64_t limit, const char *key,
                    const char *detail)
{
    const struct runtime *r = &c->process->runtime;
    int64_t wait_us = 0;
    if (metrics_rate_allow(r->metrics, rate, key, r->clock->mono_us(r->clock->self), &wait_us))
        return ERR_OK;
    return call_refuse_rate(c, wait_us / US_PER_S + 1, limit, detail);
}

/* Return true if the address is a loopback address or is not known. */
static bool call_is_local(const struct call *c)
{
    const char *address = c->http->remote_address;
    return address[0] == '\0' || strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
           strncmp(address, "::ffff:127.", 11) == 0;
}

enum err call_limit_address(struct call *c, const struct rate *rate, int64_t limit,
                            const char *detail)
{
    struct in6_addr full;
    char network[INET6_ADDRSTRLEN];
    const char *address = c->http->remote_address;
    if (call_is_local(c))
        return ERR_OK;
    if (inet_pton(AF_INET6, address, &full) == 1 && !IN6_IS_ADDR_V4MAPPED(&full)) {
        memset(full.s6_addr + NETWORK_BYTES, 0, sizeof full.s6_addr - NETWORK_BYTES);
        if (inet_ntop(AF_INET6, &full, network, sizeof network) != NULL)
            address = network;
    }
    return call_limit(c, rate, limit, address, detail);
}

enum err call_limit_anonymous(struct call *c)
{
    int64_t per_s = c->process->config->anonymous_per_s;
    const struct rate rate = {.kind = RATE_ANONYMOUS,
                              .interval_us = US_PER_S / per_s,
                              .burst = per_s * ANONYMOUS_BURST_S};
    return call_limit_address(c, &rate, per_s, "your address asks too often");
}
