/* The runtime of a program that has no worker processes: the connections belong to its one process.
 */
#include "bin/daemon.h"
#include "lib/store/memcached.h"
#include <stdio.h>

static struct store *open_store(void *self)
{
    struct daemon *d = self;
    return mysql_store_new(&d->primary, &clock_system);
}

static struct cache *open_cache(void *self)
{
    struct daemon *d = self;
    return memcached_cache_new(d->config.cache_servers, (unsigned)d->config.cache_timeout_ms,
                               d->cache);
}

enum err daemon_load(struct daemon *d, const char *program, const char *config_path)
{
    struct buf message;
    buf_init(&message, 4096);
    enum err err = crypto_init();
    if (err == ERR_OK)
        err = config_load(&d->config, config_path, &message);
    if (err != ERR_OK)
        fprintf(stderr, "%s: %s\n", program, message.data != NULL ? message.data : err_name(err));
    buf_free(&message);
    return err;
}

/* Without metrics of its own a program is hongbaoctl, which prints errors instead of logging them.
 */
static bool make_states(struct daemon *d)
{
    bool logs = d->runtime.metrics != NULL;
    if (!logs)
        d->runtime.metrics = metrics_private();
    if (d->runtime.metrics == NULL || d->database != NULL)
        return d->runtime.metrics != NULL;
    d->database = server_state_new(logs ? "database" : NULL, &clock_system, d->runtime.metrics,
                                   METRIC_DATABASE_UNREACHABLE);
    d->cache = server_state_new(logs ? "cache" : NULL, &clock_system, d->runtime.metrics,
                                METRIC_CACHE_UNREACHABLE);
    return d->database != NULL && d->cache != NULL;
}

enum err daemon_connect(struct daemon *d, const char *credentials)
{
    const struct config *c = &d->config;
    if (!make_states(d))
        return ERR_FAULT;
    if (d->servers.n == 0 && !server_list_init(&d->servers, c->db_servers, (unsigned)c->db_port))
        return ERR_FAULT;
    d->primary = (struct mysql_settings){.servers = &d->servers,
                                         .database = c->db_name,
                                         .credentials = credentials,
                                         .tls_ca = c->db_tls_ca,
                                         .timeout_s = (unsigned)c->db_timeout_s,
                                         .lock_wait_s = LOCK_WAIT_SETTLE_S,
                                         .state = d->database};
    d->runtime.config = c;
    d->runtime.clock = &clock_system;
    d->runtime.rng = &rng_system;
    d->runtime.store_open = open_store;
    d->runtime.cache_open = open_cache;
    d->runtime.self = d;
    if (c->markers && d->runtime.markers == NULL) {
        d->runtime.markers = markers_new(c->marker_dir, &clock_system);
        if (d->runtime.markers == NULL)
            return ERR_FAULT;
    }
    return mysql_start();
}
