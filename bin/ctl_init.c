/* init and migrate: from an empty server to one that the programs can use. */
#include "bin/ctl.h"
#include "lib/base/str.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX_BYTES (1 << 20)
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

static bool read_file(const char *path, struct buf *out)
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
    const char *found = read_file(path, &file) ? strstr(file.data, "password=") : NULL;
    bool ok = found != NULL && strspn(found + 9, "0123456789abcdef") == PASSWORD_SIZE - 1 &&
              str_set(password, PASSWORD_SIZE, found + 9, PASSWORD_SIZE - 1);
    if (!ok)
        fprintf(stderr, "hongbaoctl: %s: no password of ours in it\n", path);
    bytes_wipe(file.data, file.len);
    buf_free(&file);
    return ok ? ERR_OK : ERR_FAULT;
}

struct role {
    const char *name, *credentials;
};

/* Apply one line of grants.sql, "role: PRIVILEGES ON table", if it belongs to this role. */
static enum err grant_line(struct admin *a, const char *database, const struct role *role,
                           const char *user, char *line)
{
    size_t len = strlen(role->name);
    char *on = strstr(line, " ON ");
    if (strncmp(line, role->name, len) != 0 || line[len] != ':' || on == NULL)
        return ERR_OK;
    *on = '\0';
    return admin_grant(a, database, line + len + 2, on + 4, user);
}

static enum err grant_all(struct admin *a, const char *database, const struct role *role,
                          const char *user, const char *grants)
{
    char line[256];
    enum err err = admin_revoke_all(a, user);
    for (const char *at = grants; *at != '\0' && err == ERR_OK;) {
        size_t len = strcspn(at, "\n");
        if (str_set(line, sizeof line, at, len) && line[0] != '-')
            err = grant_line(a, database, role, user, line);
        at += len;
        at += *at == '\n' ? 1 : 0;
    }
    return err;
}

static enum err make_roles(struct ctl *c, struct admin *a)
{
    const struct config *config = &c->daemon.config;
    const struct role roles[] = {
        {"send", config->send.credentials},     {"grab", config->grab.credentials},
        {"open", config->open.credentials},     {"query", config->query.credentials},
        {"settle", config->settle_credentials}, {"audit", config->audit_credentials}};
    char path[2 * CONFIG_PATH_SIZE], user[160], password[PASSWORD_SIZE];
    struct buf grants;
    buf_init(&grants, FILE_MAX_BYTES);
    snprintf(path, sizeof path, "%s/grants.sql", config->sql_dir);
    enum err err = read_file(path, &grants) ? ERR_OK : ERR_FAULT;
    if (err != ERR_OK)
        fprintf(stderr, "hongbaoctl: %s: cannot be read\n", path);
    for (size_t i = 0; i < sizeof roles / sizeof roles[0] && err == ERR_OK; i++) {
        snprintf(user, sizeof user, "%s_%s", config->db_name, roles[i].name);
        err = role_password(c->daemon.runtime.rng, roles[i].credentials, user, password);
        if (err == ERR_OK)
            err = admin_set_user(a, user, password);
        if (err == ERR_OK)
            err = grant_all(a, config->db_name, &roles[i], user, grants.data);
    }
    bytes_wipe(password, sizeof password);
    buf_free(&grants);
    return err;
}

/* Let the web server find the markers of this generation, or none at all. */
static enum err show_markers(struct ctl *c, struct admin *a)
{
    uint8_t generation[16];
    enum err err = admin_generation(a, generation);
    return err == ERR_OK ? ctl_switch_markers(c, generation) : err;
}

/* Select files named NNNN_name.sql. */
static int is_patch(const struct dirent *entry)
{
    const char *name = entry->d_name, *dot = strrchr(name, '.');
    return strspn(name, "0123456789") == 4 && name[4] == '_' && dot != NULL &&
           strcmp(dot, ".sql") == 0;
}

static enum err apply_patch(struct admin *a, const char *directory, const char *name,
                            int64_t version)
{
    char path[2 * CONFIG_PATH_SIZE + 256];
    struct buf text;
    buf_init(&text, FILE_MAX_BYTES);
    snprintf(path, sizeof path, "%s/%s", directory, name);
    enum err err = read_file(path, &text) ? admin_apply(a, version, text.data) : ERR_FAULT;
    buf_free(&text);
    if (err == ERR_OK)
        printf("applied %s\n", name);
    else
        fprintf(stderr, "hongbaoctl: %s: %s\n", path, err_name(err));
    return err;
}

static enum err migrate(struct ctl *c, struct admin *a)
{
    const char *directory = c->daemon.config.sql_dir;
    struct dirent **entries = NULL;
    uint8_t generation[16];
    int64_t applied;
    enum err err = admin_schema_version(a, &applied);
    int n = err == ERR_OK ? scandir(directory, &entries, is_patch, alphasort) : 0;
    if (err == ERR_OK && n <= 0) {
        fprintf(stderr, "hongbaoctl: %s: no SQL patches there\n", directory);
        err = ERR_FAULT;
    }
    for (int i = 0; i < n; i++) {
        int64_t version = strtoll(entries[i]->d_name, NULL, 10);
        if (err == ERR_OK && version > applied)
            err = apply_patch(a, directory, entries[i]->d_name, version);
        free(entries[i]);
    }
    free(entries);
    c->daemon.runtime.rng->fill(c->daemon.runtime.rng->self, generation, sizeof generation);
    return err == ERR_OK ? admin_set_generation(a, generation, false) : err;
}

enum ctl_exit ctl_migrate(struct ctl *c)
{
    enum ctl_exit exit_code = CTL_OK;
    if (c->argc != 1)
        return ctl_usage(c, "no arguments");
    struct admin *a = ctl_admin(c, &exit_code);
    if (a == NULL)
        return exit_code;
    enum err err = migrate(c, a);
    admin_close(a);
    return err == ERR_OK ? CTL_OK : ctl_fail(err, "migrate");
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
    enum err err = migrate(c, a);
    if (err == ERR_OK)
        err = make_roles(c, a);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && err == ERR_OK; i++)
        err = make_key_file(c->daemon.runtime.rng, keys[i]);
    if (err == ERR_OK)
        err = show_markers(c, a);
    admin_close(a);
    return err == ERR_OK ? CTL_OK : ctl_fail(err, "init");
}
