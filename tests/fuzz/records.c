/* FastCGI records as a web server would never send them, through probe, libfcgi and exchange, over
 * a socketpair that is shut for writing, so that nothing waits. */
#include "cgi/server/exchange.h"
#include "cgi/server/request_probe.h"
#include "tests/fuzz/fuzz.h"
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_MAX 8192

static struct exchange *start(void)
{
    setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "1",
           1); /* ms; libfcgi reads it once, and waits 2 s by default */
    FUZZ_CHECK(exchange_start() == 0);
    signal(SIGPIPE, SIG_IGN);
    struct exchange *x = exchange_new(BODY_MAX, 0);
    FUZZ_CHECK(x != NULL);
    return x;
}

static void check_request(const struct http_request *r)
{
    FUZZ_CHECK(r->method != NULL && r->path != NULL && r->query != NULL &&
               r->remote_address != NULL);
    FUZZ_CHECK(strlen(r->request_id) >= 1 && strlen(r->request_id) < REQUEST_ID_SIZE);
    FUZZ_CHECK(r->body_len <= BODY_MAX && r->body[r->body_len] == '\0');
    FUZZ_CHECK(strchr(r->path, '?') == NULL);
    FUZZ_CHECK(r->has_length || r->body_len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct exchange *x;
    int pair[2];
    char answer[4096];
    if (x == NULL)
        x = start();
    if (size > 60000 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        return 0;
    FUZZ_CHECK(write(pair[1], data, size) == (ssize_t)size);
    shutdown(pair[1], SHUT_WR);
    enum probe probe = request_probe(pair[0], BODY_MAX, 0);
    FUZZ_CHECK(probe != PROBE_PART);
    if (probe == PROBE_NONE) {
        close(pair[0]);
    } else if (exchange_read(x, pair[0], 100, false)) {
        check_request(&x->request);
        exchange_answer(x);
        while (read(pair[1], answer, sizeof answer) > 0)
            ;
    }
    close(pair[1]);
    return 0;
}
