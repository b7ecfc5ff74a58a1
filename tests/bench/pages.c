#include "pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void die(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

double cpu_seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static char *read_file(const char *path, size_t *ret_len)
{
    FILE *f = fopen(path, "rb");
    long len;
    char *body;

    if (!f)
        return NULL;
    if (fseek(f, 0, SEEK_END) < 0 || (len = ftell(f)) < 0 || fseek(f, 0, SEEK_SET) < 0)
        die("cannot read a page");
    body = calloc(1, (size_t)len + PAGES_PADDING);
    if (!body || fread(body, 1, (size_t)len, f) != (size_t)len)
        die("cannot read a page");
    (void)fclose(f);
    *ret_len = (size_t)len;
    return body;
}

void pages_load(struct pages *pages, const char *dir, size_t most)
{
    *pages = (struct pages){.bodies = calloc(most, sizeof(char *)),
                            .lens = calloc(most, sizeof(size_t))};
    if (!pages->bodies || !pages->lens)
        die("no memory");
    for (size_t i = 0; i < most; i++) {
        char path[4096];

        (void)snprintf(path, sizeof(path), "%s/%zu.json", dir, i + 1);
        pages->bodies[i] = read_file(path, &pages->lens[i]);
        if (!pages->bodies[i])
            break;
        pages->bytes += pages->lens[i];
        pages->n++;
    }
    if (pages->n == 0)
        die("no pages there");
}

int decode_main(int argc, char **argv, decode_fn *decode)
{
    struct pages pages;
    struct found found = {0}, ignored;
    double limit, began, took;
    size_t rounds = 0;

    if (argc < 4)
        die("usage: DIR PAGES SECONDS");
    pages_load(&pages, argv[1], strtoul(argv[2], NULL, 10));
    limit = strtod(argv[3], NULL);
    decode(&pages, 1, &found);
    began = cpu_seconds();
    for (took = 0; took < limit; took = cpu_seconds() - began, rounds++)
        decode(&pages, 0, &ignored);
    printf("{\"seconds\": %.9f, \"bytes\": %zu, \"page_bytes\": %zu, \"objects\": %zu, "
           "\"sum\": \"%016llx\", \"memory\": %zu}\n",
           took, rounds * pages.bytes, pages.bytes, found.objects, (unsigned long long)found.sum,
           found.memory);
    return 0;
}
