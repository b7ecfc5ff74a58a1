#include "text.h"

#include <string.h>

#include "base/utf8.h"
#include "model/deployment.h"

void text_cleaner_release(struct text_cleaner *t)
{
    strbuf_release(&t->scratch);
}

static char *copy_to_arena(struct text_cleaner *t, const char *s, size_t len)
{
    char *copy = t->nomem ? NULL : arena_strndup(t->arena, s, len);

    if (!copy)
        t->nomem = true;
    return copy;
}

/*
 * How much of s is worth looking at: a character boundary behind the longest text that can be
 * kept, so that repairing megabytes for the sake of 512 bytes is out of the question. Repaired
 * text is never shorter than what it was made from.
 */
static size_t window_len(const char *s, size_t len)
{
    size_t end = LABEL_VALUE_MAX + 4;

    if (len <= end)
        return len;
    for (size_t back = 1; back <= 3; back++) {
        if (utf8_sequence_len(s + end - back, len - (end - back)) > back)
            return end - back;
    }
    return end;
}

/* The cleaned copy, which the caller may still change; NULL when memory is out. */
static char *clean_copy(struct text_cleaner *t, const char *s, size_t full_len)
{
    size_t len = window_len(s, full_len);

    if (!utf8_valid(s, len)) {
        strbuf_reset(&t->scratch);
        (void)utf8_append_repaired(&t->scratch, s, len);
        if (!strbuf_ok(&t->scratch)) {
            t->nomem = true;
            return NULL;
        }
        t->invalid_utf8++;
        s = strbuf_str(&t->scratch);
        full_len = len = t->scratch.len;
    }
    if (full_len > LABEL_VALUE_MAX) {
        len = utf8_prefix_len(s, len, LABEL_VALUE_MAX);
        t->too_long++;
    }
    return copy_to_arena(t, s, len);
}

const char *text_clean(struct text_cleaner *t, const char *s, size_t len)
{
    if (len == 0)
        return "";

    const char *copy = clean_copy(t, s, len);
    return copy ? copy : "";
}

const char *text_clean_lower(struct text_cleaner *t, const char *s, size_t len)
{
    if (len == 0)
        return "";

    char *copy = clean_copy(t, s, len);
    if (!copy)
        return "";
    for (char *p = copy; *p; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    }
    return copy;
}

const char *text_keep(struct text_cleaner *t, const char *s, size_t len)
{
    const char *copy = copy_to_arena(t, s, len);

    return copy ? copy : "";
}
