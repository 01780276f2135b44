/* Open: the amount is drawn and the claim stored in one transaction, shared with the opens that
 * wait in the same process. Never an answer before the commit. */
#ifndef HONGBAO_SERVICE_OPEN_OPEN_H
#define HONGBAO_SERVICE_OPEN_OPEN_H

#include "lib/service/common/runtime.h"

struct open_service;
struct open_service *open_service_new(const struct runtime *runtime, unsigned leaders);
void open_service_free(struct open_service *s);
/* One open; who and id must live until the call returns. */
struct open_request {
    const struct who *who;
    const struct id *id;
    char ticket[TICKET_SIZE];
    size_t ticket_len;
    /* out. ERR_OK: answer says opened (the same amount and seq however often it is asked), sold_out
     * or expired. ERR_TICKET_INVALID, ERR_TICKET_EXPIRED (looked at in the order forged, own claim,
     * closed, lapsed), ERR_NOT_FOUND, ERR_NOT_RECIPIENT, ERR_UNAVAILABLE (repeat the identical
     * request). */
    enum err err;
    struct open_answer answer;
};
/* Answers requests[0..n), 1 <= n <= BATCH_MAX. Thread-safe. */
void open_envelopes(struct open_service *s, struct open_request **requests, size_t n,
                    int64_t deadline_us);

#endif
