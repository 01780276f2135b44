/* One place that puts the fakes together, and the few states that most tests begin with. */
#include "tests/fake/fake_service.h"
#include "lib/base/log.h"
#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_S 3600
#define MARKER_DIR "/dev/shm/hb-markers-XXXXXX" /* in memory: flushing a directory is slow */

static struct store *fake_store_open(void *self)
{
    return memory_store_open(((struct fake_service *)self)->db);
}

static struct cache *fake_cache_open(void *self)
{
    return memory_cache_connect(((struct fake_service *)self)->server);
}

void fake_service_init(struct fake_service *f)
{
    memset(f, 0, sizeof *f);
    bool ready = crypto_init() == ERR_OK && log_open("/dev/null", "test") == 0;
    assert(ready);
    config_defaults(&f->config);
    fixed_clock_init(&f->clock);
    seeded_rng_init(&f->rng, 1);
    f->db = memory_db_new(&f->clock.clock);
    f->server = memory_cache_new(&f->clock.clock);
    f->store = memory_store_open(f->db);
    f->cache = memory_cache_connect(f->server);
    f->runtime = (struct runtime){.config = &f->config,
                                  .clock = &f->clock.clock,
                                  .rng = &f->rng.rng,
                                  .metrics = metrics_private(),
                                  .ticket_keys = {.n = 1},
                                  .store_open = fake_store_open,
                                  .cache_open = fake_cache_open,
                                  .self = f};
    assert(f->runtime.metrics != NULL);
    enum err err = f->store->ops->generation(f->store, f->runtime.generation);
    assert(err == ERR_OK);
}

void fake_markers_init(struct fake_service *f)
{
    snprintf(f->marker_dir, sizeof f->marker_dir, MARKER_DIR);
    const char *dir = mkdtemp(f->marker_dir);
    assert(dir != NULL);
    f->runtime.markers = markers_new(dir, &f->clock.clock);
    bool ready = markers_switch(f->runtime.markers, f->runtime.generation);
    assert(ready);
}

static int fake_remove(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void fake_service_end(struct fake_service *f)
{
    f->store->ops->close(f->store);
    f->cache->ops->close(f->cache);
    memory_db_free(f->db);
    memory_cache_free(f->server);
    markers_free(f->runtime.markers);
    if (f->marker_dir[0] != '\0')
        nftw(f->marker_dir, fake_remove, 8, FTW_DEPTH | FTW_PHYS);
}

void fake_markers_forget(struct fake_service *f, const struct id *id)
{
    char path[256], text[ID_TEXT_SIZE], generation[MARKER_GENERATION_SIZE];
    id_format(text, id);
    markers_current(f->runtime.markers, generation);
    snprintf(path, sizeof path, "%s/%s/%s/%s", f->marker_dir, generation, text + strlen(text) - 2,
             text);
    int failed = remove(path);
    assert(failed == 0);
}

void fake_clock_to(struct fake_service *f, int64_t wall_us)
{
    assert(wall_us >= f->clock.wall_us);
    fixed_clock_advance(&f->clock, wall_us - f->clock.wall_us);
}

static void fake_complete(struct fake_service *f, struct envelope *e)
{
    int64_t now_us = f->clock.wall_us;
    e->id = id_make(&f->rng.rng, now_us, 0);
    if (e->sender[0] == '\0')
        snprintf(e->sender, sizeof e->sender, "alice");
    e->mode = e->mode != 0 ? e->mode : MODE_LUCKY;
    e->total_fen = e->total_fen != 0 ? e->total_fen : 1000;
    e->shares = e->shares != 0 ? e->shares : 10;
    e->cap_fen = e->cap_fen != 0 ? e->cap_fen : 20000;
    e->created_us = now_us;
    e->expires_us = e->expires_us != 0 ? e->expires_us : now_us + HOUR_S * FAKE_US_PER_S;
    e->version = 1;
    f->rng.rng.fill(&f->rng, e->seed, sizeof e->seed);
    draw_seed_hash(e->seed_hash, &e->id, e->mode, e->total_fen, e->shares, e->cap_fen, e->seed);
}

void fake_send(struct fake_service *f, struct envelope *e)
{
    fake_complete(f, e);
    struct memory_envelope row = {.e = *e};
    struct memory_seed seed = {.envelope = e->id, .expires_us = e->expires_us};
    struct transfer t =
        transfer_for_send(&f->rng.rng, e->sender, &e->id, e->total_fen, e->created_us);
    memset(row.e.seed, 0, sizeof row.e.seed);
    memcpy(seed.seed, e->seed, sizeof seed.seed);
    if (memory_db_account(f->db, e->sender) == NULL)
        memory_db_add_account(f->db, e->sender, AMOUNT_MAX_FEN / 1000);
    memory_db_account(f->db, e->sender)->balance_fen -= e->total_fen;
    memory_db_put(f->db, MEMORY_ENVELOPES, &row);
    memory_db_put(f->db, MEMORY_SEEDS, &seed);
    memory_db_put(f->db, MEMORY_TRANSFERS, &t);
}

struct claim fake_open(struct fake_service *f, const struct id *id, const char *user)
{
    struct open_set *set = calloc(1, sizeof *set);
    assert(set != NULL);
    set->n_envelopes = set->n_rows = 1;
    set->ids[0] = *id;
    set->rows[0] = (struct open_row){.envelope = *id, .user = user, .insert = true};
    set->changed[0] = true;
    struct store *s = memory_store_open(f->db);
    enum err err = s->ops->open_read(s, set);
    if (err == ERR_OK) {
        envelope_open_next(&set->envelopes[0], user, user, set->now_us, &set->rows[0].claim);
        err = s->ops->open_write(s, set);
    }
    err = err == ERR_OK ? s->ops->commit(s) : err;
    assert(err == ERR_OK);
    s->ops->close(s);
    struct claim c = set->rows[0].claim;
    free(set);
    return c;
}

const struct envelope *fake_envelope(struct fake_service *f, const struct id *id)
{
    const struct memory_envelope *row = memory_db_envelope(f->db, id);
    assert(row != NULL);
    return &row->e;
}

void fake_gate_put(struct fake_service *f, const struct envelope *e)
{
    fake_gate_put_shares(f, e, e->shares - e->opened_shares);
}

void fake_gate_put_shares(struct fake_service *f, const struct envelope *e, int64_t left)
{
    char key[ITEM_KEY_SIZE], text[GATE_TEXT_SIZE];
    struct gate g;
    gate_from_envelope(&f->runtime, e, &g);
    if (g.state == STATE_OPEN)
        g.left = left;
    item_key(key, ITEM_KEY_GATE, f->runtime.generation, &e->id);
    (void)gate_text(&f->runtime, &g, text);
    memory_cache_put(f->server, key, text);
}

bool fake_gate_get(struct fake_service *f, const struct id *id, struct gate *g)
{
    char key[ITEM_KEY_SIZE];
    item_key(key, ITEM_KEY_GATE, f->runtime.generation, id);
    const char *text = memory_cache_look(f->server, key);
    return text != NULL && gate_read(g, text, strlen(text), f->runtime.generation, id);
}

bool fake_marker_exists(struct fake_service *f, const struct id *id)
{
    return marker_exists(f->runtime.markers, f->runtime.generation, id);
}

uint64_t fake_metric(const struct fake_service *f, enum metric which)
{
    return metrics_get(f->runtime.metrics, which);
}
