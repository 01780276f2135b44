/* The file grows by one write and one flush per batch. What a killed run has written beyond the
 * bytes that the database knows stays there: a file is neither overwritten nor cut. */
#include "bin/ctl_archive_file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS_MAX_BYTES ((size_t)1 << 30)
#define NUMBERS_TRIED 1000

/* ---- writing ---- */

static enum err report(const char *path)
{
    fprintf(stderr, "hongbaoctl: %s: %s\n", path, strerror(errno));
    return ERR_FAULT;
}

enum err archive_writer_begin(struct archive_writer *w, const char *directory, int64_t number)
{
    *w = (struct archive_writer){.directory = directory, .fd = -1, .number = number};
    buf_init(&w->rows, ROWS_MAX_BYTES);
    w->hash = hash_stream_new();
    return w->hash != NULL ? ERR_OK : ERR_FAULT;
}

void archive_writer_end(struct archive_writer *w)
{
    if (w->fd >= 0)
        close(w->fd);
    hash_stream_free(w->hash);
    buf_free(&w->rows);
}

static void writer_begin_envelope(void *self, const struct archive_item *item)
{
    struct archive_writer *w = self;
    w->mark = w->rows.len;
    archive_put_envelope(&w->rows, &item->books.envelope);
    for (size_t i = 0; i < item->n_sides && i < 2; i++)
        archive_put_transfer(&w->rows, &item->books.envelope.id, &item->sides[i]);
}

static void writer_claim(void *self, const struct archive_claim *c)
{
    struct archive_writer *w = self;
    archive_put_claim(&w->rows, c);
}

static void writer_end_envelope(void *self, bool keep)
{
    struct archive_writer *w = self;
    if (!keep)
        w->rows.len = w->mark;
}

static void writer_clear(void *self)
{
    struct archive_writer *w = self;
    buf_reset(&w->rows);
}

static bool sync_directory(const char *directory)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

/* Make the directory, unless it exists, and in it a file with the next free number. */
static enum err make_file(struct archive_writer *w)
{
    char name[ARCHIVE_NAME_SIZE], parent[ARCHIVE_PATH_SIZE];
    snprintf(parent, sizeof parent, "%s/..", w->directory);
    bool made = mkdir(w->directory, 0700) == 0;
    if ((!made && errno != EEXIST) || (made && !sync_directory(parent)))
        return report(w->directory);
    for (int tries = 0; tries < NUMBERS_TRIED && w->fd < 0; tries++, w->number++) {
        archive_name(name, w->number);
        snprintf(w->path, sizeof w->path, "%s/%s", w->directory, name);
        w->fd = open(w->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (w->fd < 0 && errno != EEXIST)
            return report(w->path);
    }
    w->number--;
    return w->fd >= 0 && sync_directory(w->directory) ? ERR_OK : report(w->path);
}

static enum err writer_seal(void *self, struct archive_file *f)
{
    struct archive_writer *w = self;
    if (w->rows.failed)
        return ERR_FAULT;
    enum err err = w->fd < 0 ? make_file(w) : ERR_OK;
    f->number = w->number;
    f->bytes = w->bytes + (int64_t)w->rows.len;
    hash_stream_with(w->hash, w->rows.data, w->rows.len, f->sha256);
    return err;
}

static enum err writer_store(void *self)
{
    struct archive_writer *w = self;
    for (size_t done = 0; done < w->rows.len;) {
        ssize_t n = write(w->fd, w->rows.data + done, w->rows.len - done);
        if (n < 0 && errno != EINTR)
            return report(w->path);
        done += n > 0 ? (size_t)n : 0;
    }
    if (fsync(w->fd) != 0)
        return report(w->path);
    hash_stream_add(w->hash, w->rows.data, w->rows.len);
    w->bytes += (int64_t)w->rows.len;
    buf_reset(&w->rows);
    return ERR_OK;
}

void archive_writer_sink(struct archive_writer *w, struct archive_sink *sink)
{
    *sink = (struct archive_sink){.begin = writer_begin_envelope,
                                  .claim = writer_claim,
                                  .end = writer_end_envelope,
                                  .clear = writer_clear,
                                  .seal = writer_seal,
                                  .store = writer_store,
                                  .self = w};
}

/* ---- reading ---- */

static void end_envelope(struct archive_scan *s)
{
    if (!s->checking)
        return;
    s->checking = false;
    s->checked++;
    if (!s->draw.wrong && s->shares_left == 0)
        return;
    if (s->wrong++ == 0)
        s->example = s->draw.id;
}

static bool is_wanted(const struct archive_scan *s, const struct id *id)
{
    for (size_t i = 0; i < s->n_only; i++)
        if (id_compare(&s->only[i], id) == 0)
            return true;
    return s->only == NULL;
}

static void scan_envelope(struct archive_scan *s, const struct envelope *e)
{
    end_envelope(s);
    s->envelopes++;
    s->sent_fen += e->total_fen > 0 && e->total_fen <= AMOUNT_MAX_FEN ? e->total_fen : 0;
    s->checking = is_wanted(s, &e->id);
    s->shares_left = e->opened_shares;
    draw_check_begin(&s->draw, e);
}

static void scan_line(struct archive_scan *s, const char *text, size_t len)
{
    struct archive_line line;
    if (len == 0 || text[len - 1] != '\n' || !archive_read_line(&line, text, len - 1)) {
        s->bad_lines++;
        return;
    }
    if (line.row == ARCHIVE_ROW_ENVELOPE) {
        scan_envelope(s, &line.envelope);
        return;
    }
    s->transfers++; /* a claim has one, too */
    s->claims += line.row == ARCHIVE_ROW_CLAIM;
    if (s->envelopes == 0 || id_compare(&s->draw.id, &line.envelope.id) != 0) {
        s->bad_lines++;
        return;
    }
    if (line.row == ARCHIVE_ROW_CLAIM && s->checking) {
        draw_check_claim(&s->draw, line.seq, line.amount_fen);
        s->shares_left--;
    }
}

bool archive_scan_file(struct archive_scan *s, const char *path)
{
    FILE *f = fopen(path, "re");
    struct hash_stream *hash = hash_stream_new();
    char *text = NULL;
    size_t cap = 0;
    int64_t read = 0;
    errno = hash == NULL ? ENOMEM : errno;
    for (ssize_t len; f != NULL && hash != NULL && (len = getline(&text, &cap, f)) >= 0;) {
        if (s->bytes >= 0 && read + len > s->bytes) {
            s->rest += len;
            continue;
        }
        read += len;
        hash_stream_add(hash, text, (size_t)len);
        scan_line(s, text, (size_t)len);
    }
    bool ok = f != NULL && hash != NULL && ferror(f) == 0;
    int why = errno;
    end_envelope(s);
    s->complete = s->bytes < 0 || read == s->bytes;
    if (hash != NULL)
        hash_stream_with(hash, "", 0, s->sha256);
    hash_stream_free(hash);
    free(text);
    if (f != NULL)
        fclose(f);
    errno = why;
    return ok;
}
