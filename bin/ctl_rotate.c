/* rotate: a new key or password, in steps between which every program accepts both. What signs or
 * connects changes only once all that check know the new one, so nothing is refused on the way. */
#include "bin/ctl.h"
#include "bin/ctl_grants.h"
#include "bin/ctl_secret.h"
#include "lib/base/str.h"
#include "lib/wire/secret.h"
#include <stdio.h>
#include <string.h>

#define LINE 65 /* a key: 64 hex digits and a newline */
#define FILE_MAX_BYTES 4096

/* ---- keys ---- */

/* Read the file of keys path into lines; set *n to their number. */
static enum err read_keys(const char *path, char lines[2][LINE + 1], size_t *n)
{
    struct secret_pair pair; /* checks the file as the pools do */
    struct buf text;
    buf_init(&text, FILE_MAX_BYTES);
    enum err err = secret_load(&pair, path, &text);
    if (err != ERR_OK)
        fprintf(stderr, "hongbaoctl: %s\n", text.data != NULL ? text.data : path);
    for (size_t i = 0; i < pair.n; i++) {
        str_to_hex(lines[i], pair.key[i], sizeof pair.key[i]);
        memcpy(lines[i] + LINE - 1, "\n", 2);
    }
    *n = pair.n;
    bytes_wipe(&pair, sizeof pair);
    buf_free(&text);
    return err;
}

static enum err write_keys(const char *path, const char *first, const char *second)
{
    char text[2 * LINE + 1];
    snprintf(text, sizeof text, "%s%s", first, second);
    enum err err = ctl_replace_secret(path, text);
    bytes_wipe(text, sizeof text);
    return err;
}

static enum ctl_exit rotate_key(struct ctl *c, const struct ctl_key *key, const char *step)
{
    char lines[2][LINE + 1], fresh[LINE + 1];
    const char *next = NULL;
    size_t n = 0;
    enum err err = read_keys(key->path, lines, &n);
    if (err != ERR_OK)
        return CTL_FAULT;
    if (n == (strcmp(step, "add") == 0 ? 2 : 1)) {
        fprintf(stderr, "hongbaoctl: %s: %s\n", key->path,
                n == 2 ? "has two keys already" : "has one key only: add one first");
        return CTL_WRONG;
    }
    if (strcmp(step, "add") == 0) {
        ctl_make_key(c->daemon.runtime.rng, fresh);
        err = write_keys(key->path, lines[0], fresh);
        bytes_wipe(fresh, sizeof fresh);
        next = "both keys are accepted once the pools are reloaded; then swap";
    } else if (strcmp(step, "swap") == 0) {
        err = write_keys(key->path, lines[1], lines[0]);
        next = "the new key signs once the pools are reloaded; drop when what the old one signed "
               "has expired";
    } else {
        err = write_keys(key->path, lines[0], "");
        next = "the old key is refused once the pools are reloaded";
    }
    bytes_wipe(lines, sizeof lines);
    if (err == ERR_OK)
        printf("%s: %s\n", key->path, next);
    return err == ERR_OK ? CTL_OK : CTL_FAULT;
}

/* ---- passwords of database users ---- */

/* The hosts of one user. */
struct user_hosts {
    char name[GRANTS_USER_SIZE];
    char hosts[GRANTS_HOSTS][ADMIN_HOST_SIZE];
    size_t n;
};

static enum err add_password(struct ctl *c, struct admin *a, const struct user_hosts *u,
                             const char *path)
{
    char old[CTL_PASSWORD_SIZE], fresh[CTL_PASSWORD_SIZE];
    struct buf text;
    buf_init(&text, FILE_MAX_BYTES);
    enum err err = ctl_read_password(path, old);
    ctl_make_password(c->daemon.runtime.rng, fresh);
    ctl_put_credentials(&text, u->name, fresh);
    if (text.failed)
        err = ERR_FAULT;
    for (size_t i = 0; i < u->n && err == ERR_OK; i++)
        err = admin_add_password(a, &(struct admin_user){u->name, u->hosts[i]}, old, fresh);
    if (err == ERR_OK)
        err = ctl_replace_secret(path, text.data);
    bytes_wipe(old, sizeof old);
    bytes_wipe(fresh, sizeof fresh);
    if (text.data != NULL)
        bytes_wipe(text.data, text.len);
    buf_free(&text);
    return err;
}

static enum err drop_password(struct admin *a, const struct user_hosts *u, const char *path)
{
    char password[CTL_PASSWORD_SIZE];
    enum err err = ctl_read_password(path, password);
    for (size_t i = 0; i < u->n && err == ERR_OK; i++)
        err = admin_set_user(a, &(struct admin_user){u->name, u->hosts[i]}, password);
    bytes_wipe(password, sizeof password);
    return err;
}

static enum ctl_exit rotate_password(struct ctl *c, const struct grants_role *role,
                                     const char *step)
{
    struct user_hosts user;
    enum ctl_exit exit_code = CTL_OK;
    bool adds = strcmp(step, "add") == 0;
    if (strcmp(step, "swap") == 0)
        return ctl_usage(c, "a password is added, then the old one dropped");
    struct admin *a = ctl_admin(c, &exit_code);
    if (a == NULL)
        return exit_code;
    grants_user(&c->daemon.config, role->name, user.name);
    enum err err = admin_user_hosts(a, user.name, user.hosts, GRANTS_HOSTS, &user.n);
    if (err == ERR_OK && user.n == 0)
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = adds ? add_password(c, a, &user, role->credentials)
                   : drop_password(a, &user, role->credentials);
    admin_close(a);
    if (err != ERR_OK)
        return ctl_fail(err, user.name);
    printf("%s: %s\n", role->credentials,
           adds ? "has a new password; the old one is accepted until it is dropped"
                : "its password is the only one that is accepted");
    return CTL_OK;
}

enum ctl_exit ctl_rotate(struct ctl *c)
{
    struct ctl_key keys[CTL_KEYS];
    struct grants_role roles[GRANTS_ROLES];
    const char *step = c->argc == 3 ? c->argv[2] : "";
    if (strcmp(step, "add") != 0 && strcmp(step, "swap") != 0 && strcmp(step, "drop") != 0)
        return ctl_usage(c, "a key or database user, and add, swap or drop are expected");
    c->daemon.runtime.rng = &rng_system;
    ctl_keys(&c->daemon.config, keys);
    grants_roles(&c->daemon.config, roles);
    for (size_t i = 0; i < CTL_KEYS - 1; i++) /* rows in the database have a MAC of the last one */
        if (strcmp(keys[i].name, c->argv[1]) == 0)
            return rotate_key(c, &keys[i], step);
    for (size_t i = 0; i < GRANTS_ROLES; i++)
        if (strcmp(roles[i].name, c->argv[1]) == 0)
            return rotate_password(c, &roles[i], step);
    return ctl_usage(c, "keys are token, wallet, guest and ticket; database users send, grab, "
                        "open, query, settle, audit, support and desk");
}
