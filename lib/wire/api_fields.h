/* Reading the members of a JSON object by a table; for the api_decode files only. */
#ifndef HONGBAO_WIRE_API_FIELDS_H
#define HONGBAO_WIRE_API_FIELDS_H

#include "lib/wire/json.h"
#include "lib/wire/problem.h"

struct api_field {
    const char *name;
    enum json_type type;
    bool required;
};
/* Parses body as one object with these members and no others. NULL: *p says what is wrong. */
struct json_doc *api_parse(const char *body, size_t len, const struct api_field *fields, size_t n,
                           struct problem *p);
/* The same check for an object inside a document. prefix names it in the problem. */
MUST_USE enum err api_check_object(const struct json_value *object, const char *prefix,
                                   const struct api_field *fields, size_t n, struct problem *p);
/* The number of a member, strictly 0|[1-9][0-9]*, in low..high. Absent: *out stays. */
MUST_USE enum err api_number(const struct json_value *object, const char *name, int64_t low,
                             int64_t high, int64_t *out, struct problem *p);
/* The text of a member: printable, 1..points_max code points. Absent: out stays. */
MUST_USE enum err api_text(const struct json_value *object, const char *name, size_t points_max,
                           char *out, size_t cap, struct problem *p);
/* A user id or group. */
MUST_USE enum err api_user(const struct json_value *v, const char *name, char *out,
                           struct problem *p);

#endif
