/* token, topup, withdraw. */
#include "bin/ctl.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/base/utf8.h"
#include "lib/service/account/wallet.h"
#include "lib/wire/token.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define TTL_DEFAULT_S 86400
#define TTL_MAX_S (INT64_C(3650) * 86400)

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

static enum ctl_exit print_token(struct ctl *c, const struct who *who, int64_t ttl_s)
{
    enum token_kind kind = who->wallet ? TOKEN_WALLET : TOKEN_USER;
    const char *path = who->wallet ? c->daemon.config.wallet_file : c->daemon.config.token_file;
    struct token_keys keys;
    struct buf text;
    memset(&keys, 0, sizeof keys);
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
    static const struct option options[] = {{"name", required_argument, NULL, 'n'},
                                            {"groups", required_argument, NULL, 'g'},
                                            {"ttl", required_argument, NULL, 't'},
                                            {"wallet", no_argument, NULL, 'w'},
                                            {NULL, 0, NULL, 0}};
    struct who who;
    int64_t ttl_s = TTL_DEFAULT_S;
    memset(&who, 0, sizeof who);
    optind = 0; /* restart getopt */
    opterr = 0;
    for (int option; (option = getopt_long(c->argc, c->argv, "", options, NULL)) != -1;) {
        const char *why = token_option(option, &who, &ttl_s);
        if (why != NULL)
            return ctl_usage(c, why);
    }
    if (optind != c->argc - 1)
        return ctl_usage(c, "one user is expected");
    const char *user = c->argv[optind];
    if (!user_valid(user, strlen(user)) || user_is_guest(user))
        return ctl_usage(c,
                         "a user id is 1 to 64 of A-Za-z0-9._:@- and does not begin with guest:");
    memcpy(who.user, user, strlen(user) + 1);
    return print_token(c, &who, ttl_s);
}

/* Make a reference that is not in use. */
static void random_reference(const struct rng *rng, char out[REFERENCE_SIZE])
{
    uint8_t random[16];
    rng->fill(rng->self, random, sizeof random);
    int len = snprintf(out, REFERENCE_SIZE, "hongbaoctl-");
    str_to_hex(out + len, random, sizeof random);
}

static enum ctl_exit move_money(struct ctl *c, const struct wallet_request *request)
{
    enum ctl_exit exit_code = CTL_OK;
    struct transfer done;
    const struct account_service *s = ctl_connect(c, c->daemon.config.send.credentials, &exit_code);
    if (s == NULL)
        return exit_code;
    enum err err = wallet_move(s, request, 0, &done);
    ctl_disconnect(c);
    if (err != ERR_OK)
        return ctl_fail(err, request->reference);
    printf("%s has %lld fen (reference %s)\n", done.user, (long long)done.balance_fen,
           request->reference);
    return CTL_OK;
}

static enum ctl_exit parse_and_move(struct ctl *c, enum transfer_kind kind)
{
    static const struct option options[] = {{"ref", required_argument, NULL, 'r'},
                                            {NULL, 0, NULL, 0}};
    char reference[REFERENCE_SIZE] = "";
    struct wallet_request request = {.kind = kind, .reference = reference};
    optind = 0;
    opterr = 0;
    for (int option; (option = getopt_long(c->argc, c->argv, "", options, NULL)) != -1;)
        if (option != 'r' || !key_valid(optarg, strlen(optarg), REFERENCE_MAX) ||
            !str_set(reference, sizeof reference, optarg, strlen(optarg)))
            return ctl_usage(c, "--ref: 1 to 64 printable characters without space");
    if (optind != c->argc - 2)
        return ctl_usage(c, "a user and an amount are expected");
    const char *amount = c->argv[optind + 1];
    request.user = c->argv[optind];
    if (!user_valid(request.user, strlen(request.user)))
        return ctl_usage(c, "a user id is 1 to 64 of A-Za-z0-9._:@-");
    if (!str_to_i64(amount, strlen(amount), &request.amount_fen) || request.amount_fen < 1 ||
        request.amount_fen > AMOUNT_MAX_FEN)
        return ctl_usage(c, "the amount is a whole number of fen, from 1");
    if (reference[0] == '\0')
        random_reference(&rng_system, reference);
    return move_money(c, &request);
}

enum ctl_exit ctl_topup(struct ctl *c)
{
    return parse_and_move(c, TRANSFER_TOPUP);
}

enum ctl_exit ctl_withdraw(struct ctl *c)
{
    return parse_and_move(c, TRANSFER_WITHDRAW);
}
