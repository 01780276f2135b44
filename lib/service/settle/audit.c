/* The rules that SQL can check are in the store; the draws are recomputed here, in one pass over
 * all claims in order, so that memory does not grow with the database. */
#include "lib/service/settle/audit.h"
#include "lib/base/crypto.h"
#include <assert.h>
#include <string.h>

/* State of the envelope whose claims are being read. */
struct draw_check {
    struct audit_count *out;
    bool any;
    struct id id;
    struct draw_left left;
    int64_t next_seq;
    bool wrong;
};

static void record_violation(struct draw_check *d)
{
    if (d->wrong)
        return;
    d->wrong = true;
    if (d->out->violations++ == 0)
        id_format(d->out->example, &d->id);
}

static void begin_envelope(struct draw_check *d, const struct envelope *e)
{
    uint8_t hash[32];
    d->any = true;
    d->id = e->id;
    d->left = (struct draw_left){
        .left_fen = e->total_fen, .left_shares = e->shares, .cap_fen = e->cap_fen};
    d->next_seq = 1;
    d->wrong = false;
    d->out->rows++;
    draw_seed_hash(hash, &e->id, e->mode, e->total_fen, e->shares, e->cap_fen, e->seed);
    if (!envelope_draws(e) || !e->has_seed || !bytes_equal(hash, e->seed_hash, sizeof hash))
        record_violation(d);
}

static bool can_draw(const struct draw_left *left)
{
    return left->left_shares >= 1 && left->left_fen >= left->left_shares &&
           left->left_fen <= left->left_shares * left->cap_fen;
}

static void check_claim(void *context, const struct envelope *e, const struct claim *c)
{
    struct draw_check *d = context;
    if (!d->any || id_compare(&d->id, &e->id) != 0)
        begin_envelope(d, e);
    if (c == NULL || d->wrong)
        return;
    if (c->seq != d->next_seq || !can_draw(&d->left)) {
        record_violation(d);
        return;
    }
    int64_t amount_fen = e->mode == MODE_EQUAL
                             ? draw_equal(e->total_fen, e->shares, c->seq)
                             : draw_lucky(e->seed, &e->id, (uint32_t)c->seq, &d->left);
    if (amount_fen != c->amount_fen)
        record_violation(d);
    d->next_seq++;
    d->left.left_fen -= amount_fen;
    d->left.left_shares--;
}

enum err audit_draws(struct audit_session *s, const struct id *id, struct audit_count *out)
{
    struct draw_check d = {.out = out};
    memset(out, 0, sizeof *out);
    return audit_session_claims(s, id, check_claim, &d);
}

enum err audit_run(struct audit_session *s, int64_t since_us,
                   struct audit_result results[AUDIT_RESULTS_MAX], size_t *n)
{
    assert(audit_rules_n < AUDIT_RESULTS_MAX);
    *n = 0;
    enum err err = audit_session_begin(s, since_us);
    for (size_t i = 0; i < audit_rules_n && err == ERR_OK; i++) {
        if (!audit_session_checks(s, i))
            continue;
        results[*n].rule = audit_rules[i];
        err = audit_session_check(s, i, &results[*n].count);
        ++*n;
    }
    if (err != ERR_OK)
        return err;
    results[*n].rule = (struct audit_rule){"draws", "every amount of a closed envelope is what its "
                                                    "seed draws, and the seed is the one promised"};
    err = audit_draws(s, NULL, &results[*n].count);
    ++*n;
    return err;
}
