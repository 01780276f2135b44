/* The MACs of carried rows and of the rows of files: SQL can edit a row, but has no key. */
#include "lib/store/mysql_archive.h"
#include "lib/store/mysql_audit.h"
#include <stdio.h>
#include <string.h>

static void count_seal(struct audit_count *out, bool sealed, const char *key)
{
    out->rows++;
    if (!sealed && out->violations++ == 0)
        memcpy(out->example, key, strnlen(key, sizeof out->example - 1));
}

void audit_count_seal(struct audit_session *s, const struct carried *c)
{
    count_seal(&s->seals, s->key != NULL && carried_sealed(c, s->key), c->user);
}

static void take_carried(void *context, struct sql_row *row)
{
    struct carried c;
    carried_take(row, &c);
    audit_count_seal(context, &c);
}

static void take_file(void *context, struct sql_row *row)
{
    struct audit_session *s = context;
    struct archive_file f;
    char key[32];
    archive_file_take(row, &f);
    snprintf(key, sizeof key, "file %lld", (long long)f.number);
    count_seal(&s->seals, s->key != NULL && archive_file_sealed(&f, s->key), key);
}

enum err audit_check_seals(struct audit_session *s)
{
    struct mysql_store *m = mysql_of(s->store);
    memset(&s->seals, 0, sizeof s->seals);
    buf_printf(sql_begin(m), "SELECT %s FROM carried; SELECT %s FROM archive WHERE number > 0",
               sql_carried_columns, sql_archive_columns);
    enum err err = sql_send(m);
    if (err == ERR_OK)
        err = sql_stream(m, take_carried, s);
    return err == ERR_OK ? sql_rows(m, take_file, s) : err;
}
