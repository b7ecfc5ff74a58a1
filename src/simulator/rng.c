#include "rng.h"

#include <math.h>

uint64_t rng_next(struct rng *r)
{
    r->state += 0x9e3779b97f4a7c15U;
    uint64_t z = r->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

uint64_t rng_mix(uint64_t a, uint64_t b)
{
    struct rng r = {a};
    uint64_t first = rng_next(&r);
    r.state = first ^ (b * 0xff51afd7ed558ccdU);
    return rng_next(&r);
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
    return n ? rng_next(r) % n : 0;
}

int64_t rng_between(struct rng *r, int64_t lo, int64_t hi)
{
    return hi <= lo ? lo : lo + (int64_t)rng_below(r, (uint64_t)(hi - lo) + 1);
}

double rng_unit(struct rng *r)
{
    return (double)(rng_next(r) >> 11) * 0x1.0p-53;
}

bool rng_chance(struct rng *r, double probability)
{
    return rng_unit(r) < probability;
}

double rng_lognormal(struct rng *r, double median, double sigma)
{
    double u = 1.0 - rng_unit(r); /* (0, 1]: its logarithm exists */
    double v = rng_unit(r);
    double normal = sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
    return median * exp(sigma * normal);
}

double rng_exponential(struct rng *r, double mean)
{
    return -mean * log(1.0 - rng_unit(r));
}

size_t rng_weighted(struct rng *r, const double *weights, size_t n)
{
    double total = 0;
    for (size_t i = 0; i < n; i++)
        total += weights[i];
    double at = rng_unit(r) * total;
    for (size_t i = 0; i < n; i++) {
        at -= weights[i];
        if (at < 0)
            return i;
    }
    return n - 1;
}

void rng_uuid(struct rng *r, char out[RNG_UUID_LEN], bool upper_case)
{
    const char *digits = upper_case ? "0123456789ABCDEF" : "0123456789abcdef";
    uint64_t bits = 0;
    for (size_t i = 0, n = 0; i < RNG_UUID_LEN - 1; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            out[i] = '-';
            continue;
        }
        if (n++ % 16 == 0)
            bits = rng_next(r);
        out[i] = digits[bits & 15];
        bits >>= 4;
    }
    out[RNG_UUID_LEN - 1] = '\0';
}
