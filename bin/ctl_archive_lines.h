/* Files of archived envelopes: one JSON object per line, each with the member `row`: "envelope",
 * the "transfer" lines of its sender, its "claim" lines in order of seq. Names and greetings are
 * not in them, so that a user can be forgotten without a change of a file. */
#ifndef HONGBAO_BIN_CTL_ARCHIVE_LINES_H
#define HONGBAO_BIN_CTL_ARCHIVE_LINES_H

#include "lib/base/buf.h"
#include "lib/service/settle/archive.h"

#define ARCHIVE_NAME_SIZE 40

/* Write the name of file number to out: "hongbao-archive-000001.jsonl". */
void archive_name(char out[ARCHIVE_NAME_SIZE], int64_t number);

/* Append the line of the envelope e to out. */
void archive_put_envelope(struct buf *out, const struct envelope *e);
/* Append the line of t, a send or refund of envelope, to out. */
void archive_put_transfer(struct buf *out, const struct id *envelope, const struct transfer *t);
/* Append the line of c and the transfer that credited it to out. */
void archive_put_claim(struct buf *out, const struct archive_claim *c);

/* What lines hold, as far as a check needs it. */
enum archive_row { ARCHIVE_ROW_ENVELOPE, ARCHIVE_ROW_TRANSFER, ARCHIVE_ROW_CLAIM };
struct archive_line {
    enum archive_row row;
    struct envelope envelope; /* of an envelope; else only its id */
    int64_t seq, amount_fen;  /* of a claim */
};
/* Read text[0..len), one line without its end, into *out. Return false if it is none of ours. */
bool archive_read_line(struct archive_line *out, const char *text, size_t len);

#endif
