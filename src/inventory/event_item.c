#include "event_item.h"

#include <string.h>

#include "base/hash.h"
#include "base/varint.h"

/* The byte behind the id. */
enum {
    PRESENCE_MASK = 3,
    SHOWN_SHIFT = 2,
    SHOWN_MASK = 3 << SHOWN_SHIFT,
    HAS_VALUES = 1 << 4,
    HAS_BEHIND = 1 << 5,
    HAS_SINCE = 1 << 6,
    HAS_FAILURE = 1 << 7,
};

/* And the one behind that. */
enum {
    STATUS_MASK = 7,
    NOT_FAILED = 1 << 3,
    OWED = 1 << 4,
    MISSING = 1 << 5,
    STATUS_ALL = STATUS_MASK | NOT_FAILED | OWED | MISSING,
};

enum { FRONT_BYTES = 2, HASH_BYTES = 4, ITEM_NUMBERS = 3 * JOB_EVENT_END + 2 };

uint32_t event_name_hash(const char *name)
{
    uint64_t h = hash_fnv1a(HASH_FNV1A_START, name);

    return (uint32_t)(h ^ h >> 32);
}

static unsigned flags_of(const struct event_item *item)
{
    unsigned flags = (unsigned)item->presence | (unsigned)item->shown << SHOWN_SHIFT;

    for (int e = 0; e < JOB_EVENT_END; e++) {
        if (item->value[e] > 0)
            flags |= HAS_VALUES;
        if (item->shown_value[e] < item->value[e])
            flags |= HAS_BEHIND;
    }
    if (item->since > 0)
        flags |= HAS_SINCE;
    if (item->last_failure_unix_s > 0)
        flags |= HAS_FAILURE;
    return flags;
}

static unsigned status_byte(const struct status_memory *memory)
{
    return (unsigned)memory->status | (memory->not_failed ? NOT_FAILED : 0u) |
           (memory->owed ? OWED : 0u) | (memory->missing ? MISSING : 0u);
}

void event_item_write(struct strbuf *out, const struct event_item *item)
{
    size_t id_size = strlen(item->id) + 1;
    unsigned flags = flags_of(item);
    char *room = strbuf_room(out, id_size + FRONT_BYTES + HASH_BYTES + ITEM_NUMBERS * VARINT_MAX);
    unsigned char *p = (unsigned char *)room;

    if (!p)
        return;
    memcpy(p, item->id, id_size);
    p += id_size;
    *p++ = (unsigned char)flags;
    *p++ = (unsigned char)status_byte(&item->status);
    for (int i = 0; i < HASH_BYTES; i++)
        *p++ = (unsigned char)(item->name_hash >> 8 * i);
    for (int e = 0; e < JOB_EVENT_END; e++)
        p = varint_put(p, (uint64_t)(item->told[e] + 1));
    for (int e = 0; flags & HAS_VALUES && e < JOB_EVENT_END; e++)
        p = varint_put(p, (uint64_t)item->value[e]);
    for (int e = 0; flags & HAS_BEHIND && e < JOB_EVENT_END; e++)
        p = varint_put(p, (uint64_t)(item->value[e] - item->shown_value[e]));
    if (flags & HAS_SINCE)
        p = varint_put(p, (uint64_t)item->since);
    if (flags & HAS_FAILURE)
        p = varint_put(p, (uint64_t)item->last_failure_unix_s);
    strbuf_wrote(out, (char *)p);
}

/* --- reading --- */

static bool take_number(struct event_reader *r, int64_t max, int64_t *ret)
{
    uint64_t v;

    if (!varint_take(&r->at, r->end, &v) || v > (uint64_t)max)
        return false;
    *ret = (int64_t)v;
    return true;
}

static bool take_id(struct event_reader *r, struct event_item *ret)
{
    size_t left = (size_t)(r->end - r->at);
    const unsigned char *nul =
        memchr(r->at, '\0', left < LABEL_VALUE_MAX + 1 ? left : LABEL_VALUE_MAX + 1);

    ret->id = (const char *)r->at;
    if (!nul || nul == r->at || (r->last_id && strcmp(r->last_id, ret->id) >= 0))
        return false;
    r->last_id = ret->id;
    r->at = nul + 1;
    return true;
}

static bool take_counts(struct event_reader *r, unsigned flags, struct event_item *ret)
{
    int64_t behind[JOB_EVENT_END] = {0};
    bool any_value = false, any_behind = false;

    for (int e = 0; e < JOB_EVENT_END; e++) {
        if (!take_number(r, EVENT_COUNT_MAX + 1, &ret->told[e]))
            return false;
        ret->told[e]--;
        ret->value[e] = 0;
    }
    for (int e = 0; flags & HAS_VALUES && e < JOB_EVENT_END; e++) {
        if (!take_number(r, EVENT_COUNT_MAX, &ret->value[e]))
            return false;
        any_value = any_value || ret->value[e] > 0;
    }
    for (int e = 0; flags & HAS_BEHIND && e < JOB_EVENT_END; e++) {
        if (!take_number(r, ret->value[e], &behind[e]))
            return false;
        any_behind = any_behind || behind[e] > 0;
    }
    for (int e = 0; e < JOB_EVENT_END; e++)
        ret->shown_value[e] = ret->value[e] - behind[e];
    return any_value == !!(flags & HAS_VALUES) && any_behind == !!(flags & HAS_BEHIND);
}

static bool take_status(unsigned byte, struct status_memory *ret)
{
    if (byte & ~(unsigned)STATUS_ALL || (byte & STATUS_MASK) >= STATUS_END)
        return false;
    ret->status = (enum deployment_status)(byte & STATUS_MASK);
    ret->not_failed = byte & NOT_FAILED;
    ret->owed = byte & OWED;
    ret->missing = byte & MISSING;
    return true;
}

static bool take_item(struct event_reader *r, struct event_item *ret)
{
    int front_bytes = r->without_status ? FRONT_BYTES - 1 : FRONT_BYTES;
    unsigned flags;

    if (!take_id(r, ret) || r->end - r->at < front_bytes + HASH_BYTES)
        return false;
    flags = *r->at++;
    if ((flags & PRESENCE_MASK) >= EVENT_PRESENCE_END)
        return false;
    ret->presence = (enum event_presence)(flags & PRESENCE_MASK);
    ret->shown = (enum event_shown)((flags & SHOWN_MASK) >> SHOWN_SHIFT);
    if (!take_status(r->without_status ? 0 : *r->at++, &ret->status))
        return false;
    ret->name_hash = 0;
    for (int i = 0; i < HASH_BYTES; i++)
        ret->name_hash |= (uint32_t)*r->at++ << 8 * i;
    ret->since = ret->last_failure_unix_s = 0;
    return take_counts(r, flags, ret) &&
           (!(flags & HAS_SINCE) ||
            (take_number(r, EVENT_TIME_MAX, &ret->since) && ret->since > 0)) &&
           (!(flags & HAS_FAILURE) || (take_number(r, EVENT_TIME_MAX, &ret->last_failure_unix_s) &&
                                       ret->last_failure_unix_s > 0));
}

int event_reader_next(struct event_reader *reader, struct event_item *ret)
{
    if (reader->at == reader->end)
        return 0;
    return take_item(reader, ret) ? 1 : -1;
}
