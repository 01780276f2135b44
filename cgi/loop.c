#include "cgi/loop.h"
#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/base/str.h"
#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATH_MAX_BYTES 2048
#define THREADS_MAX 256
#define DRAIN_MAX_BYTES (4u << 20)
#define ACCEPT_PAUSE_MS 20

struct server {
    const struct loop *loop;
    int stop_fd; /* readable for good once the process shall end */
    pthread_mutex_t accepting;
};

struct worker {
    struct server *server;
    unsigned number;
    pthread_t thread;
};

static void signals_of_interest(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGUSR1); /* libfcgi would handle it */
}

void loop_block_signals(void)
{
    sigset_t set;
    signals_of_interest(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* The next connection, or -1 when the process shall end. One thread of a process waits at a time.
 * Signals are never delivered here: they are taken by the main thread, which makes stop_fd
 * readable. */
static int accept_next(struct server *s)
{
    struct pollfd fds[2] = {{.fd = s->loop->listener, .events = POLLIN},
                            {.fd = s->stop_fd, .events = POLLIN}};
    int fd = -1;
    pthread_mutex_lock(&s->accepting);
    while (fd < 0) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            break;
        if (fds[1].revents != 0)
            break;
        if (fds[0].revents == 0)
            continue;
        fd = accept4(s->loop->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED)
            poll(&fds[1], 1, ACCEPT_PAUSE_MS); /* no descriptor or memory left at this moment */
    }
    pthread_mutex_unlock(&s->accepting);
    return fd;
}

static void set_timeouts(int fd, int timeout_s)
{
    struct timeval timeout = {.tv_sec = timeout_s};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
}

/* Lets libfcgi read the request that comes over fd. It takes a connection of ours for one that was
 * kept open; its own accept, on no socket, only ever fails. */
static bool read_request(FCGX_Request *fcgi, int fd)
{
    fcgi->ipcFd = fd;
    fcgi->keepConnection = 1;
    return FCGX_Accept_r(fcgi) == 0;
}

/* The request path and query as the client sent them. */
struct target {
    char path[PATH_MAX_BYTES];
    char query[PATH_MAX_BYTES];
};

static void split_target(const FCGX_Request *fcgi, struct target *t)
{
    const char *uri = FCGX_GetParam("REQUEST_URI", fcgi->envp);
    const char *query = NULL;
    if (uri == NULL) { /* not every web server says it */
        uri = FCGX_GetParam("DOCUMENT_URI", fcgi->envp);
        query = FCGX_GetParam("QUERY_STRING", fcgi->envp);
    }
    if (uri == NULL)
        uri = "";
    size_t path_len = strcspn(uri, "?");
    if (query == NULL)
        query = uri[path_len] == '?' ? uri + path_len + 1 : "";
    if (!str_set(t->path, sizeof t->path, uri, path_len) ||
        !str_set(t->query, sizeof t->query, query, strlen(query)))
        t->path[0] = t->query[0] = '\0'; /* too long to be anything of ours */
}

static bool request_id_valid(const char *id)
{
    size_t len = strlen(id);
    return len >= 1 && len < REQUEST_ID_SIZE &&
           strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

static void name_request(struct http_request *r, const char *given)
{
    uint8_t random[8];
    if (given != NULL && request_id_valid(given)) {
        memcpy(r->request_id, given, strlen(given) + 1);
        return;
    }
    rng_system.fill(rng_system.self, random, sizeof random);
    str_to_hex(r->request_id, random, sizeof random);
}

/* Takes what is left of the body, so that closing the connection does not reset it under the
 * answer. True if there was nothing. */
static bool drain(FCGX_Stream *in)
{
    char trash[4096];
    size_t total = 0;
    for (int n; (n = FCGX_GetStr(trash, sizeof trash, in)) > 0 && total < DRAIN_MAX_BYTES;)
        total += (size_t)n;
    return total == 0;
}

/* Reads exactly what CONTENT_LENGTH says, if it is well-formed and within the limit; a body that
 * goes on after it has no length that can be believed. False: the body ended early. */
static bool read_body(const FCGX_Request *fcgi, const struct loop *loop, char *body,
                      struct http_request *r)
{
    const char *text = FCGX_GetParam("CONTENT_LENGTH", fcgi->envp);
    uint64_t length = 0;
    r->has_length = text != NULL && str_to_u64(text, strlen(text), &length);
    r->too_large = length > loop->body_max;
    r->body = body;
    r->body_len = r->too_large ? 0 : (size_t)length;
    if (r->body_len > 0 && FCGX_GetStr(body, (int)r->body_len, fcgi->in) != (int)r->body_len)
        return false;
    if (!drain(fcgi->in) && !r->too_large) {
        r->has_length = false;
        r->body_len = 0;
    }
    body[r->body_len] = '\0';
    return FCGX_GetError(fcgi->in) == 0;
}

static void read_headers(const FCGX_Request *fcgi, const struct target *t, struct http_request *r)
{
    const char *method = FCGX_GetParam("REQUEST_METHOD", fcgi->envp);
    const char *remote = FCGX_GetParam("REMOTE_ADDR", fcgi->envp);
    r->method = method != NULL ? method : "";
    r->remote_address = remote != NULL ? remote : "";
    r->path = t->path;
    r->query = t->query;
    r->authorization = FCGX_GetParam("HTTP_AUTHORIZATION", fcgi->envp);
    r->idempotency_key = FCGX_GetParam("HTTP_IDEMPOTENCY_KEY", fcgi->envp);
    r->if_none_match = FCGX_GetParam("HTTP_IF_NONE_MATCH", fcgi->envp);
    r->content_type = FCGX_GetParam("CONTENT_TYPE", fcgi->envp);
    name_request(r, FCGX_GetParam("HTTP_X_REQUEST_ID", fcgi->envp));
}

static void send_response(const FCGX_Request *fcgi, const struct http_request *request,
                          const struct http_response *response, struct buf *out)
{
    buf_reset(out);
    http_render(response, request->request_id, out);
    if (out->failed)
        return;
    if (strcmp(request->method, "HEAD") == 0)
        out->len = (size_t)(strstr(out->data, "\r\n\r\n") + strlen("\r\n\r\n") - out->data);
    FCGX_PutStr(out->data, (int)out->len, fcgi->out);
}

static void answer(const struct worker *w, const FCGX_Request *fcgi, char *body, struct buf *out)
{
    const struct loop *loop = w->server->loop;
    struct http_request request = {0};
    struct http_response response;
    struct target target;
    split_target(fcgi, &target);
    read_headers(fcgi, &target, &request);
    if (!read_body(fcgi, loop, body, &request))
        return; /* the client went away in mid-sentence: nobody is left to answer */
    http_response_init(&response);
    loop->handler(loop->context, w->number, &request, &response);
    send_response(fcgi, &request, &response, out);
    http_response_free(&response);
}

static void *work(void *arg)
{
    struct worker *w = arg;
    const struct loop *loop = w->server->loop;
    FCGX_Request fcgi;
    struct buf out;
    char *body = malloc(loop->body_max + 1);
    buf_init(&out, 2u << 20);
    if (body == NULL || FCGX_InitRequest(&fcgi, -1, 0) != 0) {
        log_event(LOG_LEVEL_ERROR, "thread_failed", "no memory");
        free(body);
        return NULL;
    }
    for (int fd; (fd = accept_next(w->server)) >= 0;) {
        set_timeouts(fd, loop->timeout_s);
        if (!read_request(&fcgi, fd))
            continue;
        answer(w, &fcgi, body, &out);
        fcgi.keepConnection = 0; /* one web-server connection never holds a thread */
        FCGX_Finish_r(&fcgi);
    }
    FCGX_Free(&fcgi, 1);
    buf_free(&out);
    free(body);
    return NULL;
}

/* Waits for the signal that ends the process. */
static void wait_for_end(void)
{
    sigset_t set;
    int signal_number = 0;
    signals_of_interest(&set);
    do {
        if (sigwait(&set, &signal_number) != 0)
            continue;
        if (signal_number == SIGHUP)
            log_reopen();
    } while (signal_number != SIGTERM && signal_number != SIGINT);
}

/* The listener is closed at once: whoever takes over the address need not wait for the requests in
 * hand. */
static void end_accepting(struct server *s)
{
    uint64_t one = 1;
    ssize_t written = write(s->stop_fd, &one, sizeof one);
    (void)written;
    pthread_mutex_lock(&s->accepting);
    close(s->loop->listener);
    pthread_mutex_unlock(&s->accepting);
}

int loop_run(const struct loop *loop)
{
    struct server server = {.loop = loop, .stop_fd = eventfd(0, EFD_CLOEXEC)};
    static const char *const close_poll_ms = "50";
    struct worker workers[THREADS_MAX];
    unsigned started = 0;
    setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", close_poll_ms, 1);
    pthread_mutex_init(&server.accepting, NULL);
    int flags = fcntl(loop->listener, F_GETFL);
    if (server.stop_fd < 0 || flags < 0 || loop->threads > THREADS_MAX ||
        fcntl(loop->listener, F_SETFL, flags | O_NONBLOCK) != 0 || FCGX_Init() != 0)
        return -1;
    while (started < loop->threads) {
        struct worker *w = &workers[started];
        *w = (struct worker){.server = &server, .number = started};
        if (pthread_create(&w->thread, NULL, work, w) != 0)
            break;
        started++;
    }
    if (started > 0)
        wait_for_end();
    end_accepting(&server);
    for (unsigned i = 0; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    pthread_mutex_destroy(&server.accepting);
    close(server.stop_fd);
    return started > 0 ? 0 : -1;
}
