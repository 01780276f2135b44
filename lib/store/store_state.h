/* What operations of store.h return about the database as a whole: its schema, the rules of users,
 * the ends of envelopes and the money in it. Plain data. */
#ifndef HONGBAO_STORE_STORE_STATE_H
#define HONGBAO_STORE_STORE_STATE_H

#include "lib/domain/envelope.h"
#include "lib/domain/limits.h"

/* ---- the schema ---- */
#define SCHEMA_VERSION 9 /* the last patch of sql/ that these programs need */
struct schema_state {
    int64_t version; /* the last patch that was applied; 0: none */
    int64_t oldest;  /* if version is above SCHEMA_VERSION: programs that need at least this patch
                        still work with the tables; else 0 */
};
/* Return true if these programs work with tables in the state *s: no patch is missing, and those
 * that they do not know keep them working. */
static inline bool schema_fits(const struct schema_state *s)
{
    return s->version == SCHEMA_VERSION ||
           (s->version > SCHEMA_VERSION && s->oldest <= SCHEMA_VERSION);
}

/* ---- rules of single users ---- */
struct user_rule {
    char user[USER_SIZE];
    bool blocked;             /* may neither send nor grab nor open */
    int64_t sent_per_day_fen; /* -1: the setting of that name */
};

/* ---- ends of envelopes ---- */
struct envelope_end {
    bool exists;
    enum envelope_state state;
    enum recipients to_kind;
};

/* ---- money in the system ---- */
struct money_state {
    int64_t balances_fen;             /* the sum of all balances */
    int64_t open_envelopes, open_fen; /* their number, and what remains in them */
    int64_t frozen_envelopes;
};

#endif
