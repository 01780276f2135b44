/* What the commands of the operator's desk share: sessions, amounts, times, and the row that every
 * act leaves. */
#ifndef HONGBAO_BIN_CTL_DESK_H
#define HONGBAO_BIN_CTL_DESK_H

#include "bin/ctl.h"
#include "lib/store/desk.h"

#define DESK_AMOUNT_SIZE 32
#define DESK_WHY_MAX 255

/* Open a session for the desk, to read as the user support or, if write is true, to write as the
 * user desk. The caller closes it with desk_close. Return NULL after printing the reason and
 * setting *exit_code. */
struct desk *ctl_open_desk(struct ctl *c, bool write, enum ctl_exit *exit_code);

/* Set *fen from text: "12.34", "1234fen" or "1234", the last two in fen. False: not an amount from
 * 0.01 to the largest. */
bool ctl_read_amount(const char *text, int64_t *fen);
/* Write fen to out as "12.34". */
void ctl_write_amount(char out[DESK_AMOUNT_SIZE], int64_t fen);
/* Set *us to the begin of the day text, "2026-01-31", at the site's offset. False: no such day. */
bool ctl_read_day(const struct ctl *c, const char *text, int64_t *us);

/* The options that desk commands take; each command has its own text of those that it allows. */
struct desk_options {
    const char *why;          /* --why; NULL */
    const char *sender;       /* --sender; NULL */
    const char *sent_per_day; /* --sent-per-day; NULL */
    int64_t from_us, to_us;   /* --from, --to: days; the last one is included */
    int64_t since_us;         /* --since: the begin of a day; 0 */
    const char *before;       /* --before: a day; NULL */
    int64_t before_us;        /* its begin */
    size_t limit;             /* --limit */
    bool open_only, frozen_only, csv, json, all, dry_run, check;
    int argc; /* words that are no options, in argv */
    const char *argv[8];
};
/* Read the arguments of c behind its name into *o; allowed lists the options, "why,from,to". Return
 * false after printing what is wrong. */
bool ctl_read_options(struct ctl *c, const char *allowed, struct desk_options *o);

/* Do one act of an operator: store what is about to be done to subject (a user or the id of an
 * envelope) and why, call act(c, context, outcome) and store the outcome, which it writes, or its
 * error. An act that cannot be stored is not done. Return the exit code, after printing the outcome
 * or the error. */
enum ctl_exit ctl_do_act(struct ctl *c, const char *what, const char *subject, const char *why,
                         enum err (*act)(struct ctl *c, void *context, char outcome[256]),
                         void *context);

/* Print the data kept of user as JSON; return the exit code. */
enum ctl_exit ctl_export_user(struct ctl *c, const char *user);

/* Print the event *e as a line. A desk_event_fn; context is not used. */
void ctl_print_event(void *context, const struct desk_event *e);

#endif
