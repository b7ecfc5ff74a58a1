/*
 * The nonces of the last fifteen minutes. Bounded: when it is full, the oldest is forgotten.
 * Thread-safe.
 */
#ifndef SIMULATOR_NONCES_H
#define SIMULATOR_NONCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct nonces;

struct nonces *nonces_new(size_t capacity, int64_t remember_ms) MUST_CHECK;
void nonces_free(struct nonces *n);

/* True if the nonce is new, and remembers it; false if it was used within the time. */
bool nonces_use(struct nonces *n, const char *nonce, int64_t now_ms);

#endif
