/* What programs without FastCGI need to work like a service: settings, log, counters, secrets, and
 * an env that connects with a role's credentials. */
#ifndef HONGBAO_BIN_DAEMON_H
#define HONGBAO_BIN_DAEMON_H

#include "lib/service/env.h"
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
    struct env env; /* its self is this struct: do not copy */
};

/* Loads settings; says on standard error what is wrong. */
MUST_USE enum err daemon_load(struct daemon *d, const char *program, const char *config_path);
/* Lets env connect with that option file ("": as the system user), once per process. */
MUST_USE enum err daemon_connect(struct daemon *d, const char *credentials);

#endif
