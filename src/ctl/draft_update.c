/*
 * Changing a draft, carefully. The control plane has no way to say "only if it is still as I saw
 * it", and nothing tells whether an update merges or replaces. So: read, apply the change to a
 * copy, show it, ask, read again and compare, send the whole, read back and compare with what was
 * sent. Between the second reading and the update remains a gap of one round trip, which the lock
 * is there for.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "advice.h"
#include "api/write.h"
#include "changes.h"
#include "complain.h"
#include "fields.h"
#include "json_out.h"
#include "merge_patch.h"
#include "plane.h"
#include "read_file.h"

enum { PATCH_BUDGET = 512 * 1024 * 1024 };

/* What the control plane writes into a draft by itself whenever it is changed. */
static const char *const written_by_server[] = {"modifiedAt", "modifier", "modifierName"};

/* What nobody else may write. */
static const char *const owned_by_server[] = {
    "deploymentDraftId", "workspace",    "namespace", "creator",    "creatorName",
    "modifier",          "modifierName", "createdAt", "modifiedAt", "lock",
};

/* One update on its way. CLEANUP(update_release). */
struct update {
    const struct options *options;
    struct plane *plane;
    json_value *before;
    json_value *wanted;
    json_value *now;         /* as it was read last */
    struct changes intended; /* between before and wanted */
    const char *result;      /* for JSON: what came of it */
};

static void update_release(struct update *u)
{
    changes_release(&u->intended);
    json_free(u->before);
    json_free(u->wanted);
    json_free(u->now);
}

static enum exit_code failed(const struct err *err)
{
    complain("%s", err->kind == ERR_STOPPED ? "interrupted, nothing was changed" : err->msg);
    return CTL_FAILED;
}

/* --- what is to change --- */

/* All of it is sent back: what is another draft, or none at all, must not become this one. */
static int check_identity(const json_value *draft, const char *id, struct err *err)
{
    const char *its = json_string(json_get(draft, "deploymentDraftId"));

    if (!its)
        return err_set(err, ERR_PARSE, "the answer is no draft, it has no deploymentDraftId");
    if (strcasecmp(its, id) != 0)
        return err_set(err, ERR_PARSE, "the answer is another draft, '%.64s'", its);
    return 0;
}

static int read_draft(const struct update *u, json_value **ret, struct err *err)
{
    const struct api_request request = plane_request(u->plane);
    CLEANUP(json_freep) json_value *draft = NULL;

    if (api_client_get_draft(u->plane->client, &request, u->options->argument, &draft,
                             &u->plane->stats, err) < 0 ||
        check_identity(draft, u->options->argument, err) < 0)
        return -1;
    json_free(*ret);
    *ret = TAKE(draft);
    return 0;
}

static int read_patch(const struct update *u, json_value **ret, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(json_freep) json_value *patch = NULL;
    const char *name = strcmp(u->options->file, "-") == 0 ? "standard input" : u->options->file;

    if (read_file(u->options->file, u->plane->interrupt, &text, err) < 0)
        return -1;
    if (json_parse_exact(strbuf_str(&text), text.len, PATCH_BUDGET, &patch, err) < 0)
        return err_wrap(err, "%s", name);
    if (!json_is_object(patch))
        return err_set(err, ERR_PARSE,
                       "%s: must be a JSON object with the fields to change, such as "
                       "{\"engineVersion\": \"vvr-8.0.9-flink-1.17\"}",
                       name);
    *ret = TAKE(patch);
    return 0;
}

static bool is_in(const char *path, const char *const *fields, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (changes_in_field(path, fields[i]))
            return true;
    return false;
}

static int check_owned(const struct changes *c, struct err *err)
{
    for (size_t i = 0; i < c->n_items; i++)
        if (is_in(c->items[i].path, owned_by_server, ARRAY_LEN(owned_by_server)))
            return err_set(err, ERR_CONF, "%s belongs to the control plane and cannot be changed",
                           c->items[i].path);
    return 0;
}

static int prepare(struct update *u, struct err *err)
{
    CLEANUP(json_freep) json_value *patch = NULL;

    if (read_patch(u, &patch, err) < 0)
        return -1;
    if (read_draft(u, &u->before, err) < 0)
        return err_wrap(err, "cannot get the draft");
    if (merge_patch(u->before, patch, &u->wanted, err) < 0 ||
        changes_find(&u->intended, u->before, u->wanted, err) < 0)
        return -1;
    return check_owned(&u->intended, err);
}

/* --- what the operator sees --- */

static int show(const struct update *u, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;

    if (u->options->json)
        return 0;
    if (u->intended.n_items == 0)
        strbuf_adds(&out, "nothing to change\n");
    changes_show(&u->intended, &out);
    return answer_write(&out, err);
}

static int show_result(const struct update *u, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct json_out o = {.out = &out};

    if (!u->options->json)
        return 0;
    json_out_open(&o, NULL, '{');
    json_out_text(&o, "draft_id", u->options->argument);
    json_out_text(&o, "result", u->result);
    changes_put(&u->intended, "changes", &o);
    json_out_close(&o, '}');
    return answer_write(&out, err);
}

/* With JSON on stdout: nobody should say yes to what was not shown. */
static int show_question(const struct update *u)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    changes_show(&u->intended, &text);
    if (!strbuf_ok(&text))
        return -1;
    (void)fwrite(text.ptr, 1, text.len, stderr);
    return 0;
}

/* CTL_DONE = yes. */
static enum exit_code ask(const struct update *u)
{
    char answer[64];
    ssize_t n;

    if (u->options->yes)
        return CTL_DONE;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        complain("there is no terminal to ask on: --yes changes the draft without asking, "
                 "--dry-run only shows what would change");
        return CTL_USAGE;
    }
    if (u->options->json && show_question(u) < 0) {
        complain("out of memory, nothing was changed");
        return CTL_FAILED;
    }
    fprintf(stderr, "Change these %zu fields? [y/N] ", u->intended.n_items);
    if (interrupt_wait(u->plane->interrupt, STDIN_FILENO, POLLIN, INT64_MAX) == WAIT_INTERRUPTED) {
        complain("interrupted, nothing was changed");
        return CTL_FAILED;
    }
    n = read(STDIN_FILENO, answer, sizeof(answer));
    if (n > 0 && (answer[0] == 'y' || answer[0] == 'Y'))
        return CTL_DONE;
    tell("nothing was changed");
    return CTL_FAILED;
}

/* --- locks, and changes meanwhile --- */

static int check_lock(const struct update *u, const json_value *draft, struct err *err)
{
    const char *holder = fields_lock_holder(draft);

    if (!holder)
        return 0;
    if (!u->options->force)
        return err_set(err, ERR_CONF,
                       "the draft is locked by %s, nothing was changed; --force changes it all the "
                       "same, also if that is you",
                       holder);
    tell("the draft is locked by %s, going on because of --force", holder);
    return 0;
}

static int check_unchanged(struct update *u, struct err *err)
{
    CLEANUP(changes_release) struct changes meanwhile = CHANGES_INIT;
    CLEANUP(strbuf_release) struct strbuf names = STRBUF_INIT;

    if (read_draft(u, &u->now, err) < 0)
        return err_wrap(err, "cannot read the draft again, nothing was changed");
    if (changes_find(&meanwhile, u->before, u->now, err) < 0)
        return -1;
    if (meanwhile.n_items == 0)
        return 0;
    for (size_t i = 0; i < meanwhile.n_items; i++)
        strbuf_addf(&names, "%s%s", i > 0 ? ", " : "", meanwhile.items[i].path);
    return err_set(err, ERR_CONF, "the draft changed meanwhile, nothing was sent: %s",
                   strbuf_str(&names));
}

/* --- the outcome --- */

/* How what is there now differs from what was sent. */
struct outcome {
    struct changes changes; /* from wanted to now */
    size_t untaken;         /* of what was intended */
    size_t other;           /* of what nobody asked for */
};

static bool is_intended(const struct update *u, const char *path)
{
    for (size_t i = 0; i < u->intended.n_items; i++)
        if (changes_overlap(u->intended.items[i].path, path))
            return true;
    return false;
}

static int look(struct update *u, struct outcome *ret, struct err *err)
{
    if (read_draft(u, &u->now, err) < 0 || changes_find(&ret->changes, u->wanted, u->now, err) < 0)
        return -1;
    for (size_t i = 0; i < ret->changes.n_items; i++) {
        const char *path = ret->changes.items[i].path;

        if (is_intended(u, path))
            ret->untaken++;
        else if (!is_in(path, written_by_server, ARRAY_LEN(written_by_server)))
            ret->other++;
    }
    return 0;
}

/* Says which fields are not as they should be. */
static void tell_outcome(const struct update *u, const struct outcome *o)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    for (size_t i = 0; i < o->changes.n_items; i++) {
        const struct change *c = &o->changes.items[i];
        struct changes one = {.items = &o->changes.items[i], .n_items = 1};

        if (is_intended(u, c->path))
            strbuf_adds(&text, "did not take (wanted -> is): ");
        else if (!is_in(c->path, written_by_server, ARRAY_LEN(written_by_server)))
            strbuf_adds(&text, "changed without being asked to: ");
        else
            continue;
        changes_show(&one, &text);
    }
    (void)fwrite(strbuf_str(&text), 1, text.len, stderr);
}

static enum exit_code judge(struct update *u, const struct outcome *o)
{
    if (o->untaken == 0 && o->other == 0) {
        u->result = "updated";
        return CTL_DONE;
    }
    u->result = "differs";
    complain("THE DRAFT IS NOT AS IT SHOULD BE: %zu of the changes did not take, %zu other fields "
             "changed",
             o->untaken, o->other);
    tell_outcome(u, o);
    return CTL_FAILED;
}

/* The update failed, or its answer was lost: what is there now tells which. */
static enum exit_code after_failure(struct update *u, const struct err *failure)
{
    CLEANUP(changes_release) struct changes since = CHANGES_INIT;
    struct outcome o = {0};
    struct err err = {0};
    enum exit_code code = CTL_FAILED;
    const char *advice = advice_for(failure);

    complain("%s", failure->msg);
    u->result = "unknown";
    if (failure->kind == ERR_STOPPED || look(u, &o, &err) < 0 ||
        changes_find(&since, u->before, u->now, &err) < 0) {
        complain("whether the draft was changed is not known%s%s: look with 'draft get'",
                 *err.msg ? ", it cannot be read: " : "", err.msg);
    } else if (since.n_items == 0 && failure->kind == ERR_TIMEOUT) {
        complain("read back: the draft is as it was before, but the update may still be under "
                 "way: look again with 'draft get'");
    } else if (since.n_items == 0) {
        complain("read back: the draft is as it was before");
        u->result = "failed";
        if (advice)
            tell("%s", advice);
    } else {
        code = judge(u, &o);
        if (code == CTL_DONE)
            tell("read back: the draft was changed as it should, only the answer was lost");
    }
    changes_release(&o.changes);
    return code;
}

static enum exit_code send_update(struct update *u)
{
    const struct api_request request = plane_request(u->plane);
    CLEANUP(json_freep) json_value *answer = NULL;
    struct outcome o = {0};
    struct err err = {0};
    enum exit_code code;

    if (api_client_update_draft(u->plane->client, &request, u->options->argument, u->wanted,
                                &answer, &u->plane->stats, &err) < 0)
        return after_failure(u, &err);
    if (look(u, &o, &err) < 0) {
        complain("the update was accepted, but the draft cannot be read back: %s", err.msg);
        u->result = "unverified";
        code = CTL_FAILED;
    } else {
        code = judge(u, &o);
        if (code == CTL_DONE)
            tell("updated, and read back: as it should be");
    }
    changes_release(&o.changes);
    return code;
}

/* --- the command --- */

static enum exit_code change(struct update *u)
{
    enum exit_code code;
    struct err err = {0};

    u->result = "refused";
    if (check_lock(u, u->before, &err) < 0)
        return failed(&err);
    code = ask(u);
    if (code != CTL_DONE)
        return code;
    if (check_unchanged(u, &err) < 0)
        return failed(&err);
    return send_update(u);
}

static enum exit_code update(struct update *u)
{
    enum exit_code code = CTL_DONE;
    struct err err = {0};

    if (prepare(u, &err) < 0 || show(u, &err) < 0)
        return failed(&err);
    u->result = "unchanged";
    if (u->options->dry_run && u->intended.n_items > 0) {
        u->result = "dry_run";
        if (fields_lock_holder(u->before))
            tell("the draft is locked by %s", fields_lock_holder(u->before));
        tell("nothing was sent: --dry-run");
    } else if (u->intended.n_items > 0) {
        code = change(u);
    }
    if (show_result(u, &err) < 0)
        return failed(&err);
    return code;
}

enum exit_code run_draft_update(const struct options *options)
{
    CLEANUP(plane_close) struct plane p = PLANE_INIT;
    CLEANUP(update_release) struct update u = {.options = options, .plane = &p};
    enum exit_code code = plane_open(&p, options);

    return code != CTL_DONE ? code : update(&u);
}
