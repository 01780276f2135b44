/* forget and the export of one user: what a person may ask about the data kept of them. The user id
 * and the amounts stay, because the books of others refer to them. */
#include "bin/ctl_desk.h"
#include "lib/service/common/envelope_cache.h"
#include "lib/wire/json.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RULES_TAKE_EFFECT_S 3 /* pools read the rules of users every second */
#define EXPORT_MAX_BYTES ((size_t)1 << 30)

/* ---- forget ---- */

struct forgetting {
    const char *user;
    bool done; /* out */
};

/* An open envelope needs its greeting and its sender's name, and money needs its owner. Return
 * false after writing the reason to outcome. */
static bool may_forget(const struct desk_user *u, size_t n_open, char outcome[256])
{
    char amount[DESK_AMOUNT_SIZE];
    if (n_open > 0)
        snprintf(outcome, 256, "refused: an envelope is open: see hongbaoctl envelope list --open");
    else if (u->pending_fen != 0)
        snprintf(outcome, 256, "refused: claims are not credited yet: try again in a minute");
    else if (u->balance_fen != 0) {
        ctl_write_amount(amount, u->balance_fen);
        snprintf(outcome, 256, "refused: the balance is %s: pay it out and run hongbaoctl withdraw",
                 amount);
    }
    return n_open == 0 && u->pending_fen == 0 && u->balance_fen == 0;
}

static void count_open(void *context, const struct desk_event *e)
{
    (void)e;
    ++*(size_t *)context;
}

static enum err check_user(struct desk *d, const char *user, char outcome[256], bool *may)
{
    struct desk_user u;
    const struct desk_filter open = {
        .sender = user, .open_only = true, .to_us = INT64_MAX, .limit = 1};
    size_t n_open = 0;
    enum err err = desk_user_get(d, user, &u);
    if (err == ERR_OK && !u.exists && u.pending_fen == 0)
        return ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = desk_envelopes(d, &open, count_open, &n_open);
    *may = err == ERR_OK && may_forget(&u, n_open, outcome);
    return err;
}

struct dropping {
    const struct runtime *runtime;
    struct cache *cache;
};

static void drop_item(void *context, const struct desk_event *e)
{
    const struct dropping *drop = context;
    envelope_cache_drop(drop->runtime, drop->cache, &e->envelope);
}

/* Remove the copies of the user's envelopes from the cache. */
static enum err drop_copies(struct ctl *c, struct desk *d, const char *user)
{
    enum ctl_exit ignored = CTL_OK;
    const struct desk_filter all = {.sender = user, .to_us = INT64_MAX, .limit = SIZE_MAX / 2};
    const struct account_service *s = ctl_connect(c, c->daemon.config.desk_credentials, &ignored);
    if (s == NULL)
        return ERR_UNAVAILABLE;
    struct dropping drop = {.runtime = s->runtime, .cache = session_pool_take_cache(s->sessions)};
    enum err err = drop.cache == NULL ? ERR_FAULT : desk_envelopes(d, &all, drop_item, &drop);
    session_pool_give_cache(s->sessions, drop.cache);
    ctl_disconnect(c);
    return err;
}

/* The user is blocked first: a token or ticket that is still valid would write the name again. */
static enum err block_and_forget(struct ctl *c, struct desk *d, const char *user, char outcome[256],
                                 bool *may)
{
    struct desk_user rule;
    enum err err = check_user(d, user, outcome, may);
    if (err == ERR_OK && *may)
        err = desk_user_rule_get(d, user, &rule);
    if (err != ERR_OK || !*may)
        return err;
    bool was_blocked = rule.blocked;
    rule.blocked = true;
    err = desk_user_rule(d, &rule);
    if (err != ERR_OK)
        return err;
    if (!was_blocked)
        sleep(RULES_TAKE_EFFECT_S);
    err = check_user(d, user, outcome, may); /* a request may have been under way */
    if (err == ERR_OK && !*may) {
        rule.blocked = was_blocked;
        return desk_user_rule(d, &rule);
    }
    if (err == ERR_OK)
        err = desk_user_forget(d, user, c->daemon.config.greeting_default);
    return err == ERR_OK ? drop_copies(c, d, user) : err;
}

static enum err act_forget(struct ctl *c, void *context, char outcome[256])
{
    struct forgetting *f = context;
    struct desk *d = desk_open(&c->daemon.primary, c->daemon.runtime.clock);
    if (d == NULL)
        return ERR_FAULT;
    enum err err = block_and_forget(c, d, f->user, outcome, &f->done);
    desk_close(d);
    if (err == ERR_OK && f->done)
        snprintf(outcome, 256, "%.100s: forgotten, and blocked", f->user);
    return err;
}

enum ctl_exit ctl_forget(struct ctl *c)
{
    struct desk_options o;
    if (!ctl_read_options(c, "why", &o))
        return CTL_USAGE;
    if (o.argc != 1 || !user_valid(o.argv[0], strlen(o.argv[0])))
        return ctl_usage(c, "one user is expected");
    if (o.why == NULL)
        return ctl_usage(c, "--why TEXT is required");
    struct forgetting f = {.user = o.argv[0]};
    enum ctl_exit exit_code = ctl_do_act(c, "forget", f.user, o.why, act_forget, &f);
    return exit_code == CTL_OK && !f.done ? CTL_WRONG : exit_code;
}

/* ---- export of one user ---- */

static void write_event(void *context, const struct desk_event *e)
{
    struct json_writer *w = context;
    char time[CLOCK_TEXT_SIZE], envelope[ID_TEXT_SIZE];
    clock_format(time, e->at_us);
    json_open_object(w, NULL);
    json_put_string(w, "time", time);
    json_put_string(w, "what", e->what);
    if (e->has_envelope) {
        id_format(envelope, &e->envelope);
        json_put_string(w, "envelope", envelope);
    }
    if (e->amount_fen != 0)
        json_put_int(w, "amount", e->amount_fen);
    if (e->seq > 0)
        json_put_int(w, "seq", e->seq);
    if (e->text[0] != '\0')
        json_put_string(w, "text", e->text);
    json_close_object(w);
}

static void write_user(struct json_writer *w, const struct desk_user *u)
{
    json_put_string(w, "user", u->user);
    json_put_string(w, "name", u->name);
    json_put_int(w, "balance", u->balance_fen);
    json_put_int(w, "pending", u->pending_fen);
    json_put_bool(w, "blocked", u->blocked);
    if (u->sent_per_day_fen >= 0)
        json_put_int(w, "sent_per_day", u->sent_per_day_fen);
}

static enum err write_data(struct desk *d, const char *user, struct json_writer *w)
{
    struct desk_user u;
    enum err err = desk_user_get(d, user, &u);
    if (err == ERR_OK && !u.exists && u.pending_fen == 0 && !u.blocked && u.sent_per_day_fen < 0)
        err = ERR_NOT_FOUND;
    if (err != ERR_OK)
        return err;
    json_open_object(w, NULL);
    write_user(w, &u);
    json_open_array(w, "texts");
    err = desk_user_texts(d, user, write_event, w);
    json_close_array(w);
    json_open_array(w, "history");
    if (err == ERR_OK)
        err = desk_user_history(d, user, write_event, w);
    json_close_array(w);
    json_close_object(w);
    return err;
}

enum ctl_exit ctl_export_user(struct ctl *c, const char *user)
{
    enum ctl_exit exit_code = CTL_OK;
    struct buf text;
    struct desk *d = ctl_open_desk(c, false, &exit_code);
    if (d == NULL)
        return exit_code;
    buf_init(&text, EXPORT_MAX_BYTES);
    struct json_writer *w = json_writer_new(&text);
    enum err err = w == NULL ? ERR_FAULT : write_data(d, user, w);
    json_writer_free(w);
    desk_close(d);
    if (err == ERR_OK && text.failed)
        err = ERR_FAULT;
    if (err == ERR_OK && (puts(text.data) < 0 || fflush(stdout) != 0))
        err = ERR_FAULT;
    buf_free(&text);
    return err == ERR_OK ? CTL_OK : ctl_fail(err, user);
}
