/* Shared by the mysql_archive*.c files and the auditor. */
#ifndef HONGBAO_STORE_MYSQL_ARCHIVE_H
#define HONGBAO_STORE_MYSQL_ARCHIVE_H

#include "lib/store/archive.h"
#include "lib/store/mysql_desk.h"

/* Columns of a carried row, as carried_take reads them. */
extern const char sql_carried_columns[];
/* Take the columns sql_carried_columns from row into *c. */
void carried_take(struct sql_row *row, struct carried *c);
/* Columns of a file, as archive_file_take reads them. */
extern const char sql_archive_columns[];
/* Take the columns sql_archive_columns from row into *f. */
void archive_file_take(struct sql_row *row, struct archive_file *f);

#endif
