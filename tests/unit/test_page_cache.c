/* The page cache: a page that learns claims equals the one that the database would return. */
#include "lib/service/look/page_cache.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
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
    struct envelope e = {
        .id = {{1}}, .mode = MODE_LUCKY, .total_fen = 1000, .shares = SHARES, .cap_fen = 20000};
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

/* The page as the database returns it in that version. */
static struct page *page_of(const struct past *past, int64_t version, int64_t after_seq,
                            size_t limit)
{
    size_t n = 0;
    for (int64_t seq = after_seq + 1; seq < version && n < limit; seq++)
        n++;
    struct page *page =
        page_new(&past->versions[version], after_seq, limit, &past->claims[after_seq], n);
    assert_non_null(page);
    int64_t last_seq = after_seq + (int64_t)n;
    assert_int_equal(page->next_seq, n == limit && last_seq < version - 1 ? last_seq : 0);
    return page;
}

static void put(struct page_cache *cache, const struct past *past, int64_t version,
                int64_t after_seq, size_t limit)
{
    struct page *page = page_of(past, version, after_seq, limit);
    page_cache_put(cache, page);
    page_release(page);
}

static void assert_remembered(struct page_cache *cache, const struct past *past, int64_t version,
                              int64_t after_seq, size_t limit)
{
    struct page *want = page_of(past, version, after_seq, limit);
    struct page *got = page_cache_get(cache, &want->envelope.id, version, after_seq, limit);
    assert_non_null(got);
    assert_null(page_cache_get(cache, &want->envelope.id, version + 1, after_seq, limit));
    assert_memory_equal(&got->envelope, &want->envelope, sizeof want->envelope);
    assert_int_equal(got->n_claims, want->n_claims);
    assert_memory_equal(got->claims, want->claims, want->n_claims * sizeof want->claims[0]);
    assert_int_equal(got->next_seq, want->next_seq);
    page_release(got);
    page_release(want);
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
                    struct page_cache *cache = page_cache_new();
                    put(cache, &past, from, after, limit);
                    size_t n = (size_t)(to - 1); /* every claim, including those known */
                    assert_int_equal(
                        page_cache_learn(cache, &past.versions[1].id, to, past.claims, n),
                        to > from);
                    assert_remembered(cache, &past, to, after, limit);
                    page_cache_free(cache);
                }
}

static void nothing_is_learned_over_a_gap(void **state)
{
    static struct past past;
    const struct id *id = &past.versions[1].id;
    const struct id other = {{2}};
    (void)state;
    setup_past(&past);
    struct page_cache *cache = page_cache_new();
    struct claim too_large = past.claims[2];
    too_large.amount_fen = past.versions[3].total_fen;
    put(cache, &past, 3, 0, 50);
    assert_false(page_cache_learn(cache, id, 6, &past.claims[3], 2)); /* the third is missing */
    assert_false(page_cache_learn(cache, id, 2, &past.claims[0], 1)); /* an older version */
    assert_false(page_cache_learn(cache, id, 4, &past.claims[0], 1)); /* not the next claim */
    assert_false(page_cache_learn(cache, id, 4, &too_large, 1));
    assert_false(page_cache_learn(cache, &other, 4, &past.claims[2], 1));
    assert_remembered(cache, &past, 3, 0, 50);
    assert_true(page_cache_learn(cache, id, 4, &past.claims[2], 1));
    assert_remembered(cache, &past, 4, 0, 50);
    page_cache_free(cache);
}

static void each_page_learns(void **state)
{
    static struct past past;
    const struct id *id = &past.versions[1].id;
    (void)state;
    setup_past(&past);
    struct page_cache *cache = page_cache_new();
    put(cache, &past, 4, 0, 50);
    put(cache, &past, 5, 2, 2);
    assert_true(page_cache_learn(cache, id, 6, &past.claims[3], 2));
    assert_remembered(cache, &past, 6, 0, 50);
    assert_remembered(cache, &past, 6, 2, 2);
    assert_null(page_cache_get(cache, id, 1, 0, 49));
    page_cache_forget(cache, id);
    assert_null(page_cache_get(cache, id, 1, 0, 50));
    assert_null(page_cache_get(cache, id, 1, 2, 2));
    put(cache, &past, 5, 2, 2);
    assert_remembered(cache, &past, 5, 2, 2);
    page_cache_free(cache);
}

static void a_newer_version_stays(void **state)
{
    static struct past past;
    (void)state;
    setup_past(&past);
    struct page_cache *cache = page_cache_new();
    put(cache, &past, 5, 0, 20);
    put(cache, &past, 4, 0, 20);
    assert_remembered(cache, &past, 5, 0, 20);
    page_cache_free(cache);
}

/* A reader's page does not change when the cache learns, and outlives its replacement. */
static void a_held_page_is_immutable(void **state)
{
    static struct past past;
    const struct id *id = &past.versions[1].id;
    (void)state;
    setup_past(&past);
    struct page_cache *cache = page_cache_new();
    put(cache, &past, 3, 0, 20);
    struct page *held = page_cache_get(cache, id, 3, 0, 20);
    assert_true(page_cache_learn(cache, id, 4, &past.claims[2], 1));
    page_cache_forget(cache, id);
    page_cache_free(cache);
    assert_int_equal(held->envelope.version, 3);
    assert_int_equal(held->n_claims, 2);
    page_release(held);
}

/* Pages of envelopes that share a set of four ways: the least recently used one is replaced, and no
 * page is returned for another envelope. */
static void a_full_set_drops_the_least_recently_used(void **state)
{
    static struct past past;
    struct id ids[5];
    size_t n = 0;
    (void)state;
    setup_past(&past);
    struct page_cache *cache = page_cache_new();
    for (unsigned i = 0; n < 5; i++) {
        struct id id = {{1, (uint8_t)(i >> 8), (uint8_t)i}};
        if (n == 0 || id_slot(&id, 512) == id_slot(&ids[0], 512))
            ids[n++] = id;
    }
    for (size_t i = 0; i < 5; i++) {
        struct page *page = page_of(&past, 2 + (int64_t)i, 0, 50);
        page->envelope.id = ids[i];
        for (size_t k = 0; i == 4 && k < 4; k++) /* read all but the second once more */
            if (k != 1)
                page_release(page_cache_get(cache, &ids[k], 1, 0, 50));
        page_cache_put(cache, page);
        page_release(page);
    }
    for (size_t i = 0; i < 5; i++) {
        struct page *got = page_cache_get(cache, &ids[i], 1, 0, 50);
        assert_int_equal(got != NULL, i != 1);
        if (got == NULL)
            continue;
        assert_int_equal(id_compare(&got->envelope.id, &ids[i]), 0);
        assert_int_equal(got->envelope.version, 2 + (int64_t)i);
        page_release(got);
    }
    page_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_page_learns_any_claims),
        cmocka_unit_test(nothing_is_learned_over_a_gap),
        cmocka_unit_test(each_page_learns),
        cmocka_unit_test(a_newer_version_stays),
        cmocka_unit_test(a_held_page_is_immutable),
        cmocka_unit_test(a_full_set_drops_the_least_recently_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
