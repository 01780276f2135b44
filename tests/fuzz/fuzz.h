/* What the fuzz targets share: a check that stops the fuzzer, and input as text. */
#ifndef HONGBAO_TESTS_FUZZ_H
#define HONGBAO_TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Aborts with the place and the condition: libFuzzer keeps the input. Not assert, which NDEBUG
 * removes. */
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Return a copy of data with a NUL after it, in memory of exactly that size, so that the sanitizer
 * sees a read past the end. The caller frees it. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    FUZZ_CHECK(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

/* Split the input at its first newline: *head, with a NUL in its place, and the rest as the return
 * value. */
static inline char *fuzz_split(char *text)
{
    char *end = strchr(text, '\n');
    if (end == NULL)
        return text + strlen(text);
    *end = '\0';
    return end + 1;
}

#endif
