/* Prometheus text of the shared counters. */
#include "lib/base/metrics_layout.h"
#include <inttypes.h>

struct counter_row {
    const char *name, *labels, *help; /* help NULL: as the row before */
};

static const struct counter_row counter_rows[METRIC_COUNT] = {
    [METRIC_GATE_WON] = {"hongbao_gate_total", "{outcome=\"won\"}", "What came of grabs at gates."},
    [METRIC_GATE_LOST] = {"hongbao_gate_total", "{outcome=\"lost\"}", NULL},
    [METRIC_GATE_LET_THROUGH] = {"hongbao_gate_total", "{outcome=\"let_through\"}", NULL},
    [METRIC_GATE_BUSY] = {"hongbao_gate_total", "{outcome=\"busy\"}", NULL},
    [METRIC_GATE_REBUILT] = {"hongbao_gate_total", "{outcome=\"rebuilt\"}", NULL},
    [METRIC_GATE_REFILLED] = {"hongbao_gate_total", "{outcome=\"refilled\"}", NULL},
    [METRIC_GATE_REPAIRED] = {"hongbao_gate_total", "{outcome=\"repaired\"}", NULL},
    [METRIC_GATE_UNKNOWN] = {"hongbao_gate_total", "{outcome=\"unknown\"}", NULL},
    [METRIC_COMMIT_UNKNOWN] = {"hongbao_commit_unknown_total", "",
                               "Commits whose outcome was unknown, and that were run again."},
    [METRIC_BATCH_TURNED_OUT] = {"hongbao_batch_turned_out_total", "",
                                 "Members turned out of a batch because of a foreign lock."},
    [METRIC_BATCH_RERUN] = {"hongbao_batch_rerun_total", "", "Batches run again after an error."},
    [METRIC_BATCH_LOOKED] =
        {"hongbao_batch_looked_total", "",
         "Batches of opens run again because somebody in them had opened before."},
    [METRIC_DATABASE_STALLS] = {"hongbao_database_stalls_total", "",
                                "Times that the primary stopped answering in time."},
    [METRIC_BARRIERS] = {"hongbao_barriers_total", "",
                         "Commits made only so that what others stored is durable."},
    [METRIC_CREDITS_BOOKED] = {"hongbao_credits_booked_total", "", "Claims credited."},
    [METRIC_CREDITS_POISONED] = {"hongbao_credits_poisoned_total", "",
                                 "Credits that failed alone and were put off."},
    [METRIC_REFUNDS_BOOKED] = {"hongbao_refunds_booked_total", "", "Envelopes closed by expiry."},
    [METRIC_RECONCILE_ALARMS] = {"hongbao_reconcile_alarms_total", "",
                                 "Envelopes that were frozen because their books do not agree."},
    [METRIC_MARKERS_PUT] = {"hongbao_markers_total", "{outcome=\"put\"}",
                            "What became of the files that tell the end of envelopes."},
    [METRIC_MARKERS_MENDED] = {"hongbao_markers_total", "{outcome=\"mended\"}", NULL},
    [METRIC_MARKERS_FAILED] = {"hongbao_markers_total", "{outcome=\"failed\"}", NULL},
    [METRIC_MARKERS_REMOVED] = {"hongbao_markers_total", "{outcome=\"removed\"}", NULL},
    [METRIC_RECONCILE_MENDED] = {"hongbao_reconcile_mended_total", "",
                                 "Lost credits queued again, and wrong gates replaced."},
};

static uint64_t load(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static void print_header(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_counters(const struct metrics *m, struct buf *out)
{
    for (int i = 0; i < METRIC_COUNT; i++) {
        const struct counter_row *row = &counter_rows[i];
        if (row->help != NULL)
            print_header(out, row->name, "counter", row->help);
        buf_printf(out, "%s%s %" PRIu64 "\n", row->name, row->labels, load(&m->counters[i]));
    }
}

static void print_requests(const struct metrics *m, const char *const *names, struct buf *out)
{
    print_header(out, "hongbao_requests_total", "counter", "Requests answered.");
    for (size_t r = 0; r < METRIC_ROUTES; r++)
        for (size_t s = 0; names[r] != NULL && s < metric_states_n; s++)
            if (load(&m->routes[r].states[s]) > 0)
                buf_printf(out, "hongbao_requests_total{route=\"%s\",state=\"%s\"} %" PRIu64 "\n",
                           names[r], metric_states[s], load(&m->routes[r].states[s]));
}

/* Microseconds as decimal seconds, by integers. */
static void print_seconds(struct buf *out, uint64_t us)
{
    buf_printf(out, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
}

static void print_route_durations(const struct route_counters *r, const char *name, struct buf *out)
{
    static const char family[] = "hongbao_request_duration_seconds";
    uint64_t sum = 0;
    for (size_t b = 0; b < METRIC_BOUNDS; b++) {
        sum += load(&r->durations[b]);
        buf_printf(out, "%s_bucket{route=\"%s\",le=\"", family, name);
        print_seconds(out, (uint64_t)metric_bounds_us[b]);
        buf_printf(out, "\"} %" PRIu64 "\n", sum);
    }
    sum += load(&r->durations[METRIC_BOUNDS]);
    buf_printf(out, "%s_bucket{route=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", family, name, sum);
    buf_printf(out, "%s_sum{route=\"%s\"} ", family, name);
    print_seconds(out, load(&r->duration_sum_us));
    buf_printf(out, "\n%s_count{route=\"%s\"} %" PRIu64 "\n", family, name, sum);
}

static void print_batches(const struct metrics *m, struct buf *out)
{
    static const char *const kinds[METRIC_BATCH_KINDS] = {"send", "grab", "open"};
    print_header(out, "hongbao_batch_size", "histogram", "Requests run together.");
    for (size_t k = 0; k < METRIC_BATCH_KINDS; k++) {
        const struct batch_counters *b = &m->batches[k];
        uint64_t sum = 0;
        for (size_t i = 0; i < METRIC_BATCH_BOUNDS; i++) {
            sum += load(&b->sizes[i]);
            buf_printf(out, "hongbao_batch_size_bucket{kind=\"%s\",le=\"%u\"} %" PRIu64 "\n",
                       kinds[k], 1u << i, sum);
        }
        sum += load(&b->sizes[METRIC_BATCH_BOUNDS]);
        buf_printf(out, "hongbao_batch_size_bucket{kind=\"%s\",le=\"+Inf\"} %" PRIu64 "\n",
                   kinds[k], sum);
        buf_printf(out, "hongbao_batch_size_sum{kind=\"%s\"} %" PRIu64 "\n", kinds[k],
                   load(&b->members));
        buf_printf(out, "hongbao_batch_size_count{kind=\"%s\"} %" PRIu64 "\n", kinds[k], sum);
    }
}

void metrics_print(const struct metrics *m, const char *const *route_names, struct buf *out)
{
    print_requests(m, route_names, out);
    print_header(out, "hongbao_request_duration_seconds", "histogram",
                 "From the request read to the answer written.");
    for (size_t r = 0; r < METRIC_ROUTES; r++)
        if (route_names[r] != NULL)
            print_route_durations(&m->routes[r], route_names[r], out);
    print_batches(m, out);
    print_counters(m, out);
}
