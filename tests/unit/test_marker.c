/* Markers: whole or not there, by generation and id, removed when they are old; and every failure
 * is only a marker that is missing. */
#include "lib/base/str.h"
#include "lib/store/marker.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_US (INT64_C(86400) * 1000000)
#define PATH_SIZE 512

struct fixture {
    char dir[64];
    struct markers *m;
};

static const uint8_t first[16] = {1}, second[16] = {2};
static const struct id one = {{1, 2, 3, 4, 5, 6, 0x70, 0, 0x80, 1, 2, 3, 4, 5, 0xab, 0xcd}};
static const struct id two = {{1, 2, 3, 4, 5, 6, 0x70, 0, 0x80, 1, 2, 3, 4, 5, 0xac, 0xcd}};

static int set_up(void **state)
{
    static struct fixture f;
    strcpy(f.dir, "/tmp/hb-marker-XXXXXX");
    if (mkdtemp(f.dir) == NULL)
        return -1;
    f.m = markers_new(f.dir, &clock_system);
    *state = &f;
    return f.m != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[PATH_SIZE];
    markers_free(f->m);
    snprintf(command, sizeof command, "rm -rf %s", f->dir);
    return system(command); /* NOLINT(cert-env33-c) */
}

/* What the web server finds for an id: in `current`, in the directory of its last digits. */
static size_t find(const struct fixture *f, const struct id *id, char out[64])
{
    char path[PATH_SIZE], text[ID_TEXT_SIZE];
    id_format(text, id);
    snprintf(path, sizeof path, "%s/current/%s/%s", f->dir, text + 34, text);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    size_t n = fread(out, 1, 63, file);
    fclose(file);
    out[n] = '\0';
    return n;
}

static void assert_found(const struct fixture *f, const struct id *id, const char *answer)
{
    char text[64];
    assert_true(find(f, id, text) > 0);
    assert_string_equal(text, answer);
}

static void assert_not_found(const struct fixture *f, const struct id *id)
{
    char text[64];
    assert_int_equal(find(f, id, text), 0);
}

static void path_in_current(const struct fixture *f, const char *name, char out[PATH_SIZE])
{
    snprintf(out, PATH_SIZE, "%s/current/%s", f->dir, name);
}

/* Makes an answer, and with it the markers that are links to it, that much older. */
static void age(const struct fixture *f, const char *answer, int64_t age_us)
{
    char path[PATH_SIZE];
    time_t then = (time_t)((clock_system.wall_us(NULL) - age_us) / 1000000);
    struct timespec times[2] = {{.tv_sec = then}, {.tv_sec = then}};
    path_in_current(f, answer, path);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static size_t sweep_all(const struct fixture *f, const uint8_t generation[16], int64_t keep_us)
{
    size_t removed = 0;
    unsigned shard = 0;
    do
        removed += markers_sweep(f->m, generation, clock_system.wall_us(NULL) - keep_us, &shard);
    while (shard != 0);
    return removed;
}

static void nothing_without_a_directory(void **state)
{
    struct fixture *f = *state;
    struct markers *none = markers_new("/nonexistent/markers", &clock_system);
    unsigned shard = 0;
    assert_int_equal(marker_put(f->m, first, &one, STATE_SOLD_OUT), MARKER_FAILED);
    assert_false(marker_exists(f->m, first, &one));
    assert_int_equal(marker_put(none, first, &one, STATE_SOLD_OUT), MARKER_FAILED);
    assert_false(markers_switch(none, first));
    assert_true(markers_retire(none));
    assert_int_equal(markers_sweep(none, first, 0, &shard), 0);
    markers_free(none);
    assert_int_equal(marker_put(NULL, first, &one, STATE_SOLD_OUT), MARKER_THERE);
    assert_true(markers_switch(NULL, first));
}

static void found_by_its_id_alone(void **state)
{
    struct fixture *f = *state;
    assert_true(markers_switch(f->m, first));
    assert_int_equal(marker_put(f->m, first, &one, STATE_SOLD_OUT), MARKER_PUT);
    assert_found(f, &one, "{\"state\":\"sold_out\"}");
    assert_not_found(f, &two);
    assert_true(marker_exists(f->m, first, &one));
    assert_false(marker_exists(f->m, first, &two));
    assert_int_equal(marker_put(f->m, first, &two, STATE_EXPIRED), MARKER_PUT);
    assert_found(f, &two, "{\"state\":\"expired\"}");
    assert_int_equal(marker_put(f->m, first, &one, STATE_SOLD_OUT), MARKER_THERE);
    assert_true(markers_switch(f->m, first)); /* again: nothing is lost */
    assert_found(f, &one, "{\"state\":\"sold_out\"}");
}

static void found_in_the_current_generation_only(void **state)
{
    struct fixture *f = *state;
    char current[MARKER_GENERATION_SIZE];
    assert_true(markers_switch(f->m, first));
    assert_int_equal(marker_put(f->m, first, &one, STATE_SOLD_OUT), MARKER_PUT);
    assert_true(markers_switch(f->m, second));
    assert_not_found(f, &one);
    /* a process that still lives in the earlier generation */
    assert_int_equal(marker_put(f->m, first, &two, STATE_SOLD_OUT), MARKER_PUT);
    assert_not_found(f, &two);
    assert_int_equal(marker_put(f->m, second, &two, STATE_EXPIRED), MARKER_PUT);
    assert_found(f, &two, "{\"state\":\"expired\"}");
    markers_current(f->m, current);
    assert_string_equal(current, "02000000000000000000000000000000");
    assert_true(markers_retire(f->m));
    assert_not_found(f, &two);
    markers_current(f->m, current);
    assert_string_equal(current, "");
    assert_true(markers_retire(f->m));
}

static void what_others_left_is_removed(void **state)
{
    struct fixture *f = *state;
    assert_true(markers_switch(f->m, first));
    assert_int_equal(marker_put(f->m, first, &one, STATE_SOLD_OUT), MARKER_PUT);
    assert_true(markers_switch(f->m, second));
    assert_int_equal(marker_put(f->m, second, &two, STATE_SOLD_OUT), MARKER_PUT);
    assert_int_equal(sweep_all(f, first, 0),
                     0); /* a daemon of the first: neither is its to remove */
    assert_true(marker_exists(f->m, first, &one));
    assert_int_equal(sweep_all(f, second, 7 * DAY_US), 1);
    assert_false(marker_exists(f->m, first, &one));
    assert_true(marker_exists(f->m, second, &two));
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/01000000000000000000000000000000", f->dir);
    assert_int_equal(access(path, F_OK), -1);
}

static void old_ones_are_removed(void **state)
{
    struct fixture *f = *state;
    char path[PATH_SIZE];
    assert_true(markers_switch(f->m, first));
    assert_int_equal(marker_put(f->m, first, &one, STATE_SOLD_OUT), MARKER_PUT);
    assert_int_equal(marker_put(f->m, first, &two, STATE_EXPIRED), MARKER_PUT);
    path_in_current(f, "cd/readme", path); /* not a marker */
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(sweep_all(f, first, 7 * DAY_US), 0);
    age(f, "sold_out", 15 * DAY_US / 2); /* put perhaps only half a day less ago */
    assert_int_equal(sweep_all(f, first, 7 * DAY_US), 0);
    age(f, "sold_out", 17 * DAY_US / 2);
    assert_int_equal(sweep_all(f, first, 7 * DAY_US), 1);
    assert_not_found(f, &one);
    assert_found(f, &two, "{\"state\":\"expired\"}");
    assert_int_equal(access(path, F_OK), 0);
}

static void answers_are_replaced_daily(void **state)
{
    struct fixture *f = *state;
    struct stat before, after;
    char path[PATH_SIZE];
    assert_true(markers_switch(f->m, first));
    path_in_current(f, "sold_out", path);
    assert_int_equal(marker_put(f->m, first, &one, STATE_SOLD_OUT), MARKER_PUT);
    age(f, "sold_out", DAY_US + DAY_US / 24);
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(marker_put(f->m, first, &two, STATE_SOLD_OUT), MARKER_PUT);
    assert_int_equal(stat(path, &after), 0);
    assert_true(before.st_ino != after.st_ino);
    assert_int_equal(before.st_nlink, 2);
    assert_int_equal(after.st_nlink, 2); /* itself and the second marker: the first kept its age */
}

static void spoiled_answers_are_replaced(void **state)
{
    struct fixture *f = *state;
    char path[PATH_SIZE];
    assert_true(markers_switch(f->m, first));
    path_in_current(f, "sold_out", path);
    FILE *file = fopen(path, "we"); /* empty, as after a crash of the machine in mid-write */
    assert_non_null(file);
    fclose(file);
    assert_int_equal(marker_put(f->m, first, &one, STATE_SOLD_OUT), MARKER_PUT);
    assert_found(f, &one, "{\"state\":\"sold_out\"}");
}

static void others_can_read_whatever_the_umask(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    char path[PATH_SIZE];
    mode_t mask = umask(0077);
    assert_true(markers_switch(f->m, first));
    assert_int_equal(marker_put(f->m, first, &one, STATE_SOLD_OUT), MARKER_PUT);
    umask(mask);
    static const struct {
        const char *name;
        mode_t mode;
    } expected[] = {{"", 0755}, {"cd", 0755}, {"ff", 0755}, {"sold_out", 0644}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        path_in_current(f, expected[i].name, path);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, expected[i].mode);
    }
}

static void a_removed_tree_only_costs_markers(void **state)
{
    struct fixture *f = *state;
    char command[PATH_SIZE];
    assert_true(markers_switch(f->m, first));
    for (int part = 0; part < 2; part++) { /* all of it, then the directory of this id */
        snprintf(command, sizeof command, "rm -rf %s/0*%s", f->dir, part == 1 ? "/cd" : "");
        assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
        assert_int_equal(marker_put(f->m, first, &one, STATE_SOLD_OUT), MARKER_FAILED);
        assert_true(markers_switch(f->m, first)); /* as hongbaoctl init does */
    }
    assert_int_equal(marker_put(f->m, first, &one, STATE_SOLD_OUT), MARKER_PUT);
    assert_found(f, &one, "{\"state\":\"sold_out\"}");
}

/* One puts, removes and puts again; the other looks all the time. */
struct watcher {
    struct fixture *f;
    atomic_bool ending;
    atomic_uint seen, torn;
};

static void *watch(void *context)
{
    struct watcher *w = context;
    char text[64];
    while (!w->ending) {
        if (find(w->f, &one, text) == 0)
            continue;
        w->seen++;
        w->torn += strcmp(text, "{\"state\":\"sold_out\"}") != 0;
    }
    return NULL;
}

static void never_seen_half(void **state)
{
    struct watcher w = {.f = *state};
    pthread_t thread;
    char path[PATH_SIZE], marker[PATH_SIZE], text[ID_TEXT_SIZE], name[ID_TEXT_SIZE + 8];
    assert_true(markers_switch(w.f->m, first));
    id_format(text, &one);
    snprintf(name, sizeof name, "%s/%s", text + 34, text);
    path_in_current(w.f, name, marker);
    path_in_current(w.f, "sold_out", path);
    assert_int_equal(pthread_create(&thread, NULL, watch, &w), 0);
    for (int i = 0; i < 300 || w.seen == 0; i++) {
        (void)unlink(path); /* the answer is written anew each time */
        assert_int_equal(marker_put(w.f->m, first, &one, STATE_SOLD_OUT), MARKER_PUT);
        assert_int_equal(unlink(marker), 0);
    }
    w.ending = true;
    pthread_join(thread, NULL);
    assert_int_equal(w.torn, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(nothing_without_a_directory),
        T(found_by_its_id_alone),
        T(found_in_the_current_generation_only),
        T(what_others_left_is_removed),
        T(old_ones_are_removed),
        T(answers_are_replaced_daily),
        T(spoiled_answers_are_replaced),
        T(others_can_read_whatever_the_umask),
        T(a_removed_tree_only_costs_markers),
        T(never_seen_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
