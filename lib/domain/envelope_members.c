/* Reading a row by position, writing it by name and copying it to the cache all follow this table,
 * so that their order cannot differ. */
#include "lib/domain/envelope_members.h"
#include <assert.h>
#include <stddef.h>
#include <string.h>

#define FIELD(member) offsetof(struct envelope, member), sizeof((struct envelope *)0)->member

const struct envelope_member envelope_members[] = {
    {"id", NULL, MEMBER_ID, MEMBER_FIXED, FIELD(id), 0, 0},
    {"sender", NULL, MEMBER_USER, MEMBER_FIXED, FIELD(sender), 0, 0},
    {"sender_name", NULL, MEMBER_TEXT, MEMBER_FIXED, FIELD(sender_name), 0, 0},
    {"mode", NULL, MEMBER_ENUM, MEMBER_FIXED, FIELD(mode), MODE_LUCKY, MODE_EQUAL},
    {"total_fen", "total", MEMBER_NUMBER, MEMBER_FIXED, FIELD(total_fen), 1, AMOUNT_MAX_FEN},
    {"shares", "shares", MEMBER_NUMBER, MEMBER_FIXED, FIELD(shares), 1, SHARES_LIMIT},
    {"cap_fen", "cap", MEMBER_NUMBER, MEMBER_FIXED, FIELD(cap_fen), 1, AMOUNT_MAX_FEN},
    {"greeting", "greeting", MEMBER_TEXT, MEMBER_FIXED, FIELD(greeting), 0, 0},
    {"theme", NULL, MEMBER_ENUM, MEMBER_FIXED, FIELD(theme), THEME_PLAIN, THEME_COUNT - 1},
    {"to_kind", NULL, MEMBER_ENUM, MEMBER_FIXED, FIELD(to_kind), TO_ANYONE, TO_USERS},
    {"recipients", NULL, MEMBER_TEXT, MEMBER_FIXED, FIELD(to), 0, 0},
    {"state", NULL, MEMBER_ENUM, MEMBER_AT_CLOSE, FIELD(state), STATE_OPEN, STATE_EXPIRED},
    {"opened_shares", "opened_shares", MEMBER_NUMBER, MEMBER_EACH_OPEN, FIELD(opened_shares), 0, 0},
    {"opened_fen", "opened_total", MEMBER_NUMBER, MEMBER_EACH_OPEN, FIELD(opened_fen), 0, 0},
    {"refunded_fen", "refunded", MEMBER_NUMBER, MEMBER_AT_CLOSE, FIELD(refunded_fen), 0, 0},
    {"created_us", "created_at", MEMBER_TIME, MEMBER_FIXED, FIELD(created_us), 0, INT64_MAX},
    {"expires_us", "expires_at", MEMBER_TIME, MEMBER_FIXED, FIELD(expires_us), 0, INT64_MAX},
    {"closed_us", "closed_at", MEMBER_TIME, MEMBER_AT_CLOSE, FIELD(closed_us), 0, 0},
    {"closed_by", NULL, MEMBER_ENUM, MEMBER_AT_CLOSE, FIELD(closed_by), 0, 0},
    {"seed_hash", "seed_hash", MEMBER_BYTES, MEMBER_FIXED, FIELD(seed_hash), 0, 0},
    {"luckiest_seq", NULL, MEMBER_NUMBER, MEMBER_NEW_LUCKIEST, FIELD(luckiest_seq), 0, 0},
    {"luckiest_fen", NULL, MEMBER_NUMBER, MEMBER_NEW_LUCKIEST, FIELD(luckiest_fen), 0, 0},
    {"luckiest_user", NULL, MEMBER_USER, MEMBER_NEW_LUCKIEST, FIELD(luckiest_user), 0, 0},
    {"luckiest_name", NULL, MEMBER_TEXT, MEMBER_NEW_LUCKIEST, FIELD(luckiest_name), 0, 0},
    {"version", NULL, MEMBER_NUMBER, MEMBER_EACH_CHANGE, FIELD(version), 0, 0},
    {"frozen", NULL, MEMBER_FLAG, MEMBER_BY_OPERATOR, FIELD(frozen), 0, 0},
    {"seed", NULL, MEMBER_SEED, MEMBER_AT_CLOSE, FIELD(seed), 0, 0},
};
const size_t envelope_members_n = sizeof envelope_members / sizeof envelope_members[0];

_Static_assert(sizeof(enum envelope_mode) == sizeof(unsigned) &&
                   sizeof(enum recipients) == sizeof(unsigned) &&
                   sizeof(enum envelope_theme) == sizeof(unsigned) &&
                   sizeof(enum envelope_closer) == sizeof(unsigned) &&
                   sizeof(enum envelope_state) == sizeof(unsigned),
               "enums are copied as unsigned");

const void *envelope_member_at(const struct envelope *e, const struct envelope_member *m)
{
    return (const char *)e + m->offset;
}

void *envelope_member_of(struct envelope *e, const struct envelope_member *m)
{
    return (char *)e + m->offset;
}

int64_t envelope_member_number(const struct envelope *e, const struct envelope_member *m)
{
    const void *at = envelope_member_at(e, m);
    int64_t n;
    unsigned word;
    bool flag;
    switch (m->kind) {
    case MEMBER_ENUM:
        memcpy(&word, at, sizeof word);
        return word;
    case MEMBER_FLAG:
        memcpy(&flag, at, sizeof flag);
        return flag;
    default:
        assert(m->kind == MEMBER_NUMBER || m->kind == MEMBER_TIME);
        memcpy(&n, at, sizeof n);
        return n;
    }
}

void envelope_member_set(struct envelope *e, const struct envelope_member *m, int64_t n)
{
    void *at = envelope_member_of(e, m);
    unsigned word = (unsigned)n;
    bool flag = n != 0;
    switch (m->kind) {
    case MEMBER_ENUM:
        memcpy(at, &word, sizeof word);
        return;
    case MEMBER_FLAG:
        memcpy(at, &flag, sizeof flag);
        return;
    default:
        assert(m->kind == MEMBER_NUMBER || m->kind == MEMBER_TIME);
        memcpy(at, &n, sizeof n);
    }
}

void envelope_reset_to_send(struct envelope *e)
{
    for (size_t i = 0; i < envelope_members_n; i++)
        if (envelope_members[i].change != MEMBER_FIXED)
            memset(envelope_member_of(e, &envelope_members[i]), 0, envelope_members[i].size);
    e->has_seed = false;
    e->version = 1;
}
