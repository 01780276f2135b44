/* The members of an envelope have the names of the API, so that tools/verify.py reads the files,
 * too. Each line is flat, so that memory does not grow with an envelope. */
#include "bin/ctl_archive_lines.h"
#include "lib/base/str.h"
#include "lib/wire/json.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 65536

void archive_name(char out[ARCHIVE_NAME_SIZE], int64_t number)
{
    snprintf(out, ARCHIVE_NAME_SIZE, "hongbao-archive-%06" PRId64 ".jsonl", number);
}

/* ---- writing ---- */

/* Begin a line in out. Return NULL, and let out fail, if there is no memory. */
static struct json_writer *line_begin(struct buf *out, const char *row)
{
    struct json_writer *w = json_writer_new(out);
    if (w == NULL) {
        out->failed = true;
        return NULL;
    }
    json_open_object(w, NULL);
    json_put_string(w, "row", row);
    return w;
}

static void line_end(struct buf *out, struct json_writer *w)
{
    json_close_object(w);
    json_writer_free(w);
    buf_putc(out, '\n');
}

static void put_id(struct json_writer *w, const char *name, const struct id *id)
{
    char text[ID_TEXT_SIZE];
    id_format(text, id);
    json_put_string(w, name, text);
}

static void put_bytes(struct json_writer *w, const char *name, const uint8_t bytes[32])
{
    char text[65];
    str_to_hex(text, bytes, 32);
    json_put_string(w, name, text);
}

static void put_numbers(struct json_writer *w, const struct envelope *e)
{
    json_put_int(w, "total", e->total_fen);
    json_put_int(w, "shares", e->shares);
    json_put_int(w, "cap", e->cap_fen);
    json_put_int(w, "opened_shares", e->opened_shares);
    json_put_int(w, "opened", e->opened_fen);
    json_put_int(w, "refunded", e->refunded_fen);
    json_put_int(w, "created_us", e->created_us);
    json_put_int(w, "expires_us", e->expires_us);
    json_put_int(w, "closed_us", e->closed_us);
    json_put_int(w, "luckiest_seq", e->luckiest_seq);
}

void archive_put_envelope(struct buf *out, const struct envelope *e)
{
    static const char *const kinds[] = {
        [TO_ANYONE] = "anyone", [TO_GROUP] = "group", [TO_USERS] = "users"};
    const char *by = envelope_closer_name(envelope_closer(e));
    struct json_writer *w = line_begin(out, "envelope");
    if (w == NULL)
        return;
    put_id(w, "id", &e->id);
    json_put_string(w, "sender", e->sender);
    json_put_string(w, "mode", envelope_mode_name(e->mode));
    json_put_string(w, "theme", envelope_theme_name(e->theme));
    json_put_string(w, "to_kind", e->to_kind <= TO_USERS ? kinds[e->to_kind] : "unknown");
    json_put_string(w, "to", e->to);
    json_put_string(w, "state", envelope_state_name(e->state));
    json_put_string(w, "closed_by", by != NULL ? by : "unknown");
    put_numbers(w, e);
    put_bytes(w, "seed_hash", e->seed_hash);
    put_bytes(w, "seed", e->seed);
    line_end(out, w);
}

static void put_transfer(struct json_writer *w, const struct transfer *t)
{
    json_put_string(w, "user", t->user);
    json_put_int(w, "amount", t->amount_fen);
    put_id(w, "transfer", &t->id);
    json_put_int(w, "entry", t->entry);
    json_put_int(w, "at_us", t->at_us);
    json_put_int(w, "booked_us", t->booked_us);
}

void archive_put_transfer(struct buf *out, const struct id *envelope, const struct transfer *t)
{
    struct json_writer *w = line_begin(out, "transfer");
    if (w == NULL)
        return;
    put_id(w, "envelope", envelope);
    json_put_string(w, "kind", transfer_kind_name(t->kind));
    put_transfer(w, t);
    line_end(out, w);
}

void archive_put_claim(struct buf *out, const struct archive_claim *c)
{
    const char *thanks = claim_thanks_name(c->books.claim.thanks);
    struct json_writer *w = line_begin(out, "claim");
    if (w == NULL)
        return;
    put_id(w, "envelope", &c->books.claim.envelope);
    json_put_int(w, "seq", c->books.claim.seq);
    put_transfer(w, &c->transfer);
    if (thanks != NULL)
        json_put_string(w, "thanks", thanks);
    line_end(out, w);
}

/* ---- reading ---- */

static const struct json_value *text_of(const struct json_value *line, const char *name)
{
    const struct json_value *v = json_member(line, name);
    return v != NULL && v->type == JSON_STRING ? v : NULL;
}

static bool take_id(const struct json_value *line, const char *name, struct id *out)
{
    const struct json_value *v = text_of(line, name);
    return v != NULL && id_parse(out, v->text, v->len);
}

static bool take_bytes(const struct json_value *line, const char *name, uint8_t out[32])
{
    const struct json_value *v = text_of(line, name);
    return v != NULL && str_from_hex(out, 32, v->text, v->len);
}

static bool take_number(const struct json_value *line, const char *name, int64_t *out)
{
    const struct json_value *v = json_member(line, name);
    return v != NULL && v->type == JSON_NUMBER && str_to_i64(v->text, v->len, out);
}

static bool take_envelope(const struct json_value *line, struct envelope *e)
{
    const struct json_value *mode = text_of(line, "mode");
    if (mode == NULL)
        return false;
    e->mode = strcmp(mode->text, envelope_mode_name(MODE_LUCKY)) == 0 ? MODE_LUCKY : MODE_EQUAL;
    e->has_seed = true;
    return take_id(line, "id", &e->id) && take_number(line, "total", &e->total_fen) &&
           take_number(line, "shares", &e->shares) && take_number(line, "cap", &e->cap_fen) &&
           take_number(line, "opened_shares", &e->opened_shares) &&
           take_bytes(line, "seed_hash", e->seed_hash) && take_bytes(line, "seed", e->seed);
}

static bool take_row(struct archive_line *out, const struct json_value *line)
{
    const struct json_value *row = text_of(line, "row");
    if (row == NULL)
        return false;
    if (strcmp(row->text, "envelope") == 0) {
        out->row = ARCHIVE_ROW_ENVELOPE;
        return take_envelope(line, &out->envelope);
    }
    out->row = strcmp(row->text, "claim") == 0 ? ARCHIVE_ROW_CLAIM : ARCHIVE_ROW_TRANSFER;
    return take_id(line, "envelope", &out->envelope.id) &&
           take_number(line, "amount", &out->amount_fen) &&
           (out->row == ARCHIVE_ROW_TRANSFER || take_number(line, "seq", &out->seq));
}

bool archive_read_line(struct archive_line *out, const char *text, size_t len)
{
    char member[64];
    enum err err = ERR_OK;
    memset(out, 0, sizeof *out);
    struct json_doc *doc =
        len <= LINE_MAX_BYTES ? json_parse(text, len, &err, member, sizeof member) : NULL;
    bool ok = doc != NULL && take_row(out, json_top(doc));
    json_free(doc);
    return ok;
}
