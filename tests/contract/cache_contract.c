/* The promises of lib/store/cache.h. Above all: what is unknown is reported as unknown, and a cas
 * token is worth nothing after its connection. */
#include "tests/contract/cache_contract.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LIFE_S 60

enum cache_result cache_text_get(struct cache *c, const char *key, struct text_item *out)
{
    *out = (struct text_item){.item = {.value_cap = sizeof out->text}};
    out->item.value = out->text;
    snprintf(out->item.key, sizeof out->item.key, "%s", key);
    c->ops->get(c, &out->item, 1);
    return out->item.result;
}

enum cache_result cache_text_add(struct cache *c, const char *key, const char *value)
{
    return c->ops->add(c, key, value, strlen(value), LIFE_S);
}

enum cache_result cache_text_cas(struct cache *c, const struct text_item *seen, const char *value)
{
    return c->ops->cas(c, &seen->item, value, strlen(value), LIFE_S);
}

void cache_text_hint(struct cache *c, enum cache_hint how, const char *key, const char *value)
{
    c->ops->hint(c, how, key, value, strlen(value), LIFE_S);
}

void cache_many_prepare(struct cache *c, struct cache_many *m)
{
    for (int i = 0; i < CACHE_MANY; i++) {
        m->items[i] = (struct cache_item){.value = m->texts[i], .value_cap = sizeof m->texts[i]};
        snprintf(m->items[i].key, sizeof m->items[i].key, "%d/g", i);
    }
    c->ops->get(c, m->items, CACHE_MANY);
    for (int i = 0; i < CACHE_MANY; i++) {
        snprintf(m->values[i], sizeof m->values[i], "%.14sx", m->texts[i]);
        m->writes[i] = (struct cache_write){.item = &m->items[i],
                                            .value = m->values[i],
                                            .len = strlen(m->values[i]),
                                            .ttl_s = LIFE_S};
    }
}

static void add_many(struct cache *c)
{
    char key[32];
    for (int i = 0; i < CACHE_MANY; i++) {
        snprintf(key, sizeof key, "%d/g", i);
        assert_int_equal(cache_text_add(c, key, "v"), CACHE_STORED);
    }
}

void cache_contract_add_and_cas_have_one_winner(void **state)
{
    struct cache_contract *t = *state;
    struct text_item a, b;
    assert_int_equal(cache_text_get(t->a, "x/g", &a), CACHE_MISS);
    assert_int_equal(cache_text_add(t->a, "x/g", "1"), CACHE_STORED);
    assert_int_equal(cache_text_add(t->b, "x/g", "2"), CACHE_EXISTS);
    assert_int_equal(cache_text_get(t->a, "x/g", &a), CACHE_HIT);
    assert_int_equal(cache_text_get(t->b, "x/g", &b), CACHE_HIT);
    assert_int_equal(cache_text_cas(t->a, &a, "3"), CACHE_STORED);
    assert_int_equal(cache_text_cas(t->b, &b, "4"), CACHE_EXISTS);
    assert_int_equal(cache_text_cas(t->a, &a, "5"), CACHE_EXISTS); /* a token is used once */
    assert_int_equal(cache_text_get(t->b, "x/g", &b), CACHE_HIT);
    assert_string_equal(b.text, "3");
    assert_int_equal(cache_text_cas(t->b, &b, "6"), CACHE_STORED);
}

void cache_contract_cas_of_a_missing_item_misses(void **state)
{
    struct cache_contract *t = *state;
    struct text_item a;
    assert_int_equal(t->a->ops->add(t->a, "x/g", "1", 1, 2), CACHE_STORED);
    assert_int_equal(cache_text_get(t->a, "x/g", &a), CACHE_HIT);
    t->pass_s(t, 3);
    assert_int_equal(cache_text_cas(t->a, &a, "2"), CACHE_MISS);
}

void cache_contract_get_tells_hits_from_misses(void **state)
{
    struct cache_contract *t = *state;
    static struct cache_item items[150];
    static char texts[150][16];
    for (int i = 0; i < 150; i++) {
        items[i] = (struct cache_item){.value = texts[i], .value_cap = sizeof texts[i]};
        snprintf(items[i].key, sizeof items[i].key, "%d/g", i);
        if (i % 3 == 0)
            assert_int_equal(cache_text_add(t->a, items[i].key, items[i].key), CACHE_STORED);
    }
    t->a->ops->get(t->a, items, 150);
    for (int i = 0; i < 150; i++) {
        assert_int_equal(items[i].result, i % 3 == 0 ? CACHE_HIT : CACHE_MISS);
        assert_string_equal(items[i].value, i % 3 == 0 ? items[i].key : "");
        assert_int_equal(items[i].len, strlen(items[i].value));
    }
}

void cache_contract_value_too_long_for_its_place_reads_as_empty(void **state)
{
    struct cache_contract *t = *state;
    struct text_item seen;
    char text[sizeof seen.text + 1];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_int_equal(cache_text_add(t->a, "x/g", text), CACHE_STORED);
    assert_int_equal(cache_text_get(t->a, "x/g", &seen), CACHE_HIT);
    assert_int_equal(seen.item.len, 0);
    assert_string_equal(seen.text, "");
    assert_int_equal(cache_text_cas(t->a, &seen, text + 1), CACHE_STORED); /* one byte less */
    assert_int_equal(cache_text_get(t->a, "x/g", &seen), CACHE_HIT);
    assert_int_equal(seen.item.len, sizeof seen.text - 1);
}

void cache_contract_items_expire(void **state)
{
    struct cache_contract *t = *state;
    struct text_item seen;
    assert_int_equal(t->a->ops->add(t->a, "short/g", "1", 1, 2), CACHE_STORED);
    assert_int_equal(t->a->ops->add(t->a, "long/g", "1", 1, 2592000), CACHE_STORED);
    assert_int_equal(cache_text_get(t->a, "long/g", &seen), CACHE_HIT);
    t->pass_s(t, 3);
    assert_int_equal(cache_text_get(t->a, "short/g", &seen), CACHE_MISS);
    assert_int_equal(cache_text_get(t->a, "long/g", &seen), CACHE_HIT);
    assert_int_equal(cache_text_add(t->b, "short/g", "2"), CACHE_STORED);
}

void cache_contract_get_survives_a_restart(void **state)
{
    struct cache_contract *t = *state;
    struct text_item seen;
    assert_int_equal(cache_text_add(t->a, "x/g", "1"), CACHE_STORED);
    t->restart(t);
    assert_int_equal(cache_text_get(t->a, "x/g", &seen), CACHE_MISS);
    assert_int_equal(cache_text_add(t->a, "x/g", "2"), CACHE_STORED);
}

void cache_contract_token_does_not_outlive_the_server(void **state)
{
    struct cache_contract *t = *state;
    struct text_item seen, again;
    assert_int_equal(cache_text_add(t->a, "x/g", "old"), CACHE_STORED);
    assert_int_equal(cache_text_get(t->a, "x/g", &seen), CACHE_HIT);
    t->restart(t);
    assert_int_equal(cache_text_get(t->b, "x/g", &again), CACHE_MISS);
    assert_int_equal(cache_text_add(t->b, "x/g", "new"), CACHE_STORED);
    assert_int_equal(cache_text_get(t->b, "x/g", &again), CACHE_HIT);
    assert_int_equal(again.item.cas, seen.item.cas); /* cas ids start over */
    assert_int_equal(cache_text_cas(t->a, &seen, "stale"), CACHE_UNKNOWN);
    assert_int_equal(cache_text_cas(t->a, &seen, "stale"), CACHE_UNKNOWN);
    assert_int_equal(cache_text_get(t->a, "x/g", &again), CACHE_HIT);
    assert_string_equal(again.text, "new");
    assert_int_equal(cache_text_cas(t->a, &seen, "stale"), CACHE_UNKNOWN); /* connected again */
    assert_int_equal(cache_text_cas(t->a, &again, "mine"), CACHE_STORED);
}

void cache_contract_cas_all_shows_in_what_is_read(void **state)
{
    struct cache_contract *t = *state;
    static struct cache_many mine, theirs;
    add_many(t->a);
    cache_many_prepare(t->a, &mine);
    cache_many_prepare(t->b, &theirs);
    for (int i = 0; i < CACHE_MANY; i++)
        mine.values[i][0] = 'a';
    t->b->ops->cas_all(t->b, theirs.writes, CACHE_MANY / 2); /* the other is first at half */
    t->a->ops->cas_all(t->a, mine.writes, CACHE_MANY);
    for (int i = 0; i < CACHE_MANY; i++) {
        assert_int_equal(mine.items[i].result, CACHE_HIT);
        assert_string_equal(mine.items[i].value, i < CACHE_MANY / 2 ? "vx" : "ax");
    }
    t->a->ops->cas_all(t->a, mine.writes, CACHE_MANY); /* with the tokens just read */
    for (int i = 0; i < CACHE_MANY; i++)
        assert_string_equal(mine.items[i].value, "ax");
}

void cache_contract_cas_all_after_a_restart_is_unknown(void **state)
{
    struct cache_contract *t = *state;
    static struct cache_many mine;
    struct text_item seen;
    add_many(t->a);
    cache_many_prepare(t->a, &mine);
    t->restart(t);
    assert_int_equal(cache_text_get(t->b, "0/g", &seen), CACHE_MISS);
    assert_int_equal(cache_text_add(t->b, "0/g", "new"), CACHE_STORED);
    for (int tries = 0; tries < 2; tries++) {
        t->a->ops->cas_all(t->a, mine.writes, CACHE_MANY);
        for (int i = 0; i < CACHE_MANY; i++)
            assert_int_equal(mine.items[i].result, CACHE_UNKNOWN);
    }
    assert_int_equal(cache_text_get(t->a, "0/g", &seen), CACHE_HIT);
    assert_string_equal(seen.text, "new");
}

void cache_contract_hints_are_done_in_order(void **state)
{
    struct cache_contract *t = *state;
    struct text_item seen;
    cache_text_hint(t->a, CACHE_HINT_ADD, "x/h", "first");
    cache_text_hint(t->a, CACHE_HINT_ADD, "x/h", "second");
    cache_text_hint(t->a, CACHE_HINT_ADD, "y/h", "first");
    cache_text_hint(t->a, CACHE_HINT_SET, "y/h", "second");
    t->a->ops->flush(t->a, true);
    assert_int_equal(cache_text_get(t->b, "x/h", &seen), CACHE_HIT);
    assert_string_equal(seen.text, "first");
    assert_int_equal(cache_text_get(t->b, "y/h", &seen), CACHE_HIT);
    assert_string_equal(seen.text, "second");
}

void cache_contract_hints_of_a_dead_connection_harm_nothing(void **state)
{
    struct cache_contract *t = *state;
    struct text_item seen;
    cache_text_hint(t->a, CACHE_HINT_SET, "x/h", "old");
    t->a->ops->flush(t->a, true);
    t->restart(t);
    for (int i = 0; i < 3; i++) { /* the first of them may be lost */
        cache_text_hint(t->a, CACHE_HINT_SET, "x/h", "new");
        t->a->ops->flush(t->a, true);
    }
    assert_int_equal(cache_text_get(t->b, "x/h", &seen), CACHE_HIT);
    assert_string_equal(seen.text, "new");
}
