/* lost: after a crash or a restore, find the operations that were answered with success and are not
 * in the database. The request logs are the only other record of them. */
#include "bin/ctl_desk.h"
#include "lib/base/str.h"
#include "lib/wire/json.h"
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE 100

struct lost_line {
    char time[CLOCK_TEXT_SIZE];
    char request_id[64];
};

struct lost_search {
    struct desk *desk;
    struct desk_operation operations[AT_ONCE];
    struct lost_line lines[AT_ONCE];
    size_t n;                             /* in both */
    uint64_t requests, acknowledged, bad; /* lines read so far */
    void *found; /* the lost operations that were printed; see tsearch(3) */
    uint64_t missed;
    int64_t lost_fen;
};

/* Copy the text member name of line to out. Return false if it is missing or too long. */
static bool take_text(const struct json_value *line, const char *name, char *out, size_t cap)
{
    const struct json_value *v = json_member(line, name);
    if (v == NULL || v->type != JSON_STRING || v->len >= cap || strlen(v->text) != v->len)
        return false;
    memcpy(out, v->text, v->len + 1);
    return true;
}

static bool take_number(const struct json_value *line, const char *name, int64_t *out)
{
    const struct json_value *v = json_member(line, name);
    return v != NULL && v->type == JSON_NUMBER && str_to_i64(v->text, v->len, out);
}

/* Set *kind for a request of route that ended in state. False: no money moved. */
static bool is_acknowledged(const char *route, const char *state, enum desk_operation_kind *kind)
{
    static const struct {
        const char *route, *state;
        enum desk_operation_kind kind;
    } table[] = {{"send", NULL, DESK_SENT},
                 {"open", "opened", DESK_OPENED},
                 {"claim", "opened", DESK_OPENED},
                 {"topups", NULL, DESK_TOPPED_UP},
                 {"withdrawals", NULL, DESK_WITHDRAWN}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(route, table[i].route) == 0) {
            *kind = table[i].kind;
            return table[i].state == NULL || strcmp(state, table[i].state) == 0;
        }
    return false;
}

/* Read the ids and the amount of an acknowledged operation. */
static bool take_operation(const struct json_value *line, struct desk_operation *op)
{
    char envelope[ID_TEXT_SIZE];
    bool has_reference = op->kind == DESK_TOPPED_UP || op->kind == DESK_WITHDRAWN;
    if (!take_number(line, "amount", &op->amount_fen) || op->amount_fen < 1)
        return false;
    if (has_reference)
        return take_text(line, "account", op->user, sizeof op->user) &&
               take_text(line, "user", op->backend, sizeof op->backend) &&
               take_text(line, "reference", op->reference, sizeof op->reference) &&
               user_valid(op->user, strlen(op->user)) &&
               user_valid(op->backend, strlen(op->backend)) &&
               key_valid(op->reference, strlen(op->reference), REFERENCE_MAX);
    return take_text(line, "user", op->user, sizeof op->user) &&
           user_valid(op->user, strlen(op->user)) &&
           take_text(line, "envelope", envelope, sizeof envelope) &&
           id_parse(&op->envelope, envelope, strlen(envelope));
}

static void print_lost(const struct lost_line *line, const struct desk_operation *op)
{
    static const char *const names[] = {[DESK_SENT] = "send",
                                        [DESK_OPENED] = "open",
                                        [DESK_TOPPED_UP] = "topup",
                                        [DESK_WITHDRAWN] = "withdraw"};
    char amount[DESK_AMOUNT_SIZE], envelope[ID_TEXT_SIZE];
    ctl_write_amount(amount, op->amount_fen);
    id_format(envelope, &op->envelope);
    bool has_reference = op->reference[0] != '\0';
    printf("%s  %-8s %12s  %-36s  %s  %s%s%s\n", line->time, names[op->kind], amount,
           has_reference ? op->reference : envelope, op->user, line->request_id,
           has_reference ? "  by " : "", op->backend);
}

static int compare_operations(const void *first, const void *second)
{
    const struct desk_operation *a = first, *b = second;
    int order = (int)a->kind - (int)b->kind;
    if (order == 0)
        order = memcmp(&a->envelope, &b->envelope, sizeof a->envelope);
    if (order == 0)
        order = strcmp(a->reference, b->reference);
    if (order == 0)
        order = strcmp(a->backend, b->backend);
    return order != 0 ? order : strcmp(a->user, b->user);
}

/* Print and count a lost operation at its first acknowledgement: a replay has a line of its own. */
static enum err take_lost(struct lost_search *l, size_t i)
{
    struct desk_operation *op = malloc(sizeof *op);
    if (op == NULL)
        return ERR_FAULT;
    *op = l->operations[i];
    struct desk_operation **known = tsearch(op, &l->found, compare_operations);
    if (known == NULL || *known != op) {
        free(op);
        return known == NULL ? ERR_FAULT : ERR_OK;
    }
    print_lost(&l->lines[i], op);
    l->missed++;
    l->lost_fen += op->amount_fen;
    return ERR_OK;
}

static enum err look_up(struct lost_search *l)
{
    enum err err = desk_find_lost(l->desk, l->operations, l->n);
    for (size_t i = 0; err == ERR_OK && i < l->n; i++)
        if (l->operations[i].lost)
            err = take_lost(l, i);
    l->n = 0;
    return err;
}

static enum err take_request(struct lost_search *l, const struct json_value *line)
{
    struct desk_operation *op = &l->operations[l->n];
    struct lost_line *about = &l->lines[l->n];
    char route[32], state[64];
    int64_t status = 0;
    if (!take_text(line, "route", route, sizeof route))
        return ERR_OK; /* an event */
    l->requests++;
    memset(op, 0, sizeof *op);
    memset(about, 0, sizeof *about);
    if (!take_number(line, "status", &status) || status < 200 || status > 299 ||
        !take_text(line, "state", state, sizeof state) || !is_acknowledged(route, state, &op->kind))
        return ERR_OK;
    l->acknowledged++;
    if (!take_operation(line, op) || !take_text(line, "time", about->time, sizeof about->time)) {
        l->bad++;
        return ERR_OK;
    }
    if (!take_text(line, "request_id", about->request_id, sizeof about->request_id))
        strcpy(about->request_id, "-");
    return ++l->n == AT_ONCE ? look_up(l) : ERR_OK;
}

static enum err take_line(struct lost_search *l, const char *text, size_t len)
{
    static const char *const names[] = {"time",      "route",  "user",  "account", "envelope",
                                        "reference", "amount", "state", "status",  "request_id"};
    enum err err = ERR_OK;
    const char *begin = memchr(text, '{', len); /* journalctl puts its own text in front */
    if (begin == NULL)
        return ERR_OK;
    struct json_doc *doc = json_parse_known(begin, len - (size_t)(begin - text), names,
                                            sizeof names / sizeof names[0], &err);
    if (doc == NULL) {
        l->bad++; /* torn by a crash of the machine */
        return err == ERR_FAULT ? err : ERR_OK;
    }
    err = take_request(l, json_top(doc));
    json_free(doc);
    return err;
}

/* Return CTL_USAGE after printing why path cannot be read. */
static enum ctl_exit read_log(struct lost_search *l, const char *path)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    char *text = NULL;
    size_t cap = 0;
    enum err err = ERR_OK;
    if (f == NULL) {
        fprintf(stderr, "hongbaoctl: %s: %s\n", path, strerror(errno));
        return CTL_USAGE;
    }
    for (ssize_t len; err == ERR_OK && (len = getline(&text, &cap, f)) >= 0;)
        err = take_line(l, text, (size_t)len);
    bool failed = ferror(f) != 0;
    free(text);
    if (f != stdin)
        fclose(f);
    if (failed) {
        fprintf(stderr, "hongbaoctl: %s: read error\n", path);
        return CTL_USAGE;
    }
    return err == ERR_OK ? CTL_OK : ctl_fail(err, path);
}

static enum ctl_exit print_result(const struct lost_search *l)
{
    char amount[DESK_AMOUNT_SIZE];
    ctl_write_amount(amount, l->lost_fen);
    printf("%llu requests, %llu acknowledgements, %llu operations lost, with %s; %llu lines could "
           "not be checked\n",
           (unsigned long long)l->requests, (unsigned long long)l->acknowledged,
           (unsigned long long)l->missed, amount, (unsigned long long)l->bad);
    if (l->requests == 0) {
        fprintf(stderr, "hongbaoctl: no line of a request: are these the logs of the pools?\n");
        return CTL_USAGE;
    }
    return l->missed == 0 && l->bad == 0 ? CTL_OK : CTL_WRONG;
}

enum ctl_exit ctl_lost(struct ctl *c)
{
    static struct lost_search l;
    enum ctl_exit exit_code = CTL_OK;
    if (c->argc < 2)
        return ctl_usage(c, "a log is expected, or - for standard input");
    l.desk = ctl_open_desk(c, false, &exit_code);
    if (l.desk == NULL)
        return exit_code;
    for (int i = 1; exit_code == CTL_OK && i < c->argc; i++)
        exit_code = read_log(&l, c->argv[i]);
    if (exit_code == CTL_OK) {
        enum err err = look_up(&l);
        exit_code = err == ERR_OK ? print_result(&l) : ctl_fail(err, "lost");
    }
    tdestroy(l.found, free);
    desk_close(l.desk);
    return exit_code;
}
