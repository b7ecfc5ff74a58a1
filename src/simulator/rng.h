/*
 * Deterministic random numbers (splitmix64) and the distributions the generator draws from.
 *
 * The struct lives in its owner and belongs to one thread. The same seed gives the same numbers on
 * every machine, which is what makes a generated world repeatable.
 */
#ifndef SIMULATOR_RNG_H
#define SIMULATOR_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t state;
};

/* One seed from two: the world's and an object's place in it. */
uint64_t rng_mix(uint64_t a, uint64_t b);

uint64_t rng_next(struct rng *r);
/* 0 .. n - 1; 0 for n = 0. */
uint64_t rng_below(struct rng *r, uint64_t n);
/* lo .. hi, both included. */
int64_t rng_between(struct rng *r, int64_t lo, int64_t hi);
/* [0, 1) */
double rng_unit(struct rng *r);
bool rng_chance(struct rng *r, double probability);
double rng_lognormal(struct rng *r, double median, double sigma);
double rng_exponential(struct rng *r, double mean);
/* An index, drawn by weight. */
size_t rng_weighted(struct rng *r, const double *weights, size_t n);

/* 36 characters and a NUL: "881ed162-ae2e-b154-7f15-052434b9b5df". */
#define RNG_UUID_LEN 37
void rng_uuid(struct rng *r, char out[RNG_UUID_LEN], bool upper_case);

#endif
