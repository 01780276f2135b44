/* Pieces that several answers share; for the api_encode files only. Errors show as failed in the
 * body's buffer. */
#ifndef HONGBAO_WIRE_API_JSON_H
#define HONGBAO_WIRE_API_JSON_H

#include "lib/wire/api.h"
#include "lib/wire/json.h"

/* Begin a JSON answer in *r with status and state (static text, for log and metrics) and open its
 * top object. Return the writer, to be ended by answer_end, or NULL with r->body.failed set if
 * there is no memory. */
struct json_writer *answer_begin(struct http_response *r, int status, const char *state);
/* Close the top object and free w. */
void answer_end(struct json_writer *w);
/* Write id as member key. */
void put_id(struct json_writer *w, const char *key, const struct id *id);
/* Write wall_us as member key in RFC 3339 form; null if it is 0. */
void put_time(struct json_writer *w, const char *key, int64_t wall_us);
/* Write member "next" of a list of that kind: the cursor *next, or null if it is not set. */
void put_next(struct json_writer *w, enum api_page_kind kind, const struct page_after *next);
/* Write member "closed_by": what closed e; null if it is open. */
void put_closer(struct json_writer *w, const struct envelope *e);
/* Write the members of e into an open object, all but mine, claims and next. veiled: without the
 * sum of what was opened. */
void put_envelope(struct json_writer *w, const struct envelope *e, bool veiled);

#endif
