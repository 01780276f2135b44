/* show, frozen, and what an operator does to one envelope: envelope, close, unfreeze. */
#include "bin/ctl_archive.h"
#include "bin/ctl_desk.h"
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

static enum ctl_exit show(struct ctl *c, const char *what)
{
    enum ctl_exit exit_code = CTL_OK;
    struct id id;
    bool is_id = id_parse(&id, what, strlen(what));
    if (!is_id && !user_valid(what, strlen(what)))
        return ctl_usage(c, "neither an envelope's id nor a user's");
    const struct account_service *s =
        ctl_connect(c, c->daemon.config.support_credentials, &exit_code);
    if (s == NULL)
        return exit_code;
    exit_code = is_id ? show_envelope(s, &id) : show_user(s, what);
    ctl_disconnect(c);
    if (is_id && exit_code == CTL_WRONG)
        ctl_hint_archived(c, what);
    return exit_code;
}

enum ctl_exit ctl_show(struct ctl *c)
{
    if (c->argc != 2)
        return ctl_usage(c, "one envelope or user is expected");
    return show(c, c->argv[1]);
}

/* Close envelope id, in the database and in every layer in front of it. */
static enum err close_now(const struct account_service *s, const struct id *id, struct envelope *e)
{
    bool found = false;
    struct session *session = session_pool_take(s->sessions, 0);
    if (session == NULL)
        return ERR_UNAVAILABLE;
    enum err err =
        close_envelope(s->runtime, session->store, session->cache, id, CLOSER_OPERATOR, &found, e);
    session_pool_give(s->sessions, session, err);
    return err == ERR_OK && !found ? ERR_NOT_FOUND : err;
}

/* An act on one envelope. */
struct envelope_act {
    const char *text; /* its id */
    struct id id;
    bool changed; /* out */
};

static enum err act_close(struct ctl *c, void *context, char outcome[256])
{
    struct envelope_act *a = context;
    enum ctl_exit ignored = CTL_OK;
    struct envelope e;
    const struct account_service *s = ctl_connect(c, c->daemon.config.settle_credentials, &ignored);
    enum err err = s == NULL ? ERR_UNAVAILABLE : close_now(s, &a->id, &e);
    if (s != NULL)
        ctl_disconnect(c);
    if (err == ERR_OK)
        snprintf(outcome, 256, "%s: %s, %lld of %lld shares opened, %lld fen refunded", a->text,
                 envelope_state_name(e.state), (long long)e.opened_shares, (long long)e.shares,
                 (long long)e.refunded_fen);
    a->changed = err == ERR_OK;
    return err;
}

static enum err act_set_frozen(struct ctl *c, struct envelope_act *a, int64_t rule,
                               char outcome[256])
{
    enum ctl_exit ignored = CTL_OK;
    const struct account_service *s = ctl_connect(c, c->daemon.config.settle_credentials, &ignored);
    enum err err = s == NULL ? ERR_UNAVAILABLE : status_set_frozen(s, &a->id, rule, &a->changed);
    if (s != NULL)
        ctl_disconnect(c);
    const char *new = rule == BOOKS_AGREE ? "unfrozen" : "frozen";
    const char *old = rule == BOOKS_AGREE ? "is not frozen" : "is frozen already, or unknown";
    snprintf(outcome, 256, "%s: %s", a->text, a->changed ? new : old);
    return err;
}

static enum err act_freeze(struct ctl *c, void *context, char outcome[256])
{
    return act_set_frozen(c, context, BOOKS_BY_OPERATOR, outcome);
}

static enum err act_unfreeze(struct ctl *c, void *context, char outcome[256])
{
    return act_set_frozen(c, context, BOOKS_AGREE, outcome);
}

/* Do the act called verb to the envelope with the id text. */
static enum ctl_exit envelope_act(struct ctl *c, const char *verb, const char *text,
                                  const char *why)
{
    static const struct {
        const char *verb, *what;
        enum err (*run)(struct ctl *c, void *context, char outcome[256]);
    } acts[] = {{"close", "close", act_close},
                {"freeze", "freeze", act_freeze},
                {"unfreeze", "unfreeze", act_unfreeze}};
    struct envelope_act a = {.text = text};
    if (!id_parse(&a.id, text, strlen(text)))
        return ctl_usage(c, "one envelope's id is expected");
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        if (strcmp(acts[i].verb, verb) != 0)
            continue;
        enum ctl_exit exit_code = ctl_do_act(c, acts[i].what, text, why, acts[i].run, &a);
        return exit_code == CTL_OK && !a.changed ? CTL_WRONG : exit_code;
    }
    return ctl_usage(c, "no such verb");
}

static enum ctl_exit envelope_list(struct ctl *c, const struct desk_options *o)
{
    enum ctl_exit exit_code = CTL_OK;
    const struct desk_filter filter = {.sender = o->sender,
                                       .open_only = o->open_only,
                                       .frozen_only = o->frozen_only,
                                       .from_us = o->from_us,
                                       .to_us = o->to_us,
                                       .limit = o->limit};
    struct desk *d = ctl_open_desk(c, false, &exit_code);
    if (d == NULL)
        return exit_code;
    enum err err = desk_envelopes(d, &filter, ctl_print_event, NULL);
    desk_close(d);
    return err == ERR_OK ? CTL_OK : ctl_fail(err, "envelope list");
}

enum ctl_exit ctl_envelope(struct ctl *c)
{
    struct desk_options o;
    if (!ctl_read_options(c, "why,sender,open,frozen,from,to,limit", &o))
        return CTL_USAGE;
    const char *verb = o.argc > 0 ? o.argv[0] : "";
    if (strcmp(verb, "list") == 0 && o.argc == 1)
        return envelope_list(c, &o);
    if (o.argc != 2)
        return ctl_usage(c, "a verb and an envelope's id are expected");
    if (strcmp(verb, "show") == 0)
        return show(c, o.argv[1]);
    if (o.why == NULL)
        return ctl_usage(c, "--why TEXT is required");
    return envelope_act(c, verb, o.argv[1], o.why);
}

/* close and unfreeze, as they were called first, ask for no reason. */
static enum ctl_exit short_act(struct ctl *c, const char *verb)
{
    struct desk_options o;
    if (!ctl_read_options(c, "why", &o))
        return CTL_USAGE;
    if (o.argc != 1)
        return ctl_usage(c, "one envelope's id is expected");
    return envelope_act(c, verb, o.argv[0], o.why != NULL ? o.why : "");
}

enum ctl_exit ctl_close(struct ctl *c)
{
    return short_act(c, "close");
}

enum ctl_exit ctl_unfreeze(struct ctl *c)
{
    return short_act(c, "unfreeze");
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
