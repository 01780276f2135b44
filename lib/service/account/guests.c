/* A guest ends by an ordinary withdrawal, so that the books stay whole, and keeps an empty row. */
#include "lib/service/account/guests.h"
#include "lib/service/account/wallet.h"
#include <stdio.h>
#include <string.h>

#define BATCH_GUESTS 100

/* Counting costs time with the number of guests. So a tenth of the limit may be made uncounted
 * within the life of a token; what exceeds that is counted. */
enum err guests_admit(const struct runtime *runtime, struct store *store)
{
    int64_t max = runtime->config->guests_max, uncounted = max / 10, n = 0, wait_us;
    const struct rate rate = {.kind = RATE_UNCOUNTED_GUESTS,
                              .interval_us = GUEST_DAYS * S_PER_DAY * US_PER_S / uncounted,
                              .burst = uncounted};
    if (metrics_rate_allow(runtime->metrics, &rate, "guests",
                           runtime->clock->mono_us(runtime->clock->self), &wait_us))
        return ERR_OK;
    enum err err = store->ops->guests_count(store, max, &n);
    if (err != ERR_OK)
        store->ops->rollback(store);
    return err == ERR_OK && n >= max ? ERR_LIMIT_EXCEEDED : err;
}

/* The reference is new each time: money that arrived after an earlier end is withdrawn as well. */
static enum err end_guest(const struct account_service *s, struct store *store,
                          const struct account *guest, int64_t now_us)
{
    struct transfer done;
    char reference[REFERENCE_SIZE];
    bool replayed;
    snprintf(reference, sizeof reference, "%.40s %lld", guest->user,
             (long long)(now_us / US_PER_S));
    const struct wallet_request request = {.kind = TRANSFER_WITHDRAW,
                                           .user = guest->user,
                                           .reference = reference,
                                           .backend = BACKEND_GUESTS,
                                           .amount_fen = guest->balance_fen};
    enum err err = ERR_OK;
    if (guest->balance_fen > 0)
        err = wallet_move(s, &request, 0, &done, &replayed);
    if (err == ERR_INSUFFICIENT_FUNDS)
        return ERR_OK; /* not idle any more */
    return err == ERR_OK ? store->ops->guest_end(store, guest->user) : err;
}

enum err guests_end_idle(const struct account_service *s, struct store *store, int64_t now_us,
                         char after[USER_SIZE], bool *again)
{
    struct account guests[BATCH_GUESTS];
    size_t n = 0;
    int64_t before_us = now_us - GUEST_DAYS * S_PER_DAY * US_PER_S;
    enum err err = store->ops->guests_idle(store, before_us, after, BATCH_GUESTS, guests, &n);
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        err = end_guest(s, store, &guests[i], now_us);
        memcpy(after, guests[i].user, USER_SIZE);
    }
    if (err != ERR_OK)
        store->ops->rollback(store);
    *again = err == ERR_OK && n == BATCH_GUESTS;
    if (err == ERR_OK && !*again)
        after[0] = '\0';
    return err;
}
