/* What a user owns and has done: balance, envelopes sent and received, ledger. Reads only. Each
 * returns ERR_OK, ERR_UNAVAILABLE, or ERR_FAULT (the database holds what cannot be). */
#ifndef HONGBAO_SERVICE_ACCOUNT_HISTORY_H
#define HONGBAO_SERVICE_ACCOUNT_HISTORY_H

#include "lib/domain/views.h"
#include "lib/service/account/account.h"

/* One page of a user's history. */
struct history_query {
    const struct who *who;
    int year;                /* 0: the current one at the site's offset; the ledger has all years */
    struct page_after after; /* the last row of the page before */
    size_t limit;            /* rows, 1..PAGE_MAX */
    int64_t deadline_us;
};

/* Read into *out, by deadline_us, the balance of the user who, and the sum of the credits that are
 * pending, from the primary. A user without an account has a balance of 0 (out->account.exists is
 * false). */
MUST_USE enum err history_me(const struct account_service *s, const struct who *who,
                             int64_t deadline_us, struct me_view *out);

/* Read into *out the envelopes that q->who sent in q->year, newest first, and the year's totals,
 * from the replica. */
MUST_USE enum err history_sent(const struct account_service *s, const struct history_query *q,
                               struct sent_view *out);

/* Read into *out the claims that q->who won in q->year, newest first, and the year's totals, from
 * the replica. */
MUST_USE enum err history_received(const struct account_service *s, const struct history_query *q,
                                   struct received_view *out);

/* Read into *out the transfers of q->who, newest first, and the balance, from the replica. */
MUST_USE enum err history_ledger(const struct account_service *s, const struct history_query *q,
                                 struct ledger_view *out);

#endif
