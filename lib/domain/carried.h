/* What archived transfers leave behind: a row per account and day, and one per file, each with a
 * MAC, so that a row that was changed is found. Pure. */
#ifndef HONGBAO_DOMAIN_CARRIED_H
#define HONGBAO_DOMAIN_CARRIED_H

#include "lib/domain/envelope.h"
#include "lib/domain/ledger.h"

#define CARRIED_KEY_SIZE 32
#define CARRIED_MAC_SIZE 32

/* The archived transfers of user that were booked on one day. */
struct carried {
    char user[USER_SIZE];
    int64_t day_us; /* when the day begins */
    int64_t sends, send_fen, claims, claim_fen, refunds, refund_fen;
    int64_t first_entry, last_entry, entry_sum;
    int64_t opened_shares, opened_fen, returned_fen; /* of the envelopes that user sent that day */
    uint8_t mac[CARRIED_MAC_SIZE];
};

/* A file of archived envelopes. */
struct archive_file {
    int64_t number; /* 1, 2, 3 .. */
    int64_t begun_us, before_us;
    int64_t envelopes, claims, transfers, sent_fen;
    int64_t bytes; /* of the file that count */
    uint8_t sha256[32];
    uint8_t mac[CARRIED_MAC_SIZE];
};

/* Return the begin of the day of at_us, offset_min minutes east of UTC. */
int64_t carried_day_us(int64_t at_us, int offset_min);
/* Add to c, of its user and day, a transfer of kind (send, claim or refund; asserted) with
 * amount_fen (> 0) and entry (> 0). ERR_RANGE if a sum overflows; c is then undefined. */
MUST_USE enum err carried_add(struct carried *c, enum transfer_kind kind, int64_t amount_fen,
                              int64_t entry);
/* Add *more, of the same user and day, to c. ERR_RANGE if a sum overflows; c is then undefined. */
MUST_USE enum err carried_merge(struct carried *c, const struct carried *more);
/* Return what c adds to the balance, in fen. */
int64_t carried_fen(const struct carried *c);
/* Return the number of transfers in c. */
int64_t carried_count(const struct carried *c);
/* Compare the struct carried at a and b by user and day; the comparator for qsort. */
int carried_order(const void *a, const void *b);

/* Set the MAC of c: HMAC-SHA-256 under key over its other members. */
void carried_seal(struct carried *c, const uint8_t key[CARRIED_KEY_SIZE]);
/* Return true if c has the MAC that carried_seal sets under key. */
bool carried_sealed(const struct carried *c, const uint8_t key[CARRIED_KEY_SIZE]);
/* Set the MAC of f: HMAC-SHA-256 under key over its other members. */
void archive_file_seal(struct archive_file *f, const uint8_t key[CARRIED_KEY_SIZE]);
/* Return true if f has the MAC that archive_file_seal sets under key. */
bool archive_file_sealed(const struct archive_file *f, const uint8_t key[CARRIED_KEY_SIZE]);

#endif
