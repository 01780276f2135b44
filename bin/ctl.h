/* hongbaoctl: one command is one row of the table in hongbaoctl.c and one function here. */
#ifndef HONGBAO_BIN_CTL_H
#define HONGBAO_BIN_CTL_H

#include "bin/daemon.h"
#include "lib/service/account/account.h"
#include "lib/store/admin.h"

/* Exit codes; documented in hongbaoctl(8). */
enum ctl_exit {
    CTL_OK = 0,
    CTL_WRONG = 1,       /* done, and something is wrong: a violation, a refusal, no such thing */
    CTL_USAGE = 2,       /* wrong arguments or settings; nothing was done */
    CTL_UNAVAILABLE = 3, /* a server could not be asked; run it again */
    CTL_FAULT = 4        /* an installation that is broken, or a bug */
};

struct ctl {
    struct daemon daemon;           /* settings are loaded; runtime is not connected */
    struct account_service service; /* after ctl_connect */
    int argc;                       /* of the command: argv[0] is its name */
    char **argv;
};
typedef enum ctl_exit ctl_command_fn(struct ctl *c);

ctl_command_fn ctl_init, ctl_migrate, ctl_token, ctl_topup, ctl_withdraw, ctl_show, ctl_close,
    ctl_frozen, ctl_unfreeze, ctl_audit, ctl_verify, ctl_restored, ctl_doctor, ctl_config_example;

/* Says what and why on standard error, and returns the exit code for it. */
enum ctl_exit ctl_fail(enum err err, const char *what);
enum ctl_exit ctl_usage(const struct ctl *c, const char *why);
/* An administrator's session with the database selected, or NULL after saying why in *exit_code. */
struct admin *ctl_admin(struct ctl *c, enum ctl_exit *exit_code);
/* From now on the web server finds the markers of that generation, or, where none are wanted, no
 * markers. Says what is wrong on standard error. */
MUST_USE enum err ctl_switch_markers(const struct ctl *c, const uint8_t generation[16]);
/* Connect with that option file and read the generation. Return c->service, to be closed with
 * ctl_disconnect, or NULL after printing the reason and setting *exit_code. */
const struct account_service *ctl_connect(struct ctl *c, const char *credentials,
                                          enum ctl_exit *exit_code);

/* Close what ctl_connect opened. */
void ctl_disconnect(struct ctl *c);

#endif
