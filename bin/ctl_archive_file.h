/* A file of archived envelopes: written by `archive`, read by its check and by `verify`. */
#ifndef HONGBAO_BIN_CTL_ARCHIVE_FILE_H
#define HONGBAO_BIN_CTL_ARCHIVE_FILE_H

#include "bin/ctl_archive_lines.h"
#include "lib/base/crypto.h"
#include "lib/domain/draw_check.h"

#define ARCHIVE_PATH_SIZE 512

/* ---- writing ---- */
struct archive_writer {
    const char *directory;
    char path[ARCHIVE_PATH_SIZE]; /* of the file; "" before it is made */
    int fd;
    int64_t number; /* of the file; before it is made, the lowest that is free */
    int64_t bytes;  /* on disk */
    struct hash_stream *hash;
    struct buf rows; /* not on disk yet */
    size_t mark;     /* where the last envelope begins in rows */
};
/* Begin to write a file in directory, which must outlive w, numbered number or higher; the file is
 * made when it is needed, and none is overwritten. ERR_FAULT if there is no memory. End with
 * archive_writer_end, also after an error. */
MUST_USE enum err archive_writer_begin(struct archive_writer *w, const char *directory,
                                       int64_t number);
/* Fill *sink with what writes through w. */
void archive_writer_sink(struct archive_writer *w, struct archive_sink *sink);
/* Close the file of w and free what it holds. */
void archive_writer_end(struct archive_writer *w);

/* ---- reading ---- */
struct archive_scan {
    const struct id *only; /* in: the envelopes whose draws are checked; NULL: all */
    size_t n_only;         /* in */
    int64_t bytes;         /* in: how many count; -1: all */
    /* out */
    int64_t envelopes, claims, transfers, sent_fen; /* in the file */
    uint8_t sha256[32];                             /* of the bytes that count */
    bool complete;                                  /* the file has as many as count */
    int64_t rest;                                   /* bytes behind them */
    int64_t bad_lines;                              /* not of ours, or out of order */
    int64_t checked, wrong;                         /* envelopes whose draws are (not) right */
    struct id example;                              /* the first wrong one */
    /* state */
    struct draw_check draw;
    int64_t shares_left; /* claims that the envelope still needs */
    bool checking;
};
/* Read the file path into *scan, whose members that are not in are zero. Return false, with the
 * reason in errno, if it cannot be read. */
MUST_USE bool archive_scan_file(struct archive_scan *scan, const char *path);

#endif
