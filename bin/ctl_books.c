/* history, totals, report, export: what an operator is asked about money. */
#include "bin/ctl_desk.h"
#include <stdio.h>
#include <string.h>

/* ---- history ---- */

static void count_event(void *context, const struct desk_event *e)
{
    ++*(size_t *)context;
    ctl_print_event(NULL, e);
}

enum ctl_exit ctl_history(struct ctl *c)
{
    enum ctl_exit exit_code = CTL_OK;
    struct id id;
    size_t n = 0;
    if (c->argc != 2 || !user_valid(c->argv[1], strlen(c->argv[1])))
        return ctl_usage(c, "one envelope or user is expected");
    const char *what = c->argv[1];
    struct desk *d = ctl_open_desk(c, false, &exit_code);
    if (d == NULL)
        return exit_code;
    enum err err = id_parse(&id, what, strlen(what))
                       ? desk_envelope_history(d, &id, count_event, &n)
                       : desk_user_history(d, what, count_event, &n);
    desk_close(d);
    if (err != ERR_OK)
        return ctl_fail(err, what);
    return n > 0 ? CTL_OK : CTL_WRONG;
}

/* ---- totals ---- */

static void print_total(const char *name, int64_t fen)
{
    char amount[DESK_AMOUNT_SIZE];
    ctl_write_amount(amount, fen);
    printf("%-24s %18s\n", name, amount);
}

enum ctl_exit ctl_totals(struct ctl *c)
{
    enum ctl_exit exit_code = CTL_OK;
    struct desk_totals t;
    if (c->argc != 1)
        return ctl_usage(c, "no arguments");
    struct desk *d = ctl_open_desk(c, false, &exit_code);
    if (d == NULL)
        return exit_code;
    enum err err = desk_totals(d, &t);
    desk_close(d);
    if (err != ERR_OK)
        return ctl_fail(err, "totals");
    int64_t difference_fen = t.in_fen - t.out_fen - t.balances_fen - t.pending_fen - t.open_fen;
    print_total("topped up", t.in_fen);
    print_total("withdrawn", t.out_fen);
    print_total("in the system", t.in_fen - t.out_fen);
    print_total("  balances", t.balances_fen);
    print_total("  not credited yet", t.pending_fen);
    print_total("  in open envelopes", t.open_fen);
    print_total("difference", difference_fen);
    printf("%lld users, %lld envelopes of which %lld open, %lld opened shares; %lld archived\n",
           (long long)t.users, (long long)t.envelopes, (long long)t.open_envelopes,
           (long long)t.claims, (long long)t.archived);
    return difference_fen == 0 ? CTL_OK : CTL_WRONG;
}

/* ---- report ---- */

static void print_sum(void *context, const struct desk_sum *s)
{
    char sent[DESK_AMOUNT_SIZE], opened[DESK_AMOUNT_SIZE], refunded[DESK_AMOUNT_SIZE];
    (void)context;
    ctl_write_amount(sent, s->sent_fen);
    ctl_write_amount(opened, s->opened_fen);
    ctl_write_amount(refunded, s->refunded_fen);
    printf("  %-32s %8lld %16s %8lld %16s %16s\n", s->key, (long long)s->envelopes, sent,
           (long long)s->opened_shares, opened, refunded);
}

enum ctl_exit ctl_report(struct ctl *c)
{
    static const char *const names[] = {
        [DESK_BY_DAY] = "By day", [DESK_BY_SENDER] = "By sender", [DESK_BY_GROUP] = "By group"};
    enum ctl_exit exit_code = CTL_OK;
    struct desk_options o;
    if (!ctl_read_options(c, "from,to,limit", &o))
        return CTL_USAGE;
    if (o.argc != 0)
        return ctl_usage(c, "only options");
    struct desk *d = ctl_open_desk(c, false, &exit_code);
    if (d == NULL)
        return exit_code;
    enum err err = ERR_OK;
    for (int kind = DESK_BY_DAY; kind <= DESK_BY_GROUP && err == ERR_OK; kind++) {
        printf("%s%-34s %8s %16s %8s %16s %16s\n", kind > DESK_BY_DAY ? "\n" : "", names[kind],
               "envel.", "sent", "opens", "opened", "refunded");
        err = desk_report(d, (enum desk_report)kind, o.from_us, o.to_us,
                          (int)c->daemon.config.year_offset_min,
                          kind == DESK_BY_DAY ? SIZE_MAX / 2 : o.limit, print_sum, NULL);
    }
    desk_close(d);
    return err == ERR_OK ? CTL_OK : ctl_fail(err, "report");
}

/* ---- export ---- */

/* Print a field of CSV (RFC 4180): user ids and references may hold commas and quotes. */
static void print_field(const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

static void print_entry(void *context, const struct desk_entry *e)
{
    char time[CLOCK_TEXT_SIZE], amount[DESK_AMOUNT_SIZE] = "", balance[DESK_AMOUNT_SIZE];
    int64_t *balance_fen = context;
    if (strcmp(e->what, "opening") == 0)
        *balance_fen = e->amount_fen;
    if (!e->is_balance) {
        *balance_fen += e->amount_fen;
        ctl_write_amount(amount, e->amount_fen);
    }
    clock_format(time, e->at_us);
    ctl_write_amount(balance, *balance_fen);
    print_field(e->account);
    printf(",%s,%s,", time, e->what);
    print_field(e->reference);
    printf(",%s,%s\n", amount, balance);
}

enum ctl_exit ctl_export(struct ctl *c)
{
    enum ctl_exit exit_code = CTL_OK;
    struct desk_options o;
    int64_t balance_fen = 0;
    const struct clock *clock = &clock_system;
    if (!ctl_read_options(c, "from,to,csv", &o))
        return CTL_USAGE;
    if (o.argc == 1 && !o.csv && user_valid(o.argv[0], strlen(o.argv[0])))
        return ctl_export_user(c, o.argv[0]);
    if (o.argc != 0 || !o.csv)
        return ctl_usage(c, "a user, or --csv with --from and --to, is expected");
    int64_t now_us = clock->wall_us(clock->self);
    struct desk *d = ctl_open_desk(c, false, &exit_code);
    if (d == NULL)
        return exit_code;
    puts("account,time,kind,reference,amount,balance");
    enum err err =
        desk_export(d, o.from_us, o.to_us < now_us ? o.to_us : now_us, print_entry, &balance_fen);
    desk_close(d);
    if (err != ERR_OK)
        return ctl_fail(err, "export");
    return fflush(stdout) == 0 ? CTL_OK : CTL_FAULT;
}
