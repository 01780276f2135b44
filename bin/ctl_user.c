/* user: what an operator sees of a user and does to one. */
#include "bin/ctl_desk.h"
#include "lib/service/account/status.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_user(void *context, const struct desk_user *u)
{
    char balance[DESK_AMOUNT_SIZE], pending[DESK_AMOUNT_SIZE];
    size_t *n = context;
    ctl_write_amount(balance, u->balance_fen);
    ctl_write_amount(pending, u->pending_fen);
    printf("%-24s %12s  pending %s  %s%s\n", u->user, balance, pending, u->name,
           u->blocked ? "  BLOCKED" : "");
    ++*n;
}

static enum ctl_exit user_list(struct desk *d, const struct desk_options *o)
{
    size_t n = 0;
    enum err err = desk_users(d, o->argc > 1 ? o->argv[1] : "", o->limit, print_user, &n);
    if (err != ERR_OK)
        return ctl_fail(err, "user list");
    return n > 0 ? CTL_OK : CTL_WRONG;
}

static enum ctl_exit user_show(struct desk *d, const char *user)
{
    struct desk_user u;
    char amount[DESK_AMOUNT_SIZE];
    enum err err = desk_user_get(d, user, &u);
    if (err == ERR_OK && !u.exists && u.pending_fen == 0 && !u.blocked && u.sent_per_day_fen < 0)
        err = ERR_NOT_FOUND;
    if (err != ERR_OK)
        return ctl_fail(err, user);
    printf("user          %s\nname          %s\naccount       %s\n", u.user, u.name,
           u.exists ? "yes" : "no");
    ctl_write_amount(amount, u.balance_fen);
    printf("balance       %s\n", amount);
    ctl_write_amount(amount, u.pending_fen);
    printf("pending       %s\nblocked       %s\n", amount, u.blocked ? "yes" : "no");
    if (u.sent_per_day_fen >= 0)
        ctl_write_amount(amount, u.sent_per_day_fen);
    printf("sent per day  %s\n", u.sent_per_day_fen >= 0 ? amount : "the setting");
    return CTL_OK;
}

static enum ctl_exit user_read(struct ctl *c, const struct desk_options *o)
{
    enum ctl_exit exit_code = CTL_OK;
    struct desk *d = ctl_open_desk(c, false, &exit_code);
    if (d == NULL)
        return exit_code;
    if (strcmp(o->argv[0], "list") == 0) {
        exit_code = user_list(d, o);
    } else if (strcmp(o->argv[0], "show") == 0) {
        exit_code = user_show(d, o->argv[1]);
    } else {
        enum err err = desk_user_history(d, o->argv[1], ctl_print_event, NULL);
        exit_code = err == ERR_OK ? CTL_OK : ctl_fail(err, o->argv[1]);
    }
    desk_close(d);
    return exit_code;
}

/* A change of the rules of one user. */
struct rule_change {
    const char *user;
    int blocked;              /* -1: as it is */
    const char *sent_per_day; /* NULL: as it is */
};

static enum err change_rule(struct ctl *c, void *context, char outcome[256])
{
    const struct rule_change *change = context;
    struct desk_user u;
    char limit[DESK_AMOUNT_SIZE] = "the setting";
    struct desk *d = desk_open(&c->daemon.primary, c->daemon.runtime.clock);
    if (d == NULL)
        return ERR_FAULT;
    enum err err = desk_user_rule_get(d, change->user, &u);
    if (change->blocked >= 0)
        u.blocked = change->blocked != 0;
    if (change->sent_per_day != NULL && !ctl_read_amount(change->sent_per_day, &u.sent_per_day_fen))
        u.sent_per_day_fen = -1; /* "default" */
    if (err == ERR_OK)
        err = desk_user_rule(d, &u);
    desk_close(d);
    if (u.sent_per_day_fen >= 0)
        ctl_write_amount(limit, u.sent_per_day_fen);
    snprintf(outcome, 256, "%.100s: %s, sent per day: %s", u.user,
             u.blocked ? "blocked" : "not blocked", limit);
    return err;
}

enum ctl_exit ctl_user(struct ctl *c)
{
    struct desk_options o;
    if (!ctl_read_options(c, "why,limit,sent-per-day", &o))
        return CTL_USAGE;
    const char *verb = o.argc > 0 ? o.argv[0] : "";
    if (strcmp(verb, "list") == 0 && o.argc <= 2)
        return user_read(c, &o);
    if (o.argc != 2 || !user_valid(o.argv[1], strlen(o.argv[1])))
        return ctl_usage(c, "a verb and a user are expected");
    if (strcmp(verb, "show") == 0 || strcmp(verb, "ledger") == 0)
        return user_read(c, &o);
    struct rule_change change = {.user = o.argv[1], .blocked = -1, .sent_per_day = o.sent_per_day};
    if (strcmp(verb, "block") == 0 || strcmp(verb, "unblock") == 0)
        change.blocked = strcmp(verb, "block") == 0;
    else if (strcmp(verb, "limits") != 0 || o.sent_per_day == NULL)
        return ctl_usage(c, "no such verb, or --sent-per-day is missing");
    if (o.why == NULL)
        return ctl_usage(c, "--why TEXT is required");
    char what[16];
    snprintf(what, sizeof what, "%s", verb);
    return ctl_do_act(c, what, change.user, o.why, change_rule, &change);
}
