/* The spec of credentials as a copy of its own: its strings, in one place. */
#ifndef CREDENTIALS_SPEC_H
#define CREDENTIALS_SPEC_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "model/target.h"

/* -1: out of memory, *ret untouched. */
int credentials_spec_copy(const struct credentials_spec *spec,
                          struct credentials_spec *ret) MUST_CHECK;
/* Overwrites and frees the strings of a copy. */
void credentials_spec_wipe(struct credentials_spec *copy);
bool credentials_spec_same(const struct credentials_spec *a, const struct credentials_spec *b);

#endif
