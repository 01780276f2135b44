/* Secrets, directories and sockets: which users can read them, and connect. */
#include "bin/ctl_doctor.h"
#include "bin/ctl_grants.h"
#include "bin/ctl_secret.h"
#include "lib/base/str.h"
#include "lib/wire/secret.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_secret(struct findings *f, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        doctor_check(f, true, path, "is not there", "run hongbaoctl init");
    else
        doctor_check(f, (st.st_mode & 0337) != 0, path, "can be written, or read by others",
                     "chmod 0400, or 0440 for a group of its own");
}

/* Load each key file as the pools do, and look for a key in two of them. */
static void check_keys(struct findings *f, const struct config *config)
{
    static struct secret_pair pairs[CTL_KEYS]; /* cleared below */
    struct ctl_key keys[CTL_KEYS];
    struct buf why;
    ctl_keys(config, keys);
    buf_init(&why, FOUND_SIZE);
    for (size_t i = 0; i < CTL_KEYS; i++) {
        buf_reset(&why);
        bool bad = secret_load(&pairs[i], keys[i].path, &why) != ERR_OK;
        bool archive = i + 1 == CTL_KEYS;
        doctor_check(f, bad, keys[i].path, why.data != NULL ? why.data : "cannot be read",
                     archive ? "chmod 0400; or take it from a backup: it signed what is archived"
                             : "chmod 0400; or remove it, run hongbaoctl init and restart the "
                               "pools, which ends the tokens it signed");
        for (size_t k = 0; k < i; k++)
            doctor_check(f, secret_overlaps(&pairs[i], &pairs[k]), keys[i].path, keys[k].path,
                         "these have a key in common: remove one that is not archive.key, run "
                         "hongbaoctl init and restart the pools");
    }
    bytes_wipe(pairs, sizeof pairs);
    buf_free(&why);
}

/* The directory of the secrets is named by one of them. */
static void check_secrets_directory(struct findings *f, const char *path)
{
    char directory[CONFIG_PATH_SIZE];
    struct stat st;
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path)
        return;
    snprintf(directory, sizeof directory, "%.*s", (int)(slash - path), path);
    if (stat(directory, &st) == 0)
        doctor_check(f, (st.st_mode & 0027) != 0, directory, "others can look into it",
                     "chmod 0700, or 0750 for a group of its own");
}

/* Of several memcached servers only those with a socket have a mode. */
static void check_cache_sockets(struct findings *f, const char *servers)
{
    char path[CONFIG_PATH_SIZE];
    struct stat st;
    while (str_item(&servers, path, sizeof path))
        if (path[0] == '/' && stat(path, &st) == 0)
            doctor_check(f, (st.st_mode & 0007) != 0, path, "others can connect",
                         "start memcached with -a 0660");
}

void doctor_files(struct findings *f, struct ctl *c)
{
    const struct config *config = &c->daemon.config;
    const struct config_pool *const pools[] = {&config->send, &config->grab, &config->open,
                                               &config->query};
    struct grants_role roles[GRANTS_ROLES];
    struct stat st;
    grants_roles(config, roles);
    for (size_t i = 0; i < GRANTS_ROLES; i++)
        check_secret(f, roles[i].credentials);
    check_keys(f, config);
    check_secrets_directory(f, config->token_file);
    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++)
        if (stat(pools[i]->socket, &st) == 0)
            doctor_check(f, (st.st_mode & 0117) != 0, pools[i]->socket, "others can connect",
                         "chmod 0660: a process that can connect can forge every request");
    check_cache_sockets(f, config->cache_servers);
    if (config->log_dir[0] != '\0')
        doctor_check(f, stat(config->log_dir, &st) != 0 || !S_ISDIR(st.st_mode), "[site] log_dir",
                     "is no directory", "create it, owned by the users of the programs");
    doctor_note(f, config->demo, "[site] demo", "anyone can sign in as a guest with play money",
                "set demo = no where the money is real");
}
