/* Publishing a close. Markers come first: they answer the crowd in front of the web server, and a
 * gate that is not final yet only costs a question to the primary. */
#include "lib/service/common/publish.h"
#include "lib/service/common/gate.h"
#include "lib/service/common/newest_version.h"

/* A marker is public, so a restricted envelope has none. */
static bool publish_wants_marker(const struct runtime *runtime, bool restricted)
{
    return runtime->markers != NULL && !restricted;
}

static void publish_put_marker(const struct runtime *runtime, const struct id *id,
                               enum envelope_state state, enum metric when_new)
{
    enum marker_result result = marker_put(runtime->markers, runtime->generation, id, state);
    if (result == MARKER_PUT)
        metrics_add(runtime->metrics, when_new, 1);
    else if (result == MARKER_FAILED)
        metrics_add(runtime->metrics, METRIC_MARKERS_FAILED, 1);
}

/* Write the markers and gates of es[0..n). */
static void publish_ends(const struct runtime *runtime, struct cache *cache,
                         const struct envelope *const *es, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (publish_wants_marker(runtime, es[i]->to_kind != TO_ANYONE))
            publish_put_marker(runtime, &es[i]->id, es[i]->state, METRIC_MARKERS_PUT);
    if (cache != NULL)
        gate_close_all(runtime, cache, es, n);
}

void publish_closed(const struct runtime *runtime, struct cache *cache,
                    const struct envelope *const *es, size_t n)
{
    publish_ends(runtime, cache, es, n);
    for (size_t i = 0; i < n && cache != NULL; i++)
        newest_version_hint_made(runtime, cache, es[i], NULL, 0);
}

void publish_read_close(const struct runtime *runtime, struct cache *cache,
                        const struct envelope *e)
{
    publish_ends(runtime, cache, &e, 1);
    if (cache != NULL)
        newest_version_hint_read(runtime, cache, e);
}

bool publish_has_marker(const struct runtime *runtime, const struct closing *c)
{
    bool closed = c->state == STATE_SOLD_OUT || c->state == STATE_EXPIRED;
    return !closed || !publish_wants_marker(runtime, c->restricted) ||
           marker_exists(runtime->markers, runtime->generation, &c->id);
}

void publish_missing_marker(const struct runtime *runtime, const struct closing *c)
{
    if (!publish_has_marker(runtime, c))
        publish_put_marker(runtime, &c->id, c->state, METRIC_MARKERS_REPAIRED);
}
