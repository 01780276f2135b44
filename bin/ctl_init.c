/* init: from an empty server to one that the programs can use. */
#include "bin/ctl.h"
#include "bin/ctl_grants.h"
#include "bin/ctl_secret.h"

/* Read the password from an option file of ours; create the file if it does not exist. */
static enum err role_password(const struct rng *rng, const char *path, const char *user,
                              char password[CTL_PASSWORD_SIZE])
{
    struct buf text;
    buf_init(&text, 512);
    ctl_make_password(rng, password);
    ctl_put_credentials(&text, user, password);
    enum err err = text.failed ? ERR_FAULT : ctl_write_secret(path, text.data);
    bytes_wipe(text.data, text.len);
    buf_free(&text);
    return err == ERR_OK ? ctl_read_password(path, password) : err;
}

static enum err make_key_file(const struct rng *rng, const char *path)
{
    char text[66];
    ctl_make_key(rng, text);
    enum err err = ctl_write_secret(path, text);
    bytes_wipe(text, sizeof text);
    return err;
}

enum err ctl_make_keys(struct ctl *c, bool all)
{
    struct ctl_key keys[CTL_KEYS];
    enum err err = ERR_OK;
    ctl_keys(&c->daemon.config, keys);
    for (size_t i = all ? 0 : CTL_KEYS - 1; i < CTL_KEYS && err == ERR_OK; i++)
        err = make_key_file(c->daemon.runtime.rng, keys[i].path);
    return err;
}

enum err ctl_make_role(struct ctl *c, struct admin *a, const char *role, const char *credentials)
{
    const struct config *config = &c->daemon.config;
    char name[GRANTS_USER_SIZE], password[CTL_PASSWORD_SIZE];
    char hosts[GRANTS_HOSTS][ADMIN_HOST_SIZE];
    size_t n = 0;
    grants_user(config, role, name);
    enum err err = grants_hosts(config, hosts, &n);
    if (err == ERR_OK)
        err = role_password(c->daemon.runtime.rng, credentials, name, password);
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        const struct admin_user user = {name, hosts[i]};
        err = admin_set_user(a, &user, password);
        if (err == ERR_OK)
            err = grants_apply(a, config, role, hosts[i], true);
    }
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
    enum ctl_exit exit_code = CTL_OK;
    char hosts[GRANTS_HOSTS][ADMIN_HOST_SIZE];
    size_t n_hosts;
    if (c->argc != 1)
        return ctl_usage(c, "no arguments");
    if (grants_hosts(&c->daemon.config, hosts, &n_hosts) != ERR_OK)
        return CTL_USAGE;
    struct admin *a = ctl_admin(c, &exit_code);
    if (a == NULL)
        return exit_code;
    enum err err = ctl_apply_patches(c, a);
    if (err == ERR_OK)
        err = make_roles(c, a);
    if (err == ERR_OK)
        err = ctl_make_keys(c, true);
    if (err == ERR_OK)
        err = show_markers(c, a);
    admin_close(a);
    return err == ERR_OK ? CTL_OK : ctl_fail(err, "init");
}
