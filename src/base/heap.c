#include "base/heap.h"

#include <malloc.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* glibc's own start value, which would grow to 32 MiB with the blocks that were freed. */
#define MMAP_BYTES  (128 * 1024)
#define SPARE_BYTES ((size_t)2 * 1024 * 1024)

void heap_setup(void)
{
    /* Whoever sets these knows why. */
    if (!getenv("MALLOC_ARENA_MAX") && !getenv("GLIBC_TUNABLES"))
        (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
}

/* Bytes of this process that are in memory and belong to no file; 0 if nobody says. */
static size_t resident_bytes(void)
{
    unsigned long size, resident, shared;
    FILE *f = fopen("/proc/self/statm", "re");
    int n = 0;

    if (f) {
        n = fscanf(f, "%lu %lu %lu", &size, &resident, &shared);
        (void)fclose(f);
    }
    return n == 3 && resident > shared ? (resident - shared) * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

bool heap_give_back(void)
{
    size_t resident = resident_bytes();

    if (resident <= SPARE_BYTES)
        return false;
    /* What the allocator calls free may have been given back before: only memory tells. */
    struct mallinfo2 info = mallinfo2();
    size_t used = info.uordblks + info.hblkhd;
    return resident > used + used / 16 + SPARE_BYTES && malloc_trim(0) == 1;
}
