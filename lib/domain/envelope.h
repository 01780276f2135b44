/* An envelope and its transitions. Pure. Invariant after every transition:
 * total = opened + remaining + refunded, and opened_shares <= shares. */
#ifndef HONGBAO_DOMAIN_ENVELOPE_H
#define HONGBAO_DOMAIN_ENVELOPE_H

#include "lib/domain/draw.h"
#include "lib/domain/limits.h"
#include <stdbool.h>

enum envelope_state { STATE_OPEN = 0, STATE_SOLD_OUT = 1, STATE_EXPIRED = 2 };
enum recipients { TO_ANYONE = 0, TO_GROUP = 1, TO_USERS = 2 };
/* The cover that the sender chose. */
enum envelope_theme {
    THEME_PLAIN = 0, /* the default */
    THEME_NEW_YEAR,
    THEME_BIRTHDAY,
    THEME_WEDDING,
    THEME_THANKS,
    THEME_COMPANY,
    THEME_COUNT
};

/* What closed an envelope. */
enum envelope_closer {
    CLOSER_NONE = 0, /* it is open, or a program that did not store it closed it */
    CLOSER_CLAIMS,   /* the last share was opened */
    CLOSER_DEADLINE,
    CLOSER_SENDER,   /* a recall */
    CLOSER_OPERATOR, /* hongbaoctl */
    CLOSER_COUNT
};

/* envelope_members.c has a row for each member. */
struct envelope {
    struct id id;
    char sender[USER_SIZE], sender_name[NAME_SIZE];
    enum envelope_mode mode;
    int64_t total_fen, shares, cap_fen;
    char greeting[GREETING_SIZE];
    enum envelope_theme theme;
    enum recipients to_kind;
    char to[RECIPIENTS_SIZE]; /* "", the group, or user ids separated by one space */
    enum envelope_state state;
    int64_t opened_shares, opened_fen, refunded_fen;
    int64_t created_us, expires_us, closed_us; /* closed_us 0 while open */
    enum envelope_closer closed_by;            /* as stored; see envelope_closer */
    uint8_t seed_hash[32];
    bool has_seed; /* seed is known to this reader */
    uint8_t seed[SEED_SIZE];
    /* the largest share so far, the earliest of equals; seq 0: none; always none in equal mode */
    int64_t luckiest_seq, luckiest_fen;
    char luckiest_user[USER_SIZE], luckiest_name[NAME_SIZE];
    int64_t version; /* raised by every change */
    bool frozen;     /* its books do not agree: nothing is opened, credited or refunded */
};

/* What the user of a claim thanked with. */
enum claim_thanks {
    THANKS_NONE = 0,
    THANKS_THANKS,
    THANKS_HUG,
    THANKS_LUCK,
    THANKS_CHEERS,
    THANKS_WOW,
    THANKS_COUNT
};

struct claim {
    struct id envelope;
    char user[USER_SIZE], name[NAME_SIZE];
    int64_t amount_fen, seq, opened_us;
    enum claim_thanks thanks;
};

/* Return true if the mode, total, shares and cap of e are within the limits of the draw. For any e.
 */
bool envelope_draws(const struct envelope *e);
/* Return true if the sums, counts, mode and state of e agree with each other. For any e, so that it
 * may come from outside. */
bool envelope_consistent(const struct envelope *e);
/* Return true if e, as read from the database, may be passed to envelope_open_next and
 * envelope_expire: it is open and consistent and has its seed. */
bool envelope_may_change(const struct envelope *e);
/* Return true if s is one of the three states; a damaged row may hold any number. */
bool envelope_state_known(enum envelope_state s);
/* Return true if no answer and no change may rest on e, as read from the database with its seed:
 * its state is unknown, or it is open and may not change. */
bool envelope_damaged(const struct envelope *e);
/* Return true if the deadline of e has passed at now_us. */
bool envelope_past_due(const struct envelope *e, int64_t now_us);
/* Open the next share of e for user, called name, at now_us: draw its amount, fill *c, add it to
 * the sums of e, keep the luckiest, and close e as sold out if it was the last. e is open, not past
 * due, consistent and has its seed (asserted). */
void envelope_open_next(struct envelope *e, const char *user, const char *name, int64_t now_us,
                        struct claim *c);
/* Apply claim *c, which another process drew, to e: add it to the sums and keep the luckiest.
 * Return false, with e unchanged, if *c is not the next claim of e or would close it. */
bool envelope_learn(struct envelope *e, const struct claim *c);
/* Close e, which is open and consistent (asserted), as expired at now_us, by `by`. Return the
 * amount in fen that remained, which is now refunded_fen. */
int64_t envelope_expire(struct envelope *e, enum envelope_closer by, int64_t now_us);
/* Return what closed e, CLOSER_NONE if it is open. What a program closed that did not store it
 * follows from state and times: only an operator could close before the deadline. */
enum envelope_closer envelope_closer(const struct envelope *e);
/* Return true if user, a member of groups[0..n_groups), may open e: it is among the recipients, and
 * both user and sender are guests or neither is. */
bool envelope_admits(const struct envelope *e, const char *user, const char groups[][GROUP_SIZE],
                     size_t n_groups);
/* Return "open", "sold_out" or "expired" for s, a static string; "unknown" for any other number. */
const char *envelope_state_name(enum envelope_state s);
/* Return "lucky" or "equal" for m, a static string. */
const char *envelope_mode_name(enum envelope_mode m);
/* Return the name of by in the API ("claims"), a static string; NULL for CLOSER_NONE and any other
 * number. */
const char *envelope_closer_name(enum envelope_closer by);
/* Return the name of thanks t in the API ("hug"), a static string; NULL for THANKS_NONE and any
 * other number. */
const char *claim_thanks_name(enum claim_thanks t);
/* Find the thanks called name and set *out. Return false, with *out unchanged, if there are none.
 */
bool claim_thanks_find(const char *name, enum claim_thanks *out);
/* Return the name of theme t in the API ("new_year"), a static string; "plain" for any other
 * number. */
const char *envelope_theme_name(enum envelope_theme t);
/* Find the theme called name and set *out. Return false, with *out unchanged, if there is none. */
bool envelope_theme_find(const char *name, enum envelope_theme *out);

/* Return true if user, with a claim if has_claim, may not see yet what others drew from e: while e
 * is open, only its sender and those that have opened may. A reader that knew the amounts could
 * wait for a good moment. */
bool envelope_veiled(const struct envelope *e, const char *user, bool has_claim);

#endif
