/* A section for each namespace: a table of its collectors, a table of its deployments' failures. */
#include "debug_page.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "html.h"
#include "html_page.h"

/* With so much on it the page lists no more failures: texts may be nothing but markup characters.
 */
#define PAGE_FULL_BYTES ((size_t)3 * 1024 * 1024)

/* A little less than what is kept of a message, so that one that was cut ends in an ellipsis. */
enum { FAILURE_MESSAGE_MAX = 1000 };

struct debug_page {
    const struct snapshot *snapshot;
    const struct target_status *targets;
    size_t n_targets;
    size_t failures_max; /* of a namespace */
    int64_t now_unix_ms;
    struct strbuf *out;
};

/* "12 s ago", and when that was; text where it never was. */
static void add_past(const struct debug_page *page, int64_t unix_ms, const char *never)
{
    if (unix_ms <= 0) {
        strbuf_adds(page->out, never);
        return;
    }
    html_span(page->out, page->now_unix_ms - unix_ms);
    strbuf_adds(page->out, " ago<small>");
    html_time(page->out, unix_ms);
    strbuf_adds(page->out, "</small>");
}

/* --- collectors --- */

enum {
    COL_COLLECTOR,
    COL_HEALTH,
    COL_ATTEMPT,
    COL_SUCCESS,
    COL_DURATION,
    COL_OBJECTS,
    COL_NEXT,
    COL_END,
};

static const struct html_column collector_columns[COL_END] = {
    [COL_COLLECTOR] = {"Collector", "w", ""},  [COL_HEALTH] = {"Health", "m", ""},
    [COL_ATTEMPT] = {"Last attempt", "t", ""}, [COL_SUCCESS] = {"Last success", "t", ""},
    [COL_DURATION] = {"Took", "d", ""},        [COL_OBJECTS] = {"Objects", "n", ""},
    [COL_NEXT] = {"Next refresh", "t", ""},
};

static void add_tags(const struct debug_page *page, const struct collector_status *c)
{
    if (!c->tried)
        strbuf_adds(page->out, "<span class=\"tag wait\">waiting</span>");
    else if (c->success)
        strbuf_adds(page->out, "<span class=\"tag ok\">OK</span>");
    else
        html_failing_tag(page->out, c->failing_since_unix_ms, page->now_unix_ms);
    if (c->withheld)
        strbuf_adds(page->out, "<span class=\"tag wait\">data withheld</span>");
}

/* The last failure is told after it is over, too: it may be what somebody looks for. */
static void add_health(const struct debug_page *page, const struct collector_status *c)
{
    struct strbuf *out = page->out;

    add_tags(page, c);
    if (!c->reason)
        return;
    if (!c->tried || c->success) {
        strbuf_adds(out, "<small>last failure ");
        html_rough_span(out, page->now_unix_ms - c->last_failure_unix_ms);
        strbuf_adds(out, " ago: ");
        html_bdi(out, c->reason, PAGE_TEXT_MAX);
        strbuf_adds(out, "</small>");
    } else {
        html_bdi(out, c->reason, PAGE_TEXT_MAX);
    }
    strbuf_adds(out, "<small>");
    html_bdi(out, c->message, PAGE_MESSAGE_MAX);
    strbuf_adds(out, "</small>");
}

static void add_objects(struct strbuf *out, const struct collector_status *c)
{
    html_count(out, c->objects);
    if (c->objects >= 0 && c->expected >= 0 && c->expected != c->objects)
        strbuf_addf(out, "<small>of %lld</small>", (long long)c->expected);
    if (c->pages >= 0)
        strbuf_addf(out, "<small>%lld page%s</small>", (long long)c->pages,
                    c->pages == 1 ? "" : "s");
}

static void add_next(const struct debug_page *page, const struct collector_status *c)
{
    struct strbuf *out = page->out;

    if (c->running) {
        strbuf_adds(out, "under way");
    } else if (c->next_unix_ms == 0) {
        strbuf_adds(out, "not known");
    } else if (c->next_unix_ms <= page->now_unix_ms) {
        strbuf_adds(out, "due");
    } else {
        strbuf_adds(out, "in ");
        html_span(out, c->next_unix_ms - page->now_unix_ms);
    }
    if (c->failures > 0)
        strbuf_addf(out, "<small>backs off: %llu failure%s in a row</small>",
                    (unsigned long long)c->failures, c->failures == 1 ? "" : "s");
}

static void add_collector(const struct debug_page *page, const struct collector_status *c)
{
    struct strbuf *out = page->out;

    strbuf_adds(out, "<tr>");
    html_open_cell(out, &collector_columns[COL_COLLECTOR]);
    strbuf_adds(out, c->name);
    html_close_cell(out);
    html_open_cell(out, &collector_columns[COL_HEALTH]);
    add_health(page, c);
    html_close_cell(out);
    html_open_cell(out, &collector_columns[COL_ATTEMPT]);
    add_past(page, c->last_attempt_unix_ms, "never");
    html_close_cell(out);
    html_open_cell(out, &collector_columns[COL_SUCCESS]);
    add_past(page, c->last_success_unix_ms, "never");
    html_close_cell(out);
    html_open_cell(out, &collector_columns[COL_DURATION]);
    if (c->tried)
        html_duration(out, c->duration_ms);
    html_close_cell(out);
    html_open_cell(out, &collector_columns[COL_OBJECTS]);
    add_objects(out, c);
    html_close_cell(out);
    html_open_cell(out, &collector_columns[COL_NEXT]);
    add_next(page, c);
    html_close_cell(out);
    strbuf_adds(out, "</tr>\n");
}

/* --- failed jobs --- */

enum { COL_FAILED, COL_DEPLOYMENT, COL_WHY, COL_JOB, FAILURE_COL_END };

static const struct html_column failure_columns[FAILURE_COL_END] = {
    [COL_FAILED] = {"Failed", "t", ""},
    [COL_DEPLOYMENT] = {"Deployment", "w", ""},
    [COL_WHY] = {"Why", "m", ""},
    [COL_JOB] = {"Job", "k", ""},
};

static void add_deployment(struct strbuf *out, const struct job_failure *f)
{
    if (f->deployment_name)
        html_bdi(out, f->deployment_name, PAGE_TEXT_MAX);
    else
        strbuf_adds(out, "<span class=\"dim\">not listed any more</span>");
    strbuf_adds(out, "<small>");
    html_bdi(out, f->deployment_id, PAGE_TEXT_MAX);
    strbuf_adds(out, "</small>");
}

static void add_why(struct strbuf *out, const struct job_failure *f)
{
    if (*f->reason)
        html_bdi(out, f->reason, PAGE_TEXT_MAX);
    else
        strbuf_adds(out, "<span class=\"dim\">no reason told</span>");
    if (*f->message) {
        strbuf_adds(out, "<small><bdi>");
        html_lines(out, f->message, FAILURE_MESSAGE_MAX);
        strbuf_adds(out, "</bdi></small>");
    }
    if (f->outdated)
        strbuf_adds(out, "<small><span class=\"tag wait\">outdated</span> a later failure was "
                         "counted, and its job has not been read</small>");
}

static void add_failure(const struct debug_page *page, const struct job_failure *f)
{
    struct strbuf *out = page->out;

    strbuf_adds(out, "<tr>");
    html_open_cell(out, &failure_columns[COL_FAILED]);
    add_past(page, f->failed_unix_s * 1000, "not told");
    html_close_cell(out);
    html_open_cell(out, &failure_columns[COL_DEPLOYMENT]);
    add_deployment(out, f);
    html_close_cell(out);
    html_open_cell(out, &failure_columns[COL_WHY]);
    add_why(out, f);
    html_close_cell(out);
    html_open_cell(out, &failure_columns[COL_JOB]);
    html_bdi(out, f->job_id, PAGE_TEXT_MAX);
    html_close_cell(out);
    strbuf_adds(out, "</tr>\n");
}

static bool has_collector(const struct target_status *t, const char *name)
{
    for (size_t i = 0; i < t->n_collectors; i++)
        if (strcmp(t->collectors[i].name, name) == 0)
            return true;
    return false;
}

static void list_failures(const struct debug_page *page, const struct job_failures *failures)
{
    struct strbuf *out = page->out;
    size_t i = 0;

    if (failures->n_items > 0 && out->len < PAGE_FULL_BYTES) {
        html_open_table(out, failure_columns, ARRAY_LEN(failure_columns));
        for (; i < failures->n_items && out->len < PAGE_FULL_BYTES; i++)
            add_failure(page, &failures->items[i]);
        html_close_table(out);
    }
    if (i < failures->n_items + failures->n_more)
        strbuf_addf(out, "<p>And %zu more deployments with a failed job.</p>\n",
                    failures->n_items - i + failures->n_more);
}

static void add_failures(const struct debug_page *page, size_t target)
{
    CLEANUP(job_failures_release) struct job_failures failures = {0};
    struct strbuf *out = page->out;
    struct err err = {0};

    strbuf_adds(out, "<h3>Last failed job of each deployment</h3>\n");
    if (!has_collector(&page->targets[target], "jobs"))
        strbuf_adds(out, "<p class=\"dim\">Not known: the target is without the collector "
                         "<code>jobs</code>.</p>\n");
    else if (snapshot_job_failures(page->snapshot, target, page->failures_max, &failures, &err) < 0)
        strbuf_adds(out, "<p>There is not enough memory to tell.</p>\n");
    else if (!failures.known)
        strbuf_adds(out, "<p class=\"dim\">Not known yet: no jobs have been read.</p>\n");
    else if (failures.n_items + failures.n_more == 0)
        strbuf_adds(out, "<p class=\"dim\">None.</p>\n");
    else
        list_failures(page, &failures);
}

/* --- the page --- */

static void add_target(const struct debug_page *page, size_t target)
{
    const struct target_status *t = &page->targets[target];
    struct strbuf *out = page->out;

    strbuf_adds(out, "<section><h2>");
    html_bdi(out, t->target, PAGE_TEXT_MAX);
    strbuf_adds(out, " / ");
    html_bdi(out, t->namespace_name, PAGE_TEXT_MAX);
    strbuf_adds(out, "</h2>\n<p class=\"dim\">workspace ");
    html_bdi(out, t->workspace, PAGE_TEXT_MAX);
    strbuf_adds(out, ", ");
    html_bdi(out, t->endpoint, PAGE_TEXT_MAX);
    strbuf_adds(out, ", every ");
    html_span(out, t->interval_ms);
    strbuf_adds(out, "</p>\n");
    html_open_table(out, collector_columns, ARRAY_LEN(collector_columns));
    for (size_t i = 0; i < t->n_collectors; i++)
        add_collector(page, &t->collectors[i]);
    html_close_table(out);
    add_failures(page, target);
    strbuf_adds(out, "</section>\n");
}

static void add_targets(const struct debug_page *page)
{
    size_t n = 0;

    for (int health = 0; health < HEALTH_END; health++) {
        for (size_t i = 0; i < page->n_targets && n < PAGE_ROWS_MAX; i++) {
            if ((int)html_health(&page->targets[i]) != health)
                continue;
            add_target(page, i);
            n++;
        }
    }
    if (n < page->n_targets)
        strbuf_addf(page->out, "<p>%zu more namespaces are not shown here.</p>\n",
                    page->n_targets - n);
}

static size_t failures_max(size_t n_targets)
{
    size_t n = DEBUG_FAILURES_ALL / (n_targets ? n_targets : 1);

    if (n > DEBUG_FAILURES_MAX)
        return DEBUG_FAILURES_MAX;
    return n < DEBUG_FAILURES_MIN ? DEBUG_FAILURES_MIN : n;
}

void debug_page_write(const struct snapshot *s, int64_t now_unix_ms, struct strbuf *out)
{
    struct debug_page page = {.snapshot = s, .now_unix_ms = now_unix_ms, .out = out};

    if (s)
        page.targets = snapshot_targets(s, &page.n_targets);
    page.failures_max = failures_max(page.n_targets);
    html_page_open(out, "Targets - aliyun_flink_exporter");
    strbuf_adds(out, "<header><h1>Targets in detail</h1></header>\n"
                     "<nav><a href=\"../\">Status</a></nav>\n");
    if (page.n_targets > 0)
        add_targets(&page);
    else
        strbuf_adds(out, "<p>There is no data yet: the first refresh has not begun.</p>\n");
    strbuf_adds(out, "<footer class=\"dim\">As of the last background refresh. Page made ");
    html_time(out, now_unix_ms);
    strbuf_adds(out, ".</footer>\n</body></html>\n");
}
