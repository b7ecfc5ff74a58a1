#include "fields.h"

#include <string.h>

#include "base/quantity.h"
#include "complain.h"

/* From here on it is milliseconds; in seconds this is the year 5138. */
#define FIRST_MS INT64_C(100000000000)

int64_t fields_time(const json_value *v)
{
    static const char blanks[] = " \t\r\n";
    const char *text = json_string(v);
    char digits[24];
    uint64_t from_text;
    int64_t t = 0;

    if (text) {
        text += strspn(text, blanks);
        size_t len = strcspn(text, blanks);
        if (len >= sizeof(digits))
            return 0;
        memcpy(digits, text, len);
        digits[len] = '\0';
        if (quantity_parse_u64(digits, &from_text) < 0 || from_text > INT64_MAX)
            return 0;
        t = (int64_t)from_text;
    } else if (json_integer(v, &t) < 0) {
        return 0;
    }
    return t >= FIRST_MS ? t / 1000 : t;
}

void fields_cell_lower(struct table *t, const json_value *v)
{
    const char *text = json_string(v);
    char lower[64];
    size_t i = 0;

    if (!text || strlen(text) >= sizeof(lower)) {
        table_cell(t, text);
        return;
    }
    for (; text[i]; i++)
        lower[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
    lower[i] = '\0';
    table_cell(t, lower);
}

void fields_listing_notes(const struct plane *p, const struct listing *listing)
{
    if (listing->over_limit > 0)
        tell("%llu more are left out: max_deployments of target '%s' is %lld",
             (unsigned long long)listing->over_limit, p->target.name,
             (long long)p->target.max_deployments);
    if (listing->invalid > 0)
        tell("%llu objects of the answer could not be read and are left out",
             (unsigned long long)listing->invalid);
}

const char *fields_lock_holder(const json_value *draft)
{
    const json_value *lock = json_get(draft, "lock");
    const char *id = json_string(json_get(lock, "id"));
    const char *holder_id = json_string(json_get(lock, "holderId"));
    const char *holder_name = json_string(json_get(lock, "holderName"));

    if (holder_name && *holder_name)
        return holder_name;
    if (holder_id && *holder_id)
        return holder_id;
    return id && *id ? "somebody" : NULL;
}
