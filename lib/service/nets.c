#include "lib/service/nets.h"
#include "lib/service/gate.h"
#include "lib/service/version.h"

/* The end of an envelope to some is told to nobody else: it gets no marker. */
static bool wants_marker(const struct env *env, bool restricted)
{
    return env->markers != NULL && !restricted;
}

static void put(const struct env *env, const struct id *id, enum envelope_state state,
                enum metric when_new)
{
    enum marker_result result = marker_put(env->markers, env->generation, id, state);
    if (result == MARKER_PUT)
        metrics_add(env->metrics, when_new, 1);
    else if (result == MARKER_FAILED)
        metrics_add(env->metrics, METRIC_MARKERS_FAILED, 1);
}

void nets_close(const struct env *env, struct cache *cache, const struct envelope *const *es,
                size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (wants_marker(env, es[i]->to_kind != TO_ANYONE))
            put(env, &es[i]->id, es[i]->state, METRIC_MARKERS_PUT);
    if (cache == NULL)
        return;
    gate_close_all(env, cache, es, n);
    for (size_t i = 0; i < n; i++)
        version_hint_made(env, cache, es[i], NULL, 0);
}

bool nets_marked(const struct env *env, const struct closing *c)
{
    return c->state == STATE_OPEN || !wants_marker(env, c->restricted) ||
           marker_exists(env->markers, env->generation, &c->id);
}

void nets_mend(const struct env *env, const struct closing *c)
{
    if (!nets_marked(env, c))
        put(env, &c->id, c->state, METRIC_MARKERS_MENDED);
}
