/* archive: moves closed envelopes to a file, as the database administrator, because no program may
 * delete money; and checks such files. */
#include "bin/ctl_archive.h"
#include "bin/ctl_desk.h"
#include "lib/wire/secret.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool ctl_read_archive_key(const struct ctl *c, uint8_t key[CARRIED_KEY_SIZE], bool *missing)
{
    struct secret_pair pair;
    struct buf why;
    const char *path = c->daemon.config.archive_key_file;
    buf_init(&why, 1024);
    FILE *f = fopen(path, "re");
    *missing = f == NULL && errno == ENOENT;
    if (f != NULL)
        fclose(f);
    bool ok = secret_load(&pair, path, &why) == ERR_OK;
    if (ok)
        memcpy(key, pair.key[0], CARRIED_KEY_SIZE);
    else if (!*missing)
        fprintf(stderr, "hongbaoctl: %s\n", why.data != NULL ? why.data : path);
    bytes_wipe(&pair, sizeof pair);
    buf_free(&why);
    return ok;
}

void ctl_hint_archived(struct ctl *c, const char *text)
{
    struct id id;
    int64_t number = 0;
    char name[ARCHIVE_NAME_SIZE];
    if (!id_parse(&id, text, strlen(text)))
        return;
    struct desk *a = desk_open(&c->daemon.primary, c->daemon.runtime.clock);
    if (a != NULL && archive_find(a, &id, &number) == ERR_OK && number > 0) {
        archive_name(name, number);
        fprintf(stderr, "hongbaoctl: %s: was archived to %s\n", text, name);
    }
    desk_close(a);
}

/* ---- archive ---- */

struct archiving {
    struct archive_run run;
    struct archive_sink sink;
    uint8_t key[CARRIED_KEY_SIZE];
    const char *directory;
    int64_t next_number; /* of a file */
};

static void take_number(void *context, const struct archive_file *f)
{
    struct archiving *a = context;
    if (f->number >= a->next_number)
        a->next_number = f->number + 1;
}

/* Return the latest time before which envelopes may be archived at now_us: until then an envelope
 * may be open, have a marker, be reconciled or be replayed. */
static int64_t latest_us(const struct config *c, int64_t now_us)
{
    int64_t days = c->idempotency_days;
    days = c->marker_days > days ? c->marker_days : days;
    days = c->reconcile_days > days ? c->reconcile_days : days;
    return now_us - (c->expires_max_s + (days + 1) * S_PER_DAY) * US_PER_S;
}

/* Read what the run needs to know. Return CTL_USAGE after printing why the day is refused. */
static enum ctl_exit prepare(struct ctl *c, struct archiving *a)
{
    int64_t now_us = 0, oldest_key_us = 0;
    char latest[CLOCK_TEXT_SIZE];
    struct archive_run *run = &a->run;
    enum err err = archive_times(run->archive, &now_us, &oldest_key_us);
    a->next_number = 1;
    if (err == ERR_OK)
        err = archive_files(run->archive, take_number, a);
    if (err != ERR_OK)
        return ctl_fail(err, "archive");
    int64_t limit_us = latest_us(&c->daemon.config, now_us);
    if (run->before_us > limit_us) {
        clock_format(latest, limit_us);
        fprintf(stderr,
                "hongbaoctl archive: too young: an envelope may be open for expires_max, and be "
                "replayed, marked or reconciled for days after that: at most %.10s\n",
                latest);
        return CTL_USAGE;
    }
    run->file.begun_us = now_us;
    run->file.before_us = run->before_us;
    run->sent_us = oldest_key_us < run->before_us ? oldest_key_us : run->before_us;
    run->offset_min = (int)c->daemon.config.year_offset_min;
    return CTL_OK;
}

static enum err run_all(struct archiving *a)
{
    struct archive_writer writer;
    bool more = true;
    enum err err = archive_writer_begin(&writer, a->directory, a->next_number);
    archive_writer_sink(&writer, &a->sink);
    a->run.sink = &a->sink;
    while (err == ERR_OK && more)
        err = archive_step(&a->run, &more);
    archive_writer_end(&writer);
    return err;
}

static void describe(const struct archive_run *run, char out[256])
{
    char name[ARCHIVE_NAME_SIZE], left[ID_TEXT_SIZE];
    int len = snprintf(out, 256, "%" PRId64 " envelopes, %" PRId64 " claims, %" PRId64 " transfers",
                       run->envelopes, run->claims, run->transfers);
    archive_name(name, run->file.number);
    if (run->file.number > 0)
        len += snprintf(out + len, 256 - (size_t)len, " moved to %s", name);
    id_format(left, &run->left_example);
    if (run->left > 0)
        snprintf(out + len, 256 - (size_t)len, "; %" PRId64 " left, e.g. %s: %s", run->left, left,
                 run->left_reason);
}

static enum err act_archive(struct ctl *c, void *context, char outcome[256])
{
    struct archiving *a = context;
    (void)c;
    enum err err = run_all(a);
    describe(&a->run, outcome);
    if (err == ERR_OK)
        return ERR_OK;
    if (a->run.tampered[0] != '\0')
        fprintf(stderr, "hongbaoctl: what was carried for %s was changed: see hongbaoctl audit\n",
                a->run.tampered);
    fprintf(stderr, "hongbaoctl: stopped after %s; run it again to go on\n", outcome);
    return err;
}

static enum ctl_exit archive_before(struct ctl *c, const struct desk_options *o)
{
    static struct archiving a; /* large */
    char day[16], outcome[256];
    bool missing;
    if (!ctl_read_archive_key(c, a.key, &missing)) {
        if (missing)
            fprintf(stderr, "hongbaoctl: %s: is not there: run hongbaoctl migrate\n",
                    c->daemon.config.archive_key_file);
        return CTL_USAGE;
    }
    a.directory = o->argv[0];
    a.run = (struct archive_run){.before_us = o->before_us, .key = a.key, .dry_run = o->dry_run};
    enum err err = daemon_connect(&c->daemon, c->daemon.config.admin_credentials);
    a.run.archive = err == ERR_OK ? desk_open(&c->daemon.primary, c->daemon.runtime.clock) : NULL;
    enum ctl_exit exit_code =
        a.run.archive != NULL ? prepare(c, &a) : ctl_fail(ERR_FAULT, "database client");
    snprintf(day, sizeof day, "%.10s", o->before);
    if (exit_code == CTL_OK && !o->dry_run)
        exit_code = ctl_do_act(c, "archive", day, o->why != NULL ? o->why : "", act_archive, &a);
    else if (exit_code == CTL_OK) {
        err = run_all(&a);
        describe(&a.run, outcome);
        exit_code = err == ERR_OK ? CTL_OK : ctl_fail(err, "archive");
        printf("%s; nothing was changed\n", outcome);
    }
    desk_close(a.run.archive);
    bytes_wipe(a.key, sizeof a.key);
    return exit_code;
}

/* ---- check ---- */

struct checking {
    const char *directory;
    const uint8_t *key;
    int64_t files, wrong;
    int64_t *numbers; /* of the files */
    bool failed;      /* no memory for them */
};

/* Return what is wrong with the file of *f, which *s has read; NULL if nothing is. */
static const char *find_fault(const struct archive_scan *s, const struct archive_file *f)
{
    if (!s->complete)
        return "is shorter than it was";
    if (memcmp(s->sha256, f->sha256, sizeof s->sha256) != 0)
        return "was changed";
    if (s->bad_lines > 0 || s->envelopes != f->envelopes || s->claims != f->claims ||
        s->transfers != f->transfers || s->sent_fen != f->sent_fen)
        return "does not have what the database counts";
    return s->wrong > 0 ? "has draws that are wrong" : NULL;
}

static void remember_number(struct checking *check, int64_t number)
{
    int64_t *numbers = realloc(check->numbers, (size_t)(check->files + 1) * sizeof *numbers);
    if (numbers == NULL) {
        check->failed = true;
        return;
    }
    check->numbers = numbers;
    check->numbers[check->files++] = number;
}

static void check_file(void *context, const struct archive_file *f)
{
    struct checking *check = context;
    struct archive_scan scan = {.bytes = f->bytes};
    char name[ARCHIVE_NAME_SIZE], path[ARCHIVE_PATH_SIZE];
    archive_name(name, f->number);
    snprintf(path, sizeof path, "%s/%s", check->directory, name);
    const char *fault = NULL;
    if (!archive_file_sealed(f, check->key))
        fault = "has a row in the database that was changed";
    else if (!archive_scan_file(&scan, path))
        fault = strerror(errno);
    else
        fault = find_fault(&scan, f);
    remember_number(check, f->number);
    check->wrong += fault != NULL;
    if (fault != NULL)
        printf("%s  WRONG: %s\n", name, fault);
    else
        printf("%s  %" PRId64 " envelopes, %" PRId64 " claims  ok\n", name, f->envelopes,
               f->claims);
    if (fault == NULL && scan.rest > 0)
        printf("%s  ends with %" PRId64 " bytes of a run that was interrupted; they do not count\n",
               name, scan.rest);
}

static int is_archive(const struct dirent *entry)
{
    return strncmp(entry->d_name, "hongbao-archive-", 16) == 0;
}

/* Name the files that the database does not have. */
static void list_others(const struct checking *check)
{
    struct dirent **entries = NULL;
    char name[ARCHIVE_NAME_SIZE];
    int n = scandir(check->directory, &entries, is_archive, alphasort);
    for (int i = 0; i < n; i++) {
        bool known = false;
        for (int64_t k = 0; k < check->files && !known; k++) {
            archive_name(name, check->numbers[k]);
            known = strcmp(name, entries[i]->d_name) == 0;
        }
        if (!known)
            printf("%s  is of a run that ended before it moved anything; it can be deleted\n",
                   entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

static enum ctl_exit archive_check(struct ctl *c, const char *directory)
{
    uint8_t key[CARRIED_KEY_SIZE] = {0};
    struct checking check = {.directory = directory, .key = key};
    enum ctl_exit exit_code = CTL_OK;
    bool missing;
    if (!ctl_read_archive_key(c, key, &missing) && !missing)
        return CTL_USAGE;
    if (ctl_connect(c, c->daemon.config.support_credentials, &exit_code) == NULL)
        return exit_code;
    ctl_disconnect(c);
    struct desk *a = desk_open(&c->daemon.primary, c->daemon.runtime.clock);
    enum err err = a == NULL ? ERR_FAULT : archive_files(a, check_file, &check);
    desk_close(a);
    bytes_wipe(key, sizeof key);
    if (err == ERR_OK && !check.failed)
        list_others(&check);
    free(check.numbers);
    if (err != ERR_OK || check.failed)
        return ctl_fail(err != ERR_OK ? err : ERR_FAULT, "archive");
    printf("%" PRId64 " files, %" PRId64 " wrong\n", check.files, check.wrong);
    return check.wrong == 0 ? CTL_OK : CTL_WRONG;
}

enum ctl_exit ctl_archive(struct ctl *c)
{
    struct desk_options o;
    if (!ctl_read_options(c, "before,dry-run,check,why", &o))
        return CTL_USAGE;
    if (o.argc != 1 || strlen(o.argv[0]) + ARCHIVE_NAME_SIZE >= ARCHIVE_PATH_SIZE ||
        (o.before == NULL) != o.check)
        return ctl_usage(c, "a directory, and either --before DAY or --check, are expected");
    return o.check ? archive_check(c, o.argv[0]) : archive_before(c, &o);
}
