/* A marker is a hard link: creating it is one system call, it is complete at once, and millions of
 * them share two files. The web server reads the files, so they hold exactly what a program would
 * answer. */
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/store/marker_internal.h"
#include "lib/wire/grab_json.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHARD_DIGITS 2

/* Fill *a with the answer of the programs for state. */
static bool answer_fill(struct marker_answer *a, const char *name, enum grab_state state)
{
    struct grab_answer grab = {.state = state};
    struct buf text;
    buf_init(&text, sizeof a->text - 1);
    grab_json(&grab, &text);
    bool ok = !text.failed;
    if (ok) {
        memcpy(a->text, text.data, text.len);
        a->len = text.len;
        a->name = name;
    }
    buf_free(&text);
    return ok;
}

struct markers *markers_new(const char *dir, const struct clock *clock)
{
    struct markers *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    m->clock = clock;
    if (!str_set(m->dir, sizeof m->dir, dir, strlen(dir)) ||
        !answer_fill(&m->answers[0], "sold_out", GRAB_SOLD_OUT) ||
        !answer_fill(&m->answers[1], "expired", GRAB_EXPIRED)) {
        free(m);
        return NULL;
    }
    return m;
}

void markers_free(struct markers *m)
{
    free(m);
}

static void path_of_answer(char out[MARKER_PATH_SIZE], const struct markers *m,
                           const uint8_t generation[16], const char *prefix, const char *name)
{
    char hex[MARKER_GENERATION_SIZE];
    str_to_hex(hex, generation, 16);
    snprintf(out, MARKER_PATH_SIZE, "%s/%s/%s%s", m->dir, hex, prefix, name);
}

static void path_of_marker(char out[MARKER_PATH_SIZE], const struct markers *m,
                           const uint8_t generation[16], const struct id *id)
{
    char hex[MARKER_GENERATION_SIZE], text[ID_TEXT_SIZE];
    str_to_hex(hex, generation, 16);
    id_format(text, id);
    snprintf(out, MARKER_PATH_SIZE, "%s/%s/%s/%s", m->dir, hex,
             text + ID_TEXT_SIZE - 1 - SHARD_DIGITS, text);
}

bool marker_hand_over(const struct markers *m, int fd)
{
    struct stat owner;
    if (geteuid() != 0)
        return true;
    return stat(m->dir, &owner) == 0 && fchown(fd, owner.st_uid, owner.st_gid) == 0;
}

mode_t marker_mode(const struct markers *m, mode_t mode)
{
    struct stat dir;
    return stat(m->dir, &dir) == 0 ? mode | (dir.st_mode & S_IWGRP) : mode;
}

/* Write a new answer under a temporary name and rename it once it is on disk. */
static bool answer_write(const struct markers *m, const struct marker_answer *a,
                         const uint8_t generation[16])
{
    char path[MARKER_PATH_SIZE], temporary[MARKER_PATH_SIZE], prefix[32];
    snprintf(prefix, sizeof prefix, ".%d.", (int)gettid());
    path_of_answer(path, m, generation, "", a->name);
    path_of_answer(temporary, m, generation, prefix, a->name);
    (void)unlink(temporary); /* left by a thread that died */
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return false;
    bool ok = fchmod(fd, marker_mode(m, 0644)) == 0 && marker_hand_over(m, fd) &&
              write(fd, a->text, a->len) == (ssize_t)a->len && fsync(fd) == 0 &&
              rename(temporary, path) == 0;
    int why = errno;
    if (!ok)
        (void)unlink(temporary);
    close(fd);
    errno = why;
    return ok;
}

/* Return true if path is the answer a, written today. */
static bool answer_is_fresh(const struct markers *m, const struct marker_answer *a,
                            const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 || st.st_size != (off_t)a->len)
        return false;
    int64_t age_us = m->clock->wall_us(m->clock->self) - (int64_t)st.st_mtime * US_PER_S;
    return age_us < MARKER_ANSWER_LIFE_US && age_us > -MARKER_ANSWER_LIFE_US;
}

/* A file can have a limited number of links (EMLINK), and links to a file of another user may be
 * forbidden (EPERM); in both cases write a new answer. */
static enum marker_result link_marker(const struct markers *m, const struct marker_answer *a,
                                      const uint8_t generation[16], const struct id *id)
{
    char answer[MARKER_PATH_SIZE], marker[MARKER_PATH_SIZE];
    path_of_answer(answer, m, generation, "", a->name);
    path_of_marker(marker, m, generation, id);
    if (!answer_is_fresh(m, a, answer) && !answer_write(m, a, generation))
        return MARKER_FAILED;
    int rc = link(answer, marker);
    if (rc != 0 && (errno == EMLINK || errno == EPERM) && answer_write(m, a, generation))
        rc = link(answer, marker);
    if (rc == 0)
        return MARKER_PUT;
    return errno == EEXIST ? MARKER_THERE : MARKER_FAILED;
}

enum marker_result marker_put(struct markers *m, const uint8_t generation[16], const struct id *id,
                              enum envelope_state state)
{
    assert(state == STATE_SOLD_OUT || state == STATE_EXPIRED);
    if (m == NULL)
        return MARKER_THERE;
    const struct marker_answer *a = &m->answers[state == STATE_EXPIRED];
    enum marker_result result = link_marker(m, a, generation, id);
    bool failed = result == MARKER_FAILED;
    int why = errno;
    if (atomic_exchange(&m->failing, failed) == failed)
        return result;
    if (failed)
        log_event(LOG_LEVEL_WARN, "markers_failing", "%s: %s", m->dir, strerror(why));
    else
        log_event(LOG_LEVEL_INFO, "markers_recovered", "%s", m->dir);
    return result;
}

bool marker_exists(const struct markers *m, const uint8_t generation[16], const struct id *id)
{
    char path[MARKER_PATH_SIZE];
    if (m == NULL)
        return true;
    path_of_marker(path, m, generation, id);
    return access(path, F_OK) == 0;
}

enum envelope_state marker_state(const struct markers *m, const uint8_t generation[16],
                                 const struct id *id)
{
    char path[MARKER_PATH_SIZE], text[sizeof m->answers[0].text];
    if (m == NULL)
        return STATE_OPEN;
    path_of_marker(path, m, generation, id);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return STATE_OPEN;
    ssize_t len = read(fd, text, sizeof text);
    close(fd);
    const struct marker_answer *expired = &m->answers[1];
    bool tells_expired =
        len == (ssize_t)expired->len && memcmp(text, expired->text, expired->len) == 0;
    return tells_expired ? STATE_EXPIRED : STATE_SOLD_OUT;
}

bool marker_remove(const struct markers *m, const uint8_t generation[16], const struct id *id)
{
    char path[MARKER_PATH_SIZE];
    path_of_marker(path, m, generation, id);
    return unlink(path) == 0 || errno == ENOENT;
}
