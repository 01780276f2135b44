/* Every transfer has a reference that is unique with its kind, so that repeating an operation
 * cannot move money twice. */
#include "lib/domain/ledger.h"
#include <assert.h>
#include <string.h>

int transfer_sign(enum transfer_kind kind)
{
    return kind == TRANSFER_WITHDRAW || kind == TRANSFER_SEND ? -1 : 1;
}

const char *transfer_kind_name(enum transfer_kind kind)
{
    static const char *const names[] = {"unknown", "topup", "withdraw", "send", "claim", "refund"};
    return (size_t)kind < sizeof names / sizeof names[0] ? names[kind] : names[0];
}

static struct transfer transfer_for_envelope(const struct id *id, enum transfer_kind kind,
                                             const char *user, const struct id *envelope,
                                             int64_t amount_fen, int64_t at_us)
{
    assert(amount_fen > 0 && strlen(user) < USER_SIZE);
    struct transfer t = {
        .id = *id, .kind = kind, .amount_fen = amount_fen, .at_us = at_us, .balance_fen = -1};
    memcpy(t.user, user, strlen(user));
    memcpy(t.ref, envelope->b, ID_SIZE);
    t.ref_len = ID_SIZE;
    return t;
}

struct transfer transfer_for_send(const struct rng *rng, const char *user,
                                  const struct id *envelope, int64_t amount_fen, int64_t at_us)
{
    struct id id = id_make(rng, at_us, id_set(envelope));
    return transfer_for_envelope(&id, TRANSFER_SEND, user, envelope, amount_fen, at_us);
}

/* Write the reference of a claim, envelope || seq (u32 big-endian), to ref. */
static void put_claim_ref(uint8_t ref[ID_SIZE + 4], const struct id *envelope, uint32_t seq)
{
    memcpy(ref, envelope->b, ID_SIZE);
    for (int i = 3; i >= 0; i--, seq >>= 8)
        ref[ID_SIZE + i] = (uint8_t)seq;
}

/* A random source that returns the digest of the claim's reference. */
static void fill_from_digest(void *self, void *out, size_t n)
{
    assert(n <= 32);
    memcpy(out, self, n);
}

struct id transfer_claim_id(const struct id *envelope, uint32_t seq, int64_t opened_us)
{
    uint8_t ref[ID_SIZE + 4], digest[32];
    put_claim_ref(ref, envelope, seq);
    hash_sha256(digest, ref, sizeof ref);
    struct rng fixed = {.fill = fill_from_digest, .self = digest};
    return id_make(&fixed, opened_us, id_set(envelope));
}

struct transfer transfer_for_claim(const char *user, const struct id *envelope, uint32_t seq,
                                   int64_t amount_fen, int64_t opened_us)
{
    struct id id = transfer_claim_id(envelope, seq, opened_us);
    struct transfer t =
        transfer_for_envelope(&id, TRANSFER_CLAIM, user, envelope, amount_fen, opened_us);
    put_claim_ref(t.ref, envelope, seq);
    t.ref_len = ID_SIZE + 4;
    return t;
}

struct transfer transfer_for_refund(const struct rng *rng, const char *user,
                                    const struct id *envelope, int64_t amount_fen, int64_t at_us)
{
    struct id id = id_make(rng, at_us, id_set(envelope));
    return transfer_for_envelope(&id, TRANSFER_REFUND, user, envelope, amount_fen, at_us);
}
