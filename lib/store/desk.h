/* What the operator's desk reads, and the two tables that it writes: acts and rules of users. A
 * struct desk is one session, used by one thread. Errors as in store.h. Amounts in fen, times in
 * microseconds UTC; ranges [from_us, to_us). What archives carried is part of every sum. */
#ifndef HONGBAO_STORE_DESK_H
#define HONGBAO_STORE_DESK_H

#include "lib/base/clock.h"
#include "lib/domain/views.h"
#include "lib/store/mysql.h"

#define DESK_TEXT_SIZE 1024 /* 255 code points */

struct desk;
/* Return a session with the credentials of settings, which is copied; the strings in it and clock
 * must outlive the session. Return NULL if there is no memory. */
struct desk *desk_open(const struct mysql_settings *settings, const struct clock *clock);
/* Close the connection of d and free it; d may be NULL. */
void desk_close(struct desk *d);

/* ---- users ---- */
struct desk_user {
    char user[USER_SIZE], name[NAME_SIZE];
    bool exists; /* has an account */
    int64_t balance_fen, pending_fen;
    bool blocked;
    int64_t sent_per_day_fen; /* -1: the setting */
};
/* Process one user. */
typedef void desk_user_fn(void *context, const struct desk_user *user);
/* Call each(context, ...) for at most limit users whose id or name contains part, in order of id.
 */
MUST_USE enum err desk_users(struct desk *d, const char *part, size_t limit, desk_user_fn *each,
                             void *context);
/* Read user into *out; exists is false if there is no account, and the rest may still be set. */
MUST_USE enum err desk_user_get(struct desk *d, const char *user, struct desk_user *out);
/* Read the rules of user into *out, of which only user, blocked and sent_per_day_fen are set. */
MUST_USE enum err desk_user_rule_get(struct desk *d, const char *user, struct desk_user *out);
/* Store the rules of *user: blocked and sent_per_day_fen. */
MUST_USE enum err desk_user_rule(struct desk *d, const struct desk_user *user);

/* Replace the names of user by the id, at most 32 characters, in the account, the user's envelopes
 * and claims; the greetings of the user's envelopes by greeting; and by "(removed)" the reason of
 * each act on user or on an envelope of user that holds one of these names. Ids and amounts stay.
 * Each statement is a transaction of its own with at most 500 entries of the ledger; a call that
 * was interrupted can be repeated. */
MUST_USE enum err desk_user_forget(struct desk *d, const char *user, const char *greeting);

/* ---- envelopes and history ---- */
struct desk_event {
    int64_t at_us;
    char what[33];           /* "send", "claim", "pending", "closed", the name of an act ... */
    char account[USER_SIZE]; /* "" none */
    bool has_envelope;
    struct id envelope;
    int64_t amount_fen;        /* of a user's history: negative if the balance falls */
    int64_t seq;               /* of a claim; 0 */
    char text[DESK_TEXT_SIZE]; /* reference, greeting or state; of an act, operator and reason */
};
/* Process one event. */
typedef void desk_event_fn(void *context, const struct desk_event *event);
/* Call each(context, ...) for everything that happened to user, oldest first. */
MUST_USE enum err desk_user_history(struct desk *d, const char *user, desk_event_fn *each,
                                    void *context);
/* Call each(context, ...) for every text that user wrote, oldest first: what is "name" or
 * "greeting", and text holds it. */
MUST_USE enum err desk_user_texts(struct desk *d, const char *user, desk_event_fn *each,
                                  void *context);
/* Call each(context, ...) for everything that happened to envelope id, oldest first. */
MUST_USE enum err desk_envelope_history(struct desk *d, const struct id *id, desk_event_fn *each,
                                        void *context);
struct desk_filter {
    const char *sender; /* NULL: any */
    bool open_only, frozen_only;
    int64_t from_us, to_us; /* when they were sent */
    size_t limit;
};
/* Call each(context, ...) for the envelopes that *filter selects, newest first: account is the
 * sender, amount_fen the total, text the state. */
MUST_USE enum err desk_envelopes(struct desk *d, const struct desk_filter *filter,
                                 desk_event_fn *each, void *context);

/* ---- books ---- */
struct desk_totals {
    int64_t in_fen, out_fen;                    /* topped up, withdrawn */
    int64_t balances_fen, pending_fen;          /* in accounts; claims not credited yet */
    int64_t open_envelopes, open_fen;           /* what remains in open envelopes */
    int64_t users, envelopes, claims, archived; /* archived: of the envelopes */
};
/* Read where all money is into *out, from one snapshot. Scans the tables. */
MUST_USE enum err desk_totals(struct desk *d, struct desk_totals *out);
enum desk_report { DESK_BY_DAY, DESK_BY_SENDER, DESK_BY_GROUP };
struct desk_sum {
    char key[USER_SIZE]; /* day, sender or group */
    int64_t envelopes, sent_fen, opened_shares, opened_fen, refunded_fen;
};
/* Process *sum, one line of a report. */
typedef void desk_sum_fn(void *context, const struct desk_sum *sum);
/* Call each(context, ...) for the sums of the envelopes sent from from_us until to_us, by kind: by
 * day (that begins offset_min minutes east of UTC) in order, others the largest first, at most
 * limit. */
MUST_USE enum err desk_report(struct desk *d, enum desk_report kind, int64_t from_us, int64_t to_us,
                              int offset_min, size_t limit, desk_sum_fn *each, void *context);
struct desk_entry {
    char account[USER_SIZE];
    char what[16];   /* "opening" or "closing", the kind of a transfer, or "archived" for all
                      * transfers of a day that were archived */
    bool is_balance; /* opening or closing */
    int64_t at_us, amount_fen;          /* signed; of a balance, the balance */
    char reference[2 * REFERENCE_SIZE]; /* of the back end, or an envelope's id in hex */
};
/* Process one entry of an export. */
typedef void desk_entry_fn(void *context, const struct desk_entry *entry);
/* Call each(context, ...) for every account: its balance at from_us, which begins a day, its
 * transfers until to_us in order, its balance at to_us; from one snapshot, as the rows arrive. */
MUST_USE enum err desk_export(struct desk *d, int64_t from_us, int64_t to_us, desk_entry_fn *each,
                              void *context);

/* ---- operations that a request log acknowledges ---- */
enum desk_operation_kind { DESK_SENT, DESK_OPENED, DESK_TOPPED_UP, DESK_WITHDRAWN };
struct desk_operation {
    enum desk_operation_kind kind;
    char user[USER_SIZE];           /* sender, claimant, or whose balance was changed */
    struct id envelope;             /* DESK_SENT, DESK_OPENED */
    char backend[USER_SIZE];        /* DESK_TOPPED_UP, DESK_WITHDRAWN: whose reference it is */
    char reference[REFERENCE_SIZE]; /* with backend */
    int64_t amount_fen;
    bool lost; /* set by desk_find_lost */
};
/* Set lost in each of operations[0..n): true if no row has this kind, ids, user and amount. n is at
 * most 100: they are one statement. */
MUST_USE enum err desk_find_lost(struct desk *d, struct desk_operation *operations, size_t n);

/* ---- acts ---- */
struct desk_act {
    struct id id;
    int64_t at_us;
    const char *operator_name, *what, *subject, *why;
};
/* Store *act, which is about to be done, without an outcome. */
MUST_USE enum err desk_act_begin(struct desk *d, const struct desk_act *act);
/* Store the outcome of *act. */
MUST_USE enum err desk_act_end(struct desk *d, const struct desk_act *act, const char *outcome);

#endif
