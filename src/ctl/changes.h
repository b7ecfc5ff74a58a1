/*
 * What differs between two JSON values, field by field.
 *
 * A field that is null is as good as one that is not there. Objects and arrays are looked into
 * wherever both sides have them or one side has nothing, so that each change is one value. One
 * thread; values are borrowed.
 */
#ifndef CHANGES_H
#define CHANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "api/json.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "json_out.h"

struct change {
    char *path; /* artifact.sqlArtifact.sqlScript, localVariables[0].name, labels["a.b"] */
    const json_value *before; /* NULL = not there */
    const json_value *after;  /* NULL = not there */
};

struct changes {
    struct change *items;
    size_t n_items;
    size_t cap_items;
};

#define CHANGES_INIT ((struct changes){0})

/* Adds the changes that lead from before to after. */
int changes_find(struct changes *c, const json_value *before, const json_value *after,
                 struct err *err) MUST_CHECK;
/* CLEANUP(changes_release). */
void changes_release(struct changes *c);

/* The same field, or one inside the other. */
bool changes_overlap(const char *path, const char *other);
/* True if the path is this field of the root, or inside it. */
bool changes_in_field(const char *path, const char *field);

/*
 * Appends the changes for people: "path: old -> new", and a text of several lines as the lines that
 * differ with some around them.
 */
void changes_show(const struct changes *c, struct strbuf *out);
/* Adds an array of {path, before, after}. */
void changes_put(const struct changes *c, const char *key, struct json_out *o);

#endif
