/* What lib/store/store.h promises, as tests. They run against MariaDB and against the fake, so that
 * neither can promise more than the other. */
#ifndef HONGBAO_TESTS_STORE_CONTRACT_H
#define HONGBAO_TESTS_STORE_CONTRACT_H

#include "lib/store/store.h"

/* *state of each test. The database may hold rows of other tests; users are new in each. */
struct store_contract {
    struct store *a, *b; /* two sessions */
    const struct rng *rng;
    int64_t mono_us; /* of the clock that deadlines count by */
    unsigned tests;  /* begun so far: makes users distinct */
    bool broken;     /* out: the test leaves books that do not agree */
};
/* Call before each test: books all credits that wait, so that lanes are empty. */
void store_contract_begin(struct store_contract *t);

/* ---- steps that tests share; each asserts that it succeeds ---- */
/* Write a user id into out: name, made unique to this test. */
void contract_user(const struct store_contract *t, char out[USER_SIZE], const char *name);
/* Return the primary's time. */
int64_t contract_now_us(struct store *s);
/* Top up user by amount_fen under reference; commit. */
struct transfer contract_topup(struct store_contract *t, const char *user, const char *reference,
                               int64_t amount_fen);
/* Return the balance of user, and what is pending. */
int64_t contract_balance(struct store *s, const char *user, int64_t *pending_fen);
/* Prepare the transaction of one send by user, which must have an account; the caller commits. */
enum err contract_send_begin(struct store_contract *t, struct store *s, const char *user,
                             int64_t total_fen, int64_t shares, int64_t expires_us,
                             struct envelope *e);
/* Send, with a deadline an hour from now; commit. */
void contract_send(struct store_contract *t, const char *user, int64_t total_fen, int64_t shares,
                   struct envelope *e);
/* Fill set for one open by user of id, and read it in a transaction of s. */
enum err contract_open_read(struct store *s, struct open_set *set, const struct id *id,
                            const char *user, enum lock_wait wait);
/* Draw the next share of set's envelope for its row, opened at opened_us. */
void contract_draw(struct open_set *set, int64_t opened_us);
/* Open one share; commit. Returns the claim. */
struct claim contract_open(struct store *s, const struct id *id, const char *user,
                           int64_t opened_us);
/* Close id as expired with its refund; commit. */
void contract_close(struct store_contract *t, const struct id *id);
/* Book what set holds, in its transaction; commit. */
enum err contract_book(struct store *s, const struct credit_set *set);
/* Return the bit of user's lane; users' credits of this test must be the only ones. */
uint32_t contract_lanes(struct store *s);

/* X(name) for each test. */
#define STORE_CONTRACT_TESTS(X)                                                                    \
    X(topup_is_found_by_reference_and_key)                                                         \
    X(reference_is_unique)                                                                         \
    X(reference_belongs_to_a_back_end)                                                             \
    X(negative_balance_is_refused)                                                                 \
    X(idle_guests_are_listed_and_ended)                                                            \
    X(open_envelopes_are_counted)                                                                  \
    X(guest_is_created_once)                                                                       \
    X(send_is_stored_and_found_by_its_key)                                                         \
    X(key_is_in_progress_until_the_commit)                                                         \
    X(keys_expire_by_age)                                                                          \
    X(account_lock_is_not_waited_for)                                                              \
    X(open_is_visible_after_the_commit)                                                            \
    X(second_claim_of_a_user_is_refused)                                                           \
    X(thanks_are_stored_and_make_a_version)                                                        \
    X(transaction_reads_what_others_commit)                                                        \
    X(second_claim_of_a_position_is_refused)                                                       \
    X(envelope_lock_is_not_waited_for)                                                             \
    X(missing_envelope_is_no_error)                                                                \
    X(rollback_leaves_nothing)                                                                     \
    X(sold_out_shows_the_seed_and_queues_the_closing)                                              \
    X(due_envelopes_are_listed_and_refunded)                                                       \
    X(closed_envelope_is_not_changed)                                                              \
    X(credit_is_booked_once)                                                                       \
    X(credit_lane_has_one_owner)                                                                   \
    X(credit_takes_the_largest_and_the_oldest)                                                     \
    X(credit_takes_the_oldest_once_one_is_old)                                                     \
    X(credit_of_several_full_lanes_is_not_taken)                                                   \
    X(postponed_credit_waits)                                                                      \
    X(lost_credit_is_queued_again)                                                                 \
    X(frozen_envelope_rests)                                                                       \
    X(books_agree_and_are_cut)                                                                     \
    X(tally_moves_totals_to_the_year)                                                              \
    X(pages_cover_all_newest_first)                                                                \
    X(ledger_only_grows_in_front)                                                                  \
    X(claims_are_paged_by_position)                                                                \
    X(deadline_ends_a_session)                                                                     \
    X(host_beats_again)                                                                            \
    X(clock_row_is_kept)                                                                           \
    X(barrier_and_generation)                                                                      \
    X(schema_is_that_of_the_programs)                                                              \
    X(money_state_follows_the_money)                                                               \
    X(ends_of_envelopes_are_read)                                                                  \
    X(users_have_no_rules_at_first)

#define STORE_CONTRACT_DECLARE(name) void store_contract_##name(void **state);
STORE_CONTRACT_TESTS(STORE_CONTRACT_DECLARE)

#endif
