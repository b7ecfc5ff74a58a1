/*
 * One table, worst first. Every value that is not ours goes through html_text() and stands in a
 * <bdi>, so that a name that turns the writing direction turns only itself. On a narrow screen
 * each row becomes a card, with the column's name before each value (data-h).
 */
#include "status_page.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "html.h"

/* Above, the page stops being one that anybody reads; /metrics has them all. */
enum { ROWS_MAX = 500, TEXT_MAX = 200, MESSAGE_MAX = 500 };

/* The hash in status_page_csp is that of this text: tests/integration/http says the new one. */
static const char css[] =
    ":root{color-scheme:light dark;--fg:#1c2127;--dim:#5b6570;--bg:#fff;--line:#d9dee3;"
    "--head:#f4f6f8;--ok:#146c2e;--okbg:#e3f4e8;--bad:#a11212;--badbg:#fde8e8;--wait:#5b4a00;"
    "--waitbg:#fdf3cf;--link:#0b57d0}"
    "@media(prefers-color-scheme:dark){:root{--fg:#e4e7ea;--dim:#9aa4af;--bg:#14171a;"
    "--line:#343a41;--head:#1d2126;--ok:#7ddc97;--okbg:#12301c;--bad:#ff9d9d;--badbg:#3d1616;"
    "--wait:#f0d675;--waitbg:#352c08;--link:#8ab4ff}}"
    "*{box-sizing:border-box}"
    "body{margin:0 auto;max-width:88rem;padding:1.25rem;font:15px/1.45 system-ui,sans-serif;"
    "color:var(--fg);background:var(--bg)}"
    "h1{font-size:1.35rem;margin:0;overflow-wrap:anywhere}"
    "a{color:var(--link)}"
    "nav{margin:.75rem 0 1.25rem;display:flex;flex-wrap:wrap;gap:.4rem 1.25rem}"
    ".dim,small{color:var(--dim)}"
    ".sum{display:flex;flex-wrap:wrap;gap:.75rem;margin:0 0 1.25rem;padding:0;list-style:none}"
    ".sum li{border:1px solid var(--line);border-radius:8px;padding:.5rem .9rem;background:"
    "var(--head)}"
    ".sum b{display:block;font-size:1.25rem;font-variant-numeric:tabular-nums}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;vertical-align:top;padding:.5rem .5rem;border-bottom:1px solid "
    "var(--line)}"
    "th{background:var(--head);font-weight:600;vertical-align:bottom}"
    "td{overflow-wrap:anywhere}"
    "td small{display:block}"
    ".w{min-width:8.5rem}"
    ".k{min-width:9.5rem}"
    ".n{text-align:right;font-variant-numeric:tabular-nums;overflow-wrap:normal}"
    ".t{min-width:7rem;overflow-wrap:normal}"
    ".d{white-space:nowrap}"
    ".tag{display:inline-block;border-radius:99px;padding:.05rem .6rem;font-weight:600;"
    "white-space:nowrap;margin:0 .25rem .15rem 0}"
    ".ok{color:var(--ok);background:var(--okbg)}"
    ".bad{color:var(--bad);background:var(--badbg)}"
    ".wait{color:var(--wait);background:var(--waitbg)}"
    "footer{margin-top:1.25rem}"
    "@media(max-width:84rem){"
    "thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}"
    "table,tbody,tr,td{display:block}"
    "tr{border:1px solid var(--line);border-radius:8px;margin:0 0 .75rem;padding:.4rem .75rem}"
    "tr td[class]{display:flex;gap:.75rem;padding:.2rem 0;border:0;text-align:left;min-width:0}"
    "td:before{content:attr(data-h);flex:0 0 7rem;color:var(--dim)}"
    "td>span{min-width:0}}";

const char status_page_csp[] = "default-src 'none'; style-src 'sha256-"
                               "LgleQ+5JcbHFzXutiqB5xy5OaFaxEhPKk84yb5zGN4I="
                               "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/* --- words --- */

/* In this order on the page. */
enum health { FAILING, WITHHELD, WAITING, HEALTHY, HEALTH_END };

static enum health health_of(const struct target_status *t)
{
    if (!t->tried)
        return WAITING;
    if (!t->success)
        return FAILING;
    return t->withheld ? WITHHELD : HEALTHY;
}

static void add_bdi(struct strbuf *out, const char *text, size_t max_bytes)
{
    strbuf_adds(out, "<bdi>");
    html_text(out, text ? text : "", max_bytes);
    strbuf_adds(out, "</bdi>");
}

/* "45 s", "3 min 20 s", "2 h 5 min", "3 d 4 h": two units are as much as anybody reads. */
static void add_span(struct strbuf *out, int64_t ms)
{
    int64_t s = ms > 0 ? ms / 1000 : 0;

    if (s < 60)
        strbuf_addf(out, "%lld s", (long long)s);
    else if (s < 3600)
        strbuf_addf(out, "%lld min %lld s", (long long)(s / 60), (long long)(s % 60));
    else if (s < 86400)
        strbuf_addf(out, "%lld h %lld min", (long long)(s / 3600), (long long)(s / 60 % 60));
    else
        strbuf_addf(out, "%lld d %lld h", (long long)(s / 86400), (long long)(s / 3600 % 24));
}

/* The same without the seconds that nobody needs: "12 min". */
static void add_rough_span(struct strbuf *out, int64_t ms)
{
    if (ms >= 60000 && ms < 3600000)
        strbuf_addf(out, "%lld min", (long long)(ms / 60000));
    else
        add_span(out, ms);
}

static void add_duration(struct strbuf *out, int64_t ms)
{
    if (ms < 1000)
        strbuf_addf(out, "%lld ms", (long long)ms);
    else if (ms < 60000)
        strbuf_addf(out, "%lld.%lld s", (long long)(ms / 1000), (long long)(ms / 100 % 10));
    else
        add_span(out, ms);
}

/* "2026-01-01 03:04:05 UTC" */
static void add_time(struct strbuf *out, int64_t unix_ms)
{
    char iso[CLOCK_ISO8601_LEN];

    clock_format_iso8601(iso, unix_ms, 0);
    strbuf_addf(out, "<time datetime=\"%s\">%.10s %.8s UTC</time>", iso, iso, iso + 11);
}

/* A negative count is one that nothing is known of: no listing yet, or withheld. */
static void add_count(struct strbuf *out, int64_t n)
{
    if (n >= 0)
        strbuf_add_i64(out, n);
    else
        strbuf_adds(out, "<span title=\"not known\">\xe2\x80\x93</span>");
}

/* --- the table --- */

struct column {
    const char *title;
    const char *classes;
    const char *note; /* attributes that explain the title */
};

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

static const struct column columns[COL_END] = {
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

static void open_cell(struct strbuf *out, enum column_id id)
{
    strbuf_addf(out, "<td class=\"%s\" data-h=\"%s\"%s><span>", columns[id].classes,
                columns[id].title, columns[id].note);
}

static void close_cell(struct strbuf *out)
{
    strbuf_adds(out, "</span></td>");
}

static void add_name_cell(struct strbuf *out, enum column_id id, const char *name,
                          const char *detail)
{
    open_cell(out, id);
    add_bdi(out, name, TEXT_MAX);
    if (detail) {
        strbuf_adds(out, "<small>");
        add_bdi(out, detail, TEXT_MAX);
        strbuf_adds(out, "</small>");
    }
    close_cell(out);
}

static void add_count_cell(struct strbuf *out, enum column_id id, int64_t n)
{
    open_cell(out, id);
    add_count(out, n);
    close_cell(out);
}

static void add_deployments_cell(struct strbuf *out, const struct target_status *t)
{
    open_cell(out, COL_DEPLOYMENTS);
    add_count(out, t->deployments);
    if (t->over_limit > 0)
        strbuf_addf(out, "<small>%llu more left out (max_deployments)</small>",
                    (unsigned long long)t->over_limit);
    close_cell(out);
}

static void add_failing_tag(struct strbuf *out, const struct target_status *t, int64_t now_unix_ms)
{
    strbuf_adds(out, "<span class=\"tag bad\">failing");
    if (t->failing_since_unix_ms > 0) {
        strbuf_adds(out, " for ");
        add_rough_span(out, now_unix_ms - t->failing_since_unix_ms);
    }
    strbuf_adds(out, "</span>");
}

static void add_health_cell(struct strbuf *out, const struct target_status *t, int64_t now_unix_ms)
{
    open_cell(out, COL_HEALTH);
    if (!t->tried)
        strbuf_adds(out, "<span class=\"tag wait\">waiting</span>");
    else if (t->success)
        strbuf_adds(out, "<span class=\"tag ok\">OK</span>");
    else
        add_failing_tag(out, t, now_unix_ms);
    if (t->withheld)
        strbuf_adds(out, "<span class=\"tag wait\">data withheld</span>");
    if (t->tried && !t->success) {
        if (t->reason)
            add_bdi(out, t->reason, TEXT_MAX);
        if (t->message) {
            strbuf_adds(out, "<small>");
            add_bdi(out, t->message, MESSAGE_MAX);
            strbuf_adds(out, "</small>");
        }
    }
    close_cell(out);
}

static void add_time_cell(struct strbuf *out, enum column_id id, int64_t unix_ms,
                          int64_t now_unix_ms)
{
    open_cell(out, id);
    if (unix_ms <= 0) {
        strbuf_adds(out, id == COL_AGE ? "no data yet" : "never");
    } else {
        add_span(out, now_unix_ms - unix_ms);
        if (id != COL_AGE)
            strbuf_adds(out, " ago");
        strbuf_adds(out, "<small>");
        add_time(out, unix_ms);
        strbuf_adds(out, "</small>");
    }
    close_cell(out);
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
    open_cell(out, COL_DURATION);
    if (t->tried)
        add_duration(out, t->duration_ms);
    close_cell(out);
    strbuf_adds(out, "</tr>\n");
}

static void add_table(struct strbuf *out, const struct status_page *page)
{
    size_t n_rows = 0;

    strbuf_adds(out, "<table><thead><tr>");
    for (size_t i = 0; i < COL_END; i++)
        strbuf_addf(out, "<th scope=\"col\" class=\"%s\"%s>%s</th>", columns[i].classes,
                    columns[i].note, columns[i].title);
    strbuf_adds(out, "</tr></thead>\n<tbody>\n");
    for (int health = 0; health < HEALTH_END; health++) {
        for (size_t i = 0; i < page->n_targets && n_rows < ROWS_MAX; i++) {
            if ((int)health_of(&page->targets[i]) != health)
                continue;
            add_row(out, &page->targets[i], page->now_unix_ms);
            n_rows++;
        }
    }
    strbuf_adds(out, "</tbody></table>\n");
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

        totals.by_health[health_of(t)]++;
        add_known(&totals.deployments, t->deployments);
        add_known(&totals.jobs_running, t->jobs_running);
        add_known(&totals.jobs_failed, t->jobs_failed);
    }
    return totals;
}

static void add_total(struct strbuf *out, const char *attributes, int64_t n, const char *title)
{
    strbuf_addf(out, "<li%s><b>", attributes);
    add_count(out, n);
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

static void add_head(struct strbuf *out)
{
    strbuf_adds(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                     "<title>aliyun_flink_exporter</title>\n<style>");
    strbuf_add(out, css, sizeof(css) - 1);
    strbuf_adds(out, "</style></head><body>\n");
}

/* Relative and begun with "./": works behind a path prefix, and a colon cannot make it a scheme. */
static void add_links(struct strbuf *out, const char *telemetry_path)
{
    strbuf_adds(out, "<nav><a href=\"./");
    html_text(out, telemetry_path + (telemetry_path[0] == '/'), TEXT_MAX);
    strbuf_adds(out, "\">Metrics</a> <a href=\"./-/healthy\">Health</a> "
                     "<a href=\"./-/ready\">Readiness</a></nav>\n");
}

void status_page_write(const struct status_page *page, struct strbuf *out)
{
    add_head(out);
    strbuf_adds(out, "<header><h1>aliyun_flink_exporter</h1><span class=\"dim\">version ");
    add_bdi(out, page->version, TEXT_MAX);
    strbuf_adds(out, ", revision ");
    add_bdi(out, page->revision, TEXT_MAX);
    strbuf_adds(out, "</span></header>\n");
    add_links(out, page->telemetry_path);
    if (page->n_targets > 0) {
        add_summary(out, page);
        add_table(out, page);
    } else {
        strbuf_adds(out, "<p>There is no data yet: the first refresh has not begun.</p>\n");
    }
    strbuf_adds(out, "<footer class=\"dim\">Scrapes never call the Alibaba Cloud API: they, and "
                     "this page, show what the last background refresh read. Page made ");
    add_time(out, page->now_unix_ms);
    strbuf_adds(out, ".</footer>\n</body></html>\n");
}
