/* One thread of the load client, over epoll. A connection carries one request at a time, with one
 * send and usually one recv. */
#include "tests/bench/load_worker.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define THEN_MAX_BYTES 2048
#define EVENTS 256
#define NS_PER_S 1000000000

struct connection {
    int fd;
    bool waiting;            /* for Retry-After, until wake_ns */
    bool in_then;            /* the second request of a pair is in flight */
    struct request *request; /* in flight or waiting; NULL: idle */
    int64_t due_ns, wake_ns;
    struct answer answer;
    char then[THEN_MAX_BYTES];
};

struct pool {
    struct worker *worker;
    struct connection *all;
    struct connection **idle; /* a stack */
    unsigned n_idle, n_waiting, n_busy;
    int64_t next_due_ns; /* open loop */
    int64_t next_wake_ns;
    int epoll;
    bool dry; /* the plan has run out */
};

int64_t load_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static bool connect_again(struct pool *p, struct connection *c)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)p->worker->load->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    int one = 1;
    if (c->fd >= 0)
        close(c->fd);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd >= 0 && connect(c->fd, (struct sockaddr *)&to, sizeof to) == 0 &&
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0 &&
        epoll_ctl(p->epoll, EPOLL_CTL_ADD, c->fd, &event) == 0)
        return true;
    perror("load: connect");
    p->worker->failed = true;
    return false;
}

static void send_bytes(struct pool *p, struct connection *c, const char *bytes, size_t size)
{
    answer_reset(&c->answer);
    if (send(c->fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size)
        return;
    /* The server may have closed an idle connection: retry once on a new one. */
    if (connect_again(p, c) && send(c->fd, bytes, size, MSG_NOSIGNAL) != (ssize_t)size)
        p->worker->failed = true;
}

static void send_request(struct pool *p, struct connection *c)
{
    if (c->in_then)
        send_bytes(p, c, c->then, c->request->then_size);
    else
        send_bytes(p, c, c->request->bytes, c->request->size);
}

static void become_idle(struct pool *p, struct connection *c)
{
    c->request = NULL;
    c->in_then = false;
    p->n_busy--;
    p->idle[p->n_idle++] = c;
}

/* Send the requests that are due, as long as connections are free. */
static void begin_due(struct pool *p, int64_t now)
{
    const struct load *load = p->worker->load;
    bool open_loop = load->rate > 0;
    while (p->n_idle > 0 && !p->dry && now < load->end_ns &&
           (!open_loop || p->next_due_ns <= now)) {
        struct request *r = plan_take(&p->worker->load->plan);
        if (r == NULL) {
            p->dry = true;
            break;
        }
        struct connection *c = p->idle[--p->n_idle];
        c->request = r;
        c->due_ns = open_loop ? p->next_due_ns : now;
        if (open_loop)
            p->next_due_ns += (int64_t)(NS_PER_S * load->threads / load->rate);
        p->worker->begun++;
        p->n_busy++;
        send_request(p, c);
    }
}

static void wait_for_retry(struct pool *p, struct connection *c, int64_t now)
{
    c->waiting = true;
    c->wake_ns = now + (int64_t)c->answer.retry_after_s * NS_PER_S;
    if (p->n_waiting++ == 0 || c->wake_ns < p->next_wake_ns)
        p->next_wake_ns = c->wake_ns;
}

static void wake_waiting(struct pool *p, int64_t now)
{
    if (p->n_waiting == 0 || now < p->next_wake_ns)
        return;
    p->next_wake_ns = INT64_MAX;
    for (unsigned i = 0; i < p->worker->connections; i++) {
        struct connection *c = &p->all[i];
        if (!c->waiting)
            continue;
        if (c->wake_ns > now) {
            p->next_wake_ns = c->wake_ns < p->next_wake_ns ? c->wake_ns : p->next_wake_ns;
            continue;
        }
        c->waiting = false;
        c->due_ns = now;
        p->n_waiting--;
        p->worker->retried++;
        send_request(p, c);
    }
}

/* Start the second request of a pair with the ticket of the answer, if there are both. */
static bool begin_then(struct connection *c)
{
    const struct request *r = c->request;
    if (c->in_then || r->then_size == 0 || r->then_size > sizeof c->then)
        return false;
    const char *ticket = answer_ticket(&c->answer, r->hole_size);
    if (ticket == NULL)
        return false;
    memcpy(c->then, r->then, r->then_size);
    memcpy(c->then + r->hole_at, ticket, r->hole_size);
    c->in_then = true;
    return true;
}

/* Use the ETag of the answer in the next If-None-Match. */
static void keep_etag(struct connection *c)
{
    struct request *r = c->request;
    if (r->then_size > 0 || r->hole_size == 0 || c->answer.status != 200)
        return;
    const char *etag = answer_etag(&c->answer, r->hole_size);
    if (etag != NULL)
        memcpy(r->bytes + r->hole_at, etag, r->hole_size);
}

static void take_answer(struct pool *p, struct connection *c, int64_t now)
{
    const struct load *load = p->worker->load;
    char word[WORD_SIZE];
    answer_word(&c->answer, word);
    keep_etag(c);
    tally_add(&p->worker->tally, c->answer.status, word, now - load->start_ns, now - c->due_ns,
              now < load->end_ns);
    bool again = load->retry && c->answer.retry_after_s > 0 && now < load->end_ns;
    if (c->answer.closes && !connect_again(p, c)) {
        become_idle(p, c);
    } else if (again) {
        wait_for_retry(p, c, now);
    } else if (begin_then(c)) {
        c->due_ns = now;
        send_request(p, c);
    } else {
        become_idle(p, c);
    }
}

static void take_event(struct pool *p, struct connection *c, int64_t now)
{
    enum answer_end end = answer_read(&c->answer, c->fd);
    bool under_way = c->request != NULL && !c->waiting;
    if (end == ANSWER_MORE)
        return;
    if (end == ANSWER_DONE && under_way) {
        take_answer(p, c, now);
        return;
    }
    bool opened = connect_again(p, c);
    if (!under_way)
        return; /* the server closed an idle connection */
    p->worker->lost++;
    if (opened)
        become_idle(p, c);
}

static void wait_for_events(struct pool *p, int64_t until)
{
    struct epoll_event events[EVENTS];
    int64_t now = load_now_ns(), left = until > now ? until - now : 0;
    struct timespec timeout = {.tv_sec = left / NS_PER_S, .tv_nsec = left % NS_PER_S};
    int n = epoll_pwait2(p->epoll, events, EVENTS, &timeout, NULL);
    now = load_now_ns();
    for (int i = 0; i < n && !p->worker->failed; i++)
        take_event(p, events[i].data.ptr, now);
}

/* Return the time of the next action that does not depend on an answer. */
static int64_t next_moment(const struct pool *p, int64_t now)
{
    const struct load *load = p->worker->load;
    int64_t at = now < load->end_ns ? load->end_ns : load->end_ns + load->grace_ns;
    if (load->rate > 0 && p->n_idle > 0 && !p->dry && p->next_due_ns < at && now < load->end_ns)
        at = p->next_due_ns;
    if (p->n_waiting > 0 && p->next_wake_ns < at)
        at = p->next_wake_ns;
    return at;
}

static bool over(const struct pool *p, int64_t now)
{
    const struct load *load = p->worker->load;
    if (p->worker->failed || now >= load->end_ns + load->grace_ns)
        return true;
    return p->n_busy == 0 && (p->dry || now >= load->end_ns);
}

static bool pool_open(struct pool *p, struct worker *w)
{
    *p = (struct pool){.worker = w,
                       .all = calloc(w->connections, sizeof p->all[0]),
                       .idle = calloc(w->connections, sizeof(struct connection *)),
                       .epoll = epoll_create1(EPOLL_CLOEXEC)};
    if (p->all == NULL || p->idle == NULL || p->epoll < 0)
        return false;
    for (unsigned i = 0; i < w->connections; i++) {
        p->all[i].fd = -1;
        if (!connect_again(p, &p->all[i]))
            return false;
        p->idle[p->n_idle++] = &p->all[i];
    }
    return true;
}

static void pool_close(struct pool *p)
{
    for (unsigned i = 0; p->all != NULL && i < p->worker->connections; i++)
        if (p->all[i].fd > 0)
            close(p->all[i].fd);
    free(p->all);
    free(p->idle);
    close(p->epoll);
}

void *worker_run(void *worker)
{
    struct worker *w = worker;
    struct load *load = w->load;
    struct pool p;
    bool ready = pool_open(&p, w) && tally_init(&w->tally);
    w->failed = !ready;
    while (ready && load_now_ns() < load->start_ns)
        wait_for_events(&p, load->start_ns);
    if (ready && load->rate > 0) /* stagger the threads */
        p.next_due_ns = load->start_ns + (int64_t)(NS_PER_S * w->number / load->rate);
    for (int64_t now; ready && !over(&p, now = load_now_ns());) {
        wake_waiting(&p, now);
        begin_due(&p, now);
        wait_for_events(&p, next_moment(&p, now));
    }
    w->unanswered = p.n_busy - p.n_waiting;
    pool_close(&p);
    return NULL;
}
