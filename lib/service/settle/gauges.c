/* Settle refreshes them about once a minute, on every host, for the shared file of that host. */
#include "lib/service/settle/gauges.h"

enum err gauges_refresh(const struct runtime *runtime, struct store *store)
{
    struct metrics *m = runtime->metrics;
    struct money_state state;
    enum err err = store->ops->money_state(store, &state);
    if (err != ERR_OK) {
        store->ops->rollback(store);
        return err;
    }
    metrics_set_gauge(m, GAUGE_BALANCES_FEN, state.balances_fen);
    metrics_set_gauge(m, GAUGE_OPEN_ENVELOPES, state.open_envelopes);
    metrics_set_gauge(m, GAUGE_OPEN_ENVELOPES_FEN, state.open_fen);
    metrics_set_gauge(m, GAUGE_FROZEN_ENVELOPES, state.frozen_envelopes);
    return ERR_OK;
}
