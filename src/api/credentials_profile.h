/*
 * Profiles: the files of the vendor's CLI (JSON) and of its SDKs (INI), decoded. Pure: text in, one
 * profile out. The provider is in credentials_profile.c.
 */
#ifndef CREDENTIALS_PROFILE_H
#define CREDENTIALS_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "credentials_http.h"
#include "credentials_source.h"
#include "credentials_sts.h"

enum profile_mode {
    PROFILE_KEYS, /* an AccessKey, perhaps with a security token */
    PROFILE_RAM_ROLE_ARN,
    PROFILE_CHAINED_ROLE_ARN, /* the role is asked for with the keys of another profile */
    PROFILE_ECS_RAM_ROLE,
    PROFILE_OIDC,
};

/* Strings from the heap, NULL = not given. CLEANUP(profile_release), which wipes them. */
struct profile {
    enum profile_mode mode;
    char *access_key_id;
    char *access_key_secret;
    char *security_token;
    char *role_arn;
    char *session_name;
    char *policy;
    char *external_id;
    char *sts_region;
    char *role_name;
    char *oidc_provider_arn;
    char *oidc_token_file;
    char *source;
    int64_t duration_s; /* 0 = not given */
    bool vpc;
};
void profile_release(struct profile *profile);

/* Takes a text for JSON if it begins like an object, else for INI. */
bool profile_is_json(const char *text, size_t len);

/*
 * The profile of that name; NULL = "current" of a JSON file, "default" of an INI file. What its
 * mode needs is there when it returns 0. ERR_AUTHENTICATION or ERR_PARSE: no such profile, a mode
 * that wants a human or another program, a line that makes no sense; never a value.
 */
int profile_decode(const char *text, size_t len, const char *name_or_null, struct profile *ret,
                   struct err *err) MUST_CHECK;

/* The two halves of it. */
int profile_decode_json(const char *text, size_t len, const char *name_or_null, struct profile *ret,
                        struct err *err) MUST_CHECK;
int profile_decode_ini(const char *text, size_t len, const char *name_or_null, struct profile *ret,
                       struct err *err) MUST_CHECK;

/* One setting of a profile: NULL key ends a table of them. */
struct profile_key {
    const char *key;
    size_t offset; /* of a string of struct profile */
};

/* A kind of profile: what the file calls it, what it needs besides. */
struct profile_kind {
    const char *name; /* NULL ends the table */
    enum profile_mode mode;
    size_t needs[3]; /* offsets of strings; 0 ends them: mode is at 0 */
};

/* Copies len bytes into the string of profile at offset; replaces what was there. */
int profile_set(struct profile *profile, size_t offset, const char *value, size_t len,
                struct err *err) MUST_CHECK;

/* Sets the mode that the file calls name: ERR_AUTHENTICATION names it and those there are. */
int profile_set_kind(struct profile *profile, const struct profile_kind *kinds,
                     const struct profile_key *keys, const char *what, const char *name,
                     struct err *err) MUST_CHECK;

/* Reads a file of up to 1 MiB into *ret, which the caller wipes. See base/secret_file.h. */
int profile_file_read(const char *path, char **ret, size_t *ret_len, struct err *err) MUST_CHECK;

/*
 * The keys of a profile of the file, through all roles and other profiles it names. Reads the file
 * once.
 */
int profile_fetch(const char *path, const char *name_or_null, struct sts *sts,
                  struct credentials_grant *ret, struct err *err) MUST_CHECK;

#endif
