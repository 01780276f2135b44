/* Log lines of money that moves without a request of its user, so that one grep for an envelope
 * shows its way from the send to the balances. */
#ifndef HONGBAO_SERVICE_COMMON_MONEY_LOG_H
#define HONGBAO_SERVICE_COMMON_MONEY_LOG_H

#include "lib/domain/envelope.h"
#include "lib/domain/ledger.h"

/* Log that the claims of transfers[0..n) were credited; certain is false if the commit may also
 * have failed: then they are still pending, and logged again when they are credited. */
void money_log_credits(const struct transfer *transfers, size_t n, bool certain);

/* Log that es[0..n) have closed, each with what was refunded to its sender. */
void money_log_closed(const struct envelope *const *es, size_t n);

#endif
