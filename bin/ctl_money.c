/* topup, withdraw. */
#include "bin/ctl_desk.h"
#include "lib/base/str.h"
#include "lib/base/utf8.h"
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

static enum err move_money(struct ctl *c, void *context, char outcome[256])
{
    const struct wallet_request *request = context;
    enum ctl_exit ignored = CTL_OK;
    struct transfer done;
    const struct account_service *s = ctl_connect(c, c->daemon.config.send.credentials, &ignored);
    if (s == NULL)
        return ERR_UNAVAILABLE;
    bool replayed;
    enum err err = wallet_move(s, request, 0, &done, &replayed);
    ctl_disconnect(c);
    if (err == ERR_NOT_FOUND)
        fprintf(stderr, "hongbaoctl: there is no account of %s; --create opens one\n",
                request->user);
    if (err == ERR_OK)
        snprintf(outcome, 256, "%.100s has %lld fen (reference %s)", done.user,
                 (long long)done.balance_fen, request->reference);
    return err;
}

struct money_options {
    char reference[REFERENCE_SIZE];
    const char *why;
    bool create;
};

/* Return what is wrong with the options of c, or NULL. */
static const char *read_money_options(struct ctl *c, struct money_options *o)
{
    static const struct option options[] = {{"ref", required_argument, NULL, 'r'},
                                            {"why", required_argument, NULL, 'w'},
                                            {"create", no_argument, NULL, 'c'},
                                            {NULL, 0, NULL, 0}};
    optind = 0;
    opterr = 0;
    for (int option; (option = getopt_long(c->argc, c->argv, "", options, NULL)) != -1;) {
        if (option == 'c')
            o->create = true;
        else if (option == 'w' && strlen(optarg) <= DESK_WHY_MAX &&
                 utf8_valid(optarg, strlen(optarg)))
            o->why = optarg;
        else if (option != 'r' || !key_valid(optarg, strlen(optarg), REFERENCE_MAX) ||
                 !str_set(o->reference, sizeof o->reference, optarg, strlen(optarg)))
            return "--ref: 1 to 64 printable characters without space; --why: up to 255 bytes";
    }
    return optind == c->argc - 2 ? NULL : "a user and an amount are expected";
}

static enum ctl_exit parse_and_move(struct ctl *c, enum transfer_kind kind)
{
    struct money_options o = {.why = ""};
    const char *wrong = read_money_options(c, &o);
    if (wrong != NULL)
        return ctl_usage(c, wrong);
    struct wallet_request request = {.kind = kind,
                                     .user = c->argv[optind],
                                     .backend = BACKEND_OPERATOR,
                                     .reference = o.reference,
                                     .must_exist = !o.create};
    if (!user_valid(request.user, strlen(request.user)))
        return ctl_usage(c, "a user id is 1 to 255 printable ASCII characters without space");
    if (!ctl_read_amount(c->argv[optind + 1], &request.amount_fen))
        return ctl_usage(c, "the amount is 12.34, or a whole number of fen such as 1234fen");
    if (o.reference[0] == '\0')
        random_reference(&rng_system, o.reference);
    return ctl_do_act(c, kind == TRANSFER_TOPUP ? "topup" : "withdraw", request.user, o.why,
                      move_money, &request);
}

enum ctl_exit ctl_topup(struct ctl *c)
{
    return parse_and_move(c, TRANSFER_TOPUP);
}

enum ctl_exit ctl_withdraw(struct ctl *c)
{
    return parse_and_move(c, TRANSFER_WITHDRAW);
}
