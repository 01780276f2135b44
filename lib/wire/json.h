/* JSON in and out; the json_ files are the only users of yajl.
 * In: a whole document into a tree in one allocation. Refused: comments, trailing bytes, depth over
 * 4, more than JSON_NODES_MAX values, duplicate members, malformed UTF-8, lone surrogates, NUL in a
 * string. Numbers stay text. Out: appended to a buffer; every string is checked. */
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

/* Parse text[0..len). Return the document, to be freed with json_free, or NULL with *error set:
 * ERR_INVALID_JSON (not one well-formed document), ERR_INVALID_REQUEST (duplicate member, its name
 * in member; too deep or too many values) or ERR_FAULT (no memory). member holds member_cap bytes
 * and is "" unless stated. */
struct json_doc *json_parse(const char *text, size_t len, enum err *error, char *member,
                            size_t member_cap);
/* Parse text[0..len), an object of which only the members names[0..n) are known. The document holds
 * those; others are ignored, whatever they hold, and so are objects and arrays within the arrays
 * of a known member (an empty value stands for them). Strings may contain NUL, a lone surrogate
 * becomes '?', and the number of values is not limited. Return the document, to be freed with
 * json_free, or NULL with *error set: ERR_INVALID_JSON (not one well-formed object in UTF-8),
 * ERR_INVALID_REQUEST (a known member given twice) or ERR_FAULT (no memory). */
struct json_doc *json_parse_known(const char *text, size_t len, const char *const *names, size_t n,
                                  enum err *error);
/* Return the value at the top of doc, which lives as long as doc. */
const struct json_value *json_top(const struct json_doc *doc);
/* Return the member name of object, or NULL if there is none or object is no object. */
const struct json_value *json_member(const struct json_value *object, const char *name);
/* Free doc; it may be NULL. */
void json_free(struct json_doc *doc);

/* ---- writer. Everything is appended to the buffer; an error (malformed text, wrong nesting, no
 * memory) sets its failed. key is the member name; NULL in arrays and at the top. ---- */
struct json_writer;
/* Return a writer that appends one JSON value to out, or NULL if there is no memory. */
struct json_writer *json_writer_new(struct buf *out);
/* Free w, which may be NULL; sets failed in its buffer if the value is incomplete. */
void json_writer_free(struct json_writer *w);
/* Open an object as member key. */
void json_open_object(struct json_writer *w, const char *key);
/* Close the innermost object. */
void json_close_object(struct json_writer *w);
/* Open an array as member key. */
void json_open_array(struct json_writer *w, const char *key);
/* Close the innermost array. */
void json_close_array(struct json_writer *w);
/* Write the UTF-8 string text as member key. */
void json_put_string(struct json_writer *w, const char *key, const char *text);
/* Write the number n as member key. */
void json_put_int(struct json_writer *w, const char *key, int64_t n);
/* Write b as member key. */
void json_put_bool(struct json_writer *w, const char *key, bool b);
/* Write null as member key. */
void json_put_null(struct json_writer *w, const char *key);

#endif
