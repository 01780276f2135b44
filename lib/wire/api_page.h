/* Cursors; for the api files only. */
#ifndef HONGBAO_WIRE_API_PAGE_H
#define HONGBAO_WIRE_API_PAGE_H

#include "lib/wire/api.h"

#define CURSOR_TEXT_SIZE 48
/* The "next" of a list. */
void api_cursor_format(char out[CURSOR_TEXT_SIZE], enum api_page_kind kind,
                       const struct page_after *after);

#endif
