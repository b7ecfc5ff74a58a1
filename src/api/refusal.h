/*
 * What the control plane says when it says no, wherever it says it: the error document of the
 * gateway, or a reply of status 200 whose success is not true. Internal to the decoder; what
 * others use is in page.h.
 */
#ifndef REFUSAL_H
#define REFUSAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "page.h"

/*
 * A reply of status 200 whose success is not true, or as much of it as matters, as JSON: fills
 * *refusal, sets err; returns -1.
 */
int refusal_of_reply(const char *reply, size_t len, struct api_refusal *refusal, struct err *err);

/* True for the one business code the vendor's own tools know: there is no such object. */
bool refusal_is_not_found(const struct api_refusal *refusal);

#endif
