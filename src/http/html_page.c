/* What the pages share: the style and what it admits, words and cells. */
#include "html_page.h"

#include <string.h>

#include "base/clock.h"
#include "html.h"

/* The hash in html_page_csp is that of this text: tests/integration/http says the new one. */
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
    "h2{font-size:1.1rem;margin:2rem 0 .25rem;overflow-wrap:anywhere}"
    "h3{font-size:1rem;margin:1rem 0 .4rem}"
    "h2+p,h2+p+p{margin:0 0 .5rem;overflow-wrap:anywhere}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;vertical-align:top;padding:.5rem .5rem;border-bottom:1px solid "
    "var(--line)}"
    "th{background:var(--head);font-weight:600;vertical-align:bottom}"
    "td{overflow-wrap:anywhere}"
    "td small{display:block}"
    ".m{width:45%}"
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
    "tr td[class]{display:flex;gap:.75rem;padding:.2rem 0;border:0;text-align:left;min-width:0;"
    "width:auto}"
    "td:before{content:attr(data-h);flex:0 0 7rem;color:var(--dim)}"
    "td>span{min-width:0}}";

const char html_page_csp[] = "default-src 'none'; style-src 'sha256-"
                             "EttLrtQhTL3af2UaifoyqEWuIVb0lDmMHPdWOc1GfyQ="
                             "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/* --- words --- */

enum health html_health(const struct target_status *t)
{
    if (!t->tried)
        return WAITING;
    if (!t->success)
        return FAILING;
    return t->withheld ? WITHHELD : HEALTHY;
}

void html_bdi(struct strbuf *out, const char *text, size_t max_bytes)
{
    strbuf_adds(out, "<bdi>");
    html_text(out, text ? text : "", max_bytes);
    strbuf_adds(out, "</bdi>");
}

void html_span(struct strbuf *out, int64_t ms)
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

void html_rough_span(struct strbuf *out, int64_t ms)
{
    if (ms >= 60000 && ms < 3600000)
        strbuf_addf(out, "%lld min", (long long)(ms / 60000));
    else
        html_span(out, ms);
}

void html_duration(struct strbuf *out, int64_t ms)
{
    if (ms < 1000)
        strbuf_addf(out, "%lld ms", (long long)ms);
    else if (ms < 60000)
        strbuf_addf(out, "%lld.%lld s", (long long)(ms / 1000), (long long)(ms / 100 % 10));
    else
        html_span(out, ms);
}

void html_time(struct strbuf *out, int64_t unix_ms)
{
    char iso[CLOCK_ISO8601_LEN];

    clock_format_iso8601(iso, unix_ms, 0);
    strbuf_addf(out, "<time datetime=\"%s\">%.10s %.8s UTC</time>", iso, iso, iso + 11);
}

void html_count(struct strbuf *out, int64_t n)
{
    if (n >= 0)
        strbuf_add_i64(out, n);
    else
        strbuf_adds(out, "<span title=\"not known\">\xe2\x80\x93</span>");
}

/* --- tables --- */

void html_open_table(struct strbuf *out, const struct html_column *columns, size_t n)
{
    strbuf_adds(out, "<table><thead><tr>");
    for (size_t i = 0; i < n; i++)
        strbuf_addf(out, "<th scope=\"col\" class=\"%s\"%s>%s</th>", columns[i].classes,
                    columns[i].note, columns[i].title);
    strbuf_adds(out, "</tr></thead>\n<tbody>\n");
}

void html_close_table(struct strbuf *out)
{
    strbuf_adds(out, "</tbody></table>\n");
}

void html_open_cell(struct strbuf *out, const struct html_column *column)
{
    strbuf_addf(out, "<td class=\"%s\" data-h=\"%s\"%s><span>", column->classes, column->title,
                column->note);
}

void html_close_cell(struct strbuf *out)
{
    strbuf_adds(out, "</span></td>");
}

void html_failing_tag(struct strbuf *out, int64_t since_unix_ms, int64_t now_unix_ms)
{
    strbuf_adds(out, "<span class=\"tag bad\">failing");
    if (since_unix_ms > 0) {
        strbuf_adds(out, " for ");
        html_rough_span(out, now_unix_ms - since_unix_ms);
    }
    strbuf_adds(out, "</span>");
}

/* --- the frame --- */

void html_page_open(struct strbuf *out, const char *title)
{
    strbuf_addf(out,
                "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                "<title>%s</title>\n<style>",
                title);
    strbuf_add(out, css, sizeof(css) - 1);
    strbuf_adds(out, "</style></head><body>\n");
}
