/* hongbaoctl: one command is one row of the table in hongbaoctl.c and one function here. */
#ifndef HONGBAO_BIN_CTL_H
#define HONGBAO_BIN_CTL_H

#include "bin/daemon.h"
#include "lib/service/account/account.h"
#include "lib/store/admin.h"

/* Exit codes; documented in hongbaoctl(8). */
enum ctl_exit {
    CTL_OK = 0,
    CTL_WRONG = 1,       /* done, and the answer is a violation, a refusal or "no such thing" */
    CTL_USAGE = 2,       /* wrong arguments or settings; nothing was done */
    CTL_UNAVAILABLE = 3, /* a server did not answer; run it again */
    CTL_FAULT = 4        /* an installation that is broken, or a bug */
};

struct ctl {
    struct daemon daemon;           /* settings are loaded; runtime is not connected */
    struct account_service service; /* after ctl_connect */
    const char *config_path;        /* the file of the settings */
    int argc;                       /* of the command: argv[0] is its name */
    char **argv;
    bool quiet; /* failures to connect are not printed: doctor reports them */
};
/* Run the command whose arguments are c->argv[1..argc); print its result; return the exit code. */
typedef enum ctl_exit ctl_command_fn(struct ctl *c);

ctl_command_fn ctl_init, ctl_migrate, ctl_token, ctl_topup, ctl_withdraw, ctl_show, ctl_close,
    ctl_frozen, ctl_unfreeze, ctl_user, ctl_envelope, ctl_history, ctl_totals, ctl_report,
    ctl_export, ctl_forget, ctl_lost, ctl_archive, ctl_audit, ctl_verify, ctl_backup, ctl_restore,
    ctl_rotate, ctl_restored, ctl_doctor, ctl_config_example;

/* Print that `what` failed with err on standard error; return the exit code for err. */
enum ctl_exit ctl_fail(enum err err, const char *what);

/* Print `why` and the command's usage on standard error; return CTL_USAGE. */
enum ctl_exit ctl_usage(const struct ctl *c, const char *why);

/* Open an administrator's session with the database selected; create the database if need be. The
 * caller closes it with admin_close. Return NULL after printing the reason and setting
 * *exit_code. */
struct admin *ctl_admin(struct ctl *c, enum ctl_exit *exit_code);

/* Make each file of keys of the settings of c that does not exist; only the archive's unless all.
 * Errors are printed. */
MUST_USE enum err ctl_make_keys(struct ctl *c, bool all);

/* Append the file path to out. Return false if it cannot be read or does not fit. */
bool ctl_read_file(const char *path, struct buf *out);

struct dirent;
/* Return 1 if the file of entry is named as a patch, NNNN_name.sql; a filter of scandir. */
int ctl_is_patch(const struct dirent *entry);
/* Apply over a the patches of sql_dir that the database does not have, and print the name of each.
 * Make a generation, if there is none. Errors are printed. */
MUST_USE enum err ctl_apply_patches(struct ctl *c, struct admin *a);

/* Make over a the database user of role, with the password in the option file credentials, which is
 * made if there is none, and give it its privileges. Errors are printed. */
MUST_USE enum err ctl_make_role(struct ctl *c, struct admin *a, const char *role,
                                const char *credentials);

/* Return true after reporting each pool that accepts connections: it would go on with what it has
 * cached. */
bool ctl_pools_run(const struct config *config);

/* Let the web server find the markers of that generation from now on, or none if markers are
 * switched off. ERR_FAULT after printing the reason. */
MUST_USE enum err ctl_switch_markers(const struct ctl *c, const uint8_t generation[16]);

/* Connect with the option file credentials and read the generation. Return c->service, to be closed
 * with ctl_disconnect, or NULL after printing the reason and setting *exit_code. */
const struct account_service *ctl_connect(struct ctl *c, const char *credentials,
                                          enum ctl_exit *exit_code);

/* Close what ctl_connect opened. */
void ctl_disconnect(struct ctl *c);

#endif
