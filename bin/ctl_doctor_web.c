/* The markers, and the way of a request through the web server: only a request shows that it finds
 * the pools and the markers, and may. */
#include "bin/ctl_doctor.h"
#include "lib/base/str.h"
#include "lib/service/settle/marker_check.h"
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_MAX 16384

/* ---- HTTP ---- */

struct site {
    char host[CONFIG_PATH_SIZE], port[8];
};

/* Split "http://host[:port]/". False: another form. */
static bool site_parse(const char *url, struct site *s)
{
    static const char scheme[] = "http://";
    if (strncmp(url, scheme, sizeof scheme - 1) != 0)
        return false;
    const char *host = url + sizeof scheme - 1;
    size_t len = strcspn(host, ":/");
    const char *port = host[len] == ':' ? host + len + 1 : "80";
    size_t port_len = strcspn(port, "/");
    return len > 0 && str_set(s->host, sizeof s->host, host, len) &&
           str_set(s->port, sizeof s->port, port, port_len);
}

static int site_connect(const struct site *s)
{
    const struct timeval limit = {.tv_sec = 6};
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(s->host, s->port, &hints, &found) != 0)
        return -1;
    int fd = -1;
    for (const struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        if (connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

/* Send one request without a body; store the whole answer in out. Return its status, 0 if there is
 * none. */
static int site_ask(const struct site *s, const char *method, const char *path,
                    char out[ANSWER_MAX])
{
    char request[2 * CONFIG_PATH_SIZE];
    int fd = site_connect(s);
    size_t len = 0;
    out[0] = '\0';
    if (fd < 0)
        return 0;
    int n = snprintf(request, sizeof request,
                     "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                     method, path, s->host);
    if (n > 0 && (size_t)n < sizeof request && write(fd, request, (size_t)n) == n)
        for (ssize_t got;
             len < ANSWER_MAX - 1 && (got = read(fd, out + len, ANSWER_MAX - 1 - len)) > 0;)
            len += (size_t)got;
    close(fd);
    out[len] = '\0';
    const char *status = strchr(out, ' ');
    return strncmp(out, "HTTP/1.", 7) == 0 && status != NULL ? (int)strtol(status, NULL, 10) : 0;
}

/* ---- the checks ---- */

/* Return false if nothing answers at all, or not in time. */
static bool check_get(struct findings *f, const struct site *site, const char *url)
{
    static char answer[ANSWER_MAX];
    char text[FOUND_SIZE];
    int status = site_ask(site, "GET", "/readyz", answer);
    snprintf(text, sizeof text, "does not answer at %.200s", url);
    doctor_check(f, status == 0, "web server", text, "start it; check [site] url");
    if (status == 0)
        return false;
    const char *body = strstr(answer, "\r\n\r\n");
    bool own = strcasestr(answer, "X-Request-Id:") != NULL;
    snprintf(text, sizeof text, "GET /readyz is %d %.200s", status, body != NULL ? body + 4 : "");
    doctor_check(f, !own, "web server", text,
                 "let it reach the pools: its user must be in the group of their sockets, and its "
                 "configuration that of this version");
    doctor_check(f, own && status != 200, "web server", text, "see the other findings");
    return true;
}

/* Put a marker for an envelope that does not exist, fetch it as a client does unless site is NULL,
 * and remove it. */
static void check_marker(struct findings *f, struct ctl *c, const struct site *site)
{
    static char answer[ANSWER_MAX];
    struct runtime *r = &c->daemon.runtime;
    char path[128], id_text[ID_TEXT_SIZE];
    struct id id = id_make(r->rng, r->clock->wall_us(r->clock->self), 0);
    enum marker_result put = marker_put(r->markers, r->generation, &id, STATE_EXPIRED);
    doctor_check(f, put != MARKER_PUT, "[site] marker_dir", "a marker cannot be put there",
                 "chown -R it to the users of the pools, chmod -R g+w");
    if (put != MARKER_PUT)
        return;
    id_format(id_text, &id);
    snprintf(path, sizeof path, "/v1/envelopes/%s/grab", id_text);
    int status = site != NULL ? site_ask(site, "POST", path, answer) : 0;
    bool found = status == 200 && strstr(answer, "\"expired\"") != NULL;
    doctor_check(f, status != 0 && !found, "markers", "the web server does not find them",
                 "let it look in [site] marker_dir, and read there (chmod o+rx)");
    if (!marker_remove(r->markers, r->generation, &id))
        doctor_check(f, true, "[site] marker_dir", "a marker cannot be removed",
                     "chown -R it to the users of the pools");
}

/* Compare the markers of this host with the database. */
static void check_ends(struct findings *f, const struct account_service *s)
{
    struct audit_count markers = {.rows = 0};
    char text[FOUND_SIZE];
    struct session *session = session_pool_take(s->sessions, 0);
    enum err err = ERR_UNAVAILABLE;
    if (session != NULL) {
        err = marker_check(s->runtime, session->store, &markers);
        session_pool_give(s->sessions, session, err);
    }
    snprintf(text, sizeof text,
             "%lld of %lld state an end that the database does not have, e.g. %s",
             (long long)markers.violations, (long long)markers.rows, markers.example);
    doctor_check(f, markers.violations > 0, "markers", text,
                 "if a backup was restored: hongbaoctl restored; else "
                 "reconciliation removes them");
}

/* The web server must find the markers of this generation and have permission to read them. */
static void check_tree(struct findings *f, const struct ctl *c)
{
    const struct config *config = &c->daemon.config;
    const struct runtime *r = &c->daemon.runtime;
    char current[MARKER_GENERATION_SIZE], generation[MARKER_GENERATION_SIZE];
    char path[2 * CONFIG_PATH_SIZE];
    struct stat dir, tree;
    markers_current(r->markers, current);
    str_to_hex(generation, r->generation, sizeof r->generation);
    snprintf(path, sizeof path, "%s/%s", config->marker_dir, current);
    bool there = current[0] != '\0' && strcmp(current, generation) == 0 &&
                 stat(config->marker_dir, &dir) == 0 && stat(path, &tree) == 0;
    doctor_check(f, !there, "markers", "the web server looks at none of this database's",
                 "run hongbaoctl init");
    doctor_check(f, there && ((dir.st_mode & tree.st_mode & 0005) != 0005), "[site] marker_dir",
                 "the web server may not look into the directory of markers", "chmod o+rx");
}

static void check_no_markers(struct findings *f, const struct ctl *c)
{
    char current[MARKER_GENERATION_SIZE];
    struct markers *m = markers_new(c->daemon.config.marker_dir, c->daemon.runtime.clock);
    markers_current(m, current);
    markers_free(m);
    doctor_check(f, current[0] != '\0', "markers", "are found, though switched off",
                 "run hongbaoctl init");
}

void doctor_web(struct findings *f, struct ctl *c)
{
    const struct config *config = &c->daemon.config;
    enum ctl_exit ignored = CTL_OK;
    struct site site;
    bool has_site = config->site_url[0] != '\0' && site_parse(config->site_url, &site);
    doctor_check(f, config->site_url[0] != '\0' && !has_site, "[site] url",
                 "is not http://HOST[:PORT]/",
                 "set it to the address of the web server on this host");
    bool answers = has_site && check_get(f, &site, config->site_url);
    if (answers)
        doctor_web_user(f, c, (unsigned)strtoul(site.port, NULL, 10));
    if (!config->markers) {
        check_no_markers(f, c);
        return;
    }
    const struct account_service *s = ctl_connect(c, config->settle_credentials, &ignored);
    if (s == NULL)
        return; /* reported by doctor_database */
    check_tree(f, c);
    check_ends(f, s);
    check_marker(f, c, answers ? &site : NULL);
    ctl_disconnect(c);
}
