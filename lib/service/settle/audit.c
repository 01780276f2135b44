/* The rules that SQL can check are in the store; the draws are recomputed here, in one pass over
 * all claims in order, so that memory does not grow with the database. */
#include "lib/service/settle/audit.h"
#include "lib/domain/draw_check.h"
#include <assert.h>
#include <string.h>

/* The envelope whose claims are being read. */
struct draws {
    struct audit_count *out;
    bool counted; /* its violation */
    struct draw_check check;
};

static void count_wrong(struct draws *d)
{
    if (!d->check.wrong || d->counted)
        return;
    d->counted = true;
    if (d->out->violations++ == 0)
        id_format(d->out->example, &d->check.id);
}

static void check_claim(void *context, const struct envelope *e, const struct claim *c)
{
    struct draws *d = context;
    if (d->out->rows == 0 || id_compare(&d->check.id, &e->id) != 0) {
        d->out->rows++;
        d->counted = false;
        draw_check_begin(&d->check, e);
    }
    if (c != NULL)
        draw_check_claim(&d->check, c->seq, c->amount_fen);
    count_wrong(d);
}

enum err audit_draws(struct audit_session *s, const struct id *id, struct audit_count *out)
{
    struct draws d = {.out = out};
    memset(out, 0, sizeof *out);
    return audit_session_claims(s, id, check_claim, &d);
}

enum err audit_run(struct audit_session *s, int64_t since_us, const uint8_t *key,
                   struct audit_result results[AUDIT_RESULTS_MAX], size_t *n)
{
    assert(audit_rules_n < AUDIT_RESULTS_MAX);
    *n = 0;
    enum err err = audit_session_begin(s, since_us, key);
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
