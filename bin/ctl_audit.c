/* audit and verify: both read one snapshot with a user that can only read, and change nothing. */
#include "bin/ctl_desk.h"
#include "lib/service/settle/audit.h"
#include "lib/service/settle/marker_check.h"
#include "lib/wire/json.h"
#include <stdio.h>
#include <string.h>

#define JSON_MAX_BYTES 65536

/* What an audit found. */
struct audit_report {
    int64_t since_us; /* in */
    size_t n;
    struct audit_result results[AUDIT_RESULTS_MAX];
    int64_t reads; /* rows and keys that the server read */
};

static struct audit_session *open_session(struct ctl *c)
{
    if (daemon_connect(&c->daemon, c->daemon.config.audit_credentials) != ERR_OK)
        return NULL;
    return audit_session_open(&c->daemon.primary, c->daemon.runtime.clock);
}

static bool audit_passes(const struct audit_report *report)
{
    for (size_t i = 0; i < report->n; i++)
        if (report->results[i].count.violations != 0)
            return false;
    return true;
}

static void print_text(const struct audit_report *report)
{
    for (size_t i = 0; i < report->n; i++) {
        const struct audit_result *r = &report->results[i];
        printf("%-24s %10lld rows  ", r->rule.name, (long long)r->count.rows);
        if (r->count.violations == 0)
            puts("ok");
        else
            printf("%lld WRONG, e.g. %s (%s)\n", (long long)r->count.violations, r->count.example,
                   r->rule.meaning);
    }
    printf("the server read %lld rows\n", (long long)report->reads);
}

static void put_result(struct json_writer *w, const struct audit_result *r)
{
    json_open_object(w, NULL);
    json_put_string(w, "name", r->rule.name);
    json_put_string(w, "meaning", r->rule.meaning);
    json_put_int(w, "rows", r->count.rows);
    json_put_int(w, "violations", r->count.violations);
    if (r->count.violations > 0)
        json_put_string(w, "example", r->count.example);
    else
        json_put_null(w, "example");
    json_close_object(w);
}

static bool print_json(const struct audit_report *report)
{
    struct buf out;
    buf_init(&out, JSON_MAX_BYTES);
    struct json_writer *w = json_writer_new(&out);
    if (w == NULL)
        return false;
    json_open_object(w, NULL);
    json_put_bool(w, "ok", audit_passes(report));
    json_put_int(w, "rows_read", report->reads);
    json_open_array(w, "invariants");
    for (size_t i = 0; i < report->n; i++)
        put_result(w, &report->results[i]);
    json_close_array(w);
    json_close_object(w);
    json_writer_free(w);
    bool printed = !out.failed && puts(out.data) >= 0;
    buf_free(&out);
    return printed;
}

/* Compare the markers of this host with the database, as the read-only user. */
static enum err audit_markers(const struct account_service *s, struct audit_count *out)
{
    struct session *session = session_pool_take(s->sessions, 0);
    if (session == NULL)
        return ERR_UNAVAILABLE;
    enum err err = marker_check(s->runtime, session->store, out);
    session_pool_give(s->sessions, session, err);
    return err;
}

static enum err audit_all(struct ctl *c, const struct account_service *s,
                          struct audit_report *report)
{
    struct audit_session *session = open_session(c);
    enum err err = session == NULL
                       ? ERR_FAULT
                       : audit_run(session, report->since_us, report->results, &report->n);
    if (err == ERR_OK)
        err = audit_session_reads(session, &report->reads);
    audit_session_close(session);
    if (err != ERR_OK)
        return err;
    struct audit_result *markers = &report->results[report->n++];
    markers->rule = (struct audit_rule){
        "markers", "every marker on this host states the end that its envelope has"};
    return audit_markers(s, &markers->count);
}

enum ctl_exit ctl_audit(struct ctl *c)
{
    static struct audit_report report; /* large */
    enum ctl_exit exit_code = CTL_OK;
    struct desk_options o;
    if (!ctl_read_options(c, "json,since", &o))
        return CTL_USAGE;
    if (o.argc != 0)
        return ctl_usage(c, "only options");
    report.since_us = o.since_us;
    const struct account_service *s =
        ctl_connect(c, c->daemon.config.audit_credentials, &exit_code);
    if (s == NULL)
        return exit_code;
    enum err err = audit_all(c, s, &report);
    ctl_disconnect(c);
    if (err != ERR_OK)
        return ctl_fail(err, "audit");
    if (!o.json)
        print_text(&report);
    else if (!print_json(&report))
        return CTL_FAULT;
    return audit_passes(&report) ? CTL_OK : CTL_WRONG;
}

static enum err verify_one(struct audit_session *s, const char *text, struct audit_count *sum)
{
    struct audit_count one;
    struct id id;
    if (!id_parse(&id, text, strlen(text)))
        return ERR_INVALID_REQUEST;
    enum err err = audit_draws(s, &id, &one);
    if (err == ERR_OK && one.rows == 0)
        return ERR_NOT_FOUND; /* or it is still open, and its seed a secret */
    sum->rows += one.rows;
    sum->violations += one.violations;
    if (one.violations > 0)
        memcpy(sum->example, one.example, sizeof sum->example);
    return err;
}

enum ctl_exit ctl_verify(struct ctl *c)
{
    struct audit_count sum;
    memset(&sum, 0, sizeof sum);
    if (c->argc < 2)
        return ctl_usage(c, "--all, or ids of closed envelopes, are expected");
    bool all = strcmp(c->argv[1], "--all") == 0;
    struct audit_session *s = open_session(c);
    enum err err = s == NULL ? ERR_FAULT : audit_session_begin(s, 0);
    if (err == ERR_OK && all)
        err = audit_draws(s, NULL, &sum);
    for (int i = 1; i < c->argc && err == ERR_OK && !all; i++)
        err = verify_one(s, c->argv[i], &sum);
    audit_session_close(s);
    if (err != ERR_OK)
        return ctl_fail(err, "verify");
    printf("%lld envelopes, %lld wrong\n", (long long)sum.rows, (long long)sum.violations);
    if (sum.violations > 0)
        printf("e.g. %s\n", sum.example);
    return sum.violations == 0 ? CTL_OK : CTL_WRONG;
}
