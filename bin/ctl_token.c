/* token: make a token, or explain one. What an explained token holds is shown to the operator
 * whether it is trusted or not, so control characters are replaced. */
#include "bin/ctl.h"
#include "lib/base/clock.h"
#include "lib/base/crypto.h"
#include "lib/base/str.h"
#include "lib/base/utf8.h"
#include "lib/wire/token.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define TTL_DEFAULT_S 86400
#define TTL_MAX_S (INT64_C(3650) * 86400)
#define PART_MAX_BYTES 8192

static bool take_groups(const char *text, struct who *who)
{
    for (const char *at = text; *at != '\0';) {
        size_t len = strcspn(at, ",");
        if (who->n_groups == GROUPS_MAX || !utf8_is_label(at, len, GROUP_MAX) ||
            !str_set(who->groups[who->n_groups++], GROUP_SIZE, at, len))
            return false;
        at += len;
        at += *at == ',' ? 1 : 0;
    }
    return true;
}

static bool take_name(const char *text, struct who *who)
{
    bool cut = false;
    size_t len = utf8_clean(who->name, sizeof who->name, text, strlen(text), NAME_MAX_POINTS, &cut);
    return len > 0 && !cut;
}

static const char *token_option(int option, struct who *who, int64_t *ttl_s)
{
    switch (option) {
    case 'n':
        return take_name(optarg, who) ? NULL : "--name: 1 to 32 characters, one of them visible";
    case 'g':
        return take_groups(optarg, who)
                   ? NULL
                   : "--groups: at most 64, each 1 to 128 bytes without control characters";
    case 't':
        return str_to_i64(optarg, strlen(optarg), ttl_s) && *ttl_s >= 1 && *ttl_s <= TTL_MAX_S
                   ? NULL
                   : "--ttl: seconds, at most ten years";
    case 'w':
        who->wallet = true;
        return NULL;
    default:
        return "unknown option";
    }
}

/* ---- explain ---- */

static const char *reason_text(enum token_reason reason)
{
    static const char *const texts[] = {
        /* NOLINTBEGIN(bugprone-suspicious-missing-comma): long texts are cut */
        "",
        "it is not three parts of base64url with JSON in them, typ is not JWT or at+jwt, a known "
        "member is given twice, or exp or nbf is no number",
        "none of the keys in [secrets] signed it",
        "alg is not exactly HS256",
        "crit or b64 is present, and no extension is known here",
        "sub is no user id, or it begins with guest: and the key is not that of guests, or the "
        "other way round",
        "the word wallet in scope and the wallet key go together",
        "aud does not contain [secrets] audience",
        "iss is not [secrets] issuer",
        "nbf is more than 30 s in the future",
        "exp is more than 30 s in the past"
        /* NOLINTEND(bugprone-suspicious-missing-comma) */
    };
    return texts[reason];
}

/* Print one part of a token, text[0..len), decoded. */
static void print_part(const char *title, const char *text, size_t len)
{
    uint8_t bytes[PART_MAX_BYTES];
    size_t n = 0;
    if (!base64url_decode(bytes, sizeof bytes, &n, text, len)) {
        printf("%s: not base64url\n", title);
        return;
    }
    printf("%s: ", title);
    for (size_t i = 0; i < n; i++)
        putchar(bytes[i] < ' ' || bytes[i] == 0x7f ? '?' : bytes[i]);
    putchar('\n');
}

static void print_parts(const char *text)
{
    const char *dot = strchr(text, '.'), *last = strrchr(text, '.');
    if (dot == NULL || dot == last)
        return;
    print_part("header", text, (size_t)(dot - text));
    print_part("payload", dot + 1, (size_t)(last - dot - 1));
}

static void print_meaning(const struct who *who, const struct token_verdict *verdict)
{
    static const char *const kinds[TOKEN_KINDS] = {"user", "guest", "wallet"};
    char expires[CLOCK_TEXT_SIZE];
    clock_format(expires, verdict->expires_s * US_PER_S);
    printf("accepted: a %s token\nuser: %s\nname: %s\nexpires: %s\n", kinds[verdict->kind],
           who->user, who->name, expires);
    for (size_t i = 0; i < who->n_groups; i++)
        printf("group: %s\n", who->groups[i]);
}

/* Load the keys that can be read; the others are named, because their tokens are refused here. */
static void load_keys(struct token_keys *keys, const struct config *config)
{
    const char *const paths[TOKEN_KINDS] = {[TOKEN_USER] = config->token_file,
                                            [TOKEN_GUEST] = config->guest_file,
                                            [TOKEN_WALLET] = config->wallet_file};
    struct buf message;
    *keys = (struct token_keys){.audience = config->audience, .issuer = config->issuer};
    buf_init(&message, PART_MAX_BYTES);
    for (size_t k = 0; k < TOKEN_KINDS; k++)
        if (secret_load(&keys->kind[k], paths[k], &message) != ERR_OK) {
            fprintf(stderr, "hongbaoctl: %s\n", message.data != NULL ? message.data : paths[k]);
            buf_reset(&message);
        }
    buf_free(&message);
}

static enum ctl_exit explain(struct ctl *c, const char *text)
{
    static struct who who; /* large */
    struct token_keys keys;
    struct token_verdict verdict;
    load_keys(&keys, &c->daemon.config);
    int64_t now_s = clock_system.wall_us(NULL) / US_PER_S;
    enum err err = token_verify(&keys, text, strlen(text), now_s, &who, &verdict);
    bytes_wipe(&keys, sizeof keys);
    if (err == ERR_FAULT)
        return ctl_fail(err, "token");
    if (err == ERR_OK)
        print_meaning(&who, &verdict);
    else
        printf("refused: %s: %s\n", token_reason_name(verdict.reason), reason_text(verdict.reason));
    print_parts(text);
    return err == ERR_OK ? CTL_OK : CTL_WRONG;
}

/* ---- make ---- */

static enum ctl_exit print_token(struct ctl *c, const struct who *who, int64_t ttl_s)
{
    enum token_kind kind = who->wallet ? TOKEN_WALLET : TOKEN_USER;
    const char *path = who->wallet ? c->daemon.config.wallet_file : c->daemon.config.token_file;
    struct token_keys keys;
    struct buf text;
    memset(&keys, 0, sizeof keys);
    keys.audience = c->daemon.config.audience;
    keys.issuer = c->daemon.config.issuer;
    buf_init(&text, 16384);
    enum err err = secret_load(&keys.kind[kind], path, &text);
    if (err != ERR_OK)
        fprintf(stderr, "hongbaoctl: %s\n", text.data);
    buf_reset(&text);
    int64_t now_s = clock_system.wall_us(NULL) / US_PER_S;
    if (err == ERR_OK)
        err = token_make(&keys, kind, who, now_s, ttl_s, &text);
    if (err == ERR_OK)
        puts(text.data);
    bytes_wipe(&keys, sizeof keys);
    buf_free(&text);
    return err == ERR_OK ? CTL_OK : ctl_fail(err, "token");
}

enum ctl_exit ctl_token(struct ctl *c)
{
    static const struct option options[] = {
        {"name", required_argument, NULL, 'n'}, {"groups", required_argument, NULL, 'g'},
        {"ttl", required_argument, NULL, 't'},  {"wallet", no_argument, NULL, 'w'},
        {"explain", no_argument, NULL, 'e'},    {NULL, 0, NULL, 0}};
    struct who who;
    int64_t ttl_s = TTL_DEFAULT_S;
    bool explains = false;
    memset(&who, 0, sizeof who);
    optind = 0; /* restart getopt */
    opterr = 0;
    for (int option; (option = getopt_long(c->argc, c->argv, "", options, NULL)) != -1;) {
        explains = explains || option == 'e';
        const char *why = option == 'e' ? NULL : token_option(option, &who, &ttl_s);
        if (why != NULL)
            return ctl_usage(c, why);
    }
    if (optind != c->argc - 1)
        return ctl_usage(c, explains ? "one token is expected" : "one user is expected");
    if (explains)
        return explain(c, c->argv[optind]);
    const char *user = c->argv[optind];
    if (!user_valid(user, strlen(user)) || user_is_guest(user))
        return ctl_usage(c, "a user id is 1 to 255 printable ASCII characters without space and "
                            "does not begin with guest:");
    memcpy(who.user, user, strlen(user) + 1);
    return print_token(c, &who, ttl_s);
}
