/* Open addressing with linear probing over numbers, so that a slot costs four bytes. */
#include "ids.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_FIRST = 256, ENTRIES_FIRST = 128 };

static uint64_t rotate_left(uint64_t v, int bits)
{
    return v << bits | v >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate_left(v[1], 13) ^ v[0];
    v[0] = rotate_left(v[0], 32);
    v[2] += v[3];
    v[3] = rotate_left(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate_left(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate_left(v[1], 17) ^ v[2];
    v[2] = rotate_left(v[2], 32);
}

/* SipHash-1-3 (Aumasson and Bernstein) in the byte order of this machine: no hash leaves it. */
static uint64_t sip_hash(const struct ids_key *key, const char *text, size_t len)
{
    uint64_t v[4] = {
        key->k[0] ^ UINT64_C(0x736f6d6570736575), key->k[1] ^ UINT64_C(0x646f72616e646f6d),
        key->k[0] ^ UINT64_C(0x6c7967656e657261), key->k[1] ^ UINT64_C(0x7465646279746573)};
    uint64_t last = (uint64_t)len << 56;
    uint64_t word = 0;

    for (; len >= sizeof(word); text += sizeof(word), len -= sizeof(word)) {
        memcpy(&word, text, sizeof(word));
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = 0;
    memcpy(&word, text, len);
    last |= word;
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void ids_init(struct ids *ids, const struct ids_key *key)
{
    *ids = (struct ids){.key = *key};
}

void ids_release(struct ids *ids)
{
    free(ids->entries);
    free(ids->slots);
    ids_init(ids, &ids->key);
}

/* The slot that holds the id, or the free one where it belongs. There is always a free one. */
static uint32_t *find_slot(const struct ids *ids, const char *id, uint64_t hash)
{
    size_t mask = ids->n_slots - 1;

    for (size_t i = (size_t)hash & mask;; i = (i + 1) & mask) {
        uint32_t *slot = &ids->slots[i];
        if (!*slot)
            return slot;
        const struct ids_entry *e = &ids->entries[*slot - 1];
        if (e->hash == hash && strcmp(e->id, id) == 0)
            return slot;
    }
}

static int grow_slots(struct ids *ids)
{
    size_t n = ids->n_slots ? ids->n_slots * 2 : SLOTS_FIRST;
    uint32_t *slots = calloc(n, sizeof(*slots));

    if (!slots)
        return -1;
    free(ids->slots);
    ids->slots = slots;
    ids->n_slots = n;
    for (size_t i = 0; i < ids->n_entries; i++)
        *find_slot(ids, ids->entries[i].id, ids->entries[i].hash) = (uint32_t)(i + 1);
    return 0;
}

static int grow_entries(struct ids *ids)
{
    size_t cap = ids->cap_entries ? ids->cap_entries * 2 : ENTRIES_FIRST;
    struct ids_entry *entries = reallocarray(ids->entries, cap, sizeof(*entries));

    if (!entries)
        return -1;
    ids->entries = entries;
    ids->cap_entries = cap;
    return 0;
}

int ids_add(struct ids *ids, const char *id, size_t *ret, bool *ret_new)
{
    uint64_t hash = sip_hash(&ids->key, id, strlen(id));

    if (ids->n_entries >= UINT32_MAX - 1)
        return -1;
    if (ids->n_entries >= ids->n_slots / 2 && grow_slots(ids) < 0)
        return -1;
    uint32_t *slot = find_slot(ids, id, hash);
    if (!*slot) {
        if (ids->n_entries == ids->cap_entries && grow_entries(ids) < 0)
            return -1;
        ids->entries[ids->n_entries++] = (struct ids_entry){.hash = hash, .id = id};
        ids->sum += hash;
        *slot = (uint32_t)ids->n_entries;
        *ret_new = true;
    } else {
        *ret_new = false;
    }
    *ret = *slot - 1;
    return 0;
}

struct ids_fingerprint ids_fingerprint(const struct ids *ids)
{
    return (struct ids_fingerprint){.sum = ids->sum, .n = ids->n_entries};
}

bool ids_fingerprint_equal(struct ids_fingerprint a, struct ids_fingerprint b)
{
    return a.n == b.n && a.sum == b.sum;
}
