/*
 * ~/.alibabacloud/credentials of the vendor's SDKs: sections of "key = value". As in theirs, ';'
 * and
 * '#' begin a comment at the start of a line or behind a blank, and keys that nobody knows are
 * passed over. A line of any length is one line: tokens are long.
 */
#include "credentials_profile.h"

#include <string.h>

#define AT(field) offsetof(struct profile, field)

static const struct profile_key keys[] = {
    {"access_key_id", AT(access_key_id)},
    {"access_key_secret", AT(access_key_secret)},
    {"security_token", AT(security_token)},
    {"role_arn", AT(role_arn)},
    {"role_session_name", AT(session_name)},
    {"policy", AT(policy)},
    {"role_name", AT(role_name)},
    {"oidc_provider_arn", AT(oidc_provider_arn)},
    {"oidc_token_file_path", AT(oidc_token_file)},
    {NULL, 0},
};

/* rsa_key_pair signs in a way that the control plane no longer knows. */
static const struct profile_kind kinds[] = {
    {"access_key", PROFILE_KEYS, {AT(access_key_id), AT(access_key_secret)}},
    {"ecs_ram_role", PROFILE_ECS_RAM_ROLE, {0}},
    {"ram_role_arn",
     PROFILE_RAM_ROLE_ARN,
     {AT(access_key_id), AT(access_key_secret), AT(role_arn)}},
    {"oidc_role_arn", PROFILE_OIDC, {AT(oidc_provider_arn), AT(oidc_token_file), AT(role_arn)}},
    {NULL, PROFILE_KEYS, {0}},
};

struct span {
    const char *s;
    size_t len;
};

struct ini {
    struct span rest;
    unsigned line;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static struct span trimmed(struct span t)
{
    while (t.len > 0 && is_blank(t.s[0])) {
        t.s++;
        t.len--;
    }
    while (t.len > 0 && is_blank(t.s[t.len - 1]))
        t.len--;
    return t;
}

static struct span without_comment(struct span t)
{
    for (size_t i = 0; i < t.len; i++)
        if ((t.s[i] == '#' || t.s[i] == ';') && (i == 0 || is_blank(t.s[i - 1])))
            t.len = i;
    return t;
}

static bool next_line(struct ini *ini, struct span *ret)
{
    if (ini->rest.len == 0)
        return false;
    const char *end = memchr(ini->rest.s, '\n', ini->rest.len);
    size_t len = end ? (size_t)(end - ini->rest.s) : ini->rest.len;

    *ret = trimmed(without_comment((struct span){ini->rest.s, len}));
    ini->rest.s += end ? len + 1 : len;
    ini->rest.len -= end ? len + 1 : len;
    ini->line++;
    return true;
}

static bool equals(struct span t, const char *s)
{
    return t.len == strlen(s) && memcmp(t.s, s, t.len) == 0;
}

/* "[name]": true, and the name. */
static bool section_of(struct span line, struct span *ret)
{
    if (line.len < 2 || line.s[0] != '[' || line.s[line.len - 1] != ']')
        return false;
    *ret = trimmed((struct span){line.s + 1, line.len - 2});
    return true;
}

/* Line numbers, never text: a secret may stand on any line. */
static int set_value(const struct ini *ini, struct span line, struct profile *profile, char **type,
                     struct err *err)
{
    const char *sign = memchr(line.s, '=', line.len);

    if (!sign)
        return err_set(err, ERR_PARSE, "line %u is neither \"[section]\" nor \"key = value\"",
                       ini->line);
    struct span key = trimmed((struct span){line.s, (size_t)(sign - line.s)});
    struct span value = trimmed((struct span){sign + 1, line.len - (size_t)(sign + 1 - line.s)});
    if (memchr(value.s, '\0', value.len))
        return err_set(err, ERR_PARSE, "line %u holds a NUL", ini->line);
    if (equals(key, "type")) {
        credentials_wipe(*type);
        *type = credentials_copy(value.s, value.len);
        return *type ? 0 : err_nomem(err, "profile");
    }
    for (const struct profile_key *k = keys; k->key; k++)
        if (equals(key, k->key) && value.len > 0)
            return profile_set(profile, k->offset, value.s, value.len, err);
    return 0;
}

int profile_decode_ini(const char *text, size_t len, const char *name_or_null, struct profile *ret,
                       struct err *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    const char *name = name_or_null ? name_or_null : "default";
    CLEANUP(profile_release) struct profile profile = {.mode = PROFILE_KEYS};
    CLEANUP(credentials_wipep) char *type = NULL;
    struct ini ini = {.rest = {text, len}};
    struct span line, section;
    bool inside = false, found = false;

    if (len >= 3 && memcmp(text, mark, 3) == 0)
        ini.rest = (struct span){text + 3, len - 3};
    while (next_line(&ini, &line)) {
        if (line.len == 0)
            continue;
        if (section_of(line, &section)) {
            inside = equals(section, name);
            found = found || inside;
        } else if (inside && set_value(&ini, line, &profile, &type, err) < 0) {
            return -1;
        }
    }
    if (!found)
        return err_set(err, ERR_AUTHENTICATION, "there is no section [%.64s]", name);
    if (!type)
        return err_set(err, ERR_AUTHENTICATION, "section [%.64s] has no type", name);
    if (profile_set_kind(&profile, kinds, keys, "type", type, err) < 0)
        return err_wrap(err, "section [%.64s]", name);
    *ret = profile;
    profile = (struct profile){0};
    return 0;
}
