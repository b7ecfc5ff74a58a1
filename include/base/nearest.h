/*
 * "Did you mean ...?": the candidate that a misspelt word most likely stands for.
 *
 *     struct nearest n = nearest_to("intervall");
 *     nearest_offer(&n, "interval");
 *     n.best is "interval"; NULL if no candidate is near enough
 *
 * Plain memory; the words are borrowed.
 */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

struct nearest {
    const char *word;
    const char *best;
    size_t distance; /* of best; before there is one, the first that is too far */
};

struct nearest nearest_to(const char *word);

/* Keeps the candidate if it is nearer than all before. */
void nearest_offer(struct nearest *n, const char *candidate);

#endif
