#include "credentials_spec.h"

#include <stddef.h>
#include <string.h>

#include "credentials_source.h"

#define FIELD(name) offsetof(struct credentials_spec, name)

/* The fields of a spec that are text: copied, compared and wiped alike. */
static const size_t texts[] = {
    FIELD(name),
    FIELD(access_key_id),
    FIELD(access_key_secret),
    FIELD(access_key_secret_file),
    FIELD(security_token),
    FIELD(security_token_file),
    FIELD(file),
    FIELD(profile),
    FIELD(role_name),
    FIELD(endpoint),
    FIELD(role_arn),
    FIELD(role_session_name),
    FIELD(sts_endpoint),
    FIELD(oidc_provider_arn),
    FIELD(oidc_token_file),
    FIELD(source),
    FIELD(uri),
};
/* All fields but provider, which takes the room of a pointer. */
_Static_assert(sizeof(texts) / sizeof(texts[0]) ==
                   sizeof(struct credentials_spec) / sizeof(char *) - 1,
               "a field of the spec is missing in the table");

static const char *text_of(const struct credentials_spec *spec, size_t i)
{
    const char *text;

    memcpy(&text, (const char *)spec + texts[i], sizeof(text));
    return text;
}

int credentials_spec_copy(const struct credentials_spec *spec, struct credentials_spec *ret)
{
    struct credentials_spec copy = {.provider = spec->provider};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char *text = text_of(spec, i);
        char *own = text ? credentials_copy(text, strlen(text)) : NULL;

        if (text && !own) {
            credentials_spec_wipe(&copy);
            return -1;
        }
        memcpy((char *)&copy + texts[i], &own, sizeof(own));
    }
    *ret = copy;
    return 0;
}

void credentials_spec_wipe(struct credentials_spec *copy)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        char *own;

        /* The record shows its strings as const; those of our copy are from the heap. */
        memcpy(&own, (char *)copy + texts[i], sizeof(own));
        credentials_wipe(own);
    }
    *copy = (struct credentials_spec){0};
}

bool credentials_spec_same(const struct credentials_spec *a, const struct credentials_spec *b)
{
    if (a->provider != b->provider)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char *x = text_of(a, i);
        const char *y = text_of(b, i);

        if (x && y ? strcmp(x, y) != 0 : x != y)
            return false;
    }
    return true;
}
