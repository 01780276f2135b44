/* The operator's command: one table row per subcommand, and what subcommands share. */
#include "bin/ctl.h"
#include "lib/base/buf.h"
#include "lib/service/account/status.h"
#include "lib/wire/secret.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define PATCH_TIMEOUT_S 7200 /* a patch may copy a table of many millions of rows */

struct command {
    const char *name, *arguments, *summary;
    ctl_command_fn *run;
    bool needs_config;
};

static const struct command commands[] = {
    {"init", "", "make database, users, rights and secrets; safe to repeat", ctl_init, true},
    {"migrate", "", "apply the SQL patches that are missing; safe to repeat", ctl_migrate, true},
    {"token",
     "USER [--name N] [--groups A,B] [--ttl S] | --wallet BACKEND [--ttl S] | --explain TOKEN",
     "print a token, or what one means and why it is refused", ctl_token, true},
    {"topup", "USER AMOUNT [--create] [--ref R] [--why TEXT]",
     "put money into an account; a repeat with the same R does nothing", ctl_topup, true},
    {"withdraw", "USER AMOUNT [--ref R] [--why TEXT]",
     "take money out of an account; a repeat with the same R does nothing", ctl_withdraw, true},
    {"user",
     "list [PART] [--limit N] | show USER | ledger USER | block USER --why TEXT | unblock USER "
     "--why "
     "TEXT | limits USER --sent-per-day AMOUNT|default --why TEXT",
     "what a user has and did; block one; other limits for one", ctl_user, true},
    {"envelope",
     "list [--sender USER] [--open] [--frozen] [--from DAY] [--to DAY] [--limit N] | show ENVELOPE "
     "| "
     "freeze ENVELOPE --why TEXT | unfreeze ENVELOPE --why TEXT | close ENVELOPE --why TEXT",
     "find, freeze and close envelopes", ctl_envelope, true},
    {"history", "USER|ENVELOPE", "everything that happened, in order, with what operators did",
     ctl_history, true},
    {"totals", "", "where the money in the system is", ctl_totals, true},
    {"report", "[--from DAY] [--to DAY] [--limit N]", "envelopes by day, top senders, groups",
     ctl_report, true},
    {"export", "--csv [--from DAY] [--to DAY] | USER",
     "all accounts with opening and closing balances, as CSV; the data of one user, as JSON",
     ctl_export, true},
    {"forget", "USER --why TEXT", "remove a user's names and texts; ids and amounts stay",
     ctl_forget, true},
    {"lost", "LOG...", "find operations that request logs acknowledge and the database lacks",
     ctl_lost, true},
    {"archive", "--before DAY [--dry-run] [--why TEXT] DIRECTORY | --check DIRECTORY",
     "move old envelopes to a file; check such files", ctl_archive, true},
    {"show", "ENVELOPE|USER", "print what is stored, as JSON", ctl_show, true},
    {"close", "ENVELOPE [--why TEXT]", "close an envelope now and refund what is left", ctl_close,
     true},
    {"frozen", "", "list the envelopes whose books do not agree", ctl_frozen, true},
    {"unfreeze", "ENVELOPE [--why TEXT]", "unfreeze an envelope after its books were corrected",
     ctl_unfreeze, true},
    {"audit", "[--json] [--since DAY]",
     "check every invariant on one snapshot, or what happened since a day", ctl_audit, true},
    {"verify", "--all | ENVELOPE... | --file FILE [ENVELOPE...]",
     "recompute the draws of closed envelopes, also of archived ones", ctl_verify, true},
    {"backup", "DIRECTORY", "dump the database without locking it, and copy the secrets",
     ctl_backup, true},
    {"restore", "DIRECTORY", "put a backup into an empty database; pools must be stopped",
     ctl_restore, true},
    {"rotate", "KEY add|swap|drop | DATABASE-USER add|drop",
     "replace a key or a password while programs run: both are accepted meanwhile", ctl_rotate,
     true},
    {"restored", "[--force]", "after a restore: invalidate caches on all hosts", ctl_restored,
     true},
    {"doctor", "[--json]", "check servers, sockets and secrets, and print how to fix them",
     ctl_doctor, true},
    {"config-example", "", "print every setting with unit, range and default", ctl_config_example,
     false},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static void print_help(void)
{
    puts("Usage: hongbaoctl [--config FILE] COMMAND [ARGUMENT...]\n");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %s %s\n      %s\n", commands[i].name, commands[i].arguments, commands[i].summary);
    puts("\n  --config FILE  settings (default " HONGBAO_CONFIG_FILE ")\n"
         "  --help         this text; after a command, that command's\n"
         "  --version      the version\n\n"
         "Exit codes: 0 done; 1 done, and something is wrong or was refused; 2 wrong usage or\n"
         "settings; 3 a server could not be asked; 4 a broken installation.");
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

enum ctl_exit ctl_fail(enum err err, const char *what)
{
    fprintf(stderr, "hongbaoctl: %s: %s\n", what, err_name(err));
    switch (err_class(err)) {
    case CLASS_OK:
        return CTL_OK;
    case CLASS_CLIENT:
    case CLASS_DATA:
        return CTL_WRONG;
    case CLASS_RETRY:
    case CLASS_UNCERTAIN:
        return CTL_UNAVAILABLE;
    case CLASS_FAULT:
    default:
        return CTL_FAULT;
    }
}

enum ctl_exit ctl_usage(const struct ctl *c, const char *why)
{
    const struct command *command = find(c->argv[0]);
    fprintf(stderr, "hongbaoctl %s: %s\nUsage: hongbaoctl %s %s\n", c->argv[0], why, c->argv[0],
            command != NULL ? command->arguments : "");
    return CTL_USAGE;
}

struct admin *ctl_admin(struct ctl *c, enum ctl_exit *exit_code)
{
    enum err err = daemon_connect(&c->daemon, c->daemon.config.admin_credentials);
    c->daemon.primary.timeout_s = PATCH_TIMEOUT_S;
    struct admin *a =
        err == ERR_OK ? admin_open(&c->daemon.primary, c->daemon.runtime.clock) : NULL;
    if (a == NULL) {
        *exit_code = ctl_fail(ERR_FAULT, "database client");
        return NULL;
    }
    err = admin_create_database(a, c->daemon.config.db_name);
    if (err == ERR_OK)
        err = admin_use(a, c->daemon.config.db_name);
    if (err == ERR_OK)
        return a;
    *exit_code = c->quiet ? CTL_UNAVAILABLE : ctl_fail(err, "database, as administrator");
    admin_close(a);
    return NULL;
}

const struct account_service *ctl_connect(struct ctl *c, const char *credentials,
                                          enum ctl_exit *exit_code)
{
    static const struct session_pool_settings one = {.threads = 1};
    struct runtime *runtime = &c->daemon.runtime;
    struct schema_state schema;
    char why[192];
    enum err err = daemon_connect(&c->daemon, credentials);
    c->service = (struct account_service){.runtime = runtime};
    if (err == ERR_OK)
        c->service.sessions = session_pool_new(runtime, &one);
    if (c->service.sessions == NULL)
        err = ERR_FAULT;
    else
        err = status_schema(&c->service, 0, &schema);
    if (err == ERR_OK)
        err = status_generation(&c->service, 0, runtime->generation);
    if (err == ERR_OK)
        return &c->service;
    ctl_disconnect(c);
    *exit_code = CTL_UNAVAILABLE;
    if (c->quiet)
        return NULL;
    server_state_text(c->daemon.database, why, sizeof why);
    if (err == ERR_SCHEMA)
        fprintf(stderr,
                "hongbaoctl: the database has schema version %lld, this program needs %d: run "
                "hongbaoctl migrate, or the other version of the programs\n",
                (long long)schema.version, SCHEMA_VERSION);
    else if (why[0] != '\0')
        fprintf(stderr, "hongbaoctl: database: %s\n", why);
    *exit_code = err == ERR_SCHEMA ? CTL_FAULT : ctl_fail(err, "database");
    return NULL;
}

void ctl_disconnect(struct ctl *c)
{
    session_pool_free(c->service.sessions);
    c->service.sessions = NULL;
}

enum ctl_exit ctl_config_example(struct ctl *c)
{
    struct buf out;
    (void)c;
    buf_init(&out, 65536);
    config_print_example(&out);
    bool ok = !out.failed && fputs(out.data, stdout) >= 0;
    buf_free(&out);
    return ok ? CTL_OK : CTL_FAULT;
}

static enum ctl_exit run(struct ctl *c, const char *config_path)
{
    const struct command *command = find(c->argv[0]);
    if (command == NULL) {
        fprintf(stderr, "hongbaoctl: no such command: %s\n", c->argv[0]);
        return CTL_USAGE;
    }
    for (int i = 1; i < c->argc; i++)
        if (strcmp(c->argv[i], "--help") == 0) {
            printf("Usage: hongbaoctl %s %s\n%s\n", command->name, command->arguments,
                   command->summary);
            return CTL_OK;
        }
    c->config_path = config_path;
    if (command->needs_config && daemon_load(&c->daemon, "hongbaoctl", config_path) != ERR_OK)
        return CTL_USAGE;
    if (secret_keep_out_of_dumps() != ERR_OK) /* several commands read keys */
        return ctl_fail(ERR_FAULT, "core dumps");
    return command->run(c);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'v'},
                                            {NULL, 0, NULL, 0}};
    static struct ctl c;
    const char *config_path = HONGBAO_CONFIG_FILE;
    /* "+": options after the command are the command's */
    for (int option; (option = getopt_long(argc, argv, "+", options, NULL)) != -1;) {
        if (option == 'c') {
            config_path = optarg;
        } else if (option == 'h') {
            print_help();
            return CTL_OK;
        } else if (option == 'v') {
            puts(HONGBAO_VERSION);
            return CTL_OK;
        } else {
            return CTL_USAGE;
        }
    }
    if (optind == argc) {
        print_help();
        return CTL_USAGE;
    }
    c.argc = argc - optind;
    c.argv = argv + optind;
    return (int)run(&c, config_path);
}
