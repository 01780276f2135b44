/* Worker of peer A: move drawn shares from Redis into MySQL, hundreds per transaction, until
 * terminated. drain REDIS-SOCKET DATABASE-SOCKET A batch is removed from the list after its commit.
 * Repeating one would fail on the unique keys; a benchmark needs no recovery from crashes. */
#include "lib/base/buf.h"
#include "tests/bench/peers/peer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH 500
#define PAUSE_NS 5000000

struct drawn {
    unsigned envelope;
    long long seq, amount_fen;
    char user[65];
};

/* Read up to BATCH of the oldest entries. Return their number, or -1 if the connection is lost. */
static int read_batch(struct redis *r, struct drawn *batch)
{
    static const char *const words[] = {"LRANGE", "consumed", "0", "499"};
    char type;
    const char *text;
    int n = 0;
    if (!redis_command(r, words, 4) || !redis_reply(r, &type, &text) || type != '*')
        return -1;
    int count = atoi(text);
    for (int i = 0; i < count; i++) {
        if (!redis_reply(r, &type, &text) || text == NULL)
            return -1;
        struct drawn *d = &batch[n];
        if (n < BATCH &&
            sscanf(text, "%u:%lld:%lld:%64s", &d->envelope, &d->seq, &d->amount_fen, d->user) == 4)
            n++;
    }
    return n == count ? n : -1;
}

static bool trim(struct redis *r, int n)
{
    char from[16], type;
    const char *text;
    snprintf(from, sizeof from, "%d", n);
    const char *words[] = {"LTRIM", "consumed", from, "-1"};
    return redis_command(r, words, 4) && redis_reply(r, &type, &text) && type == '+';
}

static int by_claim(const void *a, const void *b)
{
    const struct drawn *x = a, *y = b;
    if (x->envelope != y->envelope)
        return x->envelope < y->envelope ? -1 : 1;
    return strcmp(x->user, y->user);
}

static int by_user(const void *a, const void *b)
{
    return strcmp(((const struct drawn *)a)->user, ((const struct drawn *)b)->user);
}

static bool store(MYSQL *db, struct drawn *batch, int n, struct buf *sql)
{
    buf_reset(sql);
    qsort(batch, (size_t)n, sizeof batch[0], by_claim);
    buf_puts(sql, "START TRANSACTION; INSERT INTO claim VALUES ");
    for (int i = 0; i < n; i++)
        buf_printf(sql, "%s(%u,'%s',%lld,%lld,%lld)", i > 0 ? "," : "", batch[i].envelope,
                   batch[i].user, batch[i].seq, batch[i].amount_fen,
                   (long long)time(NULL) * 1000000);
    qsort(batch, (size_t)n, sizeof batch[0], by_user);
    buf_puts(sql, "; INSERT INTO account VALUES ");
    for (int i = 0; i < n; i++)
        buf_printf(sql, "%s('%s',%lld)", i > 0 ? "," : "", batch[i].user, batch[i].amount_fen);
    buf_puts(sql, " ON DUPLICATE KEY UPDATE balance = balance + VALUES(balance); COMMIT");
    return !sql->failed && peer_run(db, sql->data, NULL, 0, NULL);
}

int main(int argc, char **argv)
{
    static struct drawn batch[BATCH];
    static const struct timespec pause = {.tv_nsec = PAUSE_NS};
    struct buf sql;
    if (argc != 3)
        return 2;
    struct redis *redis = redis_open(argv[1]);
    MYSQL *db = peer_connect(argv[2]);
    buf_init(&sql, 1u << 20);
    for (int n = 0; redis != NULL && db != NULL;) {
        n = read_batch(redis, batch);
        if (n < 0 || (n > 0 && (!store(db, batch, n, &sql) || !trim(redis, n))))
            break;
        if (n == 0)
            nanosleep(&pause, NULL);
    }
    fprintf(stderr, "drain: %s\n", db != NULL ? mysql_error(db) : "no database");
    return 1;
}
