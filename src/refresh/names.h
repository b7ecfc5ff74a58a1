/*
 * The names of the configuration that no deployment has. Any thread.
 */
#ifndef NAMES_H
#define NAMES_H

#include "base/cleanup.h"
#include "base/err.h"
#include "model/listing.h"
#include "model/target.h"
#include "refresh.h"

/* Of target->deployment_names, by a whole listing of them. -1 when memory is out. */
int find_missing_names(const struct target *target, const struct listing *listing,
                       struct missing_names *ret, struct err *err) MUST_CHECK;

#endif
