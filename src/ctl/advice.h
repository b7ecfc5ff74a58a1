/*
 * What can be done about a failure, for whoever is woken by it.
 */
#ifndef ADVICE_H
#define ADVICE_H

#include "base/err.h"

/* A sentence or two, static; NULL where the error says it all. */
const char *advice_for(const struct err *err);

#endif
