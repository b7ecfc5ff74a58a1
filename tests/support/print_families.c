/*
 * Prints every family the exporter may expose, in the order of the exposition, one a line: name,
 * type, stability, labels, when it is absent, help, with tabs between them. docs/generate.py makes
 * the metrics reference of it, and tests compare it with real expositions.
 *
 * The catalogue is walked, and a registry that is filled as the daemon fills its own. A module that
 * adds families and is left out here is found by tests/e2e/test_reference.py.
 */
#include <stdio.h>
#include <stdlib.h>

#include "api/endpoint.h"
#include "base/cleanup.h"
#include "daemon/self_metrics.h"
#include "http/counters.h"
#include "inventory/catalogue.h"
#include "inventory/inventory.h"
#include "inventory/snapshot.h"
#include "inventory/state_keeper.h"
#include "metrics/process.h"
#include "metrics/registry.h"

static void print_family(const struct family *family)
{
    printf("%s\t%s\t%s\t%s\t%s\t%s\n", family->name, metric_type_name(family->type),
           metric_stability_name(family->stability), family->labels ? family->labels : "",
           family->absent ? family->absent : "", family->help);
}

/* What the daemon's parts add; they live until the program ends. */
struct parts {
    struct self_metrics self;
    struct http_counters counters;
    struct snapshot_slot *slot;
    struct inventory *inventory;
    struct api_session *session;
};

static int fill(struct registry *registry, struct parts *p, struct err *err)
{
    if (!registry || !p->slot)
        return err_nomem(err, "the registry");
    if (self_metrics_register(&p->self, registry, err) < 0 ||
        snapshot_metrics_register(registry, p->slot, err) < 0 ||
        process_metrics_register(registry, err) < 0 ||
        api_session_new(registry, "print_families", &p->session, err) < 0 ||
        inventory_new(registry, &p->inventory, err) < 0)
        return -1;
    return http_counters_register(&p->counters, registry, err);
}

int main(void)
{
    struct registry *registry = registry_new();
    struct parts parts = {.slot = snapshot_slot_new()};
    const struct family *family;
    struct err err = {0};
    int rc = EXIT_SUCCESS;

    if (fill(registry, &parts, &err) < 0) {
        fprintf(stderr, "%s\n", err.msg);
        rc = EXIT_FAILURE;
    } else {
        for (size_t i = 0; i < FAMILIES; i++)
            print_family(catalogue_family(i));
        for (size_t i = 0; (family = registry_family(registry, i)); i++)
            print_family(family);
    }
    inventory_free(parts.inventory);
    api_session_free(parts.session);
    snapshot_slot_free(parts.slot);
    registry_free(registry);
    return fflush(stdout) == 0 ? rc : EXIT_FAILURE;
}
