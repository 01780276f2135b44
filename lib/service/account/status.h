/* What the operator sees and does: generation, readiness, queues, stored envelopes and accounts,
 * frozen envelopes, the cache's health. Errors are those of store.h; no transaction is left
 * open. */
#ifndef HONGBAO_SERVICE_ACCOUNT_STATUS_H
#define HONGBAO_SERVICE_ACCOUNT_STATUS_H

#include "lib/domain/views.h"
#include "lib/service/account/account.h"

/* Read the database's generation into out, by deadline_us. */
MUST_USE enum err status_generation(const struct account_service *s, int64_t deadline_us,
                                    uint8_t out[16]);

enum status_ready {
    STATUS_READY,
    STATUS_DATABASE_AWAY,
    STATUS_DATABASE_RESTORED,
    STATUS_CACHE_AWAY
};

/* Check by deadline_us that the primary answers and still has the generation of the runtime, and
 * that the cache answers. Return the first that is not so. */
enum status_ready status_ready(const struct account_service *s, int64_t deadline_us);

/* Set *held if refunds wait for the primary's clock, by deadline_us. */
MUST_USE enum err status_clock(const struct account_service *s, int64_t deadline_us, bool *held);

/* Read the lengths of settle's queues into *out, by deadline_us. */
MUST_USE enum err status_queues(const struct account_service *s, int64_t deadline_us,
                                struct queue_state *out);

/* An envelope with its first PAGE_MAX claims. */
struct status_envelope {
    struct envelope envelope;
    size_t n_claims;
    struct claim claims[PAGE_MAX];
    int64_t next_seq; /* 0: these are all claims */
};

/* Read envelope id into *out as it is stored. ERR_NOT_FOUND. */
MUST_USE enum err status_envelope(const struct account_service *s, const struct id *id,
                                  struct status_envelope *out);

/* Read the account of user and the sum of its pending credits into *out. ERR_NOT_FOUND if the user
 * has neither. */
MUST_USE enum err status_account(const struct account_service *s, const char *user,
                                 struct me_view *out);

/* Read up to limit frozen envelopes into rows[] and their number into *n. */
MUST_USE enum err status_frozen(const struct account_service *s, struct frozen *rows, size_t limit,
                                size_t *n);

/* Unfreeze envelope id. *changed is false if it was not frozen. */
MUST_USE enum err status_unfreeze(const struct account_service *s, const struct id *id,
                                  bool *changed);

/* Set *answers if the cache answers, and clear *has_cas if it then turns out to give no CAS
 * numbers, which gates need. Writes one short-lived item. */
void status_cache(const struct account_service *s, bool *answers, bool *has_cas);

#endif
