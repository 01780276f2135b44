/* show, close, frozen and unfreeze. */
#include "bin/ctl.h"
#include "lib/service/common/close.h"
#include "lib/wire/api.h"
#include <stdio.h>
#include <string.h>

static enum ctl_exit print_response(struct http_response *r)
{
    bool ok = !r->body.failed && printf("%s\n", r->body.data) > 0;
    http_response_free(r);
    return ok ? CTL_OK : CTL_FAULT;
}

static enum ctl_exit show_envelope(struct store *store, const struct id *id)
{
    static struct envelope_view view; /* large */
    struct http_response response;
    bool found;
    int64_t now_us;
    enum err err = store->ops->envelope_get(store, id, &view.envelope, &found, &now_us);
    if (err == ERR_OK && !found)
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = store->ops->claims_page(store, id, 0, PAGE_MAX, view.claims, &view.n_claims);
    if (err != ERR_OK)
        return ctl_fail(err, "show");
    if (view.n_claims == PAGE_MAX && view.envelope.opened_shares > PAGE_MAX)
        view.next_seq = PAGE_MAX;
    http_response_init(&response);
    api_encode_envelope(&response, &view);
    return print_response(&response);
}

static enum ctl_exit show_user(struct ctl *c, struct store *store, const char *user)
{
    struct me_view view;
    struct http_response response;
    enum err err = store->ops->account_get(store, user, &view.account, &view.pending_fen);
    if (err == ERR_OK && !view.account.exists && view.pending_fen == 0)
        err = ERR_NOT_FOUND;
    if (err != ERR_OK)
        return ctl_fail(err, "show");
    http_response_init(&response);
    api_encode_me(&response, &view, c->daemon.config.currency);
    return print_response(&response);
}

enum ctl_exit ctl_show(struct ctl *c)
{
    enum ctl_exit exit_code = CTL_OK;
    struct id id;
    if (c->argc != 2)
        return ctl_usage(c, "one envelope or user is expected");
    const char *what = c->argv[1];
    bool is_id = id_parse(&id, what, strlen(what));
    if (!is_id && !user_valid(what, strlen(what)))
        return ctl_usage(c, "neither an envelope's id nor a user's");
    struct store *store = ctl_store(c, c->daemon.config.query.credentials, &exit_code);
    if (store == NULL)
        return exit_code;
    exit_code = is_id ? show_envelope(store, &id) : show_user(c, store, what);
    store->ops->close(store);
    return exit_code;
}

enum ctl_exit ctl_close(struct ctl *c)
{
    enum ctl_exit exit_code = CTL_OK;
    struct envelope e;
    struct id id;
    bool found = false;
    if (c->argc != 2 || !id_parse(&id, c->argv[1], strlen(c->argv[1])))
        return ctl_usage(c, "one envelope's id is expected");
    struct store *store = ctl_store(c, c->daemon.config.settle_credentials, &exit_code);
    if (store == NULL)
        return exit_code;
    struct cache *cache = c->daemon.runtime.cache_open(c->daemon.runtime.self);
    enum err err = close_envelope(&c->daemon.runtime, store, cache, &id, &found, &e);
    if (cache != NULL)
        cache->ops->close(cache);
    store->ops->close(store);
    if (err == ERR_OK && !found)
        err = ERR_NOT_FOUND;
    if (err != ERR_OK)
        return ctl_fail(err, "close");
    printf("%s: %s, %lld of %lld shares opened, %lld fen refunded\n", c->argv[1],
           envelope_state_name(e.state), (long long)e.opened_shares, (long long)e.shares,
           (long long)e.refunded_fen);
    return CTL_OK;
}

#define FROZEN_MAX 1000

enum ctl_exit ctl_frozen(struct ctl *c)
{
    enum ctl_exit exit_code = CTL_OK;
    static struct frozen rows[FROZEN_MAX];
    char text[ID_TEXT_SIZE];
    size_t n = 0;
    if (c->argc != 1)
        return ctl_usage(c, "no arguments");
    struct store *store = ctl_store(c, c->daemon.config.settle_credentials, &exit_code);
    if (store == NULL)
        return exit_code;
    enum err err = store->ops->frozen_list(store, rows, FROZEN_MAX, &n);
    store->ops->close(store);
    if (err != ERR_OK)
        return ctl_fail(err, "frozen");
    for (size_t i = 0; i < n; i++) {
        id_format(text, &rows[i].envelope);
        printf("%s %s\n", text, books_rule_name(rows[i].rule));
    }
    return n == 0 ? CTL_OK : CTL_WRONG;
}

enum ctl_exit ctl_unfreeze(struct ctl *c)
{
    enum ctl_exit exit_code = CTL_OK;
    struct id id;
    bool changed = false;
    if (c->argc != 2 || !id_parse(&id, c->argv[1], strlen(c->argv[1])))
        return ctl_usage(c, "one envelope's id is expected");
    struct store *store = ctl_store(c, c->daemon.config.settle_credentials, &exit_code);
    if (store == NULL)
        return exit_code;
    enum err err = store->ops->freeze(store, &id, BOOKS_AGREE, &changed);
    store->ops->close(store);
    if (err != ERR_OK)
        return ctl_fail(err, "unfreeze");
    printf("%s: %s\n", c->argv[1], changed ? "goes on" : "is not frozen");
    return changed ? CTL_OK : CTL_WRONG;
}
