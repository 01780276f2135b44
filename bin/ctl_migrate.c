/* migrate: the numbered patches of sql_dir, each once, and the privileges that go with them. A
 * patch that fails is named with its statement and the server's error; those before it stay, and
 * the command can be repeated.
 */
#include "bin/ctl.h"
#include "bin/ctl_grants.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX_BYTES (1 << 20)
#define WORKS_WITH "-- Works with the programs of schema "

bool ctl_read_file(const char *path, struct buf *out)
{
    char block[4096];
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0;)
        buf_append(out, block, n);
    bool ok = ferror(file) == 0 && !out->failed;
    fclose(file);
    return ok;
}

int ctl_is_patch(const struct dirent *entry)
{
    const char *name = entry->d_name, *dot = strrchr(name, '.');
    return strspn(name, "0123456789") == 4 && name[4] == '_' && dot != NULL &&
           strcmp(dot, ".sql") == 0;
}

/* Return the oldest schema whose programs work with the tables after the patch version, from the
 * first line of its text; without that, only those that need the patch. */
static int64_t oldest_programs(const char *text, int64_t version)
{
    size_t len = strlen(WORKS_WITH);
    return strncmp(text, WORKS_WITH, len) == 0 ? strtoll(text + len, NULL, 10) : version;
}

/* Copy statement n of a patch's text, 1 for the first, to out without comments and line ends; cut
 * to cap bytes. */
static void patch_statement(const char *text, size_t n, char *out, size_t cap)
{
    size_t len = 0;
    bool quoted = false;
    for (; *text != '\0' && n > 0; text++) {
        if (!quoted && strncmp(text, "--", 2) == 0) {
            text += strcspn(text, "\n") - 1;
            continue;
        }
        if (*text == ';' && !quoted)
            n--;
        else if (n == 1 && len + 1 < cap && (*text > ' ' || (len > 0 && out[len - 1] != ' ')))
            out[len++] = *text > ' ' ? *text : ' ';
        quoted ^= *text == '\'';
    }
    out[len] = '\0';
}

static enum err apply_patch(struct admin *a, const char *directory, const char *name,
                            int64_t version)
{
    char path[2 * CONFIG_PATH_SIZE + 256], why[512] = "cannot be read", statement[160] = "";
    size_t failed = 0;
    struct buf text;
    buf_init(&text, FILE_MAX_BYTES);
    snprintf(path, sizeof path, "%s/%s", directory, name);
    enum err err = ERR_FAULT;
    if (ctl_read_file(path, &text)) {
        err = admin_apply(a, version, oldest_programs(text.data, version), text.data, &failed);
        admin_error(a, why, sizeof why);
        patch_statement(text.data, failed, statement, sizeof statement);
    }
    buf_free(&text);
    if (err == ERR_OK)
        printf("applied %s\n", name);
    else
        fprintf(stderr, "hongbaoctl: %s: statement %zu, %s: %s\n", path, failed, statement, why);
    return err;
}

static enum err apply_missing(struct admin *a, const char *directory, const char *name)
{
    int64_t version = strtoll(name, NULL, 10);
    bool applied = false;
    enum err err = admin_patch_applied(a, version, &applied);
    return err == ERR_OK && !applied ? apply_patch(a, directory, name, version) : err;
}

enum err ctl_apply_patches(struct ctl *c, struct admin *a)
{
    const char *directory = c->daemon.config.sql_dir;
    const struct rng *rng = c->daemon.runtime.rng;
    struct dirent **entries = NULL;
    uint8_t generation[16];
    enum err err = admin_prepare_patches(a);
    int n = err == ERR_OK ? scandir(directory, &entries, ctl_is_patch, alphasort) : 0;
    if (err == ERR_OK && n <= 0) {
        fprintf(stderr, "hongbaoctl: %s: no SQL patches there\n", directory);
        err = ERR_FAULT;
    }
    for (int i = 0; i < n; i++) {
        if (err == ERR_OK)
            err = apply_missing(a, directory, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    rng->fill(rng->self, generation, sizeof generation);
    return err == ERR_OK ? admin_set_generation(a, generation, false) : err;
}

/* A patch may add tables that running programs do not use yet: their users get privileges, and lose
 * none. A user or key that a new version has is made. Before init there are no users. */
static enum err grant_missing(struct ctl *c, struct admin *a)
{
    const struct config *config = &c->daemon.config;
    struct grants_role roles[GRANTS_ROLES];
    char user[GRANTS_USER_SIZE], hosts[GRANTS_HOSTS][ADMIN_HOST_SIZE];
    bool installed = false;
    enum err err = ERR_OK;
    grants_roles(config, roles);
    for (size_t i = 0; i < GRANTS_ROLES && err == ERR_OK; i++) {
        size_t n = 0;
        grants_user(config, roles[i].name, user);
        err = admin_user_hosts(a, user, hosts, GRANTS_HOSTS, &n);
        installed |= n > 0;
        if (err == ERR_OK && n == 0 && installed)
            err = ctl_make_role(c, a, roles[i].name, roles[i].credentials);
        for (size_t k = 0; k < n && err == ERR_OK; k++)
            err = grants_apply(a, config, roles[i].name, hosts[k], false);
    }
    return err == ERR_OK && installed ? ctl_make_keys(c, false) : err;
}

enum ctl_exit ctl_migrate(struct ctl *c)
{
    enum ctl_exit exit_code = CTL_OK;
    if (c->argc != 1)
        return ctl_usage(c, "no arguments");
    struct admin *a = ctl_admin(c, &exit_code);
    if (a == NULL)
        return exit_code;
    enum err err = ctl_apply_patches(c, a);
    if (err == ERR_OK)
        err = grant_missing(c, a);
    admin_close(a);
    return err == ERR_OK ? CTL_OK : ctl_fail(err, "migrate");
}
