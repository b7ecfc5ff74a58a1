#include "merge_patch.h"

#include <stddef.h>

/* Both at most a thousand levels deep, as all JSON that was parsed. */
int merge_patch(const json_value *target, const json_value *patch, json_value **ret,
                struct err *err)
{
    bool both = json_is_object(target) && json_is_object(patch);
    CLEANUP(json_freep)
    json_value *merged = !json_is_object(patch) ? json_copy(patch)
                         : both                 ? json_copy(target)
                                                : json_new_object();

    if (!merged)
        return err_nomem(err, "the changed draft");
    for (const json_value *p = json_is_object(patch) ? json_first(patch) : NULL; p;
         p = json_next(p)) {
        const json_value *old = both ? json_get(target, json_key(p)) : NULL;
        json_value *value = NULL;

        if (json_is_null(p) && !old)
            continue;
        if (json_is_null(p))
            value = json_copy(p);
        else if (merge_patch(old, p, &value, err) < 0)
            return -1;
        if (json_set_take(merged, json_key(p), value, err) < 0)
            return -1;
    }
    *ret = TAKE(merged);
    return 0;
}
