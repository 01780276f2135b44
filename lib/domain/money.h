/* Money is int64 fen, 0..AMOUNT_MAX_FEN; every step is checked. Pure. */
#ifndef HONGBAO_DOMAIN_MONEY_H
#define HONGBAO_DOMAIN_MONEY_H

#include "lib/base/err.h"
#include <stdint.h>

/* *out = a + b. ERR_RANGE, *out untouched, if a, b or the sum lies outside 0..AMOUNT_MAX_FEN. */
MUST_USE enum err money_add(int64_t a_fen, int64_t b_fen, int64_t *out_fen);
/* *out = a - b. ERR_INSUFFICIENT_FUNDS if b > a; ERR_RANGE as above. */
MUST_USE enum err money_subtract(int64_t a_fen, int64_t b_fen, int64_t *out_fen);

#endif
