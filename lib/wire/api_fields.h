/* Reads the members of a JSON object by a table; for the api_decode files only. Each function that
 * fails fills *p and returns its error, ERR_INVALID_REQUEST naming the member unless stated. */
#ifndef HONGBAO_WIRE_API_FIELDS_H
#define HONGBAO_WIRE_API_FIELDS_H

#include "lib/wire/json.h"
#include "lib/wire/problem.h"

struct api_field {
    const char *name;
    enum json_type type;
    bool required;
};
/* Parse body[0..len) as one object with the members fields[0..n) and no others. Return the
 * document, to be freed with json_free, or NULL with *p filled: also ERR_INVALID_JSON and
 * ERR_FAULT. */
struct json_doc *api_parse(const char *body, size_t len, const struct api_field *fields, size_t n,
                           struct problem *p);
/* Check that object is an object with the members fields[0..n) and no others; prefix is its name in
 * the problem *p. */
MUST_USE enum err api_check_object(const struct json_value *object, const char *prefix,
                                   const struct api_field *fields, size_t n, struct problem *p);
/* Read member name of object as `0|[1-9][0-9]*` in low..high into *out, which is unchanged if the
 * member is absent. Fills *p on an error. */
MUST_USE enum err api_number(const struct json_value *object, const char *name, int64_t low,
                             int64_t high, int64_t *out, struct problem *p);
/* Read member name of object, text of 1..points_max code points after utf8_clean, into out, which
 * holds cap bytes and is unchanged if the member is absent. Fills *p on an error. */
MUST_USE enum err api_text(const struct json_value *object, const char *name, size_t points_max,
                           char *out, size_t cap, struct problem *p);
/* Read v, called name in the problem *p, as a user id into out, which holds USER_SIZE. */
MUST_USE enum err api_user(const struct json_value *v, const char *name, char *out,
                           struct problem *p);
/* Read v, called name in the problem *p, as a group into out, which holds GROUP_SIZE. */
MUST_USE enum err api_group(const struct json_value *v, const char *name, char *out,
                            struct problem *p);

#endif
