#include "model/ticket.h"

#include <assert.h>
#include <string.h>

const char *ticket_status_name(enum ticket_status status)
{
    static const char *const names[TICKET_STATUS_END] = {
        [TICKET_EXECUTING] = "executing",
        [TICKET_FINISHED] = "finished",
        [TICKET_FAILED] = "failed",
        [TICKET_UNKNOWN] = "unknown",
    };
    assert(status < TICKET_STATUS_END);
    return names[status];
}

const char *ticket_failure_name(enum ticket_failure failure)
{
    static const char *const names[TICKET_FAILURE_END] = {
        [TICKET_FAILURE_FAILED] = "failed",
        [TICKET_FAILURE_VALIDATION] = "validation",
        [TICKET_FAILURE_UNSUCCESSFUL] = "unsuccessful",
        [TICKET_FAILURE_NOT_FOUND] = "not_found",
        [TICKET_FAILURE_EXPIRED] = "expired",
    };
    assert(failure < TICKET_FAILURE_END);
    return names[failure];
}

bool ticket_answer_ended(const struct ticket_answer *answer)
{
    return answer->status == TICKET_FINISHED || answer->status == TICKET_FAILED;
}

enum ticket_failure ticket_answer_failure(const struct ticket_answer *answer)
{
    assert(ticket_answer_ended(answer));
    if (answer->status == TICKET_FINISHED && answer->success == 1)
        return TICKET_FAILURE_END;
    if (answer->validated == 0)
        return TICKET_FAILURE_VALIDATION;
    return answer->status == TICKET_FAILED ? TICKET_FAILURE_FAILED : TICKET_FAILURE_UNSUCCESSFUL;
}

bool ticket_id_valid(const char *id)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t len = strlen(id);

    return len > 0 && len <= TICKET_ID_MAX && strspn(id, letters) == len && id[0] != '_' &&
           id[0] != '-';
}

const struct ticket *ticket_set_find(const struct ticket_set *set, const char *id)
{
    size_t first = 0, end = set ? set->n_items : 0;

    while (first < end) {
        size_t middle = first + (end - first) / 2;
        int order = strcmp(set->items[middle].id, id);

        if (order == 0)
            return &set->items[middle];
        if (order < 0)
            first = middle + 1;
        else
            end = middle;
    }
    return NULL;
}

struct ticket_set *ticket_set_ref(struct ticket_set *set)
{
    atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
    return set;
}

void ticket_set_unref(struct ticket_set *set)
{
    /* The set lies in its own arena. */
    if (set && atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) == 1)
        arena_free(set->arena);
}

void ticket_set_unrefp(struct ticket_set **set)
{
    ticket_set_unref(*set);
}
