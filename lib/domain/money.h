/* Checked arithmetic on money: int64_t fen. Pure. */
#ifndef HONGBAO_DOMAIN_MONEY_H
#define HONGBAO_DOMAIN_MONEY_H

#include "lib/base/err.h"
#include <stdint.h>

/* Set *out_fen = a_fen + b_fen. ERR_RANGE, with *out_fen unchanged, if an operand or the sum is
 * outside 0..AMOUNT_MAX_FEN. */
MUST_USE enum err money_add(int64_t a_fen, int64_t b_fen, int64_t *out_fen);
/* Set *out_fen = a_fen - b_fen. a_fen may exceed AMOUNT_MAX_FEN: credits and refunds are never
 * refused for the size of a balance, and what lowers it is always possible. *out_fen is unchanged
 * on an error: ERR_RANGE if a_fen is negative or b_fen is outside 0..AMOUNT_MAX_FEN,
 * ERR_INSUFFICIENT_FUNDS if b_fen > a_fen. */
MUST_USE enum err money_subtract(int64_t a_fen, int64_t b_fen, int64_t *out_fen);

#endif
