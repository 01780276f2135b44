/* Sequences of operations on one envelope and its ledger, against a model that keeps a list of
 * claims and sums them again each time. Input: how the envelope is made, then a byte per operation.
 */
#include "lib/domain/books.h"
#include "lib/domain/money.h"
#include "tests/fuzz/fuzz.h"

#define USERS 8
#define CLAIMS_MAX 16

struct model {
    int64_t total, shares, opened, refunded, luckiest;
    int64_t amounts[CLAIMS_MAX];
    char users[CLAIMS_MAX][4];
    bool claimed[USERS], credited[CLAIMS_MAX];
    int64_t balances[USERS];
};

static void user_name(char out[4], unsigned user)
{
    out[0] = 'u';
    out[1] = (char)('0' + user);
    out[2] = '\0';
}

static int64_t model_sum(const struct model *m)
{
    int64_t sum = m->refunded;
    for (int64_t i = 0; i < m->opened; i++)
        sum += m->amounts[i];
    return sum;
}

static void check_agreement(const struct envelope *e, const struct model *m)
{
    FUZZ_CHECK(envelope_consistent(e));
    FUZZ_CHECK(e->opened_shares == m->opened && e->opened_fen + e->refunded_fen == model_sum(m));
    FUZZ_CHECK((e->state == STATE_OPEN) == (m->opened < m->shares && m->refunded == 0));
    FUZZ_CHECK(e->state != STATE_SOLD_OUT || model_sum(m) == m->total);
    if (m->opened > 0 && e->mode == MODE_LUCKY)
        FUZZ_CHECK(m->amounts[e->luckiest_seq - 1] == e->luckiest_fen &&
                   e->luckiest_seq == m->luckiest);
}

static void open_share(struct envelope *e, struct model *m, unsigned user)
{
    struct claim c;
    char name[4];
    user_name(name, user);
    if (m->claimed[user] || e->state != STATE_OPEN)
        return;
    struct envelope learned = *e;
    envelope_open_next(e, name, "n", 5, &c);
    FUZZ_CHECK(c.seq == m->opened + 1 && strcmp(c.user, name) == 0);
    bool learns = envelope_learn(&learned, &c);
    FUZZ_CHECK(learns == (e->state == STATE_OPEN)); /* what closes it cannot be learned */
    FUZZ_CHECK(!learns || (learned.opened_fen == e->opened_fen && learned.version == e->version));
    m->amounts[m->opened] = c.amount_fen;
    memcpy(m->users[m->opened], name, sizeof name);
    m->opened++;
    m->claimed[user] = true;
    if (m->luckiest == 0 || c.amount_fen > m->amounts[m->luckiest - 1])
        m->luckiest = m->opened;
}

/* Book a claim; a second time changes nothing, as the unique key demands. */
static void credit(const struct envelope *e, struct model *m, unsigned at)
{
    if ((int64_t)at >= m->opened || m->credited[at])
        return;
    unsigned user = (unsigned)(m->users[at][1] - '0');
    struct transfer t = transfer_for_claim(m->users[at], &e->id, at + 1, m->amounts[at], 5);
    struct transfer again = transfer_for_claim(m->users[at], &e->id, at + 1, m->amounts[at], 5);
    FUZZ_CHECK(id_compare(&t.id, &again.id) == 0 && t.ref_len == again.ref_len);
    for (unsigned other = 0; (int64_t)other < m->opened; other++) {
        struct transfer o =
            transfer_for_claim(m->users[other], &e->id, other + 1, m->amounts[other], 5);
        FUZZ_CHECK(other == at || memcmp(o.ref, t.ref, t.ref_len) != 0);
    }
    FUZZ_CHECK(transfer_sign(t.kind) == 1);
    FUZZ_CHECK(money_add(m->balances[user], t.amount_fen, &m->balances[user]) == ERR_OK);
    m->credited[at] = true;
}

static void check_books(const struct envelope *e, const struct model *m)
{
    static struct books b;
    memset(&b, 0, sizeof b);
    b.envelope = *e;
    b.envelope.has_seed = e->state != STATE_OPEN;
    b.seed_row = e->state == STATE_OPEN;
    b.seed_expires_us = e->expires_us;
    for (int64_t i = 0; i < m->opened; i++) {
        struct books_claim c = {
            .claim = {.envelope = e->id, .amount_fen = m->amounts[i], .seq = i + 1}};
        memcpy(c.claim.user, m->users[i], 4);
        memcpy(c.credited_user, m->users[i], 4);
        c.credited = m->credited[i];
        c.credited_fen = m->amounts[i];
        c.pending = !c.credited;
        c.pending_seq = i + 1;
        c.pending_fen = m->amounts[i];
        books_add_claim(&b, &c);
        if (c.credited)
            books_add_transfer(&b, TRANSFER_CLAIM, m->users[i], m->amounts[i]);
    }
    books_add_transfer(&b, TRANSFER_SEND, e->sender, e->total_fen);
    if (m->refunded > 0)
        books_add_transfer(&b, TRANSFER_REFUND, e->sender, m->refunded);
    FUZZ_CHECK(books_check(&b) == BOOKS_AGREE && b.n_lost == 0);
}

static void start(struct envelope *e, struct model *m, const uint8_t *data)
{
    memset(e, 0, sizeof *e);
    memset(m, 0, sizeof *m);
    e->mode = data[0] % 2 == 0 ? MODE_LUCKY : MODE_EQUAL;
    e->shares = 1 + data[1] % CLAIMS_MAX;
    e->cap_fen = 1 + data[2];
    e->total_fen = e->shares + data[3] % (e->shares * (e->cap_fen - 1) + 1);
    e->expires_us = 10;
    e->has_seed = true;
    e->id.b[6] = 0x70;
    e->id.b[15] = data[0];
    memset(e->seed, data[1] ^ data[2], sizeof e->seed);
    memcpy(e->sender, "s", 2);
    draw_seed_hash(e->seed_hash, &e->id, e->mode, e->total_fen, e->shares, e->cap_fen, e->seed);
    m->total = e->total_fen;
    m->shares = e->shares;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct envelope e;
    static struct model m;
    if (size < 4)
        return 0;
    start(&e, &m, data);
    for (size_t i = 4; i < size && i < 300; i++) {
        unsigned argument = data[i] >> 3;
        if (data[i] % 8 < 4)
            open_share(&e, &m, argument % USERS);
        else if (data[i] % 8 < 7)
            credit(&e, &m, argument % CLAIMS_MAX);
        else if (e.state == STATE_OPEN && argument == 31)
            m.refunded = envelope_expire(&e, CLOSER_DEADLINE, 20);
        check_agreement(&e, &m);
        check_books(&e, &m);
    }
    int64_t held = m.total - model_sum(&m), paid = 0, owed = 0;
    for (unsigned u = 0; u < USERS; u++)
        paid += m.balances[u];
    for (int64_t i = 0; i < m.opened; i++)
        owed += m.credited[i] ? 0 : m.amounts[i];
    FUZZ_CHECK(held + paid + owed + m.refunded == m.total);
    return 0;
}
