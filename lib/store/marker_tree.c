/* The directories of markers: creation, switching to another generation, clean-up. The web server
 * follows the link `current`, so that a change of generation is one rename. */
#include "lib/base/str.h"
#include "lib/store/marker_internal.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOP_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC) /* DIR itself may be a link */
#define DIR_FLAGS (TOP_FLAGS | O_NOFOLLOW)
#define STEP_ENTRIES 500 /* directory entries examined by a step of the sweep, approximately */
#define STEP_SHARDS 64
#define SHARD_FORMAT "%02x"

/* ---- creating and switching ---- */

/* Open a directory, creating it if it does not exist. Return -1 with errno set on failure. */
static int make_dir(const struct markers *m, int at, const char *name, int flags)
{
    bool made = mkdirat(at, name, 0755) == 0;
    if (!made && errno != EEXIST)
        return -1;
    int fd = openat(at, name, flags);
    if (fd < 0 || !made)
        return fd;
    /* independent of the umask */
    if (fchmod(fd, marker_mode(m, 0755)) == 0 && marker_hand_over(m, fd))
        return fd;
    close(fd);
    return -1;
}

/* Create all directories of a generation; under another name it appears complete or not at all. */
static bool make_tree(const struct markers *m, int dir, const char *name)
{
    char shard[8];
    int tree = make_dir(m, dir, name, DIR_FLAGS);
    bool ok = tree >= 0;
    for (unsigned i = 0; i < MARKER_SHARDS && ok; i++) {
        snprintf(shard, sizeof shard, SHARD_FORMAT, i);
        int fd = make_dir(m, tree, shard, DIR_FLAGS);
        ok = fd >= 0;
        if (ok)
            close(fd);
    }
    if (tree >= 0)
        close(tree);
    return ok;
}

static bool point_current(int dir, const char *generation)
{
    return (unlinkat(dir, ".current", 0) == 0 || errno == ENOENT) &&
           symlinkat(generation, dir, ".current") == 0 &&
           renameat(dir, ".current", dir, "current") == 0 && fsync(dir) == 0;
}

/* Point `current` to the generation before its tree exists, because the clean-up removes trees that
 * `current` does not point to. */
static bool switch_to(const struct markers *m, int dir, const char *generation)
{
    char building[MARKER_GENERATION_SIZE + 1];
    snprintf(building, sizeof building, ".%s", generation);
    bool there = faccessat(dir, generation, F_OK, 0) == 0;
    return make_tree(m, dir, there ? generation : building) && point_current(dir, generation) &&
           (there || renameat(dir, building, dir, generation) == 0) && fsync(dir) == 0;
}

bool markers_switch(const struct markers *m, const uint8_t generation[16])
{
    char hex[MARKER_GENERATION_SIZE];
    if (m == NULL)
        return true;
    str_to_hex(hex, generation, 16);
    int dir = make_dir(m, AT_FDCWD, m->dir, TOP_FLAGS);
    bool ok = dir >= 0 && switch_to(m, dir, hex);
    int why = errno;
    if (dir >= 0)
        close(dir);
    errno = why;
    return ok;
}

bool markers_retire(const struct markers *m)
{
    if (m == NULL)
        return true;
    int dir = open(m->dir, TOP_FLAGS);
    if (dir < 0)
        return errno == ENOENT;
    bool ok = (unlinkat(dir, "current", 0) == 0 || errno == ENOENT) && fsync(dir) == 0;
    int why = errno;
    close(dir);
    errno = why;
    return ok;
}

void markers_current(const struct markers *m, char out[MARKER_GENERATION_SIZE])
{
    char path[MARKER_PATH_SIZE];
    out[0] = '\0';
    if (m == NULL)
        return;
    snprintf(path, sizeof path, "%s/current", m->dir);
    ssize_t len = readlink(path, out, MARKER_GENERATION_SIZE);
    out[len == MARKER_GENERATION_SIZE - 1 ? len : 0] = '\0';
}

/* ---- clean-up ---- */

static bool is_older(int shard, const char *name, int64_t before_us)
{
    struct stat st;
    return before_us == INT64_MAX || (fstatat(shard, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                                      (int64_t)st.st_mtime * US_PER_S < before_us);
}

static DIR *open_stream(int at, const char *name, int flags)
{
    int fd = openat(at, name, flags);
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    if (stream == NULL && fd >= 0)
        close(fd);
    return stream;
}

/* Remove the old markers of one directory, and nothing else. Return the number of markers examined.
 */
static size_t sweep_shard(int tree, const char *name, int64_t before_us, size_t *removed)
{
    struct id id;
    size_t seen = 0;
    DIR *shard = open_stream(tree, name, DIR_FLAGS);
    if (shard == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(shard)) != NULL;) {
        if (!id_parse(&id, entry->d_name, strlen(entry->d_name)))
            continue;
        seen++;
        if (is_older(dirfd(shard), entry->d_name, before_us) &&
            unlinkat(dirfd(shard), entry->d_name, 0) == 0)
            ++*removed;
    }
    closedir(shard);
    return seen;
}

void markers_each(const struct markers *m, const uint8_t generation[16], unsigned shard,
                  void (*each)(void *context, const struct id *id), void *context)
{
    char hex[MARKER_GENERATION_SIZE], path[MARKER_PATH_SIZE];
    struct id id;
    if (m == NULL)
        return;
    str_to_hex(hex, generation, 16);
    snprintf(path, sizeof path, "%s/%s/" SHARD_FORMAT, m->dir, hex, shard);
    DIR *dir = open_stream(AT_FDCWD, path, DIR_FLAGS);
    if (dir == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (id_parse(&id, entry->d_name, strlen(entry->d_name)))
            each(context, &id);
    closedir(dir);
}

static void sweep_own(int tree, int64_t before_us, unsigned *shard, size_t *removed)
{
    char name[8];
    size_t seen = 0;
    unsigned steps = 0;
    do {
        snprintf(name, sizeof name, SHARD_FORMAT, *shard);
        seen += sweep_shard(tree, name, before_us, removed);
        *shard = (*shard + 1) % MARKER_SHARDS;
    } while (*shard != 0 && ++steps < STEP_SHARDS && seen < STEP_ENTRIES);
}

/* Remove some markers of another generation, and the generation itself once it is empty. */
static void drop_some(const struct markers *m, int dir, const char *generation, size_t *removed)
{
    char name[8];
    size_t seen = 0;
    int tree = openat(dir, generation, DIR_FLAGS);
    if (tree < 0)
        return;
    for (unsigned i = 0; i < MARKER_SHARDS && seen < STEP_ENTRIES; i++) {
        snprintf(name, sizeof name, SHARD_FORMAT, i);
        seen += sweep_shard(tree, name, INT64_MAX, removed);
        (void)unlinkat(tree, name, AT_REMOVEDIR);
    }
    for (size_t i = 0; i < MARKER_ANSWERS; i++)
        (void)unlinkat(tree, m->answers[i].name, 0);
    close(tree);
    (void)unlinkat(dir, generation, AT_REMOVEDIR);
}

/* Read `current` after the name was read from the directory; see switch_to. */
static bool is_left_behind(const struct markers *m, const char *name, const char *own)
{
    char current[MARKER_GENERATION_SIZE];
    if (strlen(name) != MARKER_GENERATION_SIZE - 1 ||
        strspn(name, "0123456789abcdef") != MARKER_GENERATION_SIZE - 1 || strcmp(name, own) == 0)
        return false;
    markers_current(m, current);
    return strcmp(name, current) != 0;
}

size_t markers_sweep(const struct markers *m, const uint8_t generation[16], int64_t before_us,
                     unsigned *shard)
{
    char own[MARKER_GENERATION_SIZE];
    size_t removed = 0;
    DIR *dir = m != NULL ? open_stream(AT_FDCWD, m->dir, TOP_FLAGS) : NULL;
    if (dir == NULL)
        return 0;
    str_to_hex(own, generation, 16);
    int tree = openat(dirfd(dir), own, DIR_FLAGS);
    if (tree >= 0) {
        sweep_own(tree, before_us - MARKER_ANSWER_LIFE_US, shard, &removed);
        close(tree);
    }
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (is_left_behind(m, entry->d_name, own))
            drop_some(m, dirfd(dir), entry->d_name, &removed);
    closedir(dir);
    return removed;
}
