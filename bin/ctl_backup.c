/* backup and restore: the database in one consistent snapshot that locks no table, and the secrets,
 * without which the tokens that back ends have would be refused after a restore. */
#include "bin/ctl_client.h"
#include "bin/ctl_grants.h"
#include "bin/ctl_secret.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX (CTL_KEYS + GRANTS_ROLES + 1)
#define FILE_MAX_BYTES (1 << 20)
#define PATH_SIZE (CONFIG_PATH_SIZE + 64)
#define DUMP_FILE "hongbao.sql"
#define DUMP_END "-- Dump completed"

/* A file that is copied: where it is, and its name in the backup. */
struct copied_file {
    const char *path;
    char name[32];
};

/* Fill files with the secrets of *config, whose paths they point into; return their number. */
static size_t list_secrets(const struct config *config, struct copied_file files[FILES_MAX])
{
    struct ctl_key keys[CTL_KEYS];
    struct grants_role roles[GRANTS_ROLES];
    size_t n = 0;
    ctl_keys(config, keys);
    grants_roles(config, roles);
    for (size_t i = 0; i < CTL_KEYS; i++, n++) {
        files[n].path = keys[i].path;
        snprintf(files[n].name, sizeof files[n].name, "%s.key", keys[i].name);
    }
    for (size_t i = 0; i < GRANTS_ROLES; i++, n++) {
        files[n].path = roles[i].credentials;
        snprintf(files[n].name, sizeof files[n].name, "%s.cnf", roles[i].name);
    }
    return n;
}

static enum err report(const char *path, const char *why)
{
    fprintf(stderr, "hongbaoctl: %s: %s\n", path, why);
    return ERR_FAULT;
}

static enum err backup_copy(const char *from, const char *to)
{
    struct buf text;
    buf_init(&text, FILE_MAX_BYTES);
    errno = 0;
    enum err err = ctl_read_file(from, &text) && text.data != NULL ? ctl_write_secret(to, text.data)
                                                                   : report(from, strerror(errno));
    if (text.data != NULL)
        bytes_wipe(text.data, text.len);
    buf_free(&text);
    return err;
}

/* Copy the secrets and the settings into directory. */
static enum err backup_files(struct ctl *c, const char *directory)
{
    struct copied_file files[FILES_MAX];
    size_t n = list_secrets(&c->daemon.config, files);
    char to[PATH_SIZE];
    enum err err = ERR_OK;
    files[n].path = c->config_path;
    memcpy(files[n++].name, "hongbao.conf", sizeof "hongbao.conf");
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        snprintf(to, sizeof to, "%s/%s", directory, files[i].name);
        err = backup_copy(files[i].path, to);
    }
    return err;
}

/* With a binary log the dump begins with its position, from which a later point is reached. */
static enum err backup_database(struct ctl *c, struct admin *a, const char *directory)
{
    const char *arguments[] = {
        "--single-transaction",   "--quick",        "--hex-blob", "--default-character-set=utf8mb4",
        c->daemon.config.db_name, "--master-data=2"};
    size_t n = sizeof arguments / sizeof arguments[0];
    char path[PATH_SIZE], log_bin[16];
    enum err err = admin_variable(a, "log_bin", log_bin, sizeof log_bin);
    if (err != ERR_OK)
        return err;
    snprintf(path, sizeof path, "%s/%s", directory, DUMP_FILE);
    int out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    bool logs = strcmp(log_bin, "ON") == 0 || strcmp(log_bin, "1") == 0;
    if (out < 0 || in < 0)
        err = report(path, strerror(errno));
    else
        err = ctl_run_client(c, "mariadb-dump", arguments, logs ? n : n - 1, in, out);
    if (err == ERR_OK && fsync(out) != 0)
        err = report(path, strerror(errno));
    if (out >= 0)
        close(out);
    if (in >= 0)
        close(in);
    return err;
}

enum ctl_exit ctl_backup(struct ctl *c)
{
    enum ctl_exit exit_code = CTL_OK;
    if (c->argc != 2 || strlen(c->argv[1]) >= CONFIG_PATH_SIZE)
        return ctl_usage(c, "one directory is expected");
    const char *directory = c->argv[1];
    struct admin *a = ctl_admin(c, &exit_code);
    if (a == NULL)
        return exit_code;
    enum err err = mkdir(directory, 0700) == 0 ? ERR_OK : report(directory, strerror(errno));
    if (err == ERR_OK)
        err = backup_files(c, directory);
    if (err == ERR_OK)
        err = backup_database(c, a, directory);
    admin_close(a);
    if (err != ERR_OK)
        return ctl_fail(err, "backup");
    printf("%s: the database, the secrets and the settings; it can sign tokens, so keep it where "
           "only you can read it\n",
           directory);
    return CTL_OK;
}

/* ---- restore ---- */

/* A dump that was cut off lacks its last line, and would restore a part of the money. */
static enum err check_dump(int fd, const char *path)
{
    char end[256];
    off_t size = lseek(fd, 0, SEEK_END);
    off_t from = size > (off_t)sizeof end - 1 ? size - (off_t)sizeof end + 1 : 0;
    ssize_t len = size > 0 ? pread(fd, end, sizeof end - 1, from) : 0;
    end[len > 0 ? len : 0] = '\0';
    if (strstr(end, DUMP_END) == NULL)
        return report(path, "is not complete");
    return lseek(fd, 0, SEEK_SET) == 0 ? ERR_OK : report(path, strerror(errno));
}

/* Return true if both files can be read, are not empty and have the same text. */
static bool same_text(const char *one, const char *other)
{
    const char *const paths[] = {one, other};
    struct buf texts[2];
    bool same = true;
    for (size_t i = 0; i < 2; i++) {
        buf_init(&texts[i], FILE_MAX_BYTES);
        same = ctl_read_file(paths[i], &texts[i]) && texts[i].data != NULL && same;
    }
    same = same && strcmp(texts[0].data, texts[1].data) == 0;
    for (size_t i = 0; i < 2; i++) {
        if (texts[i].data != NULL)
            bytes_wipe(texts[i].data, texts[i].len);
        buf_free(&texts[i]);
    }
    return same;
}

/* Put back the secrets that are missing. One that is there must be that of the backup. */
static enum err restore_secrets(struct ctl *c, const char *directory)
{
    struct copied_file files[FILES_MAX];
    size_t n = list_secrets(&c->daemon.config, files);
    char from[PATH_SIZE];
    enum err err = ERR_OK;
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        snprintf(from, sizeof from, "%s/%s", directory, files[i].name);
        if (strcmp(files[i].name, "archive.key") == 0 && access(from, F_OK) != 0)
            continue; /* of a version that had none; init makes it */
        err = backup_copy(from, files[i].path);
        if (err == ERR_OK && !same_text(from, files[i].path))
            err = report(files[i].path, "differs from that of the backup; move it away first");
    }
    return err;
}

/* Refuse to restore over money. */
static enum err restore_check_empty(struct admin *a, const struct config *config)
{
    int64_t tables = 0;
    enum err err = admin_count_tables(a, config->db_name, &tables);
    if (err == ERR_OK && tables > 0) {
        fprintf(stderr,
                "hongbaoctl: the database %s has tables; DROP DATABASE %s first, or rename it\n",
                config->db_name, config->db_name);
        err = ERR_FAULT;
    }
    return err;
}

static enum err restore_database(struct ctl *c, const char *directory)
{
    const char *const arguments[] = {"--default-character-set=utf8mb4", c->daemon.config.db_name};
    enum ctl_exit exit_code = CTL_OK;
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", directory, DUMP_FILE);
    int in = open(path, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return report(path, strerror(errno));
    enum err err = check_dump(in, path);
    struct admin *a = err == ERR_OK ? ctl_admin(c, &exit_code) : NULL;
    if (err == ERR_OK)
        err = a != NULL ? restore_check_empty(a, &c->daemon.config) : ERR_UNAVAILABLE;
    admin_close(a);
    if (err == ERR_OK)
        err = restore_secrets(c, directory);
    if (err == ERR_OK)
        err = ctl_run_client(c, "mariadb", arguments, 2, in, STDERR_FILENO);
    close(in);
    return err;
}

enum ctl_exit ctl_restore(struct ctl *c)
{
    if (c->argc != 2 || strlen(c->argv[1]) >= CONFIG_PATH_SIZE)
        return ctl_usage(c, "one directory is expected");
    if (ctl_pools_run(&c->daemon.config))
        return CTL_WRONG;
    enum err err = restore_database(c, c->argv[1]);
    if (err != ERR_OK)
        return ctl_fail(err, "restore");
    /* the users and rights of the database are not part of the dump */
    c->argc = 1;
    enum ctl_exit exit_code = ctl_init(c);
    return exit_code == CTL_OK ? ctl_restored(c) : exit_code;
}
