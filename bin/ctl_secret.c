/* Keys and passwords are replaced by a rename, because programs read them at any time: a half
 * written file would end a pool that reloads just then. */
#include "bin/ctl_secret.h"
#include "bin/ctl.h"
#include "lib/base/str.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CREDENTIALS_MAX_BYTES 4096

void ctl_keys(const struct config *config, struct ctl_key keys[CTL_KEYS])
{
    keys[0] = (struct ctl_key){"token", config->token_file};
    keys[1] = (struct ctl_key){"wallet", config->wallet_file};
    keys[2] = (struct ctl_key){"guest", config->guest_file};
    keys[3] = (struct ctl_key){"ticket", config->ticket_file};
    keys[4] = (struct ctl_key){"archive", config->archive_key_file};
}

/* Write text to the new file path. On failure return false with the reason in errno, and leave no
 * file that was begun. */
static bool write_new(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    if (fd < 0)
        return false;
    size_t len = strlen(text);
    ssize_t written = write(fd, text, len);
    if (written >= 0 && (size_t)written != len)
        errno = ENOSPC;
    bool ok = written >= 0 && (size_t)written == len && fsync(fd) == 0;
    int why = errno;
    close(fd);
    if (!ok)
        unlink(path);
    errno = why;
    return ok;
}

static enum err report(bool ok, const char *path)
{
    if (!ok)
        fprintf(stderr, "hongbaoctl: %s: %s\n", path, strerror(errno));
    return ok ? ERR_OK : ERR_FAULT;
}

enum err ctl_write_secret(const char *path, const char *text)
{
    bool ok = write_new(path, text);
    return report(ok || errno == EEXIST, path);
}

static bool sync_directory_of(const char *path)
{
    char directory[CONFIG_PATH_SIZE];
    const char *slash = strrchr(path, '/');
    snprintf(directory, sizeof directory, "%.*s", slash != NULL ? (int)(slash - path) + 1 : 1,
             slash != NULL ? path : ".");
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

enum err ctl_replace_secret(const char *path, const char *text)
{
    char next[CONFIG_PATH_SIZE + 8];
    struct stat old;
    snprintf(next, sizeof next, "%s.new", path);
    bool ok = stat(path, &old) == 0 && (unlink(next) == 0 || errno == ENOENT) &&
              write_new(next, text) && chown(next, old.st_uid, old.st_gid) == 0 &&
              chmod(next, old.st_mode & 07777) == 0 && rename(next, path) == 0 &&
              sync_directory_of(path);
    return report(ok, path);
}

void ctl_make_key(const struct rng *rng, char out[66])
{
    uint8_t key[32];
    rng->fill(rng->self, key, sizeof key);
    str_to_hex(out, key, sizeof key);
    memcpy(out + 64, "\n", 2);
    bytes_wipe(key, sizeof key);
}

void ctl_make_password(const struct rng *rng, char out[CTL_PASSWORD_SIZE])
{
    uint8_t random[16];
    rng->fill(rng->self, random, sizeof random);
    str_to_hex(out, random, sizeof random);
    bytes_wipe(random, sizeof random);
}

void ctl_put_credentials(struct buf *out, const char *user, const char *password)
{
    buf_printf(out, "[client]\nuser=%s\npassword=%s\n", user, password);
}

enum err ctl_read_password(const char *path, char password[CTL_PASSWORD_SIZE])
{
    struct buf file;
    buf_init(&file, CREDENTIALS_MAX_BYTES);
    const char *found = ctl_read_file(path, &file) ? strstr(file.data, "password=") : NULL;
    bool ok = found != NULL && strspn(found + 9, "0123456789abcdef") == CTL_PASSWORD_SIZE - 1 &&
              str_set(password, CTL_PASSWORD_SIZE, found + 9, CTL_PASSWORD_SIZE - 1);
    if (!ok)
        fprintf(stderr, "hongbaoctl: %s: no password of ours in it\n", path);
    if (file.data != NULL)
        bytes_wipe(file.data, file.len);
    buf_free(&file);
    return ok ? ERR_OK : ERR_FAULT;
}
