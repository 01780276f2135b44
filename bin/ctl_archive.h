/* What commands share that know of archives. */
#ifndef HONGBAO_BIN_CTL_ARCHIVE_H
#define HONGBAO_BIN_CTL_ARCHIVE_H

#include "bin/ctl.h"
#include "bin/ctl_archive_file.h"

/* Read the archive key of the settings of c. Return false if there is none, after printing the
 * reason unless the file is missing, which sets *missing. */
bool ctl_read_archive_key(const struct ctl *c, uint8_t key[CARRIED_KEY_SIZE], bool *missing);

/* Print in which file the envelope with the id `text` is, if it was archived. Uses the credentials
 * that c connected with last, which can read the table of archived envelopes. */
void ctl_hint_archived(struct ctl *c, const char *text);

#endif
