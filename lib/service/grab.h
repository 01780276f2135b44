/* Grab: answered from the cache wherever possible; the database is asked under a cap. */
#ifndef HONGBAO_SERVICE_GRAB_H
#define HONGBAO_SERVICE_GRAB_H

#include "lib/service/env.h"

struct grab_service;
/* threads: of the process; at most a quarter of them (at least 1) may wait for the database. */
struct grab_service *grab_service_new(const struct env *env, unsigned leaders, unsigned threads);
void grab_service_free(struct grab_service *s);
/* ERR_OK: *out says grabbed (with a ticket), opened, busy, sold_out or expired. ERR_NOT_FOUND,
 * ERR_NOT_RECIPIENT, ERR_RATE_LIMITED (*retry_after_s; never for an envelope known to be closed),
 * ERR_UNAVAILABLE. Thread-safe. */
MUST_USE enum err grab_envelope(struct grab_service *s, const struct who *who, const struct id *id,
                                int64_t deadline_us, struct grab_answer *out,
                                int64_t *retry_after_s);

#endif
