/* A few kinds in an array, searched from the kind of the last answer: runs have long stretches of
 * one kind. Each thread has its own tally. */
#include "tests/bench/load_tally.h"
#include <stdlib.h>
#include <string.h>

bool tally_init(struct tally *t)
{
    *t = (struct tally){.kinds = calloc(TALLY_KINDS, sizeof t->kinds[0])};
    return t->kinds != NULL;
}

/* Map a latency to its cell: values below TALLY_STEPS to themselves, then TALLY_STEPS cells per
 * power of two. */
static size_t cell_of(int64_t us)
{
    uint64_t v = us > 0 ? (uint64_t)us : 0;
    if (v < TALLY_STEPS)
        return (size_t)v;
    unsigned shift = 0;
    while (v >> shift >= 2 * TALLY_STEPS)
        shift++;
    size_t cell = (size_t)(shift + 1) * TALLY_STEPS + (size_t)(v >> shift) - TALLY_STEPS;
    return cell < TALLY_CELLS ? cell : TALLY_CELLS - 1;
}

static int64_t cell_value(size_t cell)
{
    if (cell < TALLY_STEPS)
        return (int64_t)cell;
    size_t shift = cell / TALLY_STEPS - 1;
    return (int64_t)((cell % TALLY_STEPS + TALLY_STEPS) << shift);
}

static bool is_kind(const struct tally_kind *k, int status, const char *word)
{
    return k->status == status && strcmp(k->word, word) == 0;
}

static struct tally_kind *find_kind(struct tally *t, int status, const char *word)
{
    if (t->n > 0 && is_kind(&t->kinds[t->last], status, word))
        return &t->kinds[t->last];
    for (int i = 0; i < t->n; i++) {
        if (!is_kind(&t->kinds[i], status, word))
            continue;
        t->last = i;
        return &t->kinds[i];
    }
    if (t->n == TALLY_KINDS)
        return NULL;
    struct tally_kind *k = &t->kinds[t->n++];
    k->status = status;
    snprintf(k->word, sizeof k->word, "%s", word);
    return k;
}

void tally_add(struct tally *t, int status, const char *word, int64_t at_ns, int64_t latency_ns,
               bool in_time)
{
    struct tally_kind *k = find_kind(t, status, word);
    int64_t slice = at_ns / TALLY_SLICE_NS;
    if (k == NULL) {
        t->overflow++;
        return;
    }
    k->count++;
    k->in_time += in_time;
    k->last_ns = at_ns > k->last_ns ? at_ns : k->last_ns;
    k->longest_ns = latency_ns > k->longest_ns ? latency_ns : k->longest_ns;
    k->sum_ns += latency_ns;
    k->cells[cell_of(latency_ns / 1000)]++;
    if (slice >= 0 && slice < TALLY_SLICES)
        k->slices[slice]++;
}

void tally_merge(struct tally *into, const struct tally *from)
{
    into->overflow += from->overflow;
    for (int i = 0; i < from->n; i++) {
        const struct tally_kind *f = &from->kinds[i];
        struct tally_kind *k = find_kind(into, f->status, f->word);
        if (k == NULL) {
            into->overflow += f->count;
            continue;
        }
        k->count += f->count;
        k->in_time += f->in_time;
        k->sum_ns += f->sum_ns;
        k->last_ns = f->last_ns > k->last_ns ? f->last_ns : k->last_ns;
        k->longest_ns = f->longest_ns > k->longest_ns ? f->longest_ns : k->longest_ns;
        for (size_t c = 0; c < TALLY_CELLS; c++)
            k->cells[c] += f->cells[c];
        for (size_t s = 0; s < TALLY_SLICES; s++)
            k->slices[s] += f->slices[s];
    }
}

static int64_t percentile_us(const struct tally_kind *k, double part)
{
    uint64_t seen = 0, wanted = (uint64_t)((double)k->count * part);
    for (size_t c = 0; c < TALLY_CELLS; c++) {
        seen += k->cells[c];
        if (seen > wanted)
            return cell_value(c);
    }
    return k->longest_ns / 1000;
}

static void print_series(const struct tally_kind *k, FILE *out)
{
    int64_t end = k->last_ns / TALLY_SLICE_NS;
    fprintf(out, ", \"series\": [");
    for (int64_t i = 0; i <= end && i < TALLY_SLICES; i++)
        fprintf(out, "%s%u", i > 0 ? "," : "", k->slices[i]);
    fprintf(out, "]");
}

void tally_print(const struct tally *t, bool series, FILE *out)
{
    for (int i = 0; i < t->n; i++) {
        const struct tally_kind *k = &t->kinds[i];
        fprintf(out,
                "%s\"%d%s%s\": {\"count\": %llu, \"in_time\": %llu, \"mean_us\": %lld, "
                "\"p50_us\": %lld, \"p90_us\": %lld, \"p99_us\": %lld, \"p999_us\": %lld, "
                "\"longest_us\": %lld, \"last_s\": %.3f",
                i > 0 ? ", " : "", k->status, k->word[0] != '\0' ? " " : "", k->word,
                (unsigned long long)k->count, (unsigned long long)k->in_time,
                (long long)(k->sum_ns / (int64_t)k->count / 1000), (long long)percentile_us(k, 0.5),
                (long long)percentile_us(k, 0.9), (long long)percentile_us(k, 0.99),
                (long long)percentile_us(k, 0.999), (long long)(k->longest_ns / 1000),
                (double)k->last_ns / 1e9);
        if (series)
            print_series(k, out);
        fprintf(out, "}");
    }
}

uint64_t tally_in_time(const struct tally *t)
{
    uint64_t sum = 0;
    for (int i = 0; i < t->n; i++)
        sum += t->kinds[i].in_time;
    return sum;
}

int64_t tally_last_ns(const struct tally *t)
{
    int64_t last = 0;
    for (int i = 0; i < t->n; i++)
        last = t->kinds[i].last_ns > last ? t->kinds[i].last_ns : last;
    return last;
}
