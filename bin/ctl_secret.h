/* Files of secrets as hongbaoctl writes them: readable by their owner alone, and never seen half
 * written. */
#ifndef HONGBAO_BIN_CTL_SECRET_H
#define HONGBAO_BIN_CTL_SECRET_H

#include "lib/base/buf.h"
#include "lib/base/config.h"
#include "lib/base/crypto.h"
#include "lib/base/err.h"
#include <stdbool.h>

#define CTL_KEYS 5
#define CTL_PASSWORD_SIZE 33

/* A file of keys: the name that commands give it, and its path. */
struct ctl_key {
    const char *name, *path;
};
/* Fill keys with the files of keys that *config names; the last one is the archive's. The paths
 * point into *config. */
void ctl_keys(const struct config *config, struct ctl_key keys[CTL_KEYS]);

/* Write text to the new file path, mode 0400, and sync it. An existing file stays as it is, and is
 * no error. Otherwise print the reason and return ERR_FAULT. */
MUST_USE enum err ctl_write_secret(const char *path, const char *text);
/* Replace the file path by one with text, and with the owner and the mode of the old one. A reader
 * sees either the old file or the new one. ERR_FAULT after printing the reason; the old file is
 * left then. */
MUST_USE enum err ctl_replace_secret(const char *path, const char *text);
/* Write a new key to out: 64 hex digits and a newline. */
void ctl_make_key(const struct rng *rng, char out[66]);
/* Write a new password, which needs no quoting, to out. */
void ctl_make_password(const struct rng *rng, char out[CTL_PASSWORD_SIZE]);
/* Append the option file of user with password to out. */
void ctl_put_credentials(struct buf *out, const char *user, const char *password);
/* Read the password from the option file path, which hongbaoctl wrote. ERR_FAULT after printing the
 * reason. */
MUST_USE enum err ctl_read_password(const char *path, char password[CTL_PASSWORD_SIZE]);

#endif
