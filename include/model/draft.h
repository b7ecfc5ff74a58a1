/*
 * One deployment draft as the control plane listed it: a plain, frozen record.
 *
 * As with a deployment, all pointers lead into the arena of the listing it belongs to, strings are
 * valid UTF-8 of at most LABEL_VALUE_MAX bytes and never NULL ("" = absent).
 */
#ifndef MODEL_DRAFT_H
#define MODEL_DRAFT_H

#include <stdint.h>

struct draft {
    const char *id; /* first, see model/listing.h */
    const char *name;
    const char *deployment_id; /* that it was deployed to; "" = never deployed */

    /* Enumerations in lower case. */
    const char *execution_mode;
    const char *engine_version;
    const char *artifact_kind;

    const char
        *lock_holder; /* name of who holds the edit lock, else the id; "" = nobody, or not told */
    int8_t locked;    /* 1 if somebody holds it, 0 if not */

    int64_t created_unix_s;  /* 0 = unknown */
    int64_t modified_unix_s; /* 0 = unknown */

    uint64_t content_hash; /* of what would be deployed; 0 = not told. As in struct deployment */
};

#endif
