/*
 * The labels of a deployment, {"team": "risk", "tier": 1}, as labels of a series:
 * label_team="risk", label_tier="1". Internal to the decoder of pages.
 */
#ifndef LABELS_H
#define LABELS_H

#include <stddef.h>

#include "base/glob.h"
#include "api/json.h"
#include "model/deployment.h"
#include "text.h"

/* Labels a deployment may show; of more, those whose keys come first in byte order. */
#define LABELS_MAX     64
/* Bytes of a label name without its _conflict suffix. */
#define LABEL_NAME_MAX 128

/*
 * Puts the labels that the list admits into the arena, sorted by name, names unique; 0 of them if
 * `labels` is no object. Without memory t->nomem is set and the result is empty.
 */
const struct deployment_label *labels_decode(const json_value *labels,
                                             const struct glob_list *allowed,
                                             struct text_cleaner *t, size_t *ret_n);

#endif
