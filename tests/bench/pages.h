/*
 * What the small programs here share: pages from a folder, processor time, and the loop that
 * measures a decoder. C and C++.
 */
#ifndef BENCH_PAGES_H
#define BENCH_PAGES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that may be read, but mean nothing, behind each page: simdjson wants them. */
enum { PAGES_PADDING = 64 };

struct pages {
    char **bodies;
    size_t *lens;
    size_t n;
    size_t bytes;
};

/* Reads DIR/1.json, DIR/2.json, ... up to `most`; ends the program where there is none. */
void pages_load(struct pages *pages, const char *dir, size_t most);

/* Of the whole process. */
double cpu_seconds(void);

/* Ends the program, saying why. */
void die(const char *what);

/* What a decoder found in all pages. */
struct found {
    size_t objects;
    uint64_t sum;  /* fields_sum over all of them */
    size_t memory; /* bytes of what it keeps; 0 = keeps nothing */
};

/* Decodes all pages once. sum is wanted when it is checked, and costs nothing when it is timed. */
typedef void decode_fn(const struct pages *pages, int want_sum, struct found *found);

/*
 * main() of a decoder: DIR PAGES SECONDS. Checks once, then decodes until that much processor time
 * is used (0 = not at all) and prints one JSON object.
 */
int decode_main(int argc, char **argv, decode_fn *decode);

#ifdef __cplusplus
}
#endif

#endif
