/* Prometheus text of the shared counters. Help texts describe an event in the words of
 * doc/GLOSSARY; rows of one family follow each other, and the first has the help. */
#include "lib/base/clock.h"
#include "lib/base/metrics_layout.h"
#include <inttypes.h>

struct counter_row {
    const char *name, *labels, *help; /* help NULL: same family as the row before */
};

static const struct counter_row counter_rows[METRIC_COUNT] = {
    [METRIC_GATE_WON] = {"hongbao_gate_total", "{outcome=\"won\"}",
                         "Operations on gates, by outcome."},
    [METRIC_GATE_LOST] = {"hongbao_gate_total", "{outcome=\"lost\"}", NULL},
    [METRIC_GATE_LET_THROUGH] = {"hongbao_gate_total", "{outcome=\"let_through\"}", NULL},
    [METRIC_GATE_BUSY] = {"hongbao_gate_total", "{outcome=\"busy\"}", NULL},
    [METRIC_GATE_CREATED] = {"hongbao_gate_total", "{outcome=\"created\"}", NULL},
    [METRIC_GATE_REFILLED] = {"hongbao_gate_total", "{outcome=\"refilled\"}", NULL},
    [METRIC_GATE_REPAIRED] = {"hongbao_gate_total", "{outcome=\"repaired\"}", NULL},
    [METRIC_GATE_UNKNOWN] = {"hongbao_gate_total", "{outcome=\"unknown\"}", NULL},
    [METRIC_COMMITS_UNCERTAIN] = {"hongbao_commits_uncertain_total", "",
                                  "Commits whose reply was lost."},
    [METRIC_BATCH_LOCKED] =
        {"hongbao_batch_locked_total", "",
         "Jobs that left their batch because another transaction held their row."},
    [METRIC_BATCH_RETRIES] = {"hongbao_batch_retries_total", "", "Batches retried after an error."},
    [METRIC_BATCH_LOOKUPS] =
        {"hongbao_batch_lookups_total", "",
         "Batches of opens retried because a user in them already had a share."},
    [METRIC_DATABASE_STALLS] = {"hongbao_database_stalls_total", "",
                                "Times that the primary stopped answering in time."},
    [METRIC_BARRIERS] = {"hongbao_barriers_total", "",
                         "Commits made only to make what is visible durable."},
    [METRIC_CLAIMS_CREDITED] = {"hongbao_claims_credited_total", "", "Claims added to balances."},
    [METRIC_CREDITS_POSTPONED] = {"hongbao_credits_postponed_total", "",
                                  "Credits that could not be booked and will be retried later."},
    [METRIC_ENVELOPES_EXPIRED] = {"hongbao_envelopes_expired_total", "",
                                  "Envelopes closed because they expired."},
    [METRIC_RECONCILE_ALARMS] = {"hongbao_reconcile_alarms_total", "",
                                 "Envelopes frozen because their books do not agree."},
    [METRIC_MARKERS_PUT] = {"hongbao_markers_total", "{outcome=\"put\"}",
                            "Marker files, by outcome."},
    [METRIC_MARKERS_REPAIRED] = {"hongbao_markers_total", "{outcome=\"repaired\"}", NULL},
    [METRIC_MARKERS_FAILED] = {"hongbao_markers_total", "{outcome=\"failed\"}", NULL},
    [METRIC_MARKERS_REMOVED] = {"hongbao_markers_total", "{outcome=\"removed\"}", NULL},
    [METRIC_RECONCILE_REPAIRS] = {"hongbao_reconcile_repairs_total", "",
                                  "Lost credits queued again and wrong gates replaced."},
    [METRIC_DATABASE_UNREACHABLE] = {"hongbao_database_errors_total", "{kind=\"unreachable\"}",
                                     "Failures of the database, by kind."},
    [METRIC_DATABASE_REFUSED] = {"hongbao_database_errors_total", "{kind=\"refused\"}", NULL},
    [METRIC_DATABASE_READ_ONLY] = {"hongbao_database_errors_total", "{kind=\"read_only\"}", NULL},
    [METRIC_DATABASE_TOO_MANY_CONNECTIONS] = {"hongbao_database_errors_total",
                                              "{kind=\"too_many_connections\"}", NULL},
    [METRIC_DATABASE_DISK_FULL] = {"hongbao_database_errors_total", "{kind=\"disk_full\"}", NULL},
    [METRIC_DATABASE_ERROR] = {"hongbao_database_errors_total", "{kind=\"other\"}", NULL},
    [METRIC_CACHE_UNREACHABLE] = {"hongbao_cache_errors_total", "",
                                  "Requests to memcached that failed."},
    [METRIC_LOG_LINES_LOST] = {"hongbao_log_lines_lost_total", "",
                               "Lines that could not be written to the log."},
    [METRIC_MONEY_IN_FEN] = {"hongbao_money_in_fen_total", "", "Money topped up, in fen."},
    [METRIC_MONEY_OUT_FEN] = {"hongbao_money_out_fen_total", "", "Money withdrawn, in fen."},
};

static uint64_t counter_load(const _Atomic uint64_t *word)
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
        buf_printf(out, "%s%s %" PRIu64 "\n", row->name, row->labels,
                   metrics_get(m, (enum metric)i));
    }
}

static void print_reconciled(const struct metrics *m, struct buf *out)
{
    print_header(out, "hongbao_reconciled_created_seconds", "gauge",
                 "Creation time of the last envelope reconciled, since 1970; 0 between rounds.");
    buf_printf(out, "hongbao_reconciled_created_seconds %" PRId64 "\n",
               metrics_get_reconciled(m) / US_PER_S);
}

static void print_gauges(const struct metrics *m, struct buf *out)
{
    static const struct {
        const char *name, *help;
    } rows[METRIC_GAUGES] = {
        [GAUGE_BALANCES_FEN] = {"hongbao_balances_fen", "Sum of all balances, in fen."},
        [GAUGE_OPEN_ENVELOPES] = {"hongbao_open_envelopes", "Envelopes that are open."},
        [GAUGE_OPEN_ENVELOPES_FEN] = {"hongbao_open_envelopes_fen",
                                      "Money that remains in open envelopes, in fen."},
        [GAUGE_FROZEN_ENVELOPES] = {"hongbao_frozen_envelopes", "Envelopes that are frozen now."},
        [GAUGE_REPLICA_USABLE] = {"hongbao_replica_usable",
                                  "1: a replica serves histories. 0: the primary does."},
        [GAUGE_REPLICA_LAG_S] = {"hongbao_replica_lag_seconds",
                                 "Lag of the replica when it last answered."},
    };
    for (int i = 0; i < METRIC_GAUGES; i++) {
        print_header(out, rows[i].name, "gauge", rows[i].help);
        buf_printf(out, "%s %" PRId64 "\n", rows[i].name,
                   atomic_load_explicit(&m->gauges[i], memory_order_relaxed));
    }
}

static void print_requests(const struct metrics *m, const char *const *names, struct buf *out)
{
    print_header(out, "hongbao_requests_total", "counter", "Requests answered.");
    for (size_t r = 0; r < METRIC_ROUTES; r++)
        for (size_t s = 0; names[r] != NULL && s < metric_states_n; s++)
            if (counter_load(&m->routes[r].states[s]) > 0)
                buf_printf(out, "hongbao_requests_total{route=\"%s\",state=\"%s\"} %" PRIu64 "\n",
                           names[r], metric_states[s], counter_load(&m->routes[r].states[s]));
}

/* Print us microseconds as decimal seconds, in integer arithmetic. */
static void print_seconds(struct buf *out, uint64_t us)
{
    buf_printf(out, "%" PRIu64 ".%06" PRIu64, us / (uint64_t)US_PER_S, us % (uint64_t)US_PER_S);
}

static void print_route_durations(const struct route_counters *r, const char *name, struct buf *out)
{
    static const char family[] = "hongbao_request_duration_seconds";
    uint64_t sum = 0;
    for (size_t b = 0; b < METRIC_BOUNDS; b++) {
        sum += counter_load(&r->durations[b]);
        buf_printf(out, "%s_bucket{route=\"%s\",le=\"", family, name);
        print_seconds(out, (uint64_t)metric_bounds_us[b]);
        buf_printf(out, "\"} %" PRIu64 "\n", sum);
    }
    sum += counter_load(&r->durations[METRIC_BOUNDS]);
    buf_printf(out, "%s_bucket{route=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", family, name, sum);
    buf_printf(out, "%s_sum{route=\"%s\"} ", family, name);
    print_seconds(out, counter_load(&r->duration_sum_us));
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
            sum += counter_load(&b->sizes[i]);
            buf_printf(out, "hongbao_batch_size_bucket{kind=\"%s\",le=\"%u\"} %" PRIu64 "\n",
                       kinds[k], 1u << i, sum);
        }
        sum += counter_load(&b->sizes[METRIC_BATCH_BOUNDS]);
        buf_printf(out, "hongbao_batch_size_bucket{kind=\"%s\",le=\"+Inf\"} %" PRIu64 "\n",
                   kinds[k], sum);
        buf_printf(out, "hongbao_batch_size_sum{kind=\"%s\"} %" PRIu64 "\n", kinds[k],
                   counter_load(&b->jobs));
        buf_printf(out, "hongbao_batch_size_count{kind=\"%s\"} %" PRIu64 "\n", kinds[k], sum);
    }
}

void metrics_print(const struct metrics *m, const char *const *route_names, struct buf *out)
{
    print_requests(m, route_names, out);
    print_header(out, "hongbao_request_duration_seconds", "histogram",
                 "Time from the request read to the answer written.");
    for (size_t r = 0; r < METRIC_ROUTES; r++)
        if (route_names[r] != NULL)
            print_route_durations(&m->routes[r], route_names[r], out);
    print_batches(m, out);
    print_counters(m, out);
    print_reconciled(m, out);
    print_gauges(m, out);
}
