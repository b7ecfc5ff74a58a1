/*
 * Fields of objects that are shown as the API gave them, and what is said of listings.
 */
#ifndef FIELDS_H
#define FIELDS_H

#include <stdint.h>

#include "api/json.h"
#include "plane.h"
#include "table.h"

/*
 * A time in seconds since 1970: the API sends numbers or strings, seconds or milliseconds. 0 =
 * unknown.
 */
int64_t fields_time(const json_value *v);

/* The next cell: an enumeration in lower case, as listings have it. */
void fields_cell_lower(struct table *t, const json_value *v);

/* What is missing from a listing, on stderr. */
void fields_listing_notes(const struct plane *p, const struct listing *listing);

/*
 * Who holds the lock of a draft: the name, else the id, else "somebody"; NULL = nobody. Lives as
 * long as the draft.
 */
const char *fields_lock_holder(const json_value *draft);

#endif
