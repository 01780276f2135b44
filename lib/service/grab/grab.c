/* The grab service: admission, and a ticket for those admitted. */
#include "lib/service/grab/grab.h"
#include "lib/service/grab/admission.h"
#include <stdlib.h>

struct grab_service {
    const struct runtime *runtime;
    struct admission *admission;
};

void grab_service_free(struct grab_service *s)
{
    if (s != NULL)
        admission_free(s->admission);
    free(s);
}

struct grab_service *grab_service_new(const struct runtime *runtime, struct session_pool *sessions,
                                      unsigned waiters, unsigned acceptors)
{
    struct grab_service *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->runtime = runtime;
    s->admission = admission_new(runtime, sessions, waiters, acceptors);
    if (s->admission == NULL) {
        free(s);
        return NULL;
    }
    return s;
}

/* Fill request from its decided job. */
static void grab_settle(const struct grab_service *s, struct grab_request *r)
{
    const struct grab_job *job = &r->job;
    r->err = job->outcome == GRAB_REFUSED ? job->err : ERR_OK;
    r->answer = job->answer;
    r->retry_after_s = job->retry_after_s;
    if (r->err == ERR_OK && r->answer.state == GRAB_GRABBED)
        ticket_make(r->answer.ticket, &s->runtime->ticket_keys, s->runtime->generation, r->id,
                    r->who->user, r->answer.expires_us / US_PER_S);
}

void grab_now(struct grab_service *s, unsigned acceptor, struct grab_request **requests, size_t n,
              bool *deferred)
{
    struct grab_job *jobs[BATCH_MAX];
    for (size_t i = 0; i < n; i++) {
        requests[i]->job = (struct grab_job){.who = requests[i]->who, .id = requests[i]->id};
        jobs[i] = &requests[i]->job;
    }
    admission_now(s->admission, acceptor, jobs, n, deferred);
    for (size_t i = 0; i < n; i++)
        if (!deferred[i])
            grab_settle(s, requests[i]);
}

void grab_wait(struct grab_service *s, struct grab_request *r, int64_t deadline_us)
{
    admission_wait(s->admission, &r->job, deadline_us);
    grab_settle(s, r);
}
