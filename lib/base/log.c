/* Each line is composed in a fixed buffer and written with one write(2), so that lines of several
 * threads and processes never mix and logging never allocates. */
#include "lib/base/log.h"
#include "lib/base/clock.h"
#include "lib/base/utf8.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

/* Set before threads start. Reopening replaces the descriptor in place with dup3, which is atomic
 * for threads that write. */
static struct {
    int fd;
    char path[256]; /* "" stderr */
    char program[32];
    int64_t pid;             /* 0: not read yet */
    bool pipe;               /* fd is no regular file */
    struct metrics *metrics; /* counts lines lost; NULL: not counted */
    atomic_bool failing;
} sink = {.fd = STDERR_FILENO, .program = "hongbao"};

/* The pid is part of every line, so it is read once per process. */
static void cache_pid(void)
{
    sink.pid = getpid();
}

static int open_for_append(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

int log_open(const char *path, const char *program)
{
    if (path != NULL && strlen(path) >= sizeof sink.path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = path == NULL ? STDERR_FILENO : open_for_append(path);
    if (fd < 0)
        return -1;
    sink.fd = fd;
    sink.pipe = path == NULL;
    snprintf(sink.path, sizeof sink.path, "%s", path == NULL ? "" : path);
    snprintf(sink.program, sizeof sink.program, "%s", program);
    if (sink.pid == 0 && pthread_atfork(NULL, NULL, cache_pid) == 0)
        cache_pid();
    return 0;
}

void log_count_lost(struct metrics *metrics)
{
    sink.metrics = metrics;
}

void log_reopen(void)
{
    if (sink.path[0] == '\0')
        return;
    int fd = open_for_append(sink.path);
    if (fd < 0)
        return;
    dup3(fd, sink.fd, O_CLOEXEC);
    close(fd);
}

/* A line under construction. A member that does not fit is left out as a whole. */
struct line {
    char text[LINE_MAX_BYTES];
    size_t len;
};

static void line_put(struct line *l, const char *text)
{
    size_t len = strlen(text);
    if (len > sizeof l->text - l->len - 2) /* room for "}\n" */
        return;
    memcpy(l->text + l->len, text, len);
    l->len += len;
}

static size_t escape_char(char out[8], char c)
{
    if (c == '"' || c == '\\')
        return (size_t)snprintf(out, 8, "\\%c", c);
    if ((unsigned char)c < ' ')
        return (size_t)snprintf(out, 8, "\\u%04x", (unsigned)c);
    out[0] = c;
    return 1;
}

/* Return true for text such as ids and state names, which needs no escaping and no UTF-8 check. */
static bool is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\')
            return false;
    return true;
}

static size_t escape_text(char *out, size_t cap, const char *value)
{
    size_t len = 0;
    if (!utf8_valid(value, strlen(value)))
        value = "(not UTF-8)";
    for (const char *p = value; *p != '\0' && len < cap - 8; p++)
        len += escape_char(out + len, *p);
    /* truncation may have split a character */
    while (!utf8_valid(out, len))
        len--;
    return len;
}

static void line_put_text(struct line *l, const char *key, const char *value)
{
    char escaped[LINE_MAX_BYTES];
    if (value == NULL)
        return;
    size_t len = strlen(value), key_len = strlen(key);
    if (!is_plain(value, len)) {
        len = escape_text(escaped, sizeof escaped, value);
        value = escaped;
    }
    if (key_len + len + sizeof ",\"\":\"\"}\n" > sizeof l->text - l->len)
        return;
    char *at = l->text + l->len;
    if (l->len > 1)
        *at++ = ',';
    *at++ = '"';
    memcpy(at, key, key_len);
    at += key_len;
    memcpy(at, "\":\"", 3);
    memcpy(at + 3, value, len);
    at += 3 + len;
    *at++ = '"';
    l->len = (size_t)(at - l->text);
}

static void line_put_number(struct line *l, const char *key, int64_t n)
{
    char member[80];
    snprintf(member, sizeof member, "%s\"%s\":%" PRId64, l->len > 1 ? "," : "", key, n);
    line_put(l, member);
}

static void line_begin(struct line *l, const char *level)
{
    char time[CLOCK_TEXT_SIZE];
    clock_format(time, clock_system.wall_us(NULL));
    l->len = 0;
    line_put(l, "{");
    line_put_text(l, "time", time);
    line_put_text(l, "level", level);
    line_put_text(l, "program", sink.program);
    line_put_number(l, "pid", sink.pid != 0 ? sink.pid : getpid());
}

static void line_end(struct line *l)
{
    l->text[l->len++] = '}';
    l->text[l->len++] = '\n';
}

static uint64_t count_lines(const char *text, size_t len)
{
    uint64_t n = 0;
    for (const char *end = text + len; (text = memchr(text, '\n', (size_t)(end - text))) != NULL;
         n++)
        text++;
    return n;
}

/* Cut off the n bytes that a write has left of a line: the disk is full, so that hardly another
 * process can have written behind them. On a pipe they stay, and the line's rest is lost. */
static void cut_torn_line(off_t n)
{
    struct stat st;
    if (n > 0 && fstat(sink.fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= n &&
        ftruncate(sink.fd, st.st_size - n) != 0)
        return; /* the fragment stays: nothing else can be done */
}

/* Note that the log fails or works again, once per change, on standard error: the log itself cannot
 * hold it. */
static void note_failing(bool failing, int why)
{
    if (atomic_exchange(&sink.failing, failing) == failing || sink.fd == STDERR_FILENO)
        return;
    dprintf(STDERR_FILENO, "%s: %s: %s\n", sink.program, sink.path,
            failing ? strerror(why) : "the log is written again");
}

/* Write whole lines. What a pipe takes with one write is at most PIPE_BUF, else lines of several
 * processes would mix; a file takes all. */
static void write_out(const char *text, size_t len)
{
    while (len > 0) {
        size_t part = len;
        if (sink.pipe && part > PIPE_BUF) {
            const char *end = memrchr(text, '\n', PIPE_BUF);
            part = end != NULL ? (size_t)(end - text) + 1 : PIPE_BUF;
        }
        ssize_t n = write(sink.fd, text, part);
        if (n < 0 && errno == EINTR)
            continue;
        note_failing(n != (ssize_t)part, n < 0 ? errno : ENOSPC);
        if (n != (ssize_t)part) {
            size_t kept = n < 0 ? 0 : (size_t)n;
            const char *line = kept > 0 ? memrchr(text, '\n', kept) : NULL;
            size_t whole = line != NULL ? (size_t)(line - text) + 1 : 0;
            cut_torn_line((off_t)(kept - whole));
            if (sink.metrics != NULL)
                metrics_add(sink.metrics, METRIC_LOG_LINES_LOST,
                            count_lines(text + whole, len - whole));
            return;
        }
        text += part;
        len -= part;
    }
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    static const char *const names[] = {"error", "warn", "info"};
    char detail[LINE_MAX_BYTES / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    struct line l;
    line_begin(&l, names[level]);
    line_put_text(&l, "event", event);
    line_put_text(&l, "detail", detail);
    line_end(&l);
    write_out(l.text, l.len);
}

void log_request(const struct log_request *r, struct buf *lines)
{
    struct line l;
    line_begin(&l, r->status >= 500 ? "warn" : "info");
    line_put_text(&l, "request_id", r->request_id);
    line_put_text(&l, "method", r->method);
    line_put_text(&l, "route", r->route);
    line_put_text(&l, "user", r->user);
    line_put_text(&l, "envelope", r->envelope);
    line_put_text(&l, "account", r->account);
    if (r->amount_fen > 0)
        line_put_number(&l, "amount", r->amount_fen);
    line_put_text(&l, "reference", r->reference);
    line_put_number(&l, "status", r->status);
    line_put_text(&l, "state", r->state);
    line_put_text(&l, "reason", r->reason);
    line_put_number(&l, "duration_us", r->duration_us);
    line_end(&l);
    buf_append(lines, l.text, l.len);
}

void log_money(const struct log_money *m, struct buf *lines)
{
    struct line l;
    line_begin(&l, "info");
    line_put_text(&l, "event", m->event);
    line_put_text(&l, "envelope", m->envelope);
    line_put_text(&l, "account", m->account);
    line_put_number(&l, "amount", m->amount_fen);
    if (m->seq > 0)
        line_put_number(&l, "seq", m->seq);
    line_put_text(&l, "state", m->state);
    line_end(&l);
    buf_append(lines, l.text, l.len);
}

void log_write(struct buf *lines)
{
    if (lines->len > 0)
        write_out(lines->data, lines->len);
    buf_reset(lines);
}
