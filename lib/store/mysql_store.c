/* The table of operations of a session, and the end of its transactions. */
#include "lib/store/mysql_internal.h"
#include <mysqld_error.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SQL_MAX_BYTES (4u << 20)

static void mysql_store_close(struct store *store)
{
    struct mysql_store *s = mysql_of(store);
    sql_disconnect(s);
    buf_free(&s->sql);
    free(s);
}

static void mysql_set_deadline(struct store *store, int64_t mono_us)
{
    mysql_of(store)->deadline_us = mono_us;
}

/* COMMIT is a round trip of its own, so that a lost connection leaves only this statement
 * uncertain.
 */
static enum err mysql_commit_transaction(struct store *store)
{
    struct mysql_store *s = mysql_of(store);
    int64_t deadline_us = s->deadline_us;
    s->deadline_us = 0; /* the work is done; giving up now would waste it */
    buf_puts(sql_begin(s), "COMMIT");
    bool connected = s->link != NULL;
    enum err err = sql_run(s);
    s->deadline_us = deadline_us;
    if (err == ERR_OK) {
        s->in_transaction = false;
        server_state_answered(s->settings->state, true);
    }
    return err == ERR_UNAVAILABLE && connected ? ERR_UNCERTAIN : err;
}

static void mysql_rollback_transaction(struct store *store)
{
    struct mysql_store *s = mysql_of(store);
    bool late = s->deadline_us != 0 && s->clock->mono_us(s->clock->self) >= s->deadline_us;
    /* past the deadline close the connection instead of waiting; the server then rolls back */
    if (s->link == NULL || late || sql_lost(s)) {
        sql_disconnect(s);
        return;
    }
    int64_t deadline_us = s->deadline_us;
    s->deadline_us = 0;
    buf_puts(sql_begin(s), "ROLLBACK");
    enum err err = sql_run(s);
    s->deadline_us = deadline_us;
    s->in_transaction = false;
    if (err != ERR_OK)
        sql_disconnect(s);
}

static void take_generation(void *context, struct sql_row *row)
{
    row_bytes(row, context, 16);
}

static enum err mysql_generation(struct store *store, uint8_t out[16])
{
    struct mysql_store *s = mysql_of(store);
    memset(out, 0, 16);
    buf_puts(sql_begin(s), "SELECT generation FROM meta WHERE one = 1");
    enum err err = sql_send(s);
    return err != ERR_OK ? err : sql_rows(s, take_generation, out);
}

/* The privilege to read schema_version came with patch 5, and a database that init has not seen has
 * no such table: both mean that patches are missing. */
static bool schema_unknown(const struct mysql_store *s)
{
    return s->error == ER_NO_SUCH_TABLE || s->error == ER_TABLEACCESS_DENIED_ERROR;
}

static enum err mysql_schema(struct store *store, struct schema_state *out)
{
    struct mysql_store *s = mysql_of(store);
    *out = (struct schema_state){.version = 0};
    buf_puts(sql_begin(s), "SELECT COALESCE(MAX(version), 0) FROM schema_version");
    enum err err = sql_send(s);
    if (err == ERR_FAULT && schema_unknown(s))
        return ERR_OK;
    if (err == ERR_OK)
        err = sql_rows(s, row_take_i64, &out->version);
    if (err != ERR_OK || out->version <= SCHEMA_VERSION)
        return err;
    buf_printf(sql_begin(s),
               "SELECT MAX(COALESCE(oldest, version)) FROM schema_version WHERE version > %d",
               SCHEMA_VERSION);
    err = sql_send(s);
    return err == ERR_OK ? sql_rows(s, row_take_i64, &out->oldest) : err;
}

#define BARRIER_SLOTS 32

static enum err mysql_barrier(struct store *store)
{
    struct mysql_store *s = mysql_of(store);
    buf_printf(sql_begin(s), "UPDATE barrier SET passes = passes + 1 WHERE slot = %lu",
               (unsigned long)getpid() % BARRIER_SLOTS);
    enum err err = sql_send(s);
    if (err == ERR_OK)
        err = sql_affected_exactly(s, 1);
    if (err == ERR_OK)
        server_state_answered(s->settings->state, true);
    return err;
}

static const struct store_ops mysql_ops = {
    .close = mysql_store_close,
    .set_deadline = mysql_set_deadline,
    .commit = mysql_commit_transaction,
    .rollback = mysql_rollback_transaction,
    .generation = mysql_generation,
    .schema = mysql_schema,
    .barrier = mysql_barrier,
    .open_read = mysql_open_read,
    .open_look = mysql_open_look,
    .open_write = mysql_open_write,
    .thanks_write = mysql_thanks_write,
    .send_read = mysql_send_read,
    .send_write = mysql_send_write,
    .key_in_progress = mysql_key_in_progress,
    .guest_write = mysql_guest_write,
    .guests_count = mysql_guests_count,
    .guests_idle = mysql_guests_idle,
    .guest_end = mysql_guest_end,
    .wallet_read = mysql_wallet_read,
    .wallet_write = mysql_wallet_write,
    .credit_lanes = mysql_credit_lanes,
    .credit_read = mysql_credit_read,
    .credit_write = mysql_credit_write,
    .credit_postpone = mysql_credit_postpone,
    .due_list = mysql_due_list,
    .refund_write = mysql_refund_write,
    .closing_list = mysql_closing_list,
    .year_totals_add = mysql_year_totals_add,
    .idempotency_expire = mysql_idempotency_expire,
    .entries_add = mysql_entries_add,
    .clock_read = mysql_clock_read,
    .clock_write = mysql_clock_write,
    .host_beat = mysql_host_beat,
    .last_beat = mysql_last_beat,
    .books_read = mysql_books_read,
    .credit_requeue = mysql_credit_requeue,
    .freeze = mysql_freeze,
    .frozen_list = mysql_frozen_list,
    .envelope_get = mysql_envelope_get,
    .version_get = mysql_version_get,
    .claim_get = mysql_claim_get,
    .claims_page = mysql_claims_page,
    .account_get = mysql_account_get,
    .sent_page = mysql_sent_page,
    .received_page = mysql_received_page,
    .year_totals_get = mysql_year_totals_get,
    .ledger_page = mysql_ledger_page,
    .user_rules = mysql_user_rules,
    .envelope_ends = mysql_envelope_ends,
    .money_state = mysql_money_state,
    .queue_state = mysql_queue_state,
};

struct store *mysql_store_new(const struct mysql_settings *settings, const struct clock *clock)
{
    struct mysql_store *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->store.ops = &mysql_ops;
    s->settings = settings;
    s->clock = clock;
    buf_init(&s->sql, SQL_MAX_BYTES);
    return &s->store;
}
