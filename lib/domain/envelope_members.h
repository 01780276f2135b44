/* The members of struct envelope as one table, from which the store builds its statements, the
 * envelope item in the cache is written and read, and the API encodes the plain members. A new
 * member is one row here, one member of struct envelope, one column (sql/) and one property of
 * www/openapi.json. */
#ifndef HONGBAO_DOMAIN_ENVELOPE_MEMBERS_H
#define HONGBAO_DOMAIN_ENVELOPE_MEMBERS_H

#include "lib/domain/envelope.h"

enum member_kind {
    MEMBER_ID,     /* struct id */
    MEMBER_USER,   /* char[]: a user id, or empty */
    MEMBER_TEXT,   /* char[]: UTF-8 */
    MEMBER_NUMBER, /* int64_t */
    MEMBER_TIME,   /* int64_t: UTC microseconds, 0 none */
    MEMBER_ENUM,   /* an enum */
    MEMBER_FLAG,   /* bool */
    MEMBER_BYTES,  /* uint8_t[] */
    MEMBER_SEED    /* uint8_t[]; secret, and in a table of its own, while the envelope is open */
};

/* When a member gets a new value. */
enum member_change {
    MEMBER_FIXED,       /* never after the send: part of the envelope item */
    MEMBER_EACH_CHANGE, /* with every change */
    MEMBER_EACH_OPEN,   /* when a share is opened */
    MEMBER_NEW_LUCKIEST,
    MEMBER_AT_CLOSE,
    MEMBER_BY_OPERATOR /* freeze and unfreeze only; the column's default at the send */
};

struct envelope_member {
    const char *column; /* of the table envelope */
    const char *json;   /* plain member of the API's envelope; NULL: composed, or not shown */
    enum member_kind kind;
    enum member_change change;
    size_t offset, size; /* in struct envelope */
    int64_t low, high;   /* bounds of a number in the cache */
};
/* In the order of columns in every statement; the seed is last. */
extern const struct envelope_member envelope_members[];
extern const size_t envelope_members_n;

/* Return the address of member m in e. */
const void *envelope_member_at(const struct envelope *e, const struct envelope_member *m);
/* Return the writable address of member m in e. */
void *envelope_member_of(struct envelope *e, const struct envelope_member *m);
/* Return the value of member m of e, which is a number, time, enum or flag (asserted). */
int64_t envelope_member_number(const struct envelope *e, const struct envelope_member *m);
/* Set member m of e, which is a number, time, enum or flag (asserted), to n. */
void envelope_member_set(struct envelope *e, const struct envelope_member *m, int64_t n);
/* Set every member of e that can change to its value at the send: open, version 1, no share opened,
 * seed unknown. */
void envelope_reset_to_send(struct envelope *e);

#endif
