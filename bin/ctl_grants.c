/* Privileges are compared one by one, so that init and migrate change only what differs: a user
 * that loses all of them for a moment makes the pools that run answer 503. */
#include "bin/ctl_grants.h"
#include "bin/ctl.h"
#include "lib/base/str.h"
#include <stdio.h>
#include <string.h>

#define FILE_MAX_BYTES (1 << 20)

void grants_roles(const struct config *config, struct grants_role roles[GRANTS_ROLES])
{
    roles[0] = (struct grants_role){"send", config->send.credentials};
    roles[1] = (struct grants_role){"grab", config->grab.credentials};
    roles[2] = (struct grants_role){"open", config->open.credentials};
    roles[3] = (struct grants_role){"query", config->query.credentials};
    roles[4] = (struct grants_role){"settle", config->settle_credentials};
    roles[5] = (struct grants_role){"audit", config->audit_credentials};
    roles[6] = (struct grants_role){"support", config->support_credentials};
    roles[7] = (struct grants_role){"desk", config->desk_credentials};
}

void grants_user(const struct config *config, const char *role, char out[GRANTS_USER_SIZE])
{
    snprintf(out, GRANTS_USER_SIZE, "%s_%s", config->db_name, role);
}

enum err grants_hosts(const struct config *config, char hosts[GRANTS_HOSTS][ADMIN_HOST_SIZE],
                      size_t *n)
{
    const char *at = config->db_client_hosts;
    for (*n = 0; *n < GRANTS_HOSTS && str_item(&at, hosts[*n], ADMIN_HOST_SIZE); ++*n)
        if (!admin_host_valid(hosts[*n]))
            break;
    if (*n > 0 && at[strspn(at, ", ")] == '\0')
        return ERR_OK;
    fprintf(stderr, "hongbaoctl: [database] client_hosts: 1 to %d hosts, such as 10.0.0.%%\n",
            GRANTS_HOSTS);
    return ERR_RANGE;
}

static bool privilege_equal(const struct privilege *a, const struct privilege *b)
{
    return strcmp(a->database, b->database) == 0 && strcmp(a->table, b->table) == 0 &&
           strcmp(a->column, b->column) == 0 && strcmp(a->name, b->name) == 0;
}

static bool privilege_in(const struct privilege *rows, size_t n, const struct privilege *p)
{
    for (size_t i = 0; i < n; i++)
        if (privilege_equal(&rows[i], p))
            return true;
    return false;
}

/* Copy the privileges of rows[0..n) that are not among other[0..m) to out; return how many. */
static size_t privileges_minus(const struct privilege *rows, size_t n,
                               const struct privilege *other, size_t m, struct privilege *out)
{
    size_t left = 0;
    for (size_t i = 0; i < n; i++)
        if (!privilege_in(other, m, &rows[i]))
            out[left++] = rows[i];
    return left;
}

/* ---- grants.sql ---- */

struct wanted {
    size_t n;
    struct privilege rows[GRANTS_MAX];
};

static void wanted_add(struct wanted *w, const struct privilege *all, const char *name, size_t len,
                       const char *column, size_t column_len)
{
    struct privilege p = *all;
    if (w->n < GRANTS_MAX && str_set(p.name, sizeof p.name, name, len) &&
        str_set(p.column, sizeof p.column, column, column_len))
        w->rows[w->n++] = p;
}

/* Add the privileges of one word, "SELECT" or "SELECT (a, b)". Return what follows it. */
static const char *wanted_word(struct wanted *w, const struct privilege *all, const char *at)
{
    size_t len = strcspn(at, ",(");
    const char *end = at + len;
    while (len > 0 && at[len - 1] == ' ')
        len--;
    if (*end != '(') {
        wanted_add(w, all, at, len, "", 0);
        return end;
    }
    for (const char *column = end + 1; *column != '\0' && *column != ')';) {
        size_t n = strcspn(column, ",)");
        wanted_add(w, all, at, len, column, n);
        column += n;
        column += strspn(column, ", ");
        end = column;
    }
    return *end == ')' ? end + 1 : end;
}

/* Add one line of grants.sql, "role: PRIVILEGES ON table", if it belongs to this role. */
static void wanted_line(struct wanted *w, const char *database, const char *role, char *line)
{
    struct privilege all = {.table = ""};
    size_t len = strlen(role);
    char *on = strstr(line, " ON ");
    if (strncmp(line, role, len) != 0 || line[len] != ':' || on == NULL)
        return;
    *on = '\0';
    (void)str_set(all.database, sizeof all.database, database, strlen(database));
    (void)str_set(all.table, sizeof all.table, on + 4, strlen(on + 4));
    for (const char *at = line + len + 1; *at != '\0';) {
        at += strspn(at, ", ");
        if (*at != '\0')
            at = wanted_word(w, &all, at);
    }
}

static enum err wanted_read(struct wanted *w, const struct config *config, const char *role)
{
    char path[2 * CONFIG_PATH_SIZE], line[256];
    struct buf text;
    w->n = 0;
    buf_init(&text, FILE_MAX_BYTES);
    snprintf(path, sizeof path, "%s/grants.sql", config->sql_dir);
    bool ok = ctl_read_file(path, &text);
    for (const char *at = ok ? text.data : ""; *at != '\0';) {
        size_t len = strcspn(at, "\n");
        if (str_set(line, sizeof line, at, len) && line[0] != '-')
            wanted_line(w, config->db_name, role, line);
        at += len;
        at += *at == '\n' ? 1 : 0;
    }
    buf_free(&text);
    if (!ok)
        fprintf(stderr, "hongbaoctl: %s: cannot be read\n", path);
    return ok ? ERR_OK : ERR_FAULT;
}

/* ---- comparing and changing ---- */

enum err grants_compare(struct admin *a, const struct config *config, const char *role,
                        const char *host, struct grants_difference *out)
{
    static struct wanted wanted; /* large */
    static struct privilege has[GRANTS_MAX];
    char name[GRANTS_USER_SIZE];
    const struct admin_user user = {name, host};
    size_t n = 0;
    grants_user(config, role, name);
    enum err err = wanted_read(&wanted, config, role);
    if (err == ERR_OK)
        err = admin_privileges(a, &user, has, GRANTS_MAX, &n);
    if (err != ERR_OK)
        return err;
    out->n_missing = privileges_minus(wanted.rows, wanted.n, has, n, out->missing);
    out->n_surplus = privileges_minus(has, n, wanted.rows, wanted.n, out->surplus);
    return ERR_OK;
}

static enum err grant_missing(struct admin *a, const struct privilege *p,
                              const struct admin_user *user)
{
    char text[2 * PRIVILEGE_NAME_SIZE + 8];
    snprintf(text, sizeof text, p->column[0] != '\0' ? "%s (%s)" : "%s%s", p->name, p->column);
    return admin_grant(a, p->database, text, p->table, user);
}

enum err grants_apply(struct admin *a, const struct config *config, const char *role,
                      const char *host, bool revoke)
{
    static struct grants_difference d; /* large */
    char name[GRANTS_USER_SIZE];
    const struct admin_user user = {name, host};
    grants_user(config, role, name);
    enum err err = grants_compare(a, config, role, host, &d);
    for (size_t i = 0; i < d.n_missing && err == ERR_OK; i++)
        err = grant_missing(a, &d.missing[i], &user);
    for (size_t i = 0; i < d.n_surplus && revoke && err == ERR_OK; i++)
        err = admin_revoke(a, &d.surplus[i], &user);
    return err;
}
