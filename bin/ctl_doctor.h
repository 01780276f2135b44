/* The checks of `hongbaoctl doctor`, one group a file. */
#ifndef HONGBAO_BIN_CTL_DOCTOR_H
#define HONGBAO_BIN_CTL_DOCTOR_H

#include "bin/ctl.h"

#define FINDINGS_MAX 96
#define FOUND_SIZE 256

struct finding {
    char what[CONFIG_PATH_SIZE];
    char found[FOUND_SIZE];
    const char *fix;
    bool note; /* worth knowing, and not wrong by itself */
};
struct findings {
    size_t n, notes, checks; /* n: rows in use, notes among them */
    struct finding rows[FINDINGS_MAX];
    int64_t claims, bytes; /* in the database, and its size; 0: not read */
};

/* Count a check in f; if wrong, add a finding: what was checked, what was found and how to fix it.
 * what and found are copied; fix must be static. */
void doctor_check(struct findings *f, bool wrong, const char *what, const char *found,
                  const char *fix);
/* Add to f a note about what, if there is reason for one, with what was found and fix. found is
 * copied; fix must be static. */
void doctor_note(struct findings *f, bool reason, const char *what, const char *found,
                 const char *fix);

/* Check for c the settings of the database server, the applied patches and each role's connection
 * and privileges; add findings to f. */
void doctor_database(struct findings *f, struct ctl *c);
/* Check secrets, directories and sockets in the settings of c; add findings to f. */
void doctor_files(struct findings *f, struct ctl *c);
/* Check that every program runs, works and has the settings of c; memcached, the replica and frozen
 * envelopes. Add findings to f. */
void doctor_processes(struct findings *f, struct ctl *c);
/* Check, as the user of each program of c, the files that it needs; add findings to f. Needs root,
 * or that all run as the caller. */
void doctor_users(struct findings *f, struct ctl *c);
/* Check the user of the web server that listens on the TCP port of this host, and what it reaches
 * of c; add findings to f. */
void doctor_web_user(struct findings *f, const struct ctl *c, unsigned port);
/* Check the markers of c, and the way through the web server: one GET, and one marker put, fetched
 * and removed. Add findings to f. */
void doctor_web(struct findings *f, struct ctl *c);

#endif
