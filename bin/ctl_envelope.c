/* show, close, frozen and unfreeze: what an operator does to one envelope or account. */
#include "bin/ctl.h"
#include "lib/service/account/status.h"
#include "lib/service/common/close.h"
#include "lib/wire/api.h"
#include <stdio.h>
#include <string.h>

#define FROZEN_MAX 1000

static enum ctl_exit print_response(struct http_response *r)
{
    bool ok = !r->body.failed && printf("%s\n", r->body.data) > 0;
    http_response_free(r);
    return ok ? CTL_OK : CTL_FAULT;
}

static enum ctl_exit show_envelope(const struct account_service *s, const struct id *id)
{
    static struct status_envelope stored; /* large */
    struct http_response response;
    enum err err = status_envelope(s, id, &stored);
    if (err != ERR_OK)
        return ctl_fail(err, "show");
    const struct envelope_view view = {.envelope = &stored.envelope,
                                       .claims = stored.claims,
                                       .n_claims = stored.n_claims,
                                       .next_seq = stored.next_seq};
    http_response_init(&response);
    api_encode_envelope(&response, &view);
    return print_response(&response);
}

static enum ctl_exit show_user(const struct account_service *s, const char *user)
{
    struct me_view view;
    struct http_response response;
    enum err err = status_account(s, user, &view);
    if (err != ERR_OK)
        return ctl_fail(err, "show");
    http_response_init(&response);
    api_encode_me(&response, &view, s->runtime->config->currency);
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
    const struct account_service *s =
        ctl_connect(c, c->daemon.config.query.credentials, &exit_code);
    if (s == NULL)
        return exit_code;
    exit_code = is_id ? show_envelope(s, &id) : show_user(s, what);
    ctl_disconnect(c);
    return exit_code;
}

/* Close envelope id, in the database and in every layer in front of it. */
static enum err close_now(const struct account_service *s, const struct id *id, struct envelope *e)
{
    bool found = false;
    struct session *session = session_pool_take(s->sessions, 0);
    if (session == NULL)
        return ERR_UNAVAILABLE;
    enum err err = close_envelope(s->runtime, session->store, session->cache, id, &found, e);
    session_pool_give(s->sessions, session, err);
    return err == ERR_OK && !found ? ERR_NOT_FOUND : err;
}

enum ctl_exit ctl_close(struct ctl *c)
{
    enum ctl_exit exit_code = CTL_OK;
    struct envelope e;
    struct id id;
    if (c->argc != 2 || !id_parse(&id, c->argv[1], strlen(c->argv[1])))
        return ctl_usage(c, "one envelope's id is expected");
    const struct account_service *s =
        ctl_connect(c, c->daemon.config.settle_credentials, &exit_code);
    if (s == NULL)
        return exit_code;
    enum err err = close_now(s, &id, &e);
    ctl_disconnect(c);
    if (err != ERR_OK)
        return ctl_fail(err, "close");
    printf("%s: %s, %lld of %lld shares opened, %lld fen refunded\n", c->argv[1],
           envelope_state_name(e.state), (long long)e.opened_shares, (long long)e.shares,
           (long long)e.refunded_fen);
    return CTL_OK;
}

enum ctl_exit ctl_frozen(struct ctl *c)
{
    enum ctl_exit exit_code = CTL_OK;
    static struct frozen rows[FROZEN_MAX];
    char text[ID_TEXT_SIZE];
    size_t n = 0;
    if (c->argc != 1)
        return ctl_usage(c, "no arguments");
    const struct account_service *s =
        ctl_connect(c, c->daemon.config.settle_credentials, &exit_code);
    if (s == NULL)
        return exit_code;
    enum err err = status_frozen(s, rows, FROZEN_MAX, &n);
    ctl_disconnect(c);
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
    const struct account_service *s =
        ctl_connect(c, c->daemon.config.settle_credentials, &exit_code);
    if (s == NULL)
        return exit_code;
    enum err err = status_unfreeze(s, &id, &changed);
    ctl_disconnect(c);
    if (err != ERR_OK)
        return ctl_fail(err, "unfreeze");
    printf("%s: %s\n", c->argv[1], changed ? "unfrozen" : "is not frozen");
    return changed ? CTL_OK : CTL_WRONG;
}
