/* Pages that a process remembers: each claim learned makes of them what the database would tell. */
#include "lib/service/look/page_cache.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SHARES 12
#define NOW_US INT64_C(1790000000000000)

/* An envelope from its send to the claim before the last, version by version. */
struct past {
    struct envelope versions[SHARES + 1]; /* by version; [0] is unused */
    struct claim claims[SHARES];          /* by seq - 1 */
};

static void setup_past(struct past *past)
{
    memset(past, 0, sizeof *past);
    struct envelope e = {.id = {{1}}, .total_fen = 1000, .shares = SHARES, .cap_fen = 20000};
    e.version = 1;
    e.expires_us = 2 * NOW_US;
    e.has_seed = true;
    past->versions[1] = e;
    for (int64_t seq = 1; seq < SHARES; seq++) {
        char user[USER_SIZE];
        snprintf(user, sizeof user, "u%lld", (long long)seq);
        envelope_open_next(&e, user, "name", NOW_US + seq, &past->claims[seq - 1]);
        past->versions[seq + 1] = e;
    }
}

/* The page as the database tells it in that version. */
static struct envelope_view page_of(const struct past *past, int64_t version, int64_t after_seq,
                                    size_t limit)
{
    static struct envelope_view view;
    memset(&view, 0, sizeof view);
    view.envelope = past->versions[version];
    for (int64_t seq = after_seq + 1; seq < version && view.n_claims < limit; seq++)
        view.claims[view.n_claims++] = past->claims[seq - 1];
    if (view.n_claims == limit && view.claims[limit - 1].seq < version - 1)
        view.next_seq = view.claims[limit - 1].seq;
    return view;
}

static void assert_remembered(struct page_cache *v, const struct past *past, int64_t version,
                              int64_t after_seq, size_t limit)
{
    static struct envelope_view got;
    struct envelope_view want = page_of(past, version, after_seq, limit);
    assert_true(page_cache_get(v, &want.envelope.id, version, after_seq, limit, &got));
    assert_false(page_cache_get(v, &want.envelope.id, version + 1, after_seq, limit, &got));
    assert_memory_equal(&got.envelope, &want.envelope, sizeof want.envelope);
    assert_int_equal(got.n_claims, want.n_claims);
    assert_memory_equal(got.claims, want.claims, want.n_claims * sizeof want.claims[0]);
    assert_int_equal(got.next_seq, want.next_seq);
    assert_false(got.has_mine);
}

static void any_page_learns_any_claims(void **state)
{
    static struct past past;
    (void)state;
    setup_past(&past);
    for (int64_t from = 1; from < SHARES; from++)
        for (int64_t to = from; to <= SHARES; to++)
            for (int64_t after = 0; after < SHARES; after += 3)
                for (size_t limit = 1; limit < 9; limit++) {
                    struct page_cache *v = page_cache_new();
                    struct envelope_view view = page_of(&past, from, after, limit);
                    page_cache_put(v, &view, after, limit);
                    size_t n = (size_t)(to - 1); /* all that ever were: also those known */
                    assert_int_equal(page_cache_learn(v, &view.envelope.id, to, past.claims, n),
                                     to > from);
                    assert_remembered(v, &past, to, after, limit);
                    page_cache_free(v);
                }
}

static void nothing_is_learned_over_a_gap(void **state)
{
    static struct past past;
    (void)state;
    setup_past(&past);
    struct page_cache *v = page_cache_new();
    struct envelope_view view = page_of(&past, 3, 0, 50);
    page_cache_put(v, &view, 0, 50);
    assert_false(
        page_cache_learn(v, &view.envelope.id, 6, &past.claims[3], 2)); /* the third is missing */
    assert_remembered(v, &past, 3, 0, 50);
    assert_false(page_cache_learn(v, &view.envelope.id, 2, &past.claims[0],
                                  1)); /* older than what is known */
    assert_remembered(v, &past, 3, 0, 50);
    assert_false(
        page_cache_learn(v, &view.envelope.id, 4, &past.claims[0], 1)); /* not the next one */
    assert_remembered(v, &past, 3, 0, 50);
    struct claim dear = past.claims[2];
    dear.amount_fen = past.versions[3].total_fen;
    assert_false(page_cache_learn(v, &view.envelope.id, 4, &dear, 1));
    assert_remembered(v, &past, 3, 0, 50);
    const struct id other = {{2}};
    assert_false(page_cache_learn(v, &other, 4, &past.claims[2], 1));
    assert_remembered(v, &past, 3, 0, 50);
    assert_true(page_cache_learn(v, &view.envelope.id, 4, &past.claims[2], 1));
    assert_remembered(v, &past, 4, 0, 50);
    page_cache_free(v);
}

static void each_page_learns(void **state)
{
    static struct past past;
    (void)state;
    setup_past(&past);
    struct page_cache *v = page_cache_new();
    struct envelope_view first = page_of(&past, 4, 0, 50);
    page_cache_put(v, &first, 0, 50);
    struct envelope_view second = page_of(&past, 5, 2, 2);
    page_cache_put(v, &second, 2, 2);
    assert_true(page_cache_learn(v, &first.envelope.id, 6, &past.claims[3], 2));
    assert_remembered(v, &past, 6, 0, 50);
    assert_remembered(v, &past, 6, 2, 2);
    assert_false(page_cache_get(v, &first.envelope.id, 1, 0, 49, &first));
    page_cache_forget(v, &first.envelope.id);
    assert_false(page_cache_get(v, &first.envelope.id, 1, 0, 50, &first));
    assert_false(page_cache_get(v, &first.envelope.id, 1, 2, 2, &first));
    page_cache_put(v, &second, 2, 2);
    assert_remembered(v, &past, 5, 2, 2);
    page_cache_free(v);
}

/* The claim that one reader is shown as its own must not reach another. */
static void the_claim_of_its_reader_is_not_remembered(void **state)
{
    static struct past past;
    static struct envelope_view got;
    (void)state;
    setup_past(&past);
    struct page_cache *v = page_cache_new();
    struct envelope_view view = page_of(&past, 3, 0, 50);
    view.has_mine = true;
    view.mine = past.claims[0];
    page_cache_put(v, &view, 0, 50);
    got.has_mine = true;
    assert_true(page_cache_get(v, &view.envelope.id, 3, 0, 50, &got));
    assert_false(got.has_mine);
    page_cache_free(v);
}

static void an_older_page_does_not_replace_a_newer_one(void **state)
{
    static struct past past;
    (void)state;
    setup_past(&past);
    struct page_cache *v = page_cache_new();
    struct envelope_view newer = page_of(&past, 5, 0, 50);
    page_cache_put(v, &newer, 0, 50);
    struct envelope_view older = page_of(&past, 3, 0, 50);
    page_cache_put(v, &older, 0, 50);
    assert_remembered(v, &past, 5, 0, 50);
    page_cache_free(v);
}

/* Pages of envelopes that share a set of 4: the one that was longest not asked for gives way, and
 * none is ever taken for another. */
static void a_full_set_drops_the_one_not_asked_for(void **state)
{
    static struct past past;
    static struct envelope_view got;
    struct id ids[5];
    size_t n = 0;
    (void)state;
    setup_past(&past);
    struct page_cache *v = page_cache_new();
    for (unsigned i = 0; n < 5; i++) {
        struct id id = {{1, (uint8_t)(i >> 8), (uint8_t)i}};
        if (n == 0 || id_slot(&id, 512) == id_slot(&ids[0], 512))
            ids[n++] = id;
    }
    for (size_t i = 0; i < 5; i++) {
        struct envelope_view view = page_of(&past, 2 + (int64_t)i, 0, 50);
        view.envelope.id = ids[i];
        if (i == 4) /* all but the second are asked for once more */
            for (size_t k = 0; k < 4; k++)
                assert_true(k == 1 || page_cache_get(v, &ids[k], 1, 0, 50, &got));
        page_cache_put(v, &view, 0, 50);
    }
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(page_cache_get(v, &ids[i], 1, 0, 50, &got), i != 1);
        if (i == 1)
            continue;
        assert_int_equal(id_compare(&got.envelope.id, &ids[i]), 0);
        assert_int_equal(got.envelope.version, 2 + (int64_t)i);
    }
    page_cache_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_page_learns_any_claims),
        cmocka_unit_test(nothing_is_learned_over_a_gap),
        cmocka_unit_test(each_page_learns),
        cmocka_unit_test(the_claim_of_its_reader_is_not_remembered),
        cmocka_unit_test(an_older_page_does_not_replace_a_newer_one),
        cmocka_unit_test(a_full_set_drops_the_one_not_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
