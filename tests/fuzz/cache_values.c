/* Texts of cache items: gate, user item, version item, envelope item. What is accepted is within
 * its limits, and reads back as the same text. The first byte chooses the kind; the rest is the
 * text, with our id and generation put in for '@' and '#', which no fuzzer would guess. */
#include "lib/base/str.h"
#include "lib/wire/envelope_value.h"
#include "lib/wire/gate_value.h"
#include "lib/wire/user_value.h"
#include "lib/wire/version_value.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t generation[16] = {0xab, 0xcd};
static const struct id id = {{1, 0x9a, 0, 0, 0, 0, 0x70, 0, 0x80}};

static char *expand(const uint8_t *data, size_t size, size_t *len)
{
    char hex_id[ID_HEX_SIZE], hex_generation[33];
    char *out = malloc(32 * size + 1), *at = out;
    FUZZ_CHECK(out != NULL);
    str_to_hex(hex_id, id.b, ID_SIZE);
    str_to_hex(hex_generation, generation, 16);
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '@' || data[i] == '#') {
            memcpy(at, data[i] == '@' ? hex_id : hex_generation, 32);
            at += 32;
        } else {
            *at++ = (char)data[i];
        }
    }
    *at = '\0';
    *len = (size_t)(at - out);
    char *exact = fuzz_text((const uint8_t *)out, *len);
    free(out);
    return exact;
}

static void check_gate(const char *text, size_t len)
{
    struct gate g, again;
    char out[GATE_TEXT_SIZE];
    if (!gate_read(&g, text, len, generation, &id))
        return;
    FUZZ_CHECK(g.left >= 0 && g.left <= g.shares && g.shares <= SHARES_LIMIT);
    FUZZ_CHECK(g.refill_factor >= 1 && g.refill_factor <= 64);
    size_t n = gate_write(out, &g);
    FUZZ_CHECK(n < sizeof out && gate_read(&again, out, n, generation, &id));
    FUZZ_CHECK(again.left == g.left && again.nonce == g.nonce &&
               again.refill_opened == g.refill_opened);
}

static void check_user(const char *text, size_t len)
{
    struct user_value u, again;
    char out[GATE_TEXT_SIZE];
    if (!user_value_read(&u, text, len, &id))
        return;
    FUZZ_CHECK(!u.opened || (u.amount_fen >= 1 && u.amount_fen <= AMOUNT_MAX_FEN && u.seq >= 1));
    size_t n = user_value_write(out, &u, &id);
    FUZZ_CHECK(n < sizeof out && user_value_read(&again, out, n, &id) && again.opened == u.opened);
}

static void check_version(const char *text, size_t len)
{
    static struct version_value v, again;
    char out[VERSION_TEXT_SIZE];
    if (!version_value_read(&v, text, len, &id))
        return;
    FUZZ_CHECK(v.n_claims <= VERSION_CLAIMS_MAX);
    for (size_t i = 0; i < v.n_claims; i++)
        FUZZ_CHECK(user_valid(v.claims[i].user, strlen(v.claims[i].user)));
    size_t n = version_value_write(out, &v, &id);
    FUZZ_CHECK(n < sizeof out && version_value_read(&again, out, n, &id) &&
               again.version == v.version);
}

static void check_envelope(const char *text)
{
    static struct envelope e, again;
    struct buf out;
    if (!envelope_value_read(&e, text, generation, &id))
        return;
    FUZZ_CHECK(!e.has_seed && e.shares >= 1 && e.total_fen >= 1);
    buf_init(&out, 2 * ENVELOPE_VALUE_TEXT_SIZE);
    envelope_value_write(&out, generation, &e);
    FUZZ_CHECK(!out.failed && envelope_value_read(&again, out.data, generation, &id));
    FUZZ_CHECK(memcmp(&e, &again, sizeof e) == 0);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len = 0;
    if (size == 0 || size > 8192)
        return 0;
    char *text = expand(data + 1, size - 1, &len);
    switch (data[0] % 4) {
    case 0:
        check_gate(text, len);
        break;
    case 1:
        check_user(text, len);
        break;
    case 2:
        check_version(text, len);
        break;
    default:
        check_envelope(text);
        break;
    }
    free(text);
    return 0;
}
