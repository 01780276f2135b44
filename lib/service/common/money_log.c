/* All lines of one transaction are written together: there are up to some hundreds of them. */
#include "lib/service/common/money_log.h"
#include "lib/base/log.h"
#include <string.h>

#define LINES_MAX_BYTES ((size_t)1 << 20)

static int64_t claim_seq(const struct transfer *t)
{
    int64_t seq = 0;
    for (size_t i = ID_SIZE; i < t->ref_len; i++)
        seq = seq << 8 | t->ref[i];
    return seq;
}

void money_log_credits(const struct transfer *transfers, size_t n, bool certain)
{
    struct buf lines;
    char text[ID_TEXT_SIZE];
    struct id id;
    buf_init(&lines, LINES_MAX_BYTES);
    for (size_t i = 0; i < n; i++) {
        const struct transfer *t = &transfers[i];
        memcpy(id.b, t->ref, ID_SIZE);
        id_format(text, &id);
        const struct log_money line = {.event = "credited",
                                       .envelope = text,
                                       .account = t->user,
                                       .amount_fen = t->amount_fen,
                                       .seq = claim_seq(t),
                                       .state = certain ? NULL : "uncertain"};
        log_money(&line, &lines);
    }
    log_write(&lines);
    buf_free(&lines);
}

void money_log_closed(const struct envelope *const *es, size_t n)
{
    struct buf lines;
    char text[ID_TEXT_SIZE];
    buf_init(&lines, LINES_MAX_BYTES);
    for (size_t i = 0; i < n; i++) {
        id_format(text, &es[i]->id);
        const struct log_money line = {.event = "closed",
                                       .envelope = text,
                                       .account = es[i]->sender,
                                       .amount_fen = es[i]->refunded_fen,
                                       .state = envelope_state_name(es[i]->state)};
        log_money(&line, &lines);
    }
    log_write(&lines);
    buf_free(&lines);
}
