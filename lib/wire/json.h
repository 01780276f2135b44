/* JSON in and out; the only user of yajl.
 * In: a whole document into a flat tree. Refused: comments, trailing bytes, depth over 4, more than
 * JSON_NODES_MAX values, duplicate members, ill-formed UTF-8, lone surrogates, NUL in a string.
 * Numbers stay text. Out: appended to a buf; every string is checked. */
#ifndef HONGBAO_WIRE_JSON_H
#define HONGBAO_WIRE_JSON_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_OBJECT, JSON_ARRAY };
#define JSON_NODES_MAX 256

struct json_value {
    enum json_type type;
    const char *key;  /* member name, NULL in an array and at the top */
    const char *text; /* STRING: unescaped, NUL-terminated; NUMBER: as written; BOOL "true" */
    size_t len;
    struct json_value *first; /* of an object or array */
    struct json_value *next;  /* the next sibling */
    size_t count;             /* children */
};
struct json_doc;

/* NULL with *error ERR_INVALID_JSON (not one well-formed document, bytes that are no UTF-8, a NUL
 * or lone surrogate in a string), ERR_INVALID_REQUEST (duplicate member, its name in member; too
 * deep or too many values) or ERR_FAULT. member holds member_cap bytes. */
struct json_doc *json_parse(const char *text, size_t len, enum err *error, char *member,
                            size_t member_cap);
const struct json_value *json_top(const struct json_doc *doc);
/* The member of an object, or NULL. */
const struct json_value *json_member(const struct json_value *object, const char *name);
void json_free(struct json_doc *doc);

/* Writer. Everything is appended to out; a failure (ill-formed text, nesting) sets out->failed. */
struct json_writer;
struct json_writer *json_writer_new(struct buf *out); /* NULL: no memory */
void json_writer_free(struct json_writer *w);
void json_open_object(struct json_writer *w,
                      const char *key); /* key NULL in arrays and at the top */
void json_close_object(struct json_writer *w);
void json_open_array(struct json_writer *w, const char *key);
void json_close_array(struct json_writer *w);
void json_put_string(struct json_writer *w, const char *key, const char *text);
void json_put_int(struct json_writer *w, const char *key, int64_t n);
void json_put_bool(struct json_writer *w, const char *key, bool b);
void json_put_null(struct json_writer *w, const char *key);

#endif
