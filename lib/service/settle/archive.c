/* A batch is one transaction: rows are locked, read and checked, the file is flushed to disk as the
 * last act before the commit. Killed anywhere, either the rows are in the database, and what the
 * file has beyond the bytes stored there does not count, or they are in the file. */
#include "lib/service/settle/archive.h"
#include "lib/base/log.h"
#include "lib/domain/draw_check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLAIMS_MAX 1000 /* in one transaction, but for a single envelope with more */
#define TRIES 5

struct archive_batch {
    struct archive_run *run;
    struct archive_set set;
    size_t n_begun; /* envelopes whose rows have been begun */
    /* of the last of them */
    size_t at;
    struct draw_check draw;
    bool claim_waits; /* a claim has no transfer yet, or one without an entry */
    size_t mark;      /* carried rows of the envelopes before */
    /* of all */
    struct archive_drop drops[ARCHIVE_ENVELOPES_MAX];
    size_t n_drops, places[ARCHIVE_ENVELOPES_MAX]; /* places of the drops in set */
    int64_t left;
    struct id left_example;
    char left_reason[ARCHIVE_REASON_SIZE];
    int64_t sent_fen;
    struct carried *carried;
    size_t n_carried, cap_carried;
    enum err err; /* the first while rows are read */
};

/* ---- what is carried ---- */

/* Return a new zero row for user and the day of booked_us, or NULL after setting b->err. */
static struct carried *carried_new(struct archive_batch *b, const char *user, int64_t booked_us)
{
    if (b->n_carried == b->cap_carried) {
        size_t cap = b->cap_carried == 0 ? 1024 : 2 * b->cap_carried;
        struct carried *rows = realloc(b->carried, cap * sizeof *rows);
        if (rows == NULL) {
            b->err = ERR_FAULT;
            return NULL;
        }
        b->carried = rows;
        b->cap_carried = cap;
    }
    struct carried *c = &b->carried[b->n_carried++];
    memset(c, 0, sizeof *c);
    memcpy(c->user, user, strlen(user) + 1);
    c->day_us = carried_day_us(booked_us, b->run->offset_min);
    return c;
}

static void carry(struct archive_batch *b, const struct transfer *t)
{
    struct carried *c = carried_new(b, t->user, t->booked_us);
    if (c == NULL)
        return;
    const struct envelope *e = &b->set.items[b->at].books.envelope;
    enum err err = carried_add(c, t->kind, t->amount_fen, t->entry);
    if (t->kind == TRANSFER_SEND) {
        c->opened_shares = e->opened_shares;
        c->opened_fen = e->opened_fen;
        c->returned_fen = e->refunded_fen;
    }
    if (err != ERR_OK)
        b->err = err;
}

/* Sort the carried rows and merge those of one user and day. */
static enum err carried_compact(struct archive_batch *b)
{
    size_t n = 0;
    enum err err = ERR_OK;
    qsort(b->carried, b->n_carried, sizeof b->carried[0], carried_order);
    for (size_t i = 0; i < b->n_carried && err == ERR_OK; i++) {
        if (n > 0 && carried_order(&b->carried[n - 1], &b->carried[i]) == 0)
            err = carried_merge(&b->carried[n - 1], &b->carried[i]);
        else
            b->carried[n++] = b->carried[i];
    }
    b->n_carried = n;
    return err;
}

/* Add what was carried before. A row that was changed must not get a new MAC. */
static enum err carried_add_old(struct archive_batch *b)
{
    struct archive_run *run = b->run;
    struct carried *old = calloc(b->n_carried + 1, sizeof *old);
    enum err err =
        old == NULL ? ERR_FAULT : archive_carried_read(run->archive, b->carried, b->n_carried, old);
    for (size_t i = 0; i < b->n_carried && err == ERR_OK; i++) {
        if (old[i].user[0] != '\0' && !carried_sealed(&old[i], run->key)) {
            memcpy(run->tampered, old[i].user, sizeof run->tampered);
            log_event(LOG_LEVEL_ERROR, "carried_changed",
                      "user %s: a carried balance has a wrong MAC", old[i].user);
            err = ERR_FAULT;
        }
        if (err == ERR_OK && old[i].user[0] != '\0')
            err = carried_merge(&b->carried[i], &old[i]);
        carried_seal(&b->carried[i], run->key);
    }
    free(old);
    return err;
}

/* ---- one envelope ---- */

static void begin_envelope(struct archive_batch *b, size_t at)
{
    const struct archive_item *item = &b->set.items[at];
    const struct archive_sink *sink = b->run->sink;
    b->at = at;
    b->claim_waits = false;
    b->mark = b->n_carried;
    sink->begin(sink->self, item);
    draw_check_begin(&b->draw, &item->books.envelope);
    for (size_t i = 0; i < item->n_sides && i < 2; i++)
        if (item->sides[i].amount_fen > 0 && item->sides[i].entry > 0)
            carry(b, &item->sides[i]);
}

/* Return why the envelope at is not moved; NULL if it is. */
static const char *reason_to_leave(const struct archive_batch *b)
{
    const struct archive_item *item = &b->set.items[b->at];
    enum books_rule rule = books_check(&item->books);
    if (item->books.envelope.frozen)
        return "frozen";
    if (rule != BOOKS_AGREE)
        return books_rule_name(rule);
    if (b->draw.wrong)
        return "draws";
    if (b->claim_waits || item->books.n_lost > 0)
        return "a claim is not credited yet";
    if (item->books.closing_row)
        return "the year totals lack it";
    if (item->unnumbered)
        return "a transfer has no entry yet";
    if (item->last_booked_us >= b->run->before_us)
        return "a transfer is newer";
    return NULL;
}

static void leave_envelope(struct archive_batch *b, const char *reason)
{
    b->n_carried = b->mark;
    if (b->left++ > 0)
        return;
    b->left_example = b->set.items[b->at].books.envelope.id;
    snprintf(b->left_reason, sizeof b->left_reason, "%s", reason);
}

static void end_envelope(struct archive_batch *b)
{
    const struct archive_sink *sink = b->run->sink;
    const struct archive_item *item = &b->set.items[b->at];
    const char *reason = reason_to_leave(b);
    sink->end(sink->self, reason == NULL);
    if (reason != NULL) {
        leave_envelope(b, reason);
        return;
    }
    b->places[b->n_drops] = b->at;
    b->drops[b->n_drops++] =
        (struct archive_drop){.id = item->books.envelope.id,
                              .claims = item->books.claims,
                              .transfers = (int64_t)item->n_sides + item->books.claim_transfers};
    b->sent_fen += item->books.envelope.total_fen;
}

/* Go on to the envelope at, ending those before. */
static void advance(struct archive_batch *b, size_t at)
{
    while (b->n_begun <= at) {
        if (b->n_begun > 0)
            end_envelope(b);
        begin_envelope(b, b->n_begun++);
    }
}

static void take_claim(void *context, size_t at, struct archive_claim *c)
{
    struct archive_batch *b = context;
    const struct archive_sink *sink = b->run->sink;
    advance(b, at);
    draw_check_claim(&b->draw, c->books.claim.seq, c->books.claim.amount_fen);
    sink->claim(sink->self, c);
    bool waits = c->books.pending || !c->books.credited || c->transfer.entry < 1;
    b->claim_waits |= waits;
    if (!waits && c->transfer.amount_fen > 0)
        carry(b, &c->transfer);
}

/* ---- the batch ---- */

static enum err add_groups(struct archive_batch *b)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < b->n_drops && err == ERR_OK; i++) {
        const struct envelope *e = &b->set.items[b->places[i]].books.envelope;
        if (e->to_kind == TO_GROUP)
            err = archive_group_add(b->run->archive, e,
                                    carried_day_us(e->created_us, b->run->offset_min));
    }
    return err;
}

/* Set *f to what the run's file is with this batch. */
static enum err seal_file(struct archive_batch *b, struct archive_file *f)
{
    const struct archive_run *run = b->run;
    *f = run->file;
    f->envelopes += (int64_t)b->n_drops;
    for (size_t i = 0; i < b->n_drops; i++) {
        f->claims += b->drops[i].claims;
        f->transfers += b->drops[i].transfers;
    }
    f->sent_fen += b->sent_fen;
    enum err err = run->sink->seal(run->sink->self, f);
    archive_file_seal(f, run->key);
    return err;
}

/* Everything up to the commit. *stored is set once the file may have the batch. */
static enum err write_batch(struct archive_batch *b, struct archive_file *f, bool *stored)
{
    struct archive_run *run = b->run;
    enum err err = carried_compact(b);
    if (err == ERR_OK)
        err = carried_add_old(b);
    if (err == ERR_OK)
        err = seal_file(b, f);
    if (err == ERR_OK)
        err = archive_delete(run->archive, b->drops, b->n_drops, f->number);
    if (err == ERR_OK)
        err = archive_carried_write(run->archive, b->carried, b->n_carried);
    if (err == ERR_OK)
        err = add_groups(b);
    if (err == ERR_OK)
        err = archive_file_write(run->archive, f);
    if (err != ERR_OK)
        return err;
    *stored = true;
    err = run->sink->store(run->sink->self);
    return err == ERR_OK ? archive_commit(run->archive) : err;
}

static enum err read_batch(struct archive_batch *b)
{
    struct archive_run *run = b->run;
    enum err err = archive_begin(run->archive);
    if (err == ERR_OK)
        err = archive_read(run->archive, &run->after, run->sent_us, run->before_us, CLAIMS_MAX,
                           &b->set, take_claim, b);
    if (err != ERR_OK || b->set.n == 0)
        return err;
    advance(b, b->set.n - 1);
    end_envelope(b);
    return b->err;
}

static void count_batch(struct archive_batch *b)
{
    struct archive_run *run = b->run;
    run->envelopes += (int64_t)b->n_drops;
    for (size_t i = 0; i < b->n_drops; i++) {
        run->claims += b->drops[i].claims;
        run->transfers += b->drops[i].transfers;
    }
    if (run->left == 0 && b->left > 0) {
        run->left_example = b->left_example;
        memcpy(run->left_reason, b->left_reason, sizeof run->left_reason);
    }
    run->left += b->left;
    run->after = b->set.items[b->set.n - 1].books.envelope.id;
}

/* One try. *again is set if nothing has happened and the error may pass. */
static enum err run_batch(struct archive_batch *b, bool *more, bool *again)
{
    struct archive_run *run = b->run;
    const struct archive_sink *sink = run->sink;
    struct archive_file f;
    bool stored = false, writes;
    enum err err = read_batch(b);
    writes = err == ERR_OK && b->n_drops > 0 && !run->dry_run;
    if (writes)
        err = write_batch(b, &f, &stored);
    *again = err_class(err) == CLASS_RETRY && !stored;
    *more = b->set.n > 0;
    if (err != ERR_OK || !writes)
        archive_rollback(run->archive);
    if (!stored)
        sink->clear(sink->self);
    if (err != ERR_OK || b->set.n == 0)
        return err;
    if (writes)
        run->file = f;
    count_batch(b);
    return ERR_OK;
}

enum err archive_step(struct archive_run *run, bool *more)
{
    bool again = true;
    enum err err = ERR_OK;
    for (int tries = 0; tries < TRIES && again; tries++) {
        struct archive_batch *b = calloc(1, sizeof *b);
        if (b == NULL)
            return ERR_FAULT;
        b->run = run;
        err = run_batch(b, more, &again);
        free(b->carried);
        free(b);
    }
    return err;
}
