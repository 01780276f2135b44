/* What lib/store/cache.h promises, as tests. They run against memcached and against the fake, so
 * that neither can promise more than the other. */
#ifndef HONGBAO_TESTS_CACHE_CONTRACT_H
#define HONGBAO_TESTS_CACHE_CONTRACT_H

#include "lib/store/cache.h"

/* *state of each test. */
struct cache_contract {
    struct cache *a, *b; /* two connections to one empty server */
    /* Stop the server and start it again, empty. */
    void (*restart)(struct cache_contract *t);
    /* Let that many seconds pass for the server. */
    void (*pass_s)(struct cache_contract *t, unsigned s);
};

void cache_contract_add_and_cas_have_one_winner(void **state);
void cache_contract_cas_of_a_missing_item_misses(void **state);
void cache_contract_get_tells_hits_from_misses(void **state);
void cache_contract_value_too_long_for_its_place_reads_as_empty(void **state);
void cache_contract_items_expire(void **state);
void cache_contract_get_survives_a_restart(void **state);
void cache_contract_token_does_not_outlive_the_server(void **state);
void cache_contract_cas_all_shows_in_what_is_read(void **state);
void cache_contract_cas_all_after_a_restart_is_unknown(void **state);
void cache_contract_hints_are_done_in_order(void **state);
void cache_contract_hints_of_a_dead_connection_harm_nothing(void **state);

#define CACHE_CONTRACT_TEST(name, set_up, tear_down)                                               \
    cmocka_unit_test_setup_teardown(cache_contract_##name, set_up, tear_down)
/* All of them, for an array of struct CMUnitTest. */
#define CACHE_CONTRACT_TESTS(u, d)                                                                 \
    CACHE_CONTRACT_TEST(add_and_cas_have_one_winner, u, d),                                        \
        CACHE_CONTRACT_TEST(cas_of_a_missing_item_misses, u, d),                                   \
        CACHE_CONTRACT_TEST(get_tells_hits_from_misses, u, d),                                     \
        CACHE_CONTRACT_TEST(value_too_long_for_its_place_reads_as_empty, u, d),                    \
        CACHE_CONTRACT_TEST(items_expire, u, d),                                                   \
        CACHE_CONTRACT_TEST(get_survives_a_restart, u, d),                                         \
        CACHE_CONTRACT_TEST(token_does_not_outlive_the_server, u, d),                              \
        CACHE_CONTRACT_TEST(cas_all_shows_in_what_is_read, u, d),                                  \
        CACHE_CONTRACT_TEST(cas_all_after_a_restart_is_unknown, u, d),                             \
        CACHE_CONTRACT_TEST(hints_are_done_in_order, u, d),                                        \
        CACHE_CONTRACT_TEST(hints_of_a_dead_connection_harm_nothing, u, d)

/* ---- what tests of a cache share ---- */
struct text_item {
    struct cache_item item;
    char text[64];
};
/* Get key over c into *out; return its result. */
enum cache_result cache_text_get(struct cache *c, const char *key, struct text_item *out);
/* Add, or cas, a text that lives 60 s. */
enum cache_result cache_text_add(struct cache *c, const char *key, const char *value);
enum cache_result cache_text_cas(struct cache *c, const struct text_item *seen, const char *value);
void cache_text_hint(struct cache *c, enum cache_hint how, const char *key, const char *value);

#define CACHE_MANY 40
struct cache_many {
    struct cache_item items[CACHE_MANY];
    struct cache_write writes[CACHE_MANY];
    char texts[CACHE_MANY][16], values[CACHE_MANY][16];
};
/* Get "0/g".. over c, and make of each a write of its own text with an x behind. */
void cache_many_prepare(struct cache *c, struct cache_many *m);

#endif
