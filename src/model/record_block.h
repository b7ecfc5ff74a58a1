/*
 * A block of packed deployments: the bytes and how they are written and read. records.c decides
 * what goes into which block.
 */
#ifndef RECORD_BLOCK_H
#define RECORD_BLOCK_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "model/records.h"

struct record_block {
    atomic_uint refs;
    uint32_t n_items;
    uint32_t n_labels; /* of all its deployments */
    uint32_t len;
    unsigned char bytes[]; /* begins with the first id and its NUL */
};

/* Eight bytes at a time: for places and tables here, of which nothing outlives the process. */
uint64_t record_hash(const char *text, size_t len);

/* Packs n deployments into out, which is reset first and goes bad when memory is out. Equal
 * deployments give equal bytes. */
void record_block_pack(struct strbuf *out, const struct deployment *items, size_t n);

/* A block of these deployments with the bytes that record_block_pack made of them; NULL when memory
 * is out. */
struct record_block *record_block_new(const struct strbuf *packed, const struct deployment *items,
                                      size_t n);
struct record_block *record_block_ref(struct record_block *block);
void record_block_unref(struct record_block *block);

#endif
