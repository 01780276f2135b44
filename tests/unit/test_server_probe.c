/* request_probe: how much of a request has arrived, at every length and for every oddity. */
#include "cgi/server/request_probe.h"
#include "tests/unit/web_peer.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct peer_request post = {
    .method = "POST", .uri = "/v1/x", .body = "{\"a\":1}", .content_length = "7"};

static enum probe probe_of(const uint8_t *data, size_t len, bool close_after)
{
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    peer_send(fd[1], data, len);
    if (close_after)
        close(fd[1]);
    enum probe probe = request_probe(fd[0], 0);
    close(fd[0]);
    if (!close_after)
        close(fd[1]);
    return probe;
}

static void every_prefix_is_a_part(void **state)
{
    uint8_t data[PEER_BYTES_MAX];
    size_t len = peer_encode(&post, data);
    (void)state;
    for (size_t n = 0; n < len; n++)
        assert_int_equal(probe_of(data, n, false), PROBE_PART);
    assert_int_equal(probe_of(data, len, false), PROBE_WHOLE);
}

static void a_closed_peer_sends_no_more(void **state)
{
    uint8_t data[PEER_BYTES_MAX];
    size_t len = peer_encode(&post, data);
    (void)state;
    assert_int_equal(probe_of(data, 0, true), PROBE_WHOLE);
    assert_int_equal(probe_of(data, len / 2, true), PROBE_WHOLE);
}

static void more_than_16_kib_are_large(void **state)
{
    static char body[20000 + 1];
    uint8_t data[PEER_BYTES_MAX];
    const struct peer_request r = {
        .method = "POST", .uri = "/", .body = body, .content_length = "20000"};
    (void)state;
    memset(body, 'x', sizeof body - 1);
    size_t len = peer_encode(&r, data);
    assert_int_equal(probe_of(data, len, false), PROBE_LARGE);
}

/* libfcgi skips records that it does not expect and reads on: they never make a request whole. */
static void unexpected_records_are_not_whole(void **state)
{
    uint8_t data[PEER_BYTES_MAX];
    size_t len = peer_encode(&post, data);
    (void)state;
    data[0] = 2; /* another version of the protocol */
    assert_int_equal(probe_of(data, len, false), PROBE_PART);
    data[0] = 1;
    data[1] = 2; /* ABORT in place of BEGIN */
    assert_int_equal(probe_of(data, len, false), PROBE_PART);
    data[1] = 1;
    data[2] = data[3] = 0; /* a management record */
    assert_int_equal(probe_of(data, len, false), PROBE_PART);
    data[3] = 1;
    data[16 + 3] = 2; /* parameters of another request */
    assert_int_equal(probe_of(data, len, false), PROBE_PART);
    data[16 + 3] = 1;
    assert_int_equal(probe_of(data, len, false), PROBE_WHOLE);
}

static void waits_for_the_first_bytes_only(void **state)
{
    int fd[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    assert_int_equal(request_probe(fd[0], 1), PROBE_PART);
    peer_send_get(fd[1], "/");
    assert_int_equal(request_probe(fd[0], 1), PROBE_WHOLE);
    assert_int_equal(request_probe(fd[0], 1), PROBE_WHOLE); /* nothing was consumed */
    close(fd[0]);
    close(fd[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_prefix_is_a_part),
        cmocka_unit_test(a_closed_peer_sends_no_more),
        cmocka_unit_test(more_than_16_kib_are_large),
        cmocka_unit_test(unexpected_records_are_not_whole),
        cmocka_unit_test(waits_for_the_first_bytes_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
