/* init: from an empty server to one that the programs can use. */
#include "bin/ctl.h"
#include "bin/ctl_grants.h"
#include "lib/base/str.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PASSWORD_SIZE 33

/* Write a new file that only its owner can read. An existing file stays as it is. */
static enum err write_secret(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    if (fd < 0 && errno == EEXIST)
        return ERR_OK;
    size_t len = strlen(text);
    bool ok = fd >= 0 && write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    if (!ok)
        fprintf(stderr, "hongbaoctl: %s: %s\n", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return ok ? ERR_OK : ERR_FAULT;
}

static enum err make_key_file(const struct rng *rng, const char *path)
{
    uint8_t key[32];
    char text[66];
    rng->fill(rng->self, key, sizeof key);
    str_to_hex(text, key, sizeof key);
    memcpy(text + 64, "\n", 2);
    enum err err = write_secret(path, text);
    bytes_wipe(key, sizeof key);
    bytes_wipe(text, sizeof text);
    return err;
}

/* Read the password from a credentials file of ours; create the file if it does not exist. */
static enum err role_password(const struct rng *rng, const char *path, const char *user,
                              char password[PASSWORD_SIZE])
{
    uint8_t random[16];
    char text[256];
    struct buf file;
    rng->fill(rng->self, random, sizeof random);
    str_to_hex(password, random, sizeof random);
    snprintf(text, sizeof text, "[client]\nuser=%s\npassword=%s\n", user, password);
    enum err err = write_secret(path, text);
    bytes_wipe(text, sizeof text);
    if (err != ERR_OK)
        return err;
    buf_init(&file, 4096);
    const char *found = ctl_read_file(path, &file) ? strstr(file.data, "password=") : NULL;
    bool ok = found != NULL && strspn(found + 9, "0123456789abcdef") == PASSWORD_SIZE - 1 &&
              str_set(password, PASSWORD_SIZE, found + 9, PASSWORD_SIZE - 1);
    if (!ok)
        fprintf(stderr, "hongbaoctl: %s: no password of ours in it\n", path);
    bytes_wipe(file.data, file.len);
    buf_free(&file);
    return ok ? ERR_OK : ERR_FAULT;
}

enum err ctl_make_role(struct ctl *c, struct admin *a, const char *role, const char *credentials)
{
    const struct config *config = &c->daemon.config;
    char user[GRANTS_USER_SIZE], password[PASSWORD_SIZE];
    grants_user(config, role, user);
    enum err err = role_password(c->daemon.runtime.rng, credentials, user, password);
    if (err == ERR_OK)
        err = admin_set_user(a, user, password);
    if (err == ERR_OK)
        err = grants_apply(a, config, role, true);
    bytes_wipe(password, sizeof password);
    return err;
}

static enum err make_roles(struct ctl *c, struct admin *a)
{
    struct grants_role roles[GRANTS_ROLES];
    enum err err = ERR_OK;
    grants_roles(&c->daemon.config, roles);
    for (size_t i = 0; i < GRANTS_ROLES && err == ERR_OK; i++)
        err = ctl_make_role(c, a, roles[i].name, roles[i].credentials);
    return err;
}

/* Let the web server find the markers of this generation, or none at all. */
static enum err show_markers(struct ctl *c, struct admin *a)
{
    uint8_t generation[16];
    enum err err = admin_generation(a, generation);
    return err == ERR_OK ? ctl_switch_markers(c, generation) : err;
}

enum ctl_exit ctl_init(struct ctl *c)
{
    const struct config *config = &c->daemon.config;
    const char *const keys[] = {config->token_file, config->wallet_file, config->guest_file,
                                config->ticket_file};
    enum ctl_exit exit_code = CTL_OK;
    if (c->argc != 1)
        return ctl_usage(c, "no arguments");
    struct admin *a = ctl_admin(c, &exit_code);
    if (a == NULL)
        return exit_code;
    enum err err = ctl_apply_patches(c, a);
    if (err == ERR_OK)
        err = make_roles(c, a);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && err == ERR_OK; i++)
        err = make_key_file(c->daemon.runtime.rng, keys[i]);
    if (err == ERR_OK)
        err = show_markers(c, a);
    admin_close(a);
    return err == ERR_OK ? CTL_OK : ctl_fail(err, "init");
}
