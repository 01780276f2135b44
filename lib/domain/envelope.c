/* All arithmetic on an envelope is here, so that stores and services only carry its values. Each
 * transition asserts the invariant before and after; callers check rows of the database first. */
#include "lib/domain/envelope.h"
#include <assert.h>
#include <string.h>

static int64_t remaining_fen(const struct envelope *e)
{
    return e->total_fen - e->opened_fen - e->refunded_fen;
}

static int64_t remaining_shares(const struct envelope *e)
{
    return e->shares - e->opened_shares;
}

static bool state_agrees(const struct envelope *e)
{
    switch (e->state) {
    case STATE_OPEN: /* the rest can be divided: 1 fen to the cap per share */
        return e->refunded_fen == 0 && e->closed_us == 0 && remaining_shares(e) >= 1 &&
               remaining_fen(e) >= remaining_shares(e) &&
               remaining_fen(e) <= remaining_shares(e) * e->cap_fen;
    case STATE_SOLD_OUT:
        return e->opened_shares == e->shares && e->opened_fen == e->total_fen &&
               e->refunded_fen == 0 && e->closed_us > 0;
    case STATE_EXPIRED:
        return e->opened_shares < e->shares && remaining_fen(e) == 0 && e->closed_us > 0;
    default:
        return false;
    }
}

bool envelope_draws(const struct envelope *e)
{
    return (e->mode == MODE_LUCKY || e->mode == MODE_EQUAL) && e->shares >= 1 &&
           e->shares <= SHARES_LIMIT && e->total_fen >= e->shares &&
           e->total_fen <= AMOUNT_MAX_FEN && e->cap_fen >= 1 && e->cap_fen <= AMOUNT_MAX_FEN;
}

/* Equal shares are fixed by their position, the larger ones first. */
static bool equal_shares_agree(const struct envelope *e)
{
    int64_t share_fen = e->total_fen / e->shares, larger = e->total_fen % e->shares;
    int64_t opened_larger = e->opened_shares < larger ? e->opened_shares : larger;
    return draw_equal(e->total_fen, e->shares, 1) <= e->cap_fen &&
           e->opened_fen == e->opened_shares * share_fen + opened_larger;
}

/* Each value is checked before it is used in a sum, so that none can overflow. */
bool envelope_consistent(const struct envelope *e)
{
    return envelope_draws(e) && e->opened_shares >= 0 && e->opened_shares <= e->shares &&
           e->opened_fen >= e->opened_shares && e->opened_fen <= e->total_fen &&
           e->refunded_fen >= 0 && e->refunded_fen <= e->total_fen && remaining_fen(e) >= 0 &&
           e->version >= 0 && e->version < INT64_MAX && state_agrees(e) &&
           (e->mode == MODE_LUCKY || equal_shares_agree(e));
}

bool envelope_may_change(const struct envelope *e)
{
    return e->state == STATE_OPEN && e->has_seed && envelope_consistent(e);
}

bool envelope_state_known(enum envelope_state s)
{
    return s == STATE_OPEN || s == STATE_SOLD_OUT || s == STATE_EXPIRED;
}

bool envelope_damaged(const struct envelope *e)
{
    return !envelope_state_known(e->state) || (e->state == STATE_OPEN && !envelope_may_change(e));
}

bool envelope_past_due(const struct envelope *e, int64_t now_us)
{
    return now_us >= e->expires_us;
}

static int64_t next_amount(const struct envelope *e)
{
    int64_t seq = e->opened_shares + 1;
    if (e->mode == MODE_EQUAL)
        return draw_equal(e->total_fen, e->shares, seq);
    struct draw_left left = {
        .left_fen = remaining_fen(e), .left_shares = remaining_shares(e), .cap_fen = e->cap_fen};
    return draw_lucky(e->seed, &e->id, (uint32_t)seq, &left);
}

/* Equal mode has no luckiest; in lucky mode the earliest of equals stays. */
static void keep_luckiest(struct envelope *e, const struct claim *c)
{
    if (e->mode == MODE_EQUAL || c->amount_fen <= e->luckiest_fen)
        return;
    e->luckiest_seq = c->seq;
    e->luckiest_fen = c->amount_fen;
    memcpy(e->luckiest_user, c->user, sizeof e->luckiest_user);
    memcpy(e->luckiest_name, c->name, sizeof e->luckiest_name);
}

static void add_claim(struct envelope *e, const struct claim *c)
{
    e->opened_shares++;
    e->opened_fen += c->amount_fen;
    e->version++;
    keep_luckiest(e, c);
}

/* Copy text, shorter than size, into out and zero the rest. */
static void set_text(char *out, size_t size, const char *text)
{
    size_t len = strlen(text);
    assert(len < size);
    memset(out, 0, size);
    memcpy(out, text, len + 1);
}

void envelope_open_next(struct envelope *e, const char *user, const char *name, int64_t now_us,
                        struct claim *c)
{
    assert(e->state == STATE_OPEN && e->has_seed && !envelope_past_due(e, now_us) &&
           envelope_consistent(e));
    c->envelope = e->id;
    set_text(c->user, sizeof c->user, user);
    set_text(c->name, sizeof c->name, name);
    c->amount_fen = next_amount(e);
    c->seq = e->opened_shares + 1;
    c->opened_us = now_us;
    c->thanks = THANKS_NONE;
    assert(c->amount_fen >= 1 && c->amount_fen <= e->cap_fen);
    add_claim(e, c);
    if (e->opened_shares == e->shares) {
        e->state = STATE_SOLD_OUT;
        e->closed_us = now_us;
        e->closed_by = CLOSER_CLAIMS;
    }
    assert(envelope_consistent(e));
}

bool envelope_learn(struct envelope *e, const struct claim *c)
{
    int64_t left_shares = remaining_shares(e) - 1, left_fen = remaining_fen(e) - c->amount_fen;
    if (e->state != STATE_OPEN || c->seq != e->opened_shares + 1 || left_shares < 1 ||
        c->amount_fen < 1 || c->amount_fen > e->cap_fen || left_fen < left_shares ||
        left_fen > left_shares * e->cap_fen)
        return false;
    add_claim(e, c);
    return true;
}

int64_t envelope_expire(struct envelope *e, enum envelope_closer by, int64_t now_us)
{
    assert(e->state == STATE_OPEN && envelope_consistent(e));
    int64_t refund_fen = remaining_fen(e);
    e->refunded_fen = refund_fen;
    e->state = STATE_EXPIRED;
    e->closed_us = now_us;
    e->closed_by = by;
    e->version++;
    assert(envelope_consistent(e));
    return refund_fen;
}

enum envelope_closer envelope_closer(const struct envelope *e)
{
    if (e->state == STATE_OPEN)
        return CLOSER_NONE;
    if (e->state == STATE_SOLD_OUT)
        return CLOSER_CLAIMS;
    if (e->closed_by > CLOSER_CLAIMS && e->closed_by < CLOSER_COUNT)
        return e->closed_by;
    return envelope_past_due(e, e->closed_us) ? CLOSER_DEADLINE : CLOSER_OPERATOR;
}

/* Return true if word is one of the words of list, which are separated by one space. */
static bool list_has(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = list; *at != '\0';) {
        size_t this_len = strcspn(at, " ");
        if (this_len == len && memcmp(at, word, len) == 0)
            return true;
        at += this_len;
        at += *at == ' ' ? 1 : 0;
    }
    return false;
}

bool envelope_admits(const struct envelope *e, const char *user, const char groups[][GROUP_SIZE],
                     size_t n_groups)
{
    if (user_is_guest(e->sender) != user_is_guest(user))
        return false;
    switch (e->to_kind) {
    case TO_ANYONE:
        return true;
    case TO_USERS:
        return list_has(e->to, user);
    case TO_GROUP:
        for (size_t i = 0; i < n_groups; i++)
            if (strcmp(groups[i], e->to) == 0)
                return true;
        return false;
    default:
        return false;
    }
}

const char *envelope_state_name(enum envelope_state s)
{
    static const char *const names[] = {"open", "sold_out", "expired"};
    return (size_t)s < sizeof names / sizeof names[0] ? names[s] : "unknown";
}

const char *envelope_mode_name(enum envelope_mode m)
{
    return m == MODE_LUCKY ? "lucky" : "equal";
}

const char *envelope_closer_name(enum envelope_closer by)
{
    static const char *const names[CLOSER_COUNT] = {NULL, "claims", "deadline", "sender",
                                                    "operator"};
    return (size_t)by < CLOSER_COUNT ? names[by] : NULL;
}

static const char *const theme_names[THEME_COUNT] = {"plain",   "new_year", "birthday",
                                                     "wedding", "thanks",   "company"};

const char *envelope_theme_name(enum envelope_theme t)
{
    return (size_t)t < THEME_COUNT ? theme_names[t] : theme_names[THEME_PLAIN];
}

/* Return the index of name among names[first..n), or n if it is not there. */
static size_t find_name(const char *const *names, size_t first, size_t n, const char *name)
{
    size_t i = first;
    while (i < n && strcmp(names[i], name) != 0)
        i++;
    return i;
}

bool envelope_theme_find(const char *name, enum envelope_theme *out)
{
    size_t at = find_name(theme_names, 0, THEME_COUNT, name);
    if (at < THEME_COUNT)
        *out = (enum envelope_theme)at;
    return at < THEME_COUNT;
}

static const char *const thanks_names[THANKS_COUNT] = {NULL,   "thanks", "hug",
                                                       "luck", "cheers", "wow"};

const char *claim_thanks_name(enum claim_thanks t)
{
    return (size_t)t < THANKS_COUNT ? thanks_names[t] : NULL;
}

bool claim_thanks_find(const char *name, enum claim_thanks *out)
{
    size_t at = find_name(thanks_names, THANKS_NONE + 1, THANKS_COUNT, name);
    if (at < THANKS_COUNT)
        *out = (enum claim_thanks)at;
    return at < THANKS_COUNT;
}

bool envelope_veiled(const struct envelope *e, const char *user, bool has_claim)
{
    return e->state == STATE_OPEN && !has_claim && strcmp(e->sender, user) != 0;
}
