/* audit and verify: both read one snapshot with a user that can only read, and change nothing. */
#include "bin/ctl_archive.h"
#include "bin/ctl_desk.h"
#include "lib/service/settle/audit.h"
#include "lib/service/settle/marker_check.h"
#include "lib/wire/json.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define JSON_MAX_BYTES 65536
#define FILE_IDS_MAX 100

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

static enum err audit_all(struct ctl *c, const struct account_service *s, const uint8_t *key,
                          struct audit_report *report)
{
    struct audit_session *session = open_session(c);
    enum err err = session == NULL
                       ? ERR_FAULT
                       : audit_run(session, report->since_us, key, report->results, &report->n);
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
    uint8_t key[CARRIED_KEY_SIZE];
    bool missing;
    if (!ctl_read_options(c, "json,since", &o))
        return CTL_USAGE;
    if (o.argc != 0)
        return ctl_usage(c, "only options");
    report.since_us = o.since_us;
    bool has_key = ctl_read_archive_key(c, key, &missing);
    const struct account_service *s =
        ctl_connect(c, c->daemon.config.audit_credentials, &exit_code);
    if (s == NULL)
        return exit_code;
    enum err err = audit_all(c, s, has_key ? key : NULL, &report);
    bytes_wipe(key, sizeof key);
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

static enum ctl_exit print_verified(const struct audit_count *sum)
{
    printf("%lld envelopes, %lld wrong\n", (long long)sum->rows, (long long)sum->violations);
    if (sum->violations > 0)
        printf("e.g. %s\n", sum->example);
    return sum->violations == 0 ? CTL_OK : CTL_WRONG;
}

/* verify --file FILE [ENVELOPE...]: without a database. */
static enum ctl_exit verify_file(struct ctl *c)
{
    struct id ids[FILE_IDS_MAX];
    const char *path = c->argc > 2 ? c->argv[2] : NULL;
    size_t n = path != NULL ? (size_t)c->argc - 3 : 0;
    struct audit_count sum = {0};
    if (path == NULL || n > FILE_IDS_MAX)
        return ctl_usage(c, "a file, and at most 100 ids, are expected");
    for (size_t i = 0; i < n; i++)
        if (!id_parse(&ids[i], c->argv[i + 3], strlen(c->argv[i + 3])))
            return ctl_usage(c, "an id is not well formed");
    struct archive_scan scan = {.bytes = -1, .only = n > 0 ? ids : NULL, .n_only = n};
    if (!archive_scan_file(&scan, path)) {
        fprintf(stderr, "hongbaoctl: %s: %s\n", path, strerror(errno));
        return CTL_USAGE;
    }
    if (scan.bad_lines > 0)
        fprintf(stderr, "hongbaoctl: %s: %lld lines are not of an archive\n", path,
                (long long)scan.bad_lines);
    if (scan.checked < (int64_t)n)
        return ctl_fail(ERR_NOT_FOUND, path);
    sum.rows = scan.checked;
    sum.violations = scan.wrong;
    id_format(sum.example, &scan.example);
    enum ctl_exit exit_code = print_verified(&sum);
    return scan.bad_lines > 0 ? CTL_WRONG : exit_code;
}

enum ctl_exit ctl_verify(struct ctl *c)
{
    struct audit_count sum;
    memset(&sum, 0, sizeof sum);
    if (c->argc < 2)
        return ctl_usage(c, "--all, --file, or ids of closed envelopes, are expected");
    if (strcmp(c->argv[1], "--file") == 0)
        return verify_file(c);
    bool all = strcmp(c->argv[1], "--all") == 0;
    struct audit_session *s = open_session(c);
    enum err err = s == NULL ? ERR_FAULT : audit_session_begin(s, 0, NULL);
    if (err == ERR_OK && all)
        err = audit_draws(s, NULL, &sum);
    for (int i = 1; i < c->argc && err == ERR_OK && !all; i++) {
        err = verify_one(s, c->argv[i], &sum);
        if (err == ERR_NOT_FOUND)
            ctl_hint_archived(c, c->argv[i]);
    }
    audit_session_close(s);
    return err == ERR_OK ? print_verified(&sum) : ctl_fail(err, "verify");
}
