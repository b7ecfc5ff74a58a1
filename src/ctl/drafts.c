/*
 * Drafts: the list, and single ones.
 */
#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "complain.h"
#include "fields.h"
#include "json_out.h"
#include "plane.h"
#include "table.h"
#include "time_text.h"
#include "visible.h"

static const struct table_column columns[] = {
    {"NAME", false},   {"ID", false},        {"DEPLOYMENT", false}, {"MODE", false},
    {"ENGINE", false}, {"LOCKED BY", false}, {"MODIFIED", false},
};

static int by_name(const void *a, const void *b)
{
    const struct draft *da = a, *db = b;
    int order = strcmp(da->name, db->name);

    return order != 0 ? order : strcmp(da->id, db->id);
}

static void put_row(struct table *t, const struct draft *d)
{
    table_cell(t, d->name);
    table_cell(t, d->id);
    table_cell(t, d->deployment_id);
    table_cell(t, d->execution_mode);
    table_cell(t, d->engine_version);
    table_cell(t, d->locked && !*d->lock_holder ? "somebody" : d->lock_holder);
    table_cell_time(t, d->modified_unix_s);
}

static void put_object(struct json_out *o, const struct draft *d)
{
    json_out_open(o, NULL, '{');
    json_out_text(o, "id", d->id);
    json_out_string(o, "name", d->name);
    json_out_string(o, "deployment_id", d->deployment_id);
    json_out_string(o, "execution_mode", d->execution_mode);
    json_out_string(o, "engine_version", d->engine_version);
    json_out_string(o, "artifact_kind", d->artifact_kind);
    json_out_bool(o, "locked", d->locked);
    json_out_string(o, "lock_holder", d->lock_holder);
    json_out_time(o, "created", d->created_unix_s);
    json_out_time(o, "modified", d->modified_unix_s);
    json_out_close(o, '}');
}

static int put_listing(const struct listing *listing, bool json, struct strbuf *out,
                       struct err *err)
{
    CLEANUP(table_release) struct table t = table_begin(columns, ARRAY_LEN(columns));
    struct json_out o = {.out = out};

    if (!json) {
        for (size_t i = 0; i < listing->n_items; i++)
            put_row(&t, &listing->drafts[i]);
        return table_print(&t, out, err);
    }
    json_out_open(&o, NULL, '[');
    for (size_t i = 0; i < listing->n_items; i++)
        put_object(&o, &listing->drafts[i]);
    json_out_close(&o, ']');
    return strbuf_ok(out) ? 0 : err_nomem(err, "the answer");
}

enum exit_code run_drafts(const struct options *options)
{
    CLEANUP(plane_close) struct plane p = PLANE_INIT;
    CLEANUP(listing_freep) struct listing *listing = NULL;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    enum exit_code code = plane_open(&p, options);
    struct err err = {0};

    if (code != CTL_DONE)
        return code;
    const struct api_request request = plane_request(&p);
    if (api_client_list_drafts(p.client, &request, &listing, &p.stats, &err) < 0)
        return plane_failed(&p, "cannot list the drafts", &err);
    fields_listing_notes(&p, listing);
    if (listing->n_items > 0)
        qsort(listing->drafts, listing->n_items, sizeof(*listing->drafts), by_name);
    if (put_listing(listing, options->json, &out, &err) < 0 || answer_write(&out, &err) < 0) {
        complain("%s", err.msg);
        return CTL_FAILED;
    }
    return CTL_DONE;
}

/* --- draft get --- */

/* The API counts seconds, people do not. */
static void put_time(const struct change *field, struct strbuf *out)
{
    char text[CLOCK_ISO8601_LEN];
    bool is_time = strcmp(field->path, "createdAt") == 0 || strcmp(field->path, "modifiedAt") == 0;

    if (is_time && time_text(text, fields_time(field->after)))
        strbuf_addf(out, " (%s)", text);
}

/* A text of several lines goes below its name, indented; all else beside it. */
static void put_field(const struct change *field, struct strbuf *out)
{
    const char *text = json_string(field->after);
    CLEANUP(strbuf_release) struct strbuf printed = STRBUF_INIT;

    visible_append(out, field->path, strlen(field->path));
    if (!text) {
        if (json_print(field->after, false, &printed, NULL) < 0)
            out->bad = true;
        strbuf_addf(out, ": %s", strbuf_str(&printed));
        put_time(field, out);
        strbuf_addc(out, '\n');
    } else if (!strchr(text, '\n')) {
        strbuf_adds(out, ": ");
        visible_append(out, text, strlen(text));
        strbuf_addc(out, '\n');
    } else {
        strbuf_adds(out, ":\n");
        while (*text) {
            size_t len = strcspn(text, "\n");

            strbuf_adds(out, "    ");
            visible_append_line(out, text, len);
            strbuf_addc(out, '\n');
            text += len + (text[len] == '\n');
        }
    }
}

/* As changes from nothing: every field is one, with its path. */
static int put_fields(const json_value *draft, struct strbuf *out, struct err *err)
{
    CLEANUP(changes_release) struct changes fields = CHANGES_INIT;

    if (changes_find(&fields, NULL, draft, err) < 0)
        return -1;
    for (size_t i = 0; i < fields.n_items; i++)
        put_field(&fields.items[i], out);
    return strbuf_ok(out) ? 0 : err_nomem(err, "the answer");
}

enum exit_code run_draft_get(const struct options *options)
{
    CLEANUP(plane_close) struct plane p = PLANE_INIT;
    CLEANUP(json_freep) json_value *draft = NULL;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    enum exit_code code = plane_open(&p, options);
    struct err err = {0};
    int rc;

    if (code != CTL_DONE)
        return code;
    const struct api_request request = plane_request(&p);
    if (api_client_get_draft(p.client, &request, options->argument, &draft, &p.stats, &err) < 0)
        return plane_failed(&p, "cannot get the draft", &err);
    if (options->json) {
        rc = json_print(draft, true, &out, &err);
        strbuf_addc(&out, '\n');
    } else {
        rc = put_fields(draft, &out, &err);
    }
    if (rc < 0 || answer_write(&out, &err) < 0) {
        complain("%s", err.msg);
        return CTL_FAILED;
    }
    return CTL_DONE;
}
