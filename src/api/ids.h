/*
 * A set of ids, numbered in the order they came: has this one been seen, and as which?
 *
 * The ids are borrowed: they must live as long as the set. Hashed with SipHash and a secret key, so
 * that no server can choose ids that make a look-up slow. One owner, one thread.
 */
#ifndef IDS_H
#define IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct ids_key {
    uint64_t k[2]; /* random; the same for all sets that are to be compared */
};

struct ids_entry {
    uint64_t hash;
    const char *id;
};

struct ids {
    struct ids_key key;
    struct ids_entry *entries; /* by number */
    size_t n_entries;
    size_t cap_entries;
    uint32_t *slots; /* number + 1, 0 = free; a power of two of them, at most half of it used */
    size_t n_slots;
    uint64_t sum; /* of all hashes */
};

void ids_init(struct ids *ids, const struct ids_key *key);
void ids_release(struct ids *ids);

/* The number of the id in *ret and whether it is new. -1 when memory is out; nothing changed then.
 */
int ids_add(struct ids *ids, const char *id, size_t *ret, bool *ret_new) MUST_CHECK;

/*
 * What remains of a set when it is gone, enough to tell whether another one has the same members:
 * different sets agree with a chance of 2^-64.
 */
struct ids_fingerprint {
    uint64_t sum;
    size_t n;
};
struct ids_fingerprint ids_fingerprint(const struct ids *ids);
bool ids_fingerprint_equal(struct ids_fingerprint a, struct ids_fingerprint b);

#endif
