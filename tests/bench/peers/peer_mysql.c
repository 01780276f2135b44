/* The three ways to take a share, each with as few round trips as possible. */
#include "tests/bench/peers/peer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SQL_MAX 2048

MYSQL *peer_connect(const char *socket_path)
{
    MYSQL *db = mysql_init(NULL);
    if (db != NULL && mysql_real_connect(db, NULL, "root", NULL, "peer", 0, socket_path,
                                         CLIENT_MULTI_STATEMENTS) != NULL)
        return db;
    fprintf(stderr, "peer: %s\n", db != NULL ? mysql_error(db) : "no memory");
    mysql_close(db);
    return NULL;
}

static void take_numbers(MYSQL *db, int64_t *out, unsigned out_max, unsigned *n)
{
    MYSQL_RES *rows = mysql_store_result(db);
    if (rows == NULL)
        return;
    for (MYSQL_ROW row; (row = mysql_fetch_row(rows)) != NULL;)
        for (unsigned i = 0; i < mysql_num_fields(rows) && out != NULL && *n < out_max; i++)
            out[(*n)++] = row[i] != NULL ? strtoll(row[i], NULL, 10) : 0;
    mysql_free_result(rows);
}

bool peer_run(MYSQL *db, const char *sql, int64_t *out, unsigned out_max, unsigned *n)
{
    unsigned found = 0;
    int more = mysql_real_query(db, sql, strlen(sql));
    while (more == 0) {
        take_numbers(db, out, out_max, &found);
        more = mysql_next_result(db);
    }
    if (n != NULL)
        *n = found;
    return more == -1;
}

static long long now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static enum outcome give_up(struct peer_session *s, enum outcome outcome)
{
    return peer_run(s->db, "ROLLBACK", NULL, 0, NULL) ? outcome : SHARE_FAILED;
}

/* Look up the share that user already has. */
static enum outcome earlier(struct peer_session *s, unsigned envelope, const char *user,
                            struct share *share)
{
    char sql[SQL_MAX];
    int64_t found[2];
    unsigned n = 0;
    snprintf(sql, sizeof sql,
             "ROLLBACK; SELECT seq, amount FROM claim WHERE envelope = %u AND user = '%s'",
             envelope, user);
    if (!peer_run(s->db, sql, found, 2, &n) || n != 2)
        return SHARE_FAILED;
    *share = (struct share){found[0], found[1]};
    return SHARE_TAKEN;
}

/* Write claim and balance in the open transaction, commit, and fetch the amount. */
static enum outcome book(struct peer_session *s, unsigned envelope, const char *user,
                         struct share *share, const char *more)
{
    char sql[SQL_MAX];
    unsigned n = 0, e = envelope;
    long long seq = share->seq;
    snprintf(
        sql, sizeof sql,
        "INSERT INTO claim SELECT %u, '%s', %lld, amount, %lld FROM share WHERE envelope = %u AND "
        "seq = %lld; INSERT INTO account SELECT '%s', amount FROM share WHERE envelope = %u AND "
        "seq = %lld ON DUPLICATE KEY UPDATE balance = balance + VALUES(balance); %s"
        "SELECT amount FROM share WHERE envelope = %u AND seq = %lld; COMMIT",
        e, user, seq, now_us(), e, seq, user, e, seq, more, e, seq);
    if (peer_run(s->db, sql, &share->amount_fen, 1, &n))
        return n == 1 ? SHARE_TAKEN : SHARE_FAILED;
    if (mysql_errno(s->db) == 1062)
        return earlier(s, envelope, user, share);
    return give_up(s, SHARE_FAILED);
}

enum outcome take_by_lock(struct peer_session *s, unsigned envelope, const char *user,
                          struct share *share)
{
    char sql[SQL_MAX];
    int64_t row[2];
    unsigned n = 0;
    snprintf(sql, sizeof sql,
             "START TRANSACTION; SELECT taken, shares FROM envelope WHERE id = %u FOR UPDATE",
             envelope);
    if (!peer_run(s->db, sql, row, 2, &n) || n != 2)
        return give_up(s, SHARE_FAILED);
    if (row[0] >= row[1])
        return give_up(s, SHARE_NONE);
    share->seq = row[0] + 1;
    snprintf(sql, sizeof sql, "UPDATE envelope SET taken = %lld WHERE id = %u; ",
             (long long)share->seq, envelope);
    return book(s, envelope, user, share, sql);
}

enum outcome take_by_update(struct peer_session *s, unsigned envelope, const char *user,
                            struct share *share)
{
    char sql[SQL_MAX];
    int64_t seq = 0;
    unsigned n = 0;
    snprintf(
        sql, sizeof sql,
        "START TRANSACTION; UPDATE envelope SET taken = LAST_INSERT_ID(taken + 1) WHERE id = %u "
        "AND taken < shares; SELECT IF(ROW_COUNT() = 1, LAST_INSERT_ID(), 0)",
        envelope);
    if (!peer_run(s->db, sql, &seq, 1, &n) || n != 1)
        return give_up(s, SHARE_FAILED);
    if (seq == 0)
        return give_up(s, SHARE_NONE);
    share->seq = seq;
    return book(s, envelope, user, share, "");
}

/* Redis hands out the share; it is stored in MySQL before the answer. */
enum outcome take_by_redis(struct peer_session *s, unsigned envelope, const char *user,
                           struct share *share)
{
    char shares[32], winners[32], number[16], sql[SQL_MAX], type;
    const char *text = NULL;
    long long seq, amount;
    snprintf(shares, sizeof shares, "s:%u", envelope);
    snprintf(winners, sizeof winners, "w:%u", envelope);
    snprintf(number, sizeof number, "%u", envelope);
    const char *words[] = {"EVALSHA", s->script, "3", shares, winners, "consumed", number, user};
    if (!redis_command(s->redis, words, sizeof words / sizeof words[0]) ||
        !redis_reply(s->redis, &type, &text) || type != '$')
        return SHARE_FAILED;
    if (text == NULL)
        return SHARE_NONE;
    if (sscanf(text, "%lld:%lld", &seq, &amount) != 2)
        return SHARE_FAILED;
    *share = (struct share){seq, amount};
    snprintf(
        sql, sizeof sql,
        "START TRANSACTION; INSERT INTO claim VALUES (%u, '%s', %lld, %lld, %lld); INSERT INTO "
        "account VALUES ('%s', %lld) ON DUPLICATE KEY UPDATE balance = balance + "
        "VALUES(balance); COMMIT",
        envelope, user, seq, amount, now_us(), user, amount);
    if (peer_run(s->db, sql, NULL, 0, NULL))
        return SHARE_TAKEN;
    return give_up(s, mysql_errno(s->db) == 1062 ? SHARE_TAKEN : SHARE_FAILED);
}
