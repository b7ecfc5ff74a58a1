/*
 * The long bodies of generated deployments: SQL scripts, resource plans, CDC pipelines.
 *
 * A world of 100,000 realistic deployments is more than a gigabyte of text, nearly all of it here.
 * So bodies come from a pool of variants whose sizes follow the profile's distribution, each made
 * when first used and shared from then on. Thread-safe; the texts live as long as the corpus.
 */
#ifndef SIMULATOR_CORPUS_H
#define SIMULATOR_CORPUS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "text.h"

enum profile { PROFILE_SMALL, PROFILE_TYPICAL, PROFILE_HEAVY, PROFILE_END };
/* -1 if there is no profile of that name. */
int profile_parse(const char *name, enum profile *ret) MUST_CHECK;
const char *profile_name(enum profile p);
/* How many of the streaming deployments are in expert mode, with a plan. */
double profile_expert_share(enum profile p);

enum corpus_kind { CORPUS_SQL, CORPUS_PLAN, CORPUS_END };

struct corpus;

struct corpus *corpus_new(enum profile profile, uint64_t seed) MUST_CHECK;
void corpus_free(struct corpus *c);

/* The body drawn by `number`, escaped for the inside of a JSON string; NULL when memory is out. */
struct text *corpus_text(struct corpus *c, enum corpus_kind kind, uint64_t number) MUST_CHECK;

#endif
