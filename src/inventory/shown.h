/*
 * What the settings leave in, told from the tables of families. Pure.
 */
#ifndef SHOWN_H
#define SHOWN_H

#include <stdbool.h>

#include "base/glob.h"

/* The families of events that are shown, one bit each. */
unsigned shown_events(const struct glob_list *deny, bool aggregate);

#endif
