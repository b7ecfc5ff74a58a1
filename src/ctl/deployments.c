/*
 * Deployments: the list, as the exporter reads it, and those of one name, as the API gives them.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "complain.h"
#include "fields.h"
#include "json_out.h"
#include "plane.h"
#include "table.h"

static const struct table_column columns[] = {
    {"NAME", false}, {"ID", false},      {"MODE", false},     {"ENGINE", false},
    {"JOBS", false}, {"CHANGED", false}, {"MODIFIED", false},
};

/* --- deployments --- */

/* "2 running, 1 failed"; "none" if all counts are 0, "" if they are not told. */
static void put_jobs(struct strbuf *out, const int64_t jobs[JOB_STATE_END])
{
    /* What runs now comes first, history behind it. */
    static const enum job_state order[] = {JOB_RUNNING, JOB_STARTING,  JOB_CANCELLING,
                                           JOB_FAILED,  JOB_CANCELLED, JOB_FINISHED};
    bool told = false;

    strbuf_reset(out);
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        int64_t n = jobs[order[i]];

        told = told || n >= 0;
        if (n > 0)
            strbuf_addf(out, "%s%lld %s", out->len > 0 ? ", " : "", (long long)n,
                        job_state_name(order[i]));
    }
    if (told && out->len == 0)
        strbuf_adds(out, "none");
}

static const char *yes_no(int8_t truth)
{
    return truth < 0 ? "" : truth ? "yes" : "no";
}

static void put_rows(struct table *t, const struct listing *listing)
{
    CLEANUP(strbuf_release) struct strbuf jobs = STRBUF_INIT;

    for (size_t i = 0; i < listing->n_items; i++) {
        const struct deployment *d = &listing->items[i];

        put_jobs(&jobs, d->jobs);
        table_cell(t, d->name);
        table_cell(t, d->id);
        table_cell(t, d->execution_mode);
        table_cell(t, d->engine_version);
        table_cell(t, strbuf_str(&jobs));
        table_cell(t, yes_no(d->has_changes));
        table_cell_time(t, d->modified_unix_s);
    }
    t->bad = t->bad || !strbuf_ok(&jobs);
}

static void put_object(struct json_out *o, const struct deployment *d)
{
    json_out_open(o, NULL, '{');
    json_out_text(o, "id", d->id);
    json_out_string(o, "name", d->name);
    json_out_string(o, "execution_mode", d->execution_mode);
    json_out_string(o, "engine_version", d->engine_version);
    json_out_string(o, "artifact_kind", d->artifact_kind);
    json_out_string(o, "deployment_target", d->target);
    json_out_string(o, "deployment_target_mode", d->target_mode);
    json_out_string(o, "draft_id", d->draft_id);
    json_out_open(o, "jobs", '{');
    for (int s = 0; s < JOB_STATE_END; s++) {
        if (d->jobs[s] < 0)
            json_out_null(o, job_state_name((enum job_state)s));
        else
            json_out_integer(o, job_state_name((enum job_state)s), d->jobs[s]);
    }
    json_out_close(o, '}');
    if (d->has_changes < 0)
        json_out_null(o, "has_changes");
    else
        json_out_bool(o, "has_changes", d->has_changes);
    json_out_time(o, "created", d->created_unix_s);
    json_out_time(o, "modified", d->modified_unix_s);
    json_out_close(o, '}');
}

static int by_name(const void *a, const void *b)
{
    const struct deployment *da = a, *db = b;
    int order = strcmp(da->name, db->name);

    return order != 0 ? order : strcmp(da->id, db->id);
}

static int put_listing(const struct listing *listing, bool json, struct strbuf *out,
                       struct err *err)
{
    CLEANUP(table_release) struct table t = table_begin(columns, ARRAY_LEN(columns));
    struct json_out o = {.out = out};

    if (!json) {
        put_rows(&t, listing);
        return table_print(&t, out, err);
    }
    json_out_open(&o, NULL, '[');
    for (size_t i = 0; i < listing->n_items; i++)
        put_object(&o, &listing->items[i]);
    json_out_close(&o, ']');
    return strbuf_ok(out) ? 0 : err_nomem(err, "the answer");
}

/* Command line filters take the place of all the target's own. */
static void apply_filters(struct target *t, const struct options *options)
{
    t->select = (struct target_select){
        .name = "",
        .execution_mode = options->execution_mode ? options->execution_mode : "",
        .status = options->status ? options->status : "",
        .creator = "",
        .modifier = "",
        .label_key = options->label_key,
        .label_values = options->label_values,
        .n_label_values = options->n_label_values,
    };
}

enum exit_code run_deployments(const struct options *options)
{
    CLEANUP(plane_close) struct plane p = PLANE_INIT;
    CLEANUP(listing_freep) struct listing *listing = NULL;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    enum exit_code code = plane_open(&p, options);
    struct err err = {0};

    if (code != CTL_DONE)
        return code;
    apply_filters(&p.target, options);
    const struct api_request request = plane_request(&p);
    if (api_client_list_deployments(p.client, &request, &listing, &p.stats, &err) < 0)
        return plane_failed(&p, "cannot list the deployments", &err);
    fields_listing_notes(&p, listing);
    if (listing->n_items > 0)
        qsort(listing->items, listing->n_items, sizeof(*listing->items), by_name);
    if (put_listing(listing, options->json, &out, &err) < 0 || answer_write(&out, &err) < 0) {
        complain("%s", err.msg);
        return CTL_FAILED;
    }
    return CTL_DONE;
}

/* --- deployment --- */

static void put_summary(struct strbuf *out, const json_value *summary)
{
    int64_t jobs[JOB_STATE_END];

    for (int s = 0; s < JOB_STATE_END; s++) {
        if (json_integer(json_get(summary, job_state_name((enum job_state)s)), &jobs[s]) < 0)
            jobs[s] = -1;
    }
    put_jobs(out, jobs);
}

static void put_whole_row(struct table *t, const json_value *d, struct strbuf *jobs)
{
    bool changed;

    put_summary(jobs, json_get(d, "jobSummary"));
    table_cell(t, json_string(json_get(d, "name")));
    table_cell(t, json_string(json_get(d, "deploymentId")));
    fields_cell_lower(t, json_get(d, "executionMode"));
    table_cell(t, json_string(json_get(d, "engineVersion")));
    table_cell(t, strbuf_str(jobs));
    table_cell(t, json_bool(json_get(d, "deploymentHasChanged"), &changed) < 0 ? ""
                  : changed                                                    ? "yes"
                                                                               : "no");
    table_cell_time(t, fields_time(json_get(d, "modifiedAt")));
}

static int put_deployments(const json_value *all, bool json, struct strbuf *out, struct err *err)
{
    CLEANUP(table_release) struct table t = table_begin(columns, ARRAY_LEN(columns));
    CLEANUP(strbuf_release) struct strbuf jobs = STRBUF_INIT;

    if (json) {
        if (json_print(all, true, out, err) < 0)
            return -1;
        strbuf_addc(out, '\n');
        return strbuf_ok(out) ? 0 : err_nomem(err, "the answer");
    }
    for (const json_value *d = json_first(all); d; d = json_next(d))
        put_whole_row(&t, d, &jobs);
    t.bad = t.bad || !strbuf_ok(&jobs);
    return table_print(&t, out, err);
}

enum exit_code run_deployment(const struct options *options)
{
    CLEANUP(plane_close) struct plane p = PLANE_INIT;
    CLEANUP(json_freep) json_value *all = NULL;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    enum exit_code code = plane_open(&p, options);
    struct err err = {0};

    if (code != CTL_DONE)
        return code;
    const struct api_request request = plane_request(&p);
    if (api_client_get_deployments(p.client, &request, options->argument, options->without, &all,
                                   &p.stats, &err) < 0)
        return plane_failed(&p, "cannot get the deployments of that name", &err);
    bool found = json_first(all) != NULL;
    if (!found)
        complain("no deployment of target '%s', namespace '%s' has exactly the name '%s'",
                 p.target.name, p.namespace_name, options->argument);
    if ((found || options->json) &&
        (put_deployments(all, options->json, &out, &err) < 0 || answer_write(&out, &err) < 0)) {
        complain("%s", err.msg);
        return CTL_FAILED;
    }
    return found ? CTL_DONE : CTL_FAILED;
}
