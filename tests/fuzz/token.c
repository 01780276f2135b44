/* Bearer tokens and tickets. The first byte chooses: text as it comes, claims that we sign, or a
 * ticket. */
#include "lib/wire/token.h"
#include "lib/base/str.h"
#include "lib/wire/ticket.h"
#include "tests/fuzz/fuzz.h"

#define NOW_S INT64_C(1800000000)

static struct token_keys keys;

static void set_keys(void)
{
    for (int k = 0; k < TOKEN_KINDS; k++) {
        keys.kind[k].n = 1;
        memset(keys.kind[k].key[0], 'a' + k, 32);
    }
}

/* Sign payload as HS256 with the key of a kind. */
static size_t sign(char *out, size_t cap, int kind, const uint8_t *payload, size_t len)
{
    static const char head[] = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.";
    uint8_t mac[32];
    size_t used = sizeof head - 1;
    memcpy(out, head, used);
    FUZZ_CHECK(base64url_encode(out + used, cap - used, payload, len));
    used += strlen(out + used);
    hash_hmac256(mac, keys.kind[kind].key[0], out, used);
    out[used++] = '.';
    FUZZ_CHECK(base64url_encode(out + used, cap - used, mac, sizeof mac));
    return used + strlen(out + used);
}

static void check_token(const char *text, size_t len, int kind)
{
    static struct who who;
    struct token_verdict verdict = {TOKEN_GOOD, TOKEN_USER, 0};
    memset(&who, 0, sizeof who);
    enum err err = token_verify(&keys, text, len, NOW_S, &who, &verdict);
    FUZZ_CHECK(err == ERR_OK || err == ERR_UNAUTHORIZED || err == ERR_TOKEN_EXPIRED);
    FUZZ_CHECK((err == ERR_OK) == (verdict.reason == TOKEN_GOOD));
    if (err != ERR_OK)
        return;
    FUZZ_CHECK(kind >= 0 && who.user[0] != '\0' &&
               verdict.expires_s >= NOW_S - TOKEN_LEEWAY_S); /* nothing unsigned passes */
    FUZZ_CHECK(who.wallet == (kind == TOKEN_WALLET));
    FUZZ_CHECK(user_is_guest(who.user) == (kind == TOKEN_GUEST));
    FUZZ_CHECK(who.n_groups <= GROUPS_MAX && strlen(who.name) < sizeof who.name);
}

static void check_ticket(const char *text, size_t len)
{
    static const uint8_t generation[16] = {1};
    const struct id id = {{1, 2, 3}};
    char good[TICKET_SIZE];
    ticket_make(good, &keys.kind[0], generation, &id, "u", NOW_S + 60);
    enum err err = ticket_check(text, len, &keys.kind[0], generation, &id, "u", NOW_S);
    FUZZ_CHECK(err == ERR_OK || err == ERR_TICKET_INVALID || err == ERR_TICKET_EXPIRED);
    FUZZ_CHECK(err != ERR_OK || (len == strlen(good) && memcmp(text, good, len) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char signed_text[3 * 4096];
    if (size == 0 || size > 4096)
        return 0;
    if (keys.kind[0].n == 0)
        set_keys();
    unsigned choice = data[0] % 5;
    char *text = fuzz_text(data + 1, size - 1);
    if (choice < 3)
        check_token(signed_text,
                    sign(signed_text, sizeof signed_text, (int)choice, data + 1, size - 1),
                    (int)choice);
    else if (choice == 3)
        check_token(text, size - 1, -1);
    else
        check_ticket(text, size - 1);
    free(text);
    return 0;
}
