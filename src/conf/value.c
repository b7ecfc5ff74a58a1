#include "value.h"

#include <assert.h>
#include <string.h>

struct value *value_member(const struct value *group, const char *key)
{
    assert(group->type == VALUE_GROUP);
    for (size_t i = 0; i < group->n_items; i++)
        if (strcmp(group->items[i].key, key) == 0)
            return &group->items[i];
    return NULL;
}

const char *value_type_name(enum value_type type)
{
    static const char *const names[] = {
        [VALUE_STRING] = "a string", [VALUE_INTEGER] = "an integer", [VALUE_FLOAT] = "a float",
        [VALUE_BOOL] = "a boolean",  [VALUE_ARRAY] = "an array",     [VALUE_LIST] = "a list",
        [VALUE_GROUP] = "a group",
    };
    return names[type];
}
