/* The row of an act is written before the act and its outcome after it, so that an act whose
 * command was killed half-way is still found. */
#include "bin/ctl_desk.h"
#include "lib/base/str.h"
#include "lib/base/utf8.h"
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FEN_PER_UNIT 100
#define LIMIT_DEFAULT 50

struct desk *ctl_open_desk(struct ctl *c, bool write, enum ctl_exit *exit_code)
{
    const struct config *config = &c->daemon.config;
    /* checks the schema, and that the database can be reached */
    if (ctl_connect(c, write ? config->desk_credentials : config->support_credentials, exit_code) ==
        NULL)
        return NULL;
    ctl_disconnect(c);
    struct desk *d = desk_open(&c->daemon.primary, c->daemon.runtime.clock);
    if (d == NULL)
        *exit_code = ctl_fail(ERR_FAULT, "no memory");
    return d;
}

/* ---- amounts and days ---- */

bool ctl_read_amount(const char *text, int64_t *fen)
{
    size_t len = strlen(text);
    const char *point = strchr(text, '.');
    int64_t units = 0, cents = 0;
    if (point == NULL) {
        len -= len > 3 && strcmp(text + len - 3, "fen") == 0 ? 3 : 0;
        return str_to_i64(text, len, fen) && *fen >= 1 && *fen <= AMOUNT_MAX_FEN;
    }
    size_t whole = (size_t)(point - text);
    if (len - whole != 3 || point[1] < '0' || point[1] > '9' || point[2] < '0' || point[2] > '9' ||
        !str_to_i64(text, whole, &units) || units > AMOUNT_MAX_FEN / FEN_PER_UNIT)
        return false;
    cents = (point[1] - '0') * 10 + (point[2] - '0');
    *fen = units * FEN_PER_UNIT + cents;
    return *fen >= 1 && *fen <= AMOUNT_MAX_FEN;
}

void ctl_write_amount(char out[DESK_AMOUNT_SIZE], int64_t fen)
{
    uint64_t value = fen < 0 ? -(uint64_t)fen : (uint64_t)fen;
    snprintf(out, DESK_AMOUNT_SIZE, "%s%llu.%02llu", fen < 0 ? "-" : "",
             (unsigned long long)(value / FEN_PER_UNIT),
             (unsigned long long)(value % FEN_PER_UNIT));
}

bool ctl_read_day(const struct ctl *c, const char *text, int64_t *us)
{
    struct tm day = {0};
    const char *end = strptime(text, "%Y-%m-%d", &day);
    if (end == NULL || *end != '\0' || strlen(text) != 10)
        return false;
    struct tm same = day;
    int64_t s = timegm(&same);
    if (same.tm_mday != day.tm_mday)
        return false; /* the 31st of a month with 30 days */
    *us = (s - c->daemon.config.year_offset_min * 60) * US_PER_S;
    return true;
}

/* ---- options ---- */

static bool is_allowed(const char *allowed, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = allowed; (at = strstr(at, name)) != NULL; at += len)
        if ((at == allowed || at[-1] == ',') && (at[len] == ',' || at[len] == '\0'))
            return true;
    return false;
}

static bool read_option(const struct ctl *c, struct desk_options *o, int option, const char *value)
{
    int64_t n = 0;
    switch (option) {
    case 'w':
        o->why = value;
        return value[0] != '\0' && strlen(value) <= DESK_WHY_MAX &&
               utf8_valid(value, strlen(value));
    case 's':
        o->sender = value;
        return user_valid(value, strlen(value));
    case 'd':
        o->sent_per_day = value;
        return strcmp(value, "default") == 0 || ctl_read_amount(value, &n);
    case 'f':
        return ctl_read_day(c, value, &o->from_us);
    case 'i':
        return ctl_read_day(c, value, &o->since_us) && o->since_us > 0;
    case 'b':
        o->before = value;
        return ctl_read_day(c, value, &o->before_us) && o->before_us > 0;
    case 't':
        if (!ctl_read_day(c, value, &o->to_us))
            return false;
        o->to_us += S_PER_DAY * US_PER_S;
        return true;
    case 'l':
        o->limit = str_to_i64(value, strlen(value), &n) && n >= 1 && n <= 1000000 ? (size_t)n : 0;
        return o->limit > 0;
    case 'o':
        return o->open_only = true;
    case 'z':
        return o->frozen_only = true;
    case 'c':
        return o->csv = true;
    case 'j':
        return o->json = true;
    case 'n':
        return o->dry_run = true;
    case 'k':
        return o->check = true;
    default:
        return false;
    }
}

bool ctl_read_options(struct ctl *c, const char *allowed, struct desk_options *o)
{
    static const struct option options[] = {{"why", required_argument, NULL, 'w'},
                                            {"sender", required_argument, NULL, 's'},
                                            {"sent-per-day", required_argument, NULL, 'd'},
                                            {"from", required_argument, NULL, 'f'},
                                            {"to", required_argument, NULL, 't'},
                                            {"since", required_argument, NULL, 'i'},
                                            {"before", required_argument, NULL, 'b'},
                                            {"limit", required_argument, NULL, 'l'},
                                            {"open", no_argument, NULL, 'o'},
                                            {"frozen", no_argument, NULL, 'z'},
                                            {"csv", no_argument, NULL, 'c'},
                                            {"dry-run", no_argument, NULL, 'n'},
                                            {"check", no_argument, NULL, 'k'},
                                            {"json", no_argument, NULL, 'j'},
                                            {NULL, 0, NULL, 0}};
    int at = 0;
    *o = (struct desk_options){.to_us = INT64_MAX, .limit = LIMIT_DEFAULT};
    optind = 0;
    opterr = 0;
    for (int option; (option = getopt_long(c->argc, c->argv, "", options, &at)) != -1;) {
        bool ok = option != '?' && is_allowed(allowed, options[at].name) &&
                  read_option(c, o, option, optarg);
        if (!ok) {
            ctl_usage(c, "unknown option or wrong value");
            return false;
        }
    }
    o->argc = c->argc - optind;
    if (o->argc > (int)(sizeof o->argv / sizeof o->argv[0])) {
        ctl_usage(c, "too many arguments");
        return false;
    }
    for (int i = 0; i < o->argc; i++)
        o->argv[i] = c->argv[optind + i];
    return true;
}

/* ---- acts ---- */

/* Copy the name of the person at the keyboard, behind sudo too, to out. */
static void operator_name(char out[65])
{
    const char *name = getenv("SUDO_USER");
    const struct passwd *entry = name == NULL ? getpwuid(getuid()) : NULL;
    if (entry != NULL)
        name = entry->pw_name;
    snprintf(out, 65, "%s", name != NULL && utf8_valid(name, strlen(name)) ? name : "unknown");
}

static enum ctl_exit run_act(struct ctl *c, struct desk *d, const struct desk_act *act,
                             enum err (*run)(struct ctl *c, void *context, char outcome[256]),
                             void *context)
{
    char outcome[256] = "";
    enum err err = desk_act_begin(d, act);
    if (err != ERR_OK)
        return ctl_fail(err, "the act could not be stored, and was not done");
    err = run(c, context, outcome);
    if (err != ERR_OK)
        snprintf(outcome, sizeof outcome, "%s", err_name(err));
    enum err stored = desk_act_end(d, act, outcome);
    if (err != ERR_OK)
        return ctl_fail(err, act->subject);
    puts(outcome);
    return stored == ERR_OK ? CTL_OK
                            : ctl_fail(stored, "it was done, but its outcome is not stored");
}

enum ctl_exit ctl_do_act(struct ctl *c, const char *what, const char *subject, const char *why,
                         enum err (*act)(struct ctl *c, void *context, char outcome[256]),
                         void *context)
{
    enum ctl_exit exit_code = CTL_OK;
    char name[65];
    struct desk *d = ctl_open_desk(c, true, &exit_code);
    if (d == NULL)
        return exit_code;
    const struct runtime *r = &c->daemon.runtime;
    struct desk_act row = {.at_us = r->clock->wall_us(r->clock->self),
                           .operator_name = name,
                           .what = what,
                           .subject = subject,
                           .why = why};
    row.id = id_make(r->rng, row.at_us, (unsigned)c->daemon.config.set_number);
    operator_name(name);
    exit_code = run_act(c, d, &row, act, context);
    desk_close(d);
    return exit_code;
}

/* ---- printing ---- */

void ctl_print_event(void *context, const struct desk_event *e)
{
    char time[CLOCK_TEXT_SIZE], amount[DESK_AMOUNT_SIZE] = "-", envelope[ID_TEXT_SIZE] = "-";
    (void)context;
    clock_format(time, e->at_us);
    if (e->amount_fen != 0)
        ctl_write_amount(amount, e->amount_fen);
    if (e->has_envelope)
        id_format(envelope, &e->envelope);
    printf("%s  %-10s %12s  %-36s  %-16s", time, e->what, amount, envelope,
           e->account[0] != '\0' ? e->account : "-");
    if (e->seq > 0)
        printf("  #%lld", (long long)e->seq);
    if (e->text[0] != '\0')
        printf("  %s", e->text);
    putchar('\n');
}
