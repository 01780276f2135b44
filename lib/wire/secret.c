/* The mode of the open file is checked, not that of the path, so that the file which is checked is
 * the one that is read. */
#include "lib/wire/secret.h"
#include "lib/base/crypto.h"
#include "lib/base/str.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#include <sys/xattr.h>
#endif

#define HEX_LEN 64

/* One or two lines and nothing else: an ignored line would be a key that looks valid and is not.
 * The last line may lack its newline. */
static bool read_lines(struct secret_pair *pair, const char *text, size_t len)
{
    while (len > 0) {
        if (pair->n == 2 || len < HEX_LEN || !str_from_hex(pair->key[pair->n], 32, text, HEX_LEN))
            return false;
        pair->n++;
        if (len > HEX_LEN && text[HEX_LEN] != '\n')
            return false;
        size_t used = len > HEX_LEN ? HEX_LEN + 1 : HEX_LEN;
        text += used;
        len -= used;
    }
    return pair->n > 0;
}

#ifdef __linux__
/* The extended attribute that holds an ACL, in the kernel's little-endian format: a version of 4
 * bytes, then entries of 8 bytes that begin with a tag and permissions of 2 bytes each. */
#define ACL_ATTRIBUTE "system.posix_acl_access"
#define ACL_MAX_BYTES 1024
#define ACL_GROUP_OBJ 0x04
#define ACL_GROUP 0x08

/* Return true if the group bits of the file are only the mask of an ACL that gives access to users,
 * as systemd gives it to a service's user, and to no group. */
static bool only_users_in_acl(int fd)
{
    uint8_t acl[ACL_MAX_BYTES];
    ssize_t len = fgetxattr(fd, ACL_ATTRIBUTE, acl, sizeof acl);
    if (len < 4)
        return false;
    for (ssize_t at = 4; at + 8 <= len; at += 8) {
        unsigned tag = acl[at] | (unsigned)acl[at + 1] << 8;
        bool permits = (acl[at + 2] | acl[at + 3]) != 0;
        if (permits && (tag == ACL_GROUP_OBJ || tag == ACL_GROUP))
            return false;
    }
    return true;
}
#else
static bool only_users_in_acl(int fd)
{
    (void)fd;
    return false;
}
#endif

/* Read up to size bytes of a file that its group and others cannot access. Return -1 with the
 * reason appended to *message on failure. */
static ssize_t read_private(const char *path, char *text, size_t size, struct buf *message)
{
    struct stat st = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool known = fd >= 0 && fstat(fd, &st) == 0;
    bool is_private =
        known && (st.st_mode & 007) == 0 && ((st.st_mode & 070) == 0 || only_users_in_acl(fd));
    ssize_t len = is_private ? read(fd, text, size) : -1;
    if (known && !is_private)
        buf_printf(message, "%s: accessible by its group or by others; chmod 0400", path);
    else if (len < 0)
        buf_printf(message, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return len;
}

/* Return what is wrong with the keys, or NULL. */
static const char *find_weakness(const struct secret_pair *pair)
{
    static const uint8_t zeros[32];
    for (size_t i = 0; i < pair->n; i++)
        if (bytes_equal(pair->key[i], zeros, sizeof zeros))
            return "a key of zeros";
    if (pair->n == 2 && bytes_equal(pair->key[0], pair->key[1], sizeof pair->key[0]))
        return "the previous key equals the current one";
    return NULL;
}

enum err secret_load(struct secret_pair *pair, const char *path, struct buf *message)
{
    char text[2 * (HEX_LEN + 1) + 1]; /* one byte more than allowed */
    memset(pair, 0, sizeof *pair);
    ssize_t len = read_private(path, text, sizeof text, message);
    if (len < 0)
        return ERR_FAULT;
    const char *wrong = read_lines(pair, text, (size_t)len)
                            ? find_weakness(pair)
                            : "not one or two lines of 64 hex digits";
    bytes_wipe(text, sizeof text);
    if (wrong == NULL)
        return ERR_OK;
    bytes_wipe(pair, sizeof *pair);
    buf_printf(message, "%s: %s", path, wrong);
    return ERR_FAULT;
}

enum err secret_keep_out_of_dumps(void)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return ERR_FAULT;
#ifdef PR_SET_DUMPABLE
    /* the limit does not bind a program that core_pattern pipes into */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return ERR_FAULT;
#endif
    return ERR_OK;
}

bool secret_overlaps(const struct secret_pair *a, const struct secret_pair *b)
{
    bool found = false;
    for (size_t i = 0; i < a->n; i++)
        for (size_t k = 0; k < b->n; k++)
            found |= bytes_equal(a->key[i], b->key[k], sizeof a->key[i]);
    return found;
}
