/*
 * JSON merge patch (RFC 7386), with one difference: a field that is removed stays, as null, where
 * there was one. Nothing says whether the control plane merges what it is sent into what it has, or
 * replaces it; a field that is only left out would survive a merge.
 */
#ifndef MERGE_PATCH_H
#define MERGE_PATCH_H

#include "api/json.h"

/* The target with the patch applied, a tree of its own. Either may be NULL: nothing there. */
int merge_patch(const json_value *target, const json_value *patch, json_value **ret,
                struct err *err) MUST_CHECK;

#endif
