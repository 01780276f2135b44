/* Pieces that several answers share; for the api_encode files only. */
#ifndef HONGBAO_WIRE_API_JSON_H
#define HONGBAO_WIRE_API_JSON_H

#include "lib/wire/api.h"
#include "lib/wire/json.h"

/* Begins a JSON answer with that status and state (static text, for log and metrics). NULL: no
 * memory, and the body has failed. */
struct json_writer *answer_begin(struct http_response *r, int status, const char *state);
/* Ends the top object. */
void answer_end(struct json_writer *w);
void put_id(struct json_writer *w, const char *key, const struct id *id);
/* RFC 3339; null for 0. */
void put_time(struct json_writer *w, const char *key, int64_t wall_us);
/* "next": the cursor, or null. */
void put_next(struct json_writer *w, enum api_page_kind kind, const struct page_after *next);
/* The members of an envelope that every reader of it sees; without mine, claims and next. */
void put_envelope(struct json_writer *w, const struct envelope *e);

#endif
