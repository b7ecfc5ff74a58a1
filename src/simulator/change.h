/* What a POST to the control path asks for: checked as a whole, then done as a whole. */
#ifndef SIMULATOR_CHANGE_H
#define SIMULATOR_CHANGE_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "simulator.h"

/* On -1 nothing was changed and err says why. */
int change_apply(struct simulator *s, const char *json, size_t len, struct err *err) MUST_CHECK;

#endif
