/* The table of all settings; for config.c only. A new setting is one row here, one member of struct
 * config and one paragraph of hongbao.conf(5). */
#ifndef HONGBAO_BASE_CONFIG_TABLE_H
#define HONGBAO_BASE_CONFIG_TABLE_H

#include "lib/base/config.h"
#include <stddef.h>

enum setting_type { SETTING_NUMBER, SETTING_BOOL, SETTING_TEXT };

struct setting {
    const char *section, *name;
    enum setting_type type;
    size_t offset;     /* into struct config */
    size_t size;       /* of a text's field */
    int64_t low, high; /* of a number */
    const char *value; /* the default, as written in the file */
    const char *unit;  /* "" none */
    const char *help;
};
extern const struct setting config_table[];
extern const size_t config_table_n;

#endif
