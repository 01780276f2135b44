/* Cursors; for the api files only. */
#ifndef HONGBAO_WIRE_API_PAGE_H
#define HONGBAO_WIRE_API_PAGE_H

#include "lib/wire/api.h"

#define CURSOR_TEXT_SIZE 48
/* Write *after, for lists of that kind, to out as opaque text; api_decode_page reads it. */
void api_cursor_format(char out[CURSOR_TEXT_SIZE], enum api_page_kind kind,
                       const struct page_after *after);

#endif
