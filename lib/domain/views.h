/* Results of operations and pages of a user's history, before they become JSON. Plain data, no
 * functions. */
#ifndef HONGBAO_DOMAIN_VIEWS_H
#define HONGBAO_DOMAIN_VIEWS_H

#include "lib/domain/envelope.h"
#include "lib/domain/ledger.h"

#define PAGE_MAX 100
#define PAGE_ROOM (PAGE_MAX + 1) /* one row more shows whether there is a further page */

struct account {
    char user[USER_SIZE], name[NAME_SIZE];
    bool exists;
    int64_t balance_fen;
    int64_t sent_day, sent_day_fen; /* day number in the site's offset, and the sum sent on it */
};

struct page_after { /* keyset cursor: the last row of the page before */
    bool set;
    struct id id; /* sent: envelope; received: claim */
    int64_t seq;  /* claims of an envelope: the last seq; ledger: the last entry */
};

enum grab_state { GRAB_GRABBED, GRAB_OPENED, GRAB_BUSY, GRAB_SOLD_OUT, GRAB_EXPIRED };
struct grab_answer {
    enum grab_state state;
    char ticket[TICKET_SIZE]; /* GRABBED */
    int64_t expires_us;       /* GRABBED: of the ticket, whole seconds */
    int64_t amount_fen, seq;  /* OPENED */
    int64_t retry_after_s;    /* BUSY: 1 or 2 */
};

enum open_state { OPEN_OPENED, OPEN_SOLD_OUT, OPEN_EXPIRED };
struct open_answer {
    enum open_state state;
    struct claim claim; /* OPENED */
};

/* An envelope as one reader sees it. All pointers are borrowed. */
struct envelope_view {
    const struct envelope *envelope; /* has_seed only when closed */
    const struct claim *mine;        /* the reader's own claim; NULL: none */
    const struct claim *claims;
    size_t n_claims;
    int64_t next_seq; /* 0: no further page */
    bool veiled;      /* the reader may not see the amounts of others yet */
};

struct me_view {
    struct account account; /* exists false: no money yet; user and name are still set */
    int64_t pending_fen;
};

struct received_item {
    struct id envelope;
    char sender[USER_SIZE], sender_name[NAME_SIZE];
    enum envelope_theme theme;
    int64_t amount_fen, seq, opened_us;
    bool credited, luckiest;
    struct page_after cursor; /* of this row */
};
struct year_totals {
    int64_t sent_count, sent_fen, refunded_fen;
    int64_t received_count, received_fen, luckiest_count;
};
struct sent_view {
    int year;
    struct year_totals totals;
    size_t n;
    struct envelope items[PAGE_ROOM];
    struct page_after next; /* set false: no further page */
};
struct received_view {
    int year;
    struct year_totals totals;
    size_t n;
    struct received_item items[PAGE_ROOM];
    struct page_after next;
};
struct ledger_view {
    int64_t balance_fen;
    size_t n;
    struct transfer items[PAGE_ROOM];
    struct page_after next;
};

#endif
