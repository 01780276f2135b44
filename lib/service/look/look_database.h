/* The part of a look that reads the database. Private to lib/service/look. */
#ifndef HONGBAO_SERVICE_LOOK_LOOK_DATABASE_H
#define HONGBAO_SERVICE_LOOK_LOOK_DATABASE_H

#include "lib/service/common/durable.h"
#include "lib/service/look/claimer_set.h"
#include "lib/service/look/look.h"

struct look_service {
    const struct runtime *runtime;
    struct session_pool *sessions;
    struct durable *durable;
    struct page_cache *pages;
    struct claimer_set *claimers;
};

/* Answer r with page, whose hold passes to r, and the reader's own claim (mine NULL: none). If the
 * reader has that version already, the page is released. */
void look_answer(struct look_request *r, struct page *page, const struct claim *mine);

/* Return true if page, of an envelope to anyone, may be shown to who: guests see those of guests,
 * users see those of users. */
bool look_may_show(const struct page *page, const struct who *who);

/* Find the own claim of r's reader among those of page. Return false if it may be among those that
 * the page does not show; otherwise *mine points into page, or is NULL: the reader has none. */
bool look_find_mine(struct look_service *s, const struct look_request *r, const struct page *page,
                    const struct claim **mine);

/* Answer r from the database over session, and remember what was read. Return r's error: ERR_OK or
 * one of struct look_request. No transaction is left open. */
MUST_USE enum err look_from_database(struct look_service *s, struct session *session,
                                     struct look_request *r);

#endif
