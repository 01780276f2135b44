/* doctor: report what endangers money, availability or speed, each finding with what to do about
 * it. */
#include "bin/ctl_doctor.h"
#include "lib/wire/json.h"
#include <stdio.h>
#include <string.h>

#define JSON_MAX_BYTES 131072
#define GROWTH_CLAIMS_MIN 5000 /* with fewer, pages that are not full yet dominate */

static void add(struct findings *f, const char *what, const char *found, const char *fix, bool note)
{
    if (f->n == FINDINGS_MAX)
        return;
    struct finding *row = &f->rows[f->n++];
    f->notes += note;
    row->fix = fix;
    row->note = note;
    snprintf(row->what, sizeof row->what, "%s", what);
    snprintf(row->found, sizeof row->found, "%s", found);
}

void doctor_check(struct findings *f, bool wrong, const char *what, const char *found,
                  const char *fix)
{
    f->checks++;
    if (wrong)
        add(f, what, found, fix, false);
}

void doctor_note(struct findings *f, bool reason, const char *what, const char *found,
                 const char *fix)
{
    if (reason)
        add(f, what, found, fix, true);
}

static void put_rows(struct json_writer *w, const struct findings *f, const char *name, bool notes)
{
    json_open_array(w, name);
    for (size_t i = 0; i < f->n; i++) {
        const struct finding *row = &f->rows[i];
        if (row->note != notes)
            continue;
        json_open_object(w, NULL);
        json_put_string(w, "what", row->what);
        json_put_string(w, "found", row->found);
        json_put_string(w, "mend", row->fix);
        json_close_object(w);
    }
    json_close_array(w);
}

/* Return how many bytes a million claims need, with the envelopes, transfers and indexes that come
 * with them; 0 if there are too few to know. */
static int64_t growth_bytes(const struct findings *f)
{
    return f->claims < GROWTH_CLAIMS_MIN ? 0
                                         : (int64_t)((double)f->bytes / (double)f->claims * 1e6);
}

static bool print_json(const struct findings *f)
{
    struct buf out;
    buf_init(&out, JSON_MAX_BYTES);
    struct json_writer *w = json_writer_new(&out);
    if (w == NULL)
        return false;
    json_open_object(w, NULL);
    json_put_bool(w, "ok", f->n == f->notes);
    json_put_int(w, "checks", (int64_t)f->checks);
    put_rows(w, f, "findings", false);
    put_rows(w, f, "notes", true);
    json_open_object(w, "growth");
    json_put_int(w, "claims", f->claims);
    json_put_int(w, "bytes", f->bytes);
    if (growth_bytes(f) > 0)
        json_put_int(w, "bytes_per_million_claims", growth_bytes(f));
    else
        json_put_null(w, "bytes_per_million_claims");
    json_close_object(w);
    json_close_object(w);
    json_writer_free(w);
    bool printed = !out.failed && puts(out.data) >= 0;
    buf_free(&out);
    return printed;
}

static void print_text(const struct findings *f)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct finding *row = &f->rows[i];
        printf("%s%s: %s\n    mend: %s\n", row->note ? "note: " : "", row->what, row->found,
               row->fix);
    }
    if (growth_bytes(f) > 0)
        printf("growth: %.1f MB per million claims; %.1f MB with %lld claims\n",
               (double)growth_bytes(f) / 1e6, (double)f->bytes / 1e6, (long long)f->claims);
    else
        printf("growth: n/a with %lld claims, %d are needed\n", (long long)f->claims,
               GROWTH_CLAIMS_MIN);
    printf("%zu checks, %zu findings\n", f->checks, f->n - f->notes);
}

enum ctl_exit ctl_doctor(struct ctl *c)
{
    static struct findings f; /* large */
    bool json = c->argc == 2 && strcmp(c->argv[1], "--json") == 0;
    if (c->argc > 1 && !json)
        return ctl_usage(c, "unknown argument");
    c->quiet = true; /* what cannot be reached is a finding */
    doctor_database(&f, c);
    doctor_files(&f, c);
    doctor_processes(&f, c);
    doctor_users(&f, c);
    doctor_web(&f, c);
    if (!json)
        print_text(&f);
    else if (!print_json(&f))
        return CTL_FAULT;
    return f.n == f.notes ? CTL_OK : CTL_WRONG;
}
