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

#define BODY_MAX 16384

static const struct peer_request post = {
    .method = "POST", .uri = "/v1/x", .body = "{\"a\":1}", .content_length = "7"};

static enum probe probe_of(const uint8_t *data, size_t len, bool close_after)
{
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    peer_send(fd[1], data, len);
    if (close_after)
        close(fd[1]);
    enum probe probe = request_probe(fd[0], BODY_MAX, 0);
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
    assert_int_equal(probe_of(data, 0, true), PROBE_NONE);
    assert_int_equal(probe_of(data, len / 2, true), PROBE_NONE);
    assert_int_equal(probe_of(data, len, true), PROBE_WHOLE);
}

/* A record of type with n bytes of content and no padding. */
static size_t put_record(uint8_t *out, unsigned type, const void *content, size_t n)
{
    const uint8_t header[8] = {1, (uint8_t)type, 0, 1, (uint8_t)(n >> 8), (uint8_t)n};
    memcpy(out, header, sizeof header);
    if (n > 0)
        memcpy(out + sizeof header, content, n);
    return sizeof header + n;
}

static const uint8_t begin_body[8] = {0, 1};

static void a_large_body_is_large(void **state)
{
    static uint8_t data[2 * PROBE_BYTES], chunk[32768];
    size_t len = put_record(data, 1, begin_body, sizeof begin_body);
    (void)state;
    len += put_record(data + len, 4, NULL, 0);
    size_t fits = len + put_record(data + len, 5, chunk, BODY_MAX);
    assert_int_equal(probe_of(data, fits, false), PROBE_PART);
    len = fits + put_record(data + fits, 5, chunk, 1);
    assert_int_equal(probe_of(data, len, false), PROBE_LARGE);
    len += put_record(data + len, 5, NULL, 0);
    assert_int_equal(probe_of(data, len, false), PROBE_LARGE);
}

/* Parameters that are not examined to their end could hold what libfcgi must not see. */
static void large_parameters_are_refused(void **state)
{
    static uint8_t data[2 * PROBE_BYTES], pairs[32768];
    size_t len = put_record(data, 1, begin_body, sizeof begin_body);
    (void)state;
    for (int i = 0; i < 3; i++) /* pairs with an empty name and an empty value */
        len += put_record(data + len, 4, pairs, sizeof pairs);
    assert_int_equal(probe_of(data, len, false), PROBE_NONE);
}

/* libfcgi would skip records that it does not expect, leak what an unknown management record
 * allocates, and read on. */
static void unexpected_records_are_refused(void **state)
{
    uint8_t data[PEER_BYTES_MAX];
    size_t len = peer_encode(&post, data);
    (void)state;
    data[0] = 2; /* another version of the protocol */
    assert_int_equal(probe_of(data, len, false), PROBE_NONE);
    data[0] = 1;
    data[1] = 2; /* ABORT in place of BEGIN */
    assert_int_equal(probe_of(data, len, false), PROBE_NONE);
    data[1] = 77; /* unknown, and with id 0 a management record */
    data[2] = data[3] = 0;
    assert_int_equal(probe_of(data, len, false), PROBE_NONE);
    assert_int_equal(probe_of(data, 8, false), PROBE_NONE);
    data[1] = 1;
    assert_int_equal(probe_of(data, len, false), PROBE_NONE);
    data[3] = 1;
    data[16 + 3] = 2; /* parameters of another request */
    assert_int_equal(probe_of(data, len, false), PROBE_NONE);
    data[16 + 3] = 1;
    assert_int_equal(probe_of(data, len, false), PROBE_WHOLE);
}

/* Probe a request whose parameters are content[0..n), in records of `step` bytes. */
static enum probe probe_params(const uint8_t *content, size_t n, size_t step, bool ended)
{
    uint8_t data[1024];
    size_t len = put_record(data, 1, begin_body, sizeof begin_body);
    for (size_t at = 0; at < n; at += step)
        len += put_record(data + len, 4, content + at, n - at < step ? n - at : step);
    if (ended) {
        len += put_record(data + len, 4, NULL, 0);
        len += put_record(data + len, 5, NULL, 0);
    }
    return probe_of(data, len, false);
}

/* The sum of the lengths overflows libfcgi's int, and its allocation aborts the process. */
static void lengths_that_overflow_are_refused(void **state)
{
    static const uint8_t overflow[] = {0xff, 0xff, 0xff, 0xf0, 0x0e, 'n', 'a', 'm'};
    static const uint8_t both[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    (void)state;
    for (size_t step = 1; step <= 8; step++) {
        assert_int_equal(probe_params(overflow, sizeof overflow, step, true), PROBE_NONE);
        assert_int_equal(probe_params(overflow, sizeof overflow, step, false), PROBE_NONE);
        assert_int_equal(probe_params(both, sizeof both, step, true), PROBE_NONE);
    }
}

static void lengths_must_fit_their_stream(void **state)
{
    static const uint8_t exact[] = {1, 2, 'a', 'b', 'c', 0x80, 0, 0, 1, 1, 'd', 'e'};
    (void)state;
    for (size_t step = 1; step <= sizeof exact; step++) {
        assert_int_equal(probe_params(exact, sizeof exact, step, true), PROBE_WHOLE);
        for (size_t n = 1; n < sizeof exact; n++) {
            bool between = n == 5;
            assert_int_equal(probe_params(exact, n, step, false), PROBE_PART);
            assert_int_equal(probe_params(exact, n, step, true),
                             between ? PROBE_WHOLE : PROBE_NONE);
        }
    }
}

static void waits_for_the_first_bytes_only(void **state)
{
    int fd[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    assert_int_equal(request_probe(fd[0], BODY_MAX, 1), PROBE_PART);
    peer_send_get(fd[1], "/");
    assert_int_equal(request_probe(fd[0], BODY_MAX, 1), PROBE_WHOLE);
    assert_int_equal(request_probe(fd[0], BODY_MAX, 1), PROBE_WHOLE); /* nothing was consumed */
    close(fd[0]);
    close(fd[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_prefix_is_a_part),
        cmocka_unit_test(a_closed_peer_sends_no_more),
        cmocka_unit_test(a_large_body_is_large),
        cmocka_unit_test(large_parameters_are_refused),
        cmocka_unit_test(unexpected_records_are_refused),
        cmocka_unit_test(lengths_that_overflow_are_refused),
        cmocka_unit_test(lengths_must_fit_their_stream),
        cmocka_unit_test(waits_for_the_first_bytes_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
