/*
 * Only the last star seen needs to be remembered: what an earlier one could have taken otherwise,
 * the later one can take as well. So a mismatch goes back to one place, never into a tree.
 */
#include "base/glob.h"

#include <string.h>

bool glob_match(const char *pattern, const char *text)
{
    const char *after_star = NULL;
    const char *resume = NULL; /* where in the text the last star's run is tried to end */

    while (*text) {
        if (*pattern == '*') {
            after_star = ++pattern;
            resume = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (after_star) {
            pattern = after_star;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

bool glob_list_match(const struct glob_list *list, const char *text)
{
    for (size_t i = 0; i < list->n_patterns; i++) {
        if (glob_match(list->patterns[i], text))
            return true;
    }
    return false;
}

bool glob_list_equal(const struct glob_list *a, const struct glob_list *b)
{
    if (a->n_patterns != b->n_patterns)
        return false;
    for (size_t i = 0; i < a->n_patterns; i++)
        if (strcmp(a->patterns[i], b->patterns[i]) != 0)
            return false;
    return true;
}

int glob_list_copy(struct arena *arena, const struct glob_list *from, struct glob_list *ret)
{
    const char **patterns = arena_calloc(arena, from->n_patterns, sizeof(*patterns));

    if (!patterns)
        return -1;
    for (size_t i = 0; i < from->n_patterns; i++) {
        patterns[i] = arena_strdup(arena, from->patterns[i]);
        if (!patterns[i])
            return -1;
    }
    *ret = (struct glob_list){.patterns = patterns, .n_patterns = from->n_patterns};
    return 0;
}
