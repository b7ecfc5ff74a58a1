/*
 * Only the last star seen needs to be remembered: what an earlier one could have taken otherwise,
 * the later one can take as well. So a mismatch goes back to one place, never into a tree.
 */
#include "base/glob.h"

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
