/* What the operator sees and does: generation, readiness, schema, queues, stored envelopes and
 * accounts, frozen envelopes, the cache's health. Errors are those of store.h; no transaction is
 * left open. */
#ifndef HONGBAO_SERVICE_ACCOUNT_STATUS_H
#define HONGBAO_SERVICE_ACCOUNT_STATUS_H

#include "lib/domain/views.h"
#include "lib/service/account/account.h"

/* Read the database's generation into out, by deadline_us. */
MUST_USE enum err status_generation(const struct account_service *s, int64_t deadline_us,
                                    uint8_t out[16]);

/* Read by deadline_us the patches that the database has into *out. ERR_SCHEMA: these programs do
 * not work with them. */
MUST_USE enum err status_schema(const struct account_service *s, int64_t deadline_us,
                                struct schema_state *out);

/* Why a host cannot work. */
enum status_fault {
    STATUS_WORKS,
    STATUS_DATABASE_AWAY,
    STATUS_SCHEMA_WRONG,
    STATUS_DATABASE_RESTORED, /* the generation of the runtime is over */
    STATUS_NOTHING_WRITTEN,   /* the primary reads and does not write */
    STATUS_POOL_DOWN
};
struct status_ready {
    enum status_fault fault;
    struct schema_state schema; /* if fault is STATUS_SCHEMA_WRONG */
    enum metric_program pool;   /* if fault is STATUS_POOL_DOWN */
    bool cache, settle;         /* if fault is STATUS_WORKS: they do; without them it is slower */
};

/* Check by deadline_us what this host needs to serve requests, and fill *out with the first fault:
 * the primary answers, fits the programs and takes a write, and every pool has a process that
 * beats. generation is the one that the process works with; NULL: it has not read any yet. */
void status_check(const struct account_service *s, const uint8_t generation[16],
                  int64_t deadline_us, struct status_ready *out);

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

/* Freeze envelope id because of rule, or unfreeze it if rule is BOOKS_AGREE. *changed is false if
 * it was in that state already, or if there is no such envelope. */
MUST_USE enum err status_set_frozen(const struct account_service *s, const struct id *id,
                                    int64_t rule, bool *changed);

/* Return true if the cache answers. */
bool status_cache_answers(const struct account_service *s);

/* Set *answers if the cache answers, and clear *has_cas if it then turns out to give no CAS
 * numbers, which gates need. Writes one short-lived item. */
void status_cache(const struct account_service *s, bool *answers, bool *has_cas);

#endif
