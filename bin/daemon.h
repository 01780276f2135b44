/* What the programs without FastCGI share: settings, and a runtime that connects with the
 * credentials of a role. */
#ifndef HONGBAO_BIN_DAEMON_H
#define HONGBAO_BIN_DAEMON_H

#include "lib/service/common/runtime.h"
#include "lib/store/mysql.h"

#ifndef HONGBAO_CONFIG_FILE
#define HONGBAO_CONFIG_FILE "/etc/hongbao/hongbao.conf"
#endif
#ifndef HONGBAO_VERSION
#define HONGBAO_VERSION "0"
#endif

struct daemon {
    struct config config;
    struct server_list servers; /* of the database */
    struct mysql_settings primary;
    struct server_state *database, *cache; /* NULL before daemon_connect */
    struct runtime runtime;                /* its self is this struct, which must not move */
};

/* Initialise the crypto library and load the settings of config_path into d->config. On error print
 * the reason on standard error, after the name `program`. */
MUST_USE enum err daemon_load(struct daemon *d, const char *program, const char *config_path);
/* Fill d->runtime, whose sessions connect with the option file `credentials` ("": as the system
 * user). Call again to change the credentials of later sessions. ERR_FAULT: out of memory, or no
 * marker directory. */
MUST_USE enum err daemon_connect(struct daemon *d, const char *credentials);

#endif
