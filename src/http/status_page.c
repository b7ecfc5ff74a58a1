/* One table, worst first. */
#include "status_page.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "html.h"
#include "html_page.h"

/* --- the table --- */

/* The control plane counts them for as long as it remembers them: no alarm. */
#define FAILED_NOTE                                                                              \
    " title=\"Jobs that failed at some time and that the service still remembers: history, not " \
    "what fails now\""

enum column_id {
    COL_TARGET,
    COL_WORKSPACE,
    COL_NAMESPACE,
    COL_HEALTH,
    COL_DEPLOYMENTS,
    COL_RUNNING,
    COL_FAILED,
    COL_AGE,
    COL_ATTEMPT,
    COL_DURATION,
    COL_END,
};

static const struct html_column columns[COL_END] = {
    [COL_TARGET] = {"Target", "w", ""},
    [COL_WORKSPACE] = {"Workspace", "k", ""},
    [COL_NAMESPACE] = {"Namespace", "w", ""},
    [COL_HEALTH] = {"Health", "w", ""},
    [COL_DEPLOYMENTS] = {"Deployments", "n", ""},
    [COL_RUNNING] = {"Jobs running", "n", ""},
    [COL_FAILED] = {"Failed jobs remembered", "n", FAILED_NOTE},
    [COL_AGE] = {"Age of data", "t", ""},
    [COL_ATTEMPT] = {"Last attempt", "t", ""},
    [COL_DURATION] = {"Took", "d", ""},
};

static void add_name_cell(struct strbuf *out, enum column_id id, const char *name,
                          const char *detail)
{
    html_open_cell(out, &columns[id]);
    html_bdi(out, name, PAGE_TEXT_MAX);
    if (detail) {
        strbuf_adds(out, "<small>");
        html_bdi(out, detail, PAGE_TEXT_MAX);
        strbuf_adds(out, "</small>");
    }
    html_close_cell(out);
}

static void add_count_cell(struct strbuf *out, enum column_id id, int64_t n)
{
    html_open_cell(out, &columns[id]);
    html_count(out, n);
    html_close_cell(out);
}

static void add_deployments_cell(struct strbuf *out, const struct target_status *t)
{
    html_open_cell(out, &columns[COL_DEPLOYMENTS]);
    html_count(out, t->deployments);
    if (t->over_limit > 0)
        strbuf_addf(out, "<small>%llu more left out (max_deployments)</small>",
                    (unsigned long long)t->over_limit);
    html_close_cell(out);
}

static void add_health_cell(struct strbuf *out, const struct target_status *t, int64_t now_unix_ms)
{
    html_open_cell(out, &columns[COL_HEALTH]);
    if (!t->tried)
        strbuf_adds(out, "<span class=\"tag wait\">waiting</span>");
    else if (t->success)
        strbuf_adds(out, "<span class=\"tag ok\">OK</span>");
    else
        html_failing_tag(out, t->failing_since_unix_ms, now_unix_ms);
    if (t->withheld)
        strbuf_adds(out, "<span class=\"tag wait\">data withheld</span>");
    if (t->tried && !t->success) {
        if (t->reason)
            html_bdi(out, t->reason, PAGE_TEXT_MAX);
        if (t->message) {
            strbuf_adds(out, "<small>");
            html_bdi(out, t->message, PAGE_MESSAGE_MAX);
            strbuf_adds(out, "</small>");
        }
    }
    html_close_cell(out);
}

static void add_time_cell(struct strbuf *out, enum column_id id, int64_t unix_ms,
                          int64_t now_unix_ms)
{
    html_open_cell(out, &columns[id]);
    if (unix_ms <= 0) {
        strbuf_adds(out, id == COL_AGE ? "no data yet" : "never");
    } else {
        html_span(out, now_unix_ms - unix_ms);
        if (id != COL_AGE)
            strbuf_adds(out, " ago");
        strbuf_adds(out, "<small>");
        html_time(out, unix_ms);
        strbuf_adds(out, "</small>");
    }
    html_close_cell(out);
}

static void add_row(struct strbuf *out, const struct target_status *t, int64_t now_unix_ms)
{
    strbuf_adds(out, "<tr>");
    add_name_cell(out, COL_TARGET, t->target, t->endpoint);
    add_name_cell(out, COL_WORKSPACE, t->workspace, NULL);
    add_name_cell(out, COL_NAMESPACE, t->namespace_name, NULL);
    add_health_cell(out, t, now_unix_ms);
    add_deployments_cell(out, t);
    add_count_cell(out, COL_RUNNING, t->jobs_running);
    add_count_cell(out, COL_FAILED, t->jobs_failed);
    add_time_cell(out, COL_AGE, t->last_success_unix_ms, now_unix_ms);
    add_time_cell(out, COL_ATTEMPT, t->last_attempt_unix_ms, now_unix_ms);
    html_open_cell(out, &columns[COL_DURATION]);
    if (t->tried)
        html_duration(out, t->duration_ms);
    html_close_cell(out);
    strbuf_adds(out, "</tr>\n");
}

static void add_table(struct strbuf *out, const struct status_page *page)
{
    size_t n_rows = 0;

    html_open_table(out, columns, ARRAY_LEN(columns));
    for (int health = 0; health < HEALTH_END; health++) {
        for (size_t i = 0; i < page->n_targets && n_rows < PAGE_ROWS_MAX; i++) {
            if ((int)html_health(&page->targets[i]) != health)
                continue;
            add_row(out, &page->targets[i], page->now_unix_ms);
            n_rows++;
        }
    }
    html_close_table(out);
    if (n_rows < page->n_targets)
        strbuf_addf(out,
                    "<p>%zu more namespaces are not shown here; the metrics have them all.</p>\n",
                    page->n_targets - n_rows);
}

/* --- the page --- */

/* Of the rows that have a number; -1 while none has. */
struct totals {
    size_t by_health[HEALTH_END];
    int64_t deployments;
    int64_t jobs_running;
    int64_t jobs_failed;
};

static void add_known(int64_t *total, int64_t n)
{
    if (n >= 0)
        *total = (*total >= 0 ? *total : 0) + n;
}

static struct totals count(const struct status_page *page)
{
    struct totals totals = {.deployments = -1, .jobs_running = -1, .jobs_failed = -1};

    for (size_t i = 0; i < page->n_targets; i++) {
        const struct target_status *t = &page->targets[i];

        totals.by_health[html_health(t)]++;
        add_known(&totals.deployments, t->deployments);
        add_known(&totals.jobs_running, t->jobs_running);
        add_known(&totals.jobs_failed, t->jobs_failed);
    }
    return totals;
}

static void add_total(struct strbuf *out, const char *attributes, int64_t n, const char *title)
{
    strbuf_addf(out, "<li%s><b>", attributes);
    html_count(out, n);
    strbuf_addf(out, "</b>%s</li>", title);
}

static void add_summary(struct strbuf *out, const struct status_page *page)
{
    struct totals totals = count(page);

    strbuf_addf(out, "<ul class=\"sum\"><li><b>%zu of %zu</b>namespaces healthy</li>",
                totals.by_health[HEALTHY], page->n_targets);
    if (totals.by_health[FAILING] > 0)
        strbuf_addf(out, "<li class=\"bad\"><b>%zu</b>failing</li>", totals.by_health[FAILING]);
    if (totals.by_health[WITHHELD] > 0)
        strbuf_addf(out, "<li class=\"wait\"><b>%zu</b>data withheld</li>",
                    totals.by_health[WITHHELD]);
    if (totals.by_health[WAITING] > 0)
        strbuf_addf(out, "<li class=\"wait\"><b>%zu</b>waiting</li>", totals.by_health[WAITING]);
    add_total(out, "", totals.deployments, "deployments");
    add_total(out, "", totals.jobs_running, "jobs running");
    add_total(out, FAILED_NOTE, totals.jobs_failed, "failed jobs remembered");
    strbuf_adds(out, "</ul>\n");
}

/* Relative and begun with "./": works behind a path prefix, and a colon cannot make it a scheme. */
static void add_links(struct strbuf *out, const struct status_page *page)
{
    strbuf_adds(out, "<nav><a href=\"./");
    html_text(out, page->telemetry_path + (page->telemetry_path[0] == '/'), PAGE_TEXT_MAX);
    strbuf_adds(out, "\">Metrics</a> <a href=\"./-/healthy\">Health</a> "
                     "<a href=\"./-/ready\">Readiness</a>");
    if (page->debug)
        strbuf_adds(out, " <a href=\"./debug/targets\">Targets in detail</a>");
    strbuf_adds(out, "</nav>\n");
}

void status_page_write(const struct status_page *page, struct strbuf *out)
{
    html_page_open(out, "aliyun_flink_exporter");
    strbuf_adds(out, "<header><h1>aliyun_flink_exporter</h1><span class=\"dim\">version ");
    html_bdi(out, page->version, PAGE_TEXT_MAX);
    strbuf_adds(out, ", revision ");
    html_bdi(out, page->revision, PAGE_TEXT_MAX);
    strbuf_adds(out, "</span></header>\n");
    add_links(out, page);
    if (page->n_targets > 0) {
        add_summary(out, page);
        add_table(out, page);
    } else {
        strbuf_adds(out, "<p>There is no data yet: the first refresh has not begun.</p>\n");
    }
    strbuf_adds(out, "<footer class=\"dim\">Scrapes never call the Alibaba Cloud API: they, and "
                     "this page, show what the last background refresh read. Page made ");
    html_time(out, page->now_unix_ms);
    strbuf_adds(out, ".</footer>\n</body></html>\n");
}
