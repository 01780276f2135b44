/* Operands in range cannot overflow an int64_t, so the sum can be computed before it is checked. */
#include "lib/domain/money.h"
#include "lib/domain/limits.h"

static bool in_range(int64_t fen)
{
    return fen >= 0 && fen <= AMOUNT_MAX_FEN;
}

enum err money_add(int64_t a_fen, int64_t b_fen, int64_t *out_fen)
{
    if (!in_range(a_fen) || !in_range(b_fen) || !in_range(a_fen + b_fen))
        return ERR_RANGE;
    *out_fen = a_fen + b_fen;
    return ERR_OK;
}

enum err money_subtract(int64_t a_fen, int64_t b_fen, int64_t *out_fen)
{
    if (a_fen < 0 || !in_range(b_fen))
        return ERR_RANGE;
    if (b_fen > a_fen)
        return ERR_INSUFFICIENT_FUNDS;
    *out_fen = a_fen - b_fen;
    return ERR_OK;
}
