/* Claims of a burst share their reads of the cache, one cas per envelope and one transaction. Only
 * where the open fails is the user's item that of a ticket, as after a grab: the claim is going to
 * be repeated and must take no second share of the gate. */
#include "lib/service/claim/claim.h"
#include <stdlib.h>

struct claim_service {
    struct admission *admission;
    struct open_service *open;
};

struct claim_service *claim_service_new(const struct runtime *runtime,
                                        struct session_pool *sessions, struct open_service *open,
                                        unsigned waiters, unsigned acceptors)
{
    struct claim_service *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->open = open;
    s->admission = admission_new(runtime, sessions, waiters, acceptors);
    if (s->admission == NULL) {
        free(s);
        return NULL;
    }
    return s;
}

void claim_service_free(struct claim_service *s)
{
    if (s != NULL)
        admission_free(s->admission);
    free(s);
}

/* Answer r with what admission decided. Return true if it is to be opened instead. */
static bool claim_admitted(struct claim_request *r)
{
    const struct grab_job *job = &r->job;
    r->tried = admission_granted(job);
    r->err = job->outcome == GRAB_REFUSED ? job->err : ERR_OK;
    r->retry_after_s = job->retry_after_s;
    /* The amount in the cache may be wrong: an earlier share is answered by the primary too. */
    r->open = (struct open_request){
        .who = r->who, .id = r->id, .claimed = r->tried && job->answer.state == GRAB_OPENED};
    return r->tried;
}

/* Answer requests[0..n), whose jobs are decided but for those with deferred[i]. */
static void claim_conclude(struct claim_service *s, struct claim_request **requests, size_t n,
                           const bool *deferred, int64_t deadline_us)
{
    struct open_request *opens[BATCH_MAX];
    size_t at[BATCH_MAX], count = 0;
    for (size_t i = 0; i < n; i++) {
        if (deferred[i] || !claim_admitted(requests[i]))
            continue;
        at[count] = i;
        opens[count++] = &requests[i]->open;
    }
    if (count > 0)
        open_admitted(s->open, opens, count, deadline_us);
    for (size_t i = 0; i < count; i++) {
        struct claim_request *r = requests[at[i]];
        r->err = opens[i]->err;
        if (r->err != ERR_OK)
            admission_keep(s->admission, &r->job);
    }
}

void claim_now(struct claim_service *s, unsigned acceptor, struct claim_request **requests,
               size_t n, int64_t deadline_us, bool *deferred)
{
    struct grab_job *jobs[BATCH_MAX];
    for (size_t i = 0; i < n; i++) {
        struct claim_request *r = requests[i];
        r->job = (struct grab_job){.who = r->who, .id = r->id, .claim = true};
        jobs[i] = &r->job;
    }
    admission_now(s->admission, acceptor, jobs, n, deferred);
    claim_conclude(s, requests, n, deferred, deadline_us);
}

void claim_wait(struct claim_service *s, struct claim_request *r, int64_t deadline_us)
{
    static const bool deferred = false;
    admission_wait(s->admission, &r->job, deadline_us);
    claim_conclude(s, &r, 1, &deferred, deadline_us);
}
