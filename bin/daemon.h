/* What programs without FastCGI need to work like a service: settings, log, counters, secrets, and
 * an runtime that connects with a role's credentials. */
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
    struct mysql_settings primary;
    struct runtime runtime; /* its self is this struct: do not copy */
};

/* Loads settings; says on standard error what is wrong. */
MUST_USE enum err daemon_load(struct daemon *d, const char *program, const char *config_path);
/* Lets runtime connect with that option file ("": as the system user), once per process. */
MUST_USE enum err daemon_connect(struct daemon *d, const char *credentials);

#endif
