/* libfcgi is used for reading and writing records only: connections are accepted elsewhere and
 * handed to it, and each is closed after one response, so an idle web server holds no thread. */
#include "cgi/server/exchange.h"
#include "lib/base/clock.h"
#include "lib/base/crypto.h"
#include "lib/base/str.h"
#include <fcgiapp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TARGET_MAX_BYTES 2048
#define DRAIN_MAX_BYTES (4u << 20)
#define ANSWER_MAX_BYTES (2u << 20)
#define KEPT_BYTES 65536          /* of a buffer's memory between two requests */
#define SOCKET_BUFFER_BYTES 65536 /* a unix socket buffers so much, so a write cannot block */

struct exchange_io {
    FCGX_Request fcgi;
    struct buf out;
    size_t body_max;
    bool read_whole; /* nothing of the request is left unread */
    int timeout_ms;
    char path[TARGET_MAX_BYTES], query[TARGET_MAX_BYTES]; /* as the client sent them */
    char body[];                                          /* body_max + 1 */
};

int exchange_start(void)
{
    return FCGX_Init() == 0 ? 0 : -1;
}

struct exchange *exchange_new(size_t body_max, size_t memory_size)
{
    struct exchange *x = calloc(1, sizeof *x);
    struct exchange_io *io = malloc(sizeof *io + body_max + 1);
    void *memory = calloc(1, memory_size + 1);
    if (x == NULL || io == NULL || memory == NULL || FCGX_InitRequest(&io->fcgi, -1, 0) != 0) {
        free(memory);
        free(io);
        free(x);
        return NULL;
    }
    x->memory = memory;
    io->body_max = body_max;
    buf_init(&io->out, ANSWER_MAX_BYTES);
    http_response_init(&x->response);
    x->io = io;
    return x;
}

void exchange_free(struct exchange *x)
{
    if (x == NULL)
        return;
    FCGX_Free(&x->io->fcgi, 1);
    buf_free(&x->io->out);
    http_response_free(&x->response);
    free(x->memory);
    free(x->io);
    free(x);
}

static void set_timeout(int fd, int option, int timeout_ms)
{
    struct timeval timeout = {.tv_sec = timeout_ms / MS_PER_S,
                              .tv_usec = timeout_ms % MS_PER_S * US_PER_MS};
    setsockopt(fd, SOL_SOCKET, option, &timeout, sizeof timeout);
}

static void split_target(struct exchange_io *io)
{
    const char *uri = FCGX_GetParam("REQUEST_URI", io->fcgi.envp);
    const char *query = NULL;
    if (uri == NULL) { /* not every web server passes it */
        uri = FCGX_GetParam("DOCUMENT_URI", io->fcgi.envp);
        query = FCGX_GetParam("QUERY_STRING", io->fcgi.envp);
    }
    if (uri == NULL)
        uri = "";
    size_t path_len = strcspn(uri, "?");
    if (query == NULL)
        query = uri[path_len] == '?' ? uri + path_len + 1 : "";
    size_t mark_len = query[0] != '\0'; /* the question mark */
    if (path_len + mark_len + strlen(query) >= TARGET_MAX_BYTES ||
        !str_set(io->path, sizeof io->path, uri, path_len) ||
        !str_set(io->query, sizeof io->query, query, strlen(query)))
        io->path[0] = io->query[0] = '\0'; /* too long for any route */
}

static bool request_id_valid(const char *id)
{
    size_t len = strlen(id);
    return len >= 1 && len < REQUEST_ID_SIZE &&
           strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

static void set_request_id(struct http_request *r, const char *given)
{
    uint8_t random[8];
    if (given != NULL && request_id_valid(given)) {
        memcpy(r->request_id, given, strlen(given) + 1);
        return;
    }
    rng_system.fill(rng_system.self, random, sizeof random);
    str_to_hex(r->request_id, random, sizeof random);
}

/* Read and discard the rest of the body: closing a socket with unread data resets it and may lose
 * the response. Return true if there was nothing. */
static bool drain_body(struct exchange_io *io)
{
    char trash[4096];
    size_t total = 0;
    int n = 0;
    while (total < DRAIN_MAX_BYTES && (n = FCGX_GetStr(trash, sizeof trash, io->fcgi.in)) > 0)
        total += (size_t)n;
    io->read_whole = n == 0 && total < DRAIN_MAX_BYTES;
    return total == 0;
}

/* Read exactly CONTENT_LENGTH bytes, if that is well-formed and within the limit. A body that goes
 * on after them has no trustworthy length. Return false if the body ended early. */
static bool read_body(struct exchange_io *io, struct http_request *r)
{
    const char *text = FCGX_GetParam("CONTENT_LENGTH", io->fcgi.envp);
    uint64_t length = 0;
    r->has_length = text != NULL && str_to_u64(text, strlen(text), &length);
    r->too_large = length > io->body_max;
    r->body = io->body;
    r->body_len = r->too_large ? 0 : (size_t)length;
    if (r->body_len > 0 && FCGX_GetStr(io->body, (int)r->body_len, io->fcgi.in) != (int)r->body_len)
        return false;
    if (!drain_body(io) && !r->too_large) {
        r->has_length = false;
        r->body_len = 0;
    }
    io->body[r->body_len] = '\0';
    return FCGX_GetError(io->fcgi.in) == 0;
}

static void read_headers(const struct exchange_io *io, struct http_request *r)
{
    const FCGX_Request *fcgi = &io->fcgi;
    const char *method = FCGX_GetParam("REQUEST_METHOD", fcgi->envp);
    const char *remote = FCGX_GetParam("REMOTE_ADDR", fcgi->envp);
    r->method = method != NULL ? method : "";
    r->remote_address = remote != NULL ? remote : "";
    const char *metrics = FCGX_GetParam("HONGBAO_METRICS", fcgi->envp);
    r->metrics_listener = metrics != NULL && strcmp(metrics, "1") == 0;
    r->path = io->path;
    r->query = io->query;
    r->authorization = FCGX_GetParam("HTTP_AUTHORIZATION", fcgi->envp);
    r->idempotency_key = FCGX_GetParam("HTTP_IDEMPOTENCY_KEY", fcgi->envp);
    r->if_none_match = FCGX_GetParam("HTTP_IF_NONE_MATCH", fcgi->envp);
    r->content_type = FCGX_GetParam("CONTENT_TYPE", fcgi->envp);
    r->content_encoding = FCGX_GetParam("HTTP_CONTENT_ENCODING", fcgi->envp);
    set_request_id(r, FCGX_GetParam("HTTP_X_REQUEST_ID", fcgi->envp));
}

/* Flush and close the connection. libfcgi would wait for the web server to close first, so that no
 * response is lost to a reset; that is needed only if request data is left unread, and detaching
 * skips it otherwise. */
static void exchange_close(struct exchange_io *io)
{
    io->fcgi.keepConnection = 0;
    if (io->read_whole)
        FCGX_Detach(&io->fcgi);
    FCGX_Finish_r(&io->fcgi);
}

bool exchange_read(struct exchange *x, int fd, int timeout_ms, bool whole)
{
    struct exchange_io *io = x->io;
    if (!whole)
        set_timeout(fd, SO_RCVTIMEO, timeout_ms);
    /* Make libfcgi take fd for a connection that was kept open. If it has to be closed, libfcgi
     * tries to accept another one; its listening socket is -1, so that fails. */
    io->fcgi.ipcFd = fd;
    io->fcgi.keepConnection = 1;
    io->read_whole = false;
    io->timeout_ms = timeout_ms;
    if (FCGX_Accept_r(&io->fcgi) != 0)
        return false;
    x->request = (struct http_request){.body_len = 0};
    split_target(io);
    read_headers(io, &x->request);
    if (!read_body(io, &x->request)) {
        exchange_close(io); /* client disconnected mid-request */
        return false;
    }
    http_response_reset(&x->response);
    return true;
}

static void exchange_render(struct exchange *x)
{
    struct buf *out = &x->io->out;
    buf_reset(out);
    http_render(&x->response, x->request.request_id, out);
    if (!out->failed && strcmp(x->request.method, "HEAD") == 0)
        out->len = (size_t)(strstr(out->data, "\r\n\r\n") + strlen("\r\n\r\n") - out->data);
}

void exchange_answer(struct exchange *x)
{
    struct exchange_io *io = x->io;
    exchange_render(x);
    if (io->out.len > SOCKET_BUFFER_BYTES)
        set_timeout(io->fcgi.ipcFd, SO_SNDTIMEO, io->timeout_ms);
    if (!io->out.failed)
        FCGX_PutStr(io->out.data, (int)io->out.len, io->fcgi.out);
    exchange_close(io);
    if (io->out.cap > KEPT_BYTES)
        buf_free(&io->out);
    if (x->response.body.cap > KEPT_BYTES)
        http_response_free(&x->response);
}
