/*
 * Which deploy tickets are followed, and what becomes of them: rules without files, network or
 * clock. A worker begins a set out of the one before, learns, and ends it; then it is frozen.
 */
#ifndef FOLLOWING_H
#define FOLLOWING_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "model/target.h"
#include "model/ticket.h"
#include "spool.h"

/* A ticket is not known for so long, and two intervals at least, until there is none. */
#define FOLLOWING_APPEARS_MS INT64_C(120000)
/* Who has not ended by then will not. */
#define FOLLOWING_LONGEST_MS INT64_C(86400000)

struct moment {
    int64_t unix_ms;
    int64_t mono_ms;
};

/* A set in the making: items are the set's own. */
struct following {
    struct ticket_set *set;
    struct ticket *items;
};

/*
 * The tickets of the configuration and of the spool, with what the set before (NULL = none) knew of
 * them. At most max_tickets are shown: those of the configuration in its order, then the spool's
 * that were followed already, by name, then new ones, by name; so nobody is pushed out by a file
 * that comes later. Those that ended more than ticket_ttl ago are retired and do not count; so are
 * those that ended and for which a new configuration has no room.
 */
int following_begin(const struct target *target, const char *namespace_name,
                    const struct ticket_set *before, const struct spool *spool, struct moment now,
                    struct following *ret, struct err *err) MUST_CHECK;
void following_release(struct following *f);

/* Drops the retired ones that neither the configuration nor a file holds any more. */
void following_forget(struct following *f);

/*
 * Fills order, which has room for all items, with the indexes of those to be asked for: who waited
 * longest first, so that a deadline that comes too early hurts everybody alike. Returns how many.
 */
size_t following_order(const struct following *f, size_t *order);

/*
 * What the control plane said of an item; answer NULL = that there is no such ticket. -1 only when
 * memory is out, and nothing was learned.
 */
int following_learn(struct following *f, size_t item, const struct ticket_answer *answer,
                    int64_t interval_ms, struct moment now, struct err *err) MUST_CHECK;

/*
 * Nobody is answered, as far as is known. It had its turn all the same: the others come first next
 * time, for it may be the one that ends every refresh.
 */
void following_put_off(struct following *f, size_t item, struct moment now);

/* It was asked for, and nothing can be told from the answer. */
void following_no_answer(struct following *f, size_t item, struct moment now);

#endif
