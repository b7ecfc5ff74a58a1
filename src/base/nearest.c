/*
 * Distance: insertions, deletions, replacements and swaps of neighbours (Damerau's four mistakes,
 * each place changed once). Case and the choice between '-' and '_' do not count.
 */
#include "base/nearest.h"

#include <string.h>

enum { WORD_BYTES_MAX = 48, SHORT_WORD = 5 };

struct nearest nearest_to(const char *word)
{
    size_t len = strlen(word);

    /* One mistake in a short word, one more for every five letters. */
    return (struct nearest){.word = word, .distance = len < SHORT_WORD ? 2 : 2 + len / SHORT_WORD};
}

static char fold(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c == '-' ? '_' : c;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Both words have at most WORD_BYTES_MAX bytes. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][WORD_BYTES_MAX + 1];
    size_t *before = rows[0];
    size_t *last = rows[1];
    size_t *row = rows[2];

    for (size_t j = 0; j <= b_len; j++)
        last[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            char x = fold(a[i - 1]);
            char y = fold(b[j - 1]);

            row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == fold(b[j - 2]) && fold(a[i - 2]) == y)
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b_len];
}

void nearest_offer(struct nearest *n, const char *candidate)
{
    size_t word_len = strlen(n->word);
    size_t len = strlen(candidate);

    if (word_len > WORD_BYTES_MAX || len > WORD_BYTES_MAX)
        return;
    size_t d = distance(n->word, word_len, candidate, len);
    /* As many mistakes as letters is no likeness. */
    if (d < n->distance && d < len) {
        n->best = candidate;
        n->distance = d;
    }
}
