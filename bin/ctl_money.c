/* topup, withdraw. */
#include "bin/ctl.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/service/account/wallet.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>

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
    bool replayed;
    enum err err = wallet_move(s, request, 0, &done, &replayed);
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
    struct wallet_request request = {
        .kind = kind, .reference = reference, .backend = BACKEND_OPERATOR};
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
        return ctl_usage(c, "a user id is 1 to 255 printable ASCII characters without space");
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
