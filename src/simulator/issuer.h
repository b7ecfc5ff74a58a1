/*
 * The temporary keys that the simulator's STS, metadata service and credentials URI hand out, and
 * the tokens of the metadata service.
 *
 * The last ISSUER_MAX_KEYS of each are remembered, expired ones included, so that a late request
 * is told that its key is expired and not that nobody knows it. Times are the server's: wall clock
 * plus the simulator's offset. Thread-safe.
 */
#ifndef SIMULATOR_ISSUER_H
#define SIMULATOR_ISSUER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

#define ISSUER_MAX_KEYS  1000
#define ISSUER_TEXT_LEN  64
#define ISSUER_MAX_TOKEN 20000 /* longest OIDC token that STS takes */

struct issued_key {
    char id[ISSUER_TEXT_LEN]; /* "STS.xxx" */
    char secret[ISSUER_TEXT_LEN];
    char token[ISSUER_TEXT_LEN];
    int64_t expires_unix_ms;
};

struct issuer;

struct issuer *issuer_new(uint64_t seed) MUST_CHECK;
void issuer_free(struct issuer *i);

/* A fresh key that is good until then. */
void issuer_issue(struct issuer *i, int64_t expires_unix_ms, struct issued_key *ret);
/* False if no such key is remembered; an expired one is found. */
bool issuer_find(struct issuer *i, const char *key_id, struct issued_key *ret);
/* Whatever was issued so far is expired. */
void issuer_expire_all(struct issuer *i);
uint64_t issuer_count(struct issuer *i);

/* A token of the metadata service. */
void issuer_metadata_token(struct issuer *i, int64_t expires_unix_ms, char out[ISSUER_TEXT_LEN]);
bool issuer_metadata_token_good(struct issuer *i, const char *token, int64_t now_unix_ms);

/* The one OIDC token that STS takes; "" = any. */
int issuer_set_oidc_token(struct issuer *i, const char *token, struct err *err) MUST_CHECK;
bool issuer_oidc_token_good(struct issuer *i, const char *token);

#endif
