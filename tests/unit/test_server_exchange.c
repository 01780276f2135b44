/* exchange: one request over a socket pair, as sent, cut short, too long, or never read. */
#include "cgi/server/exchange.h"
#include "lib/base/clock.h"
#include "lib/base/crypto.h"
#include "tests/unit/web_peer.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HANG_S 120
#define BODY_MAX 64
#define TIMEOUT_MS 100
#define MEMORY_SIZE 16

struct fixture {
    struct exchange *x;
    int peer;
};

static int set_up(void **state)
{
    static struct fixture f;
    f.x = exchange_new(BODY_MAX, MEMORY_SIZE);
    *state = &f;
    return f.x == NULL;
}

static int tear_down(void **state)
{
    exchange_free(((struct fixture *)*state)->x);
    return 0;
}

/* Send the first len bytes of r (0: all) and read them as a request. */
static bool read_prefix(struct fixture *f, const struct peer_request *r, size_t len)
{
    uint8_t data[PEER_BYTES_MAX];
    int fd[2];
    size_t all = peer_encode(r, data);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    peer_send(fd[1], data, len == 0 ? all : len);
    f->peer = fd[1];
    return exchange_read(f->x, fd[0], TIMEOUT_MS, len == 0);
}

static void answer(struct fixture *f, const char *body, char *out, size_t cap)
{
    buf_puts(&f->x->response.body, body);
    exchange_answer(f->x);
    peer_receive(f->peer, out, cap);
}

static void reads_a_request_and_answers(void **state)
{
    struct fixture *f = *state;
    char text[1024];
    const struct peer_request r = {.method = "POST",
                                   .uri = "/v1/envelopes?x=1",
                                   .request_id = "abc-1",
                                   .body = "{}",
                                   .content_length = "2"};
    assert_true(read_prefix(f, &r, 0));
    const struct http_request *q = &f->x->request;
    assert_string_equal(q->method, "POST");
    assert_string_equal(q->path, "/v1/envelopes");
    assert_string_equal(q->query, "x=1");
    assert_string_equal(q->request_id, "abc-1");
    assert_string_equal(q->body, "{}");
    assert_int_equal(q->body_len, 2);
    assert_true(q->has_length && !q->too_large);
    answer(f, "{\"ok\":1}", text, sizeof text);
    assert_non_null(strstr(text, "Status: 200"));
    assert_non_null(strstr(text, "X-Request-Id: abc-1\r\n"));
    assert_non_null(strstr(text, "\r\n\r\n{\"ok\":1}"));
}

static void head_has_no_body(void **state)
{
    struct fixture *f = *state;
    char text[1024];
    assert_true(read_prefix(f, &(struct peer_request){.method = "HEAD", .uri = "/"}, 0));
    answer(f, "{\"ok\":1}", text, sizeof text);
    assert_non_null(strstr(text, "Content-Length: 8\r\n"));
    assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
}

/* The id that a request with this X-Request-Id gets. */
static const char *id_given(struct fixture *f, const char *given)
{
    char text[1024];
    struct peer_request r = {.method = "GET", .uri = "/", .request_id = given};
    assert_true(read_prefix(f, &r, 0));
    assert_string_equal(f->x->request.remote_address, ""); /* the member after the id */
    answer(f, "", text, sizeof text);
    return f->x->request.request_id;
}

static void request_ids_of_1_to_64_characters_are_kept(void **state)
{
    struct fixture *f = *state;
    char id[4096];
    for (size_t len = 0; len < sizeof id; len = len < 70 ? len + 1 : 2 * len) {
        memset(id, 'a', len);
        id[len] = '\0';
        const char *got = id_given(f, id);
        if (len >= 1 && len <= 64)
            assert_string_equal(got, id);
        else
            assert_true(strlen(got) == 16 && strspn(got, "0123456789abcdef") == 16);
    }
    assert_string_equal(id_given(f, "aZ09._-"), "aZ09._-");
    assert_string_not_equal(id_given(f, "a b"), "a b");
    assert_string_not_equal(id_given(f, "a\r\nX: y"), "a\r\nX: y");
}

static void made_request_ids_differ(void **state)
{
    struct fixture *f = *state;
    char first[REQUEST_ID_SIZE];
    memcpy(first, id_given(f, NULL), sizeof first);
    assert_string_not_equal(id_given(f, NULL), first);
}

/* The stream ends properly, but before CONTENT_LENGTH bytes. */
static void a_body_shorter_than_its_length_is_no_request(void **state)
{
    struct fixture *f = *state;
    char text[1024];
    struct peer_request r = {.method = "POST", .uri = "/", .body = "{}", .content_length = "3"};
    assert_false(read_prefix(f, &r, 0));
    assert_int_equal(peer_receive(f->peer, text, sizeof text), 0);
    r.body = NULL;
    assert_false(read_prefix(f, &r, 0));
    assert_int_equal(peer_receive(f->peer, text, sizeof text), 0);
    r.content_length = "0";
    assert_true(read_prefix(f, &r, 0)); /* and the exchange can be used again */
    answer(f, "", text, sizeof text);
}

/* The web server stops in the middle, anywhere, and says nothing more: the read times out. */
static void a_request_cut_off_is_no_request(void **state)
{
    struct fixture *f = *state;
    uint8_t data[PEER_BYTES_MAX];
    char text[1024];
    const struct peer_request r = {
        .method = "POST", .uri = "/", .body = "{\"a\":1}", .content_length = "7"};
    size_t all = peer_encode(&r, data);
    const size_t cuts[] = {4, 20, all - 8 - 7, all - 8 - 3, all - 8, all - 1};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        assert_false(read_prefix(f, &r, cuts[i]));
        assert_int_equal(peer_receive(f->peer, text, sizeof text), 0);
    }
}

static void a_body_longer_than_its_length_has_none(void **state)
{
    struct fixture *f = *state;
    char text[1024];
    const struct peer_request r = {
        .method = "POST", .uri = "/", .body = "{}{}", .content_length = "2"};
    assert_true(read_prefix(f, &r, 0));
    assert_false(f->x->request.has_length);
    assert_int_equal(f->x->request.body_len, 0);
    answer(f, "", text, sizeof text);
}

static void a_body_over_the_limit_is_not_read(void **state)
{
    struct fixture *f = *state;
    char body[BODY_MAX + 2], text[1024];
    struct peer_request r = {.method = "POST", .uri = "/", .body = body, .content_length = "65"};
    memset(body, 'x', BODY_MAX + 1);
    body[BODY_MAX + 1] = '\0';
    assert_true(read_prefix(f, &r, 0));
    assert_true(f->x->request.too_large);
    assert_int_equal(f->x->request.body_len, 0);
    answer(f, "", text, sizeof text);
    body[BODY_MAX] = '\0';
    r.content_length = "64";
    assert_true(read_prefix(f, &r, 0));
    assert_false(f->x->request.too_large);
    assert_string_equal(f->x->request.body, body);
    answer(f, "", text, sizeof text);
}

/* A client that does not read its response holds the thread for one write time-out. */
static void a_client_that_does_not_read_is_given_up(void **state)
{
    struct fixture *f = *state;
    const struct peer_request r = {.method = "GET", .uri = "/"};
    size_t size = 1000 * 1000;
    char *body = malloc(size + 1);
    memset(body, 'x', size);
    body[size] = '\0';
    assert_true(read_prefix(f, &r, 0));
    buf_puts(&f->x->response.body, body);
    int64_t began_us = clock_system.mono_us(NULL);
    exchange_answer(f->x);
    int64_t took_us = clock_system.mono_us(NULL) - began_us;
    assert_in_range(took_us, TIMEOUT_MS * 1000, 10 * 1000 * 1000);
    close(f->peer);
    free(body);
}

static void memory_stays_from_request_to_request(void **state)
{
    struct fixture *f = *state;
    char text[1024], *memory = f->x->memory;
    for (size_t i = 0; i < MEMORY_SIZE; i++)
        assert_int_equal(memory[i], 0);
    memory[MEMORY_SIZE - 1] = 'm';
    assert_true(read_prefix(f, &(struct peer_request){.method = "GET", .uri = "/"}, 0));
    answer(f, "", text, sizeof text);
    assert_int_equal(memory[MEMORY_SIZE - 1], 'm');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_a_request_and_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(head_has_no_body, set_up, tear_down),
        cmocka_unit_test_setup_teardown(request_ids_of_1_to_64_characters_are_kept, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(made_request_ids_differ, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_body_shorter_than_its_length_is_no_request, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_request_cut_off_is_no_request, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_body_longer_than_its_length_has_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_body_over_the_limit_is_not_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_does_not_read_is_given_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_stays_from_request_to_request, set_up, tear_down),
    };
    signal(SIGPIPE, SIG_IGN);
    setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "50", 1);
    if (crypto_init() != ERR_OK || exchange_start() != 0)
        return 1;
    alarm(HANG_S); /* a request that is lost is waited for */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
