/* An envelope and its transitions. Pure. Invariant after every step:
 * total = opened + remaining + refunded; opened_shares <= shares. */
#ifndef HONGBAO_DOMAIN_ENVELOPE_H
#define HONGBAO_DOMAIN_ENVELOPE_H

#include "lib/domain/draw.h"
#include "lib/domain/limits.h"
#include <stdbool.h>

enum envelope_state { STATE_OPEN = 0, STATE_SOLD_OUT = 1, STATE_EXPIRED = 2 };
enum recipients { TO_ANYONE = 0, TO_GROUP = 1, TO_USERS = 2 };

struct envelope {
    struct id id;
    char sender[USER_SIZE], sender_name[NAME_SIZE];
    enum envelope_mode mode;
    int64_t total_fen, shares, cap_fen;
    char greeting[GREETING_SIZE];
    enum recipients to_kind;
    char to[RECIPIENTS_SIZE]; /* "", the group, or user ids separated by one space */
    enum envelope_state state;
    int64_t opened_shares, opened_fen, refunded_fen;
    int64_t created_us, expires_us, closed_us; /* closed_us 0 while open */
    uint8_t seed_hash[32];
    bool has_seed; /* seed is known to this reader */
    uint8_t seed[SEED_SIZE];
    /* the largest share so far, the earliest of equals; seq 0: none; always none in equal mode */
    int64_t luckiest_seq, luckiest_fen;
    char luckiest_user[USER_SIZE], luckiest_name[NAME_SIZE];
    int64_t version; /* rises with every change */
    bool frozen;     /* its books are wrong: nothing is opened, credited or refunded */
};

struct claim {
    struct id envelope;
    char user[USER_SIZE], name[NAME_SIZE];
    int64_t amount_fen, seq, opened_us;
};

/* Asserts nothing; true if the sums, counts and state of e agree with each other. */
bool envelope_consistent(const struct envelope *e);
bool envelope_past_due(const struct envelope *e, int64_t now_us);
/* The next share goes to user/name at now_us: draws (e->has_seed must be true), fills *c, adds up,
 * keeps the luckiest, closes as sold out when it was the last. Precondition (asserted): open, not
 * past due, consistent. */
void envelope_open_next(struct envelope *e, const char *user, const char *name, int64_t now_us,
                        struct claim *c);
/* e as it is after its next claim, which somebody else drew: adds up *c, keeps the luckiest. False,
 * and e is unchanged: *c is not the next one of e, or closes it. */
bool envelope_learn(struct envelope *e, const struct claim *c);
/* Closes an open envelope as expired: what remains goes to refunded_fen. Returns that amount. */
int64_t envelope_expire(struct envelope *e, int64_t now_us);
/* True if user (a member of groups[0..n)) is among `to`, or is the sender's kind for an envelope to
 * anyone: guests and others never take each other's money. */
bool envelope_admits(const struct envelope *e, const char *user, const char groups[][USER_SIZE],
                     size_t n_groups);
const char *envelope_state_name(enum envelope_state s); /* "open", "sold_out", "expired" */
const char *envelope_mode_name(enum envelope_mode m);   /* "lucky", "equal" */

#endif
