/*
 * Step by step from the name of the endpoint to the permission for each operation, each with a
 * verdict and, where it failed, what can be done. A step that fails ends those that rest on it, no
 * others. Everything is read only.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "advice.h"
#include "base/clock.h"
#include "complain.h"
#include "diagnose_net.h"
#include "json_out.h"
#include "plane.h"
#include "policy.h"
#include "visible.h"

enum { SKEW_WARN_S = 60, SKEW_FAIL_S = 15 * 60, UUID_LEN = 36 };

enum verdict { OK, WARNING, FAILED, SKIPPED };

static const char *const verdict_names[] = {"ok", "warning", "FAILED", "skipped"};
static const char *const verdict_values[] = {"ok", "warning", "failed", "skipped"};

struct diagnosis {
    const struct options *options;
    struct plane *plane;
    struct strbuf out; /* what is not written yet; of JSON all of it */
    struct json_out json;
    bool failed;
    bool stopped;
    bool reached; /* some call got an answer of the control plane */
    bool keys;    /* there are credentials */
    struct err write_err;
    uint64_t calls_per_refresh;
    int64_t deployments; /* of the namespace, as announced */
};

/* --- verdicts --- */

static void flush(struct diagnosis *d)
{
    struct err err = {0};

    if (d->write_err.kind == ERR_NONE && answer_write(&d->out, &err) < 0)
        d->write_err = err;
    strbuf_reset(&d->out);
}

static void put_line(struct diagnosis *d, enum verdict verdict, const char *step,
                     const char *detail, const char *advice)
{
    const char *ns = d->plane->namespace_name;
    CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT;

    strbuf_addf(&name, "%s%s%s", ns ? ns : "", ns ? ": " : "", step);
    strbuf_addf(&d->out, "%-8s ", verdict_names[verdict]);
    visible_append(&d->out, strbuf_str(&name), name.len);
    strbuf_adds(&d->out, ": ");
    visible_append(&d->out, detail, strlen(detail));
    strbuf_addc(&d->out, '\n');
    if (advice)
        strbuf_addf(&d->out, "         -> %s\n", advice);
    /* At once: the next step may take its time. */
    flush(d);
}

static void report(struct diagnosis *d, enum verdict verdict, const char *step, const char *detail,
                   const char *advice)
{
    d->failed = d->failed || verdict == FAILED;
    if (!d->options->json) {
        put_line(d, verdict, step, detail, advice);
        return;
    }
    json_out_open(&d->json, NULL, '{');
    json_out_string(&d->json, "namespace", d->plane->namespace_name);
    json_out_text(&d->json, "step", step);
    json_out_text(&d->json, "result", verdict_values[verdict]);
    json_out_text(&d->json, "detail", detail);
    json_out_string(&d->json, "advice", advice);
    json_out_close(&d->json, '}');
}

static void report_failure(struct diagnosis *d, const char *step, const struct err *err)
{
    d->stopped = d->stopped || err->kind == ERR_STOPPED;
    report(d, FAILED, step, err->msg, advice_for(err));
}

/* --- the way there --- */

static void check_connection(struct diagnosis *d)
{
    CLEANUP(net_addresses_freep) struct net_addresses *addresses = NULL;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct interrupt *interrupt = d->plane->interrupt;
    struct net_place place;
    struct err err = {0};
    int64_t began_mono_ms = clock_mono_ms();

    if (net_place_of(&d->plane->target, &place, &err) < 0) {
        report_failure(d, "dns", &err);
        return;
    }
    if (place.is_proxy)
        strbuf_addf(&text, "of the proxy (%s) ", place.proxy_source);
    strbuf_addf(&text, "%s: ", place.host);
    if (net_look_up(interrupt, &place, &addresses, &text, &err) < 0) {
        report_failure(d, "dns", &err);
        report(d, SKIPPED, "connection", "there is no address to connect to", NULL);
        return;
    }
    strbuf_addf(&text, " in %" PRId64 " ms", clock_mono_ms() - began_mono_ms);
    report(d, OK, "dns", strbuf_str(&text), NULL);

    strbuf_reset(&text);
    strbuf_adds(&text, place.is_proxy ? "to the proxy, " : "");
    began_mono_ms = clock_mono_ms();
    if (net_connect(interrupt, addresses, &text, &err) < 0) {
        report_failure(d, "connection", &err);
        return;
    }
    strbuf_addf(&text, " in %" PRId64 " ms", clock_mono_ms() - began_mono_ms);
    report(d, OK, "connection", strbuf_str(&text), NULL);
}

static void check_credentials(struct diagnosis *d)
{
    CLEANUP(credentials_keys_release) struct credentials_keys keys = {0};
    const struct credentials_spec *spec = d->plane->target.credentials;
    char text[256];
    struct err err = {0};

    if (credentials_get(d->plane->credentials, &keys, &err) < 0) {
        err_wrap(&err, "'%s', provider %s", spec->name, credentials_provider_name(spec->provider));
        report_failure(d, "credentials", &err);
        return;
    }
    d->keys = true;
    size_t len = strlen(keys.access_key_id);
    /* The ends tell keys apart; the rest is nobody's business. */
    snprintf(text, sizeof(text), "'%s', provider %s, access key id %.4s...%s%s", spec->name,
             credentials_provider_name(spec->provider), keys.access_key_id,
             len >= 16 ? keys.access_key_id + len - 4 : "",
             keys.security_token ? ", with a security token" : "");
    report(d, OK, "credentials", text, NULL);
}

static void check_tls(struct diagnosis *d)
{
    if (strncmp(d->plane->target.endpoint, "https://", 8) != 0)
        report(d, WARNING, "tls", "the endpoint is plain http", NULL);
    else if (d->plane->target.tls.insecure_skip_verify)
        report(d, WARNING, "tls", "works, but certificates are not verified (insecure_skip_verify)",
               "Put the authority's certificate into tls_config.ca_file instead.");
    else
        report(d, OK, "tls", "the certificate is valid", NULL);
}

static void check_clock(struct diagnosis *d, int64_t date_unix_s)
{
    long long skew = (long long)(clock_unix_ms() / 1000 - date_unix_s);
    char text[96];

    if (date_unix_s < 0) {
        report(d, WARNING, "clock", "the answer has no Date to compare with", NULL);
        return;
    }
    snprintf(text, sizeof(text), "%lld s %s the control plane's", llabs(skew),
             skew < 0 ? "behind" : "ahead of");
    if (llabs(skew) > SKEW_FAIL_S)
        report(d, FAILED, "clock", text,
               "Beyond 15 minutes signatures are refused. Set the clock, with 'chronyc makestep' "
               "or 'timedatectl set-ntp true'. The exporter and this tool correct for it "
               "meanwhile, other programs do not.");
    else if (llabs(skew) > SKEW_WARN_S)
        report(d, WARNING, "clock", text,
               "It should be within a second: check the time service (chronyc tracking).");
    else
        report(d, OK, "clock", text, NULL);
}

/* From the first call that got an answer, whatever that was. Of the target, not of a namespace. */
static void check_answer(struct diagnosis *d)
{
    const struct api_last_call *last = api_client_last_call(d->plane->client);
    const char *namespace_name = d->plane->namespace_name;

    if (d->reached || last->status == 0)
        return;
    d->reached = true;
    d->plane->namespace_name = NULL;
    check_tls(d);
    check_clock(d, last->date_unix_s);
    d->plane->namespace_name = namespace_name;
}

/* --- operations --- */

/* Says how a call went; false if the ones behind it need not be tried. */
static bool judge(struct diagnosis *d, enum operation operation, int rc, const char *detail,
                  const struct err *err)
{
    const char *name = operation_name(operation);
    const char *advice = advice_for(err);
    char text[sizeof(err->msg) + 64];
    char permission[256];

    check_answer(d);
    if (rc == 0) {
        report(d, OK, name, detail, NULL);
        return true;
    }
    if (err->kind == ERR_NOT_FOUND) {
        report(d, OK, name, "permitted (there is no such object, as expected)", NULL);
        return true;
    }
    d->stopped = d->stopped || err->kind == ERR_STOPPED;
    if (err->kind == ERR_TLS && !d->reached)
        report(d, FAILED, "tls", err->msg, advice);
    if (err->kind == ERR_PERMISSION) {
        snprintf(permission, sizeof(permission),
                 "Allow stream:%s in a RAM policy (below), and make the RAM user a member of the "
                 "namespace in the development console; viewer is enough to read.",
                 name);
        advice = permission;
    }
    snprintf(text, sizeof(text), "%s", err->msg);
    report(d, FAILED, name, text, advice);
    switch (err->kind) {
    case ERR_DNS:
    case ERR_CONNECT:
    case ERR_TLS:
    case ERR_AUTHENTICATION:
    case ERR_STOPPED:
        return false;
    case ERR_TIMEOUT: /* it may be this operation alone, if others were answered */
        return d->reached;
    default:
        return true;
    }
}

/* One object a page, one page: enough to see whether it works and how many there are. */
static struct target one_page_of(const struct target *t)
{
    struct target one = *t;

    one.page_size = 1;
    one.max_deployments = 1;
    one.concurrency = 1;
    one.select = (struct target_select){.name = "",
                                        .execution_mode = "",
                                        .status = "",
                                        .creator = "",
                                        .modifier = "",
                                        .label_key = ""};
    return one;
}

static void count_pages(struct diagnosis *d, const struct listing *listing, char *text, size_t size)
{
    const struct target *t = &d->plane->target;
    const char *kind = record_kind_name(listing->kind);
    long long n = listing->expected >= 0 ? listing->expected
                                         : (long long)(listing->n_items + listing->over_limit);
    long long pages = n > 0 ? (n + t->page_size - 1) / t->page_size : 1;
    bool listed = listing->kind == RECORD_DRAFT
                      ? t->collectors & 1u << COLLECTOR_DRAFTS
                      : t->collectors & 1u << COLLECTOR_DEPLOYMENTS && t->n_deployment_names == 0;

    if (listing->kind == RECORD_DEPLOYMENT)
        d->deployments = n;
    snprintf(text, size, "%lld %s%s, %lld page%s of %d", n, kind, n == 1 ? "" : "s", pages,
             pages == 1 ? "" : "s", t->page_size);
    if (listed)
        d->calls_per_refresh += (uint64_t)pages;
}

static void make_uuid(char uuid[UUID_LEN + 1])
{
    unsigned char b[16] = {0};

    /* Any that nobody has will do. */
    if (getrandom(b, sizeof(b), 0) < 0)
        b[0] = 0;
    snprintf(uuid, UUID_LEN + 1,
             "%02x%02x%02x%02x-%02x%02x-4%x%02x-a%x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
             b[3], b[4], b[5], b[6] & 15, b[7], b[8] & 15, b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}

static bool try_deployments(struct diagnosis *d)
{
    CLEANUP(listing_freep) struct listing *listing = NULL;
    CLEANUP(json_freep) json_value *found = NULL;
    struct plane *p = d->plane;
    struct target one = one_page_of(&p->target);
    struct api_request request = plane_request(p);
    char text[160] = "";
    struct err err = {0};
    int rc;

    request.target = &one;
    rc = api_client_list_deployments(p->client, &request, &listing, &p->stats, &err);
    if (rc == 0)
        count_pages(d, listing, text, sizeof(text));
    if (!judge(d, OPERATION_LIST_DEPLOYMENTS, rc, text, &err))
        return false;

    const char *name = listing && listing->n_items > 0 && *listing->items[0].name
                           ? listing->items[0].name
                           : "aliyun_flinkctl-diagnose";
    request = plane_request(p);
    err = (struct err){0};
    rc = api_client_get_deployments(p->client, &request, name,
                                    API_WITHOUT_JOB_SUMMARY | API_WITHOUT_RESOURCE_SETTING, &found,
                                    &p->stats, &err);
    return judge(d, OPERATION_GET_DEPLOYMENTS_BY_NAME, rc,
                 rc == 0 && json_first(found) ? "found one by its name" : "permitted", &err);
}

static bool try_drafts(struct diagnosis *d)
{
    CLEANUP(listing_freep) struct listing *listing = NULL;
    CLEANUP(json_freep) json_value *draft = NULL;
    struct plane *p = d->plane;
    struct target one = one_page_of(&p->target);
    struct api_request request = plane_request(p);
    char uuid[UUID_LEN + 1], text[160] = "";
    struct err err = {0};
    int rc;

    request.target = &one;
    rc = api_client_list_drafts(p->client, &request, &listing, &p->stats, &err);
    if (rc == 0)
        count_pages(d, listing, text, sizeof(text));
    if (!judge(d, OPERATION_LIST_DEPLOYMENT_DRAFTS, rc, text, &err))
        return false;

    make_uuid(uuid);
    request = plane_request(p);
    err = (struct err){0};
    rc = api_client_get_draft(p->client, &request,
                              listing && listing->n_items > 0 ? listing->drafts[0].id : uuid,
                              &draft, &p->stats, &err);
    return judge(d, OPERATION_GET_DEPLOYMENT_DRAFT, rc, "read one", &err);
}

static bool try_tickets(struct diagnosis *d)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct plane *p = d->plane;
    const struct api_request request = plane_request(p);
    struct ticket_answer answer;
    char uuid[UUID_LEN + 1];
    struct err err = {0};
    int rc;

    make_uuid(uuid);
    rc = arena ? api_client_get_ticket(p->client, &request, uuid, arena, &answer, NULL, &p->stats,
                                       &err)
               : err_nomem(&err, "an answer");
    return judge(d, OPERATION_GET_DEPLOY_DEPLOYMENT_DRAFT_RESULT, rc, "permitted", &err);
}

/*
 * Only where the exporter would. A deployment that nobody has will do: permission is what is asked
 * for. How many run is not known here; more than are there, or may be asked for, cannot.
 */
static bool try_jobs(struct diagnosis *d)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct plane *p = d->plane;
    const struct target *t = &p->target;
    const struct api_request request = plane_request(p);
    char uuid[UUID_LEN + 1];
    struct api_jobs_question question = {.deployment_id = uuid, .page_size = 1};
    struct err err = {0}, refused = {0};
    int rc;

    if (!(t->collectors & 1u << COLLECTOR_JOBS))
        return true;
    make_uuid(uuid);
    rc = arena ? api_client_list_jobs(p->client, &request, &question, 1, arena, &refused, &p->stats,
                                      &err)
               : err_nomem(&err, "an answer");
    if (rc == 0 && question.fate != API_JOBS_ANSWERED) {
        err = refused.kind != ERR_NONE ? refused : (struct err){.kind = ERR_NOT_FOUND};
        rc = -1;
    }
    if (!judge(d, OPERATION_LIST_JOBS, rc, "permitted", &err))
        return false;
    d->calls_per_refresh +=
        (uint64_t)(d->deployments < t->max_job_requests ? d->deployments : t->max_job_requests);
    return true;
}

static void try_namespace(struct diagnosis *d)
{
    struct target *t = &d->plane->target;

    if (!try_deployments(d) || !try_drafts(d) || !try_tickets(d) || !try_jobs(d)) {
        report(d, SKIPPED, "other operations", "they would fail likewise", NULL);
        return;
    }
    if (t->collectors & 1u << COLLECTOR_DEPLOYMENTS)
        d->calls_per_refresh += t->n_deployment_names;
    for (size_t i = 0; i < t->n_tickets; i++)
        d->calls_per_refresh += strcmp(t->tickets[i].namespace_name, d->plane->namespace_name) == 0;
}

static void try_namespaces(struct diagnosis *d)
{
    const struct target *t = &d->plane->target;
    const char *only = d->plane->namespace_name;

    if (!d->keys) {
        report(d, SKIPPED, "operations", "there are no credentials to sign with", NULL);
        return;
    }
    for (size_t i = 0; i < t->n_namespaces && !d->stopped; i++) {
        if (only && strcmp(only, t->namespaces[i]) != 0)
            continue;
        d->plane->namespace_name = t->namespaces[i];
        try_namespace(d);
        if (!d->reached && !only && i + 1 < t->n_namespaces && !d->stopped) {
            d->plane->namespace_name = NULL;
            report(d, SKIPPED, "other namespaces", "they are at the same endpoint", NULL);
            break;
        }
    }
    d->plane->namespace_name = NULL;
}

/* --- the end --- */

static uint64_t calls_per_hour(const struct diagnosis *d)
{
    return d->calls_per_refresh * 3600 * 1000 / (uint64_t)d->plane->target.interval_ms;
}

static void put_end(struct diagnosis *d)
{
    const struct target *t = &d->plane->target;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct json_out o = {.out = &d->out};

    strbuf_addf(&text,
                "%" PRIu64 " in each refresh, %" PRIu64 " an hour at an interval of %" PRId64
                " s; the account may make 100 a second of each operation",
                d->calls_per_refresh, calls_per_hour(d), t->interval_ms / 1000);
    if (!d->failed)
        report(d, OK, "calls", strbuf_str(&text), NULL);
    if (d->options->json) {
        json_out_close(&d->json, ']');
        json_out_integer(&d->json, "calls_per_refresh", (int64_t)d->calls_per_refresh);
        json_out_integer(&d->json, "calls_per_hour", (int64_t)calls_per_hour(d));
        policy_put(policy_of_exporter(t), "policy_of_exporter", &d->json);
        policy_put(policy_of_tool(t), "policy_of_tool", &d->json);
        json_out_close(&d->json, '}');
    } else {
        strbuf_adds(&d->out, "\nThe least RAM policy of the exporter:\n");
        policy_put(policy_of_exporter(t), NULL, &o);
        o = (struct json_out){.out = &d->out};
        strbuf_adds(&d->out, "\nThe least RAM policy for all commands of this tool:\n");
        policy_put(policy_of_tool(t), NULL, &o);
    }
    flush(d);
}

static void begin(struct diagnosis *d)
{
    const struct target *t = &d->plane->target;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    d->json = (struct json_out){.out = &d->out};
    if (d->options->json) {
        json_out_open(&d->json, NULL, '{');
        json_out_text(&d->json, "target", t->name);
        json_out_text(&d->json, "endpoint", t->endpoint);
        json_out_text(&d->json, "workspace", t->workspace);
        json_out_open(&d->json, "steps", '[');
        return;
    }
    strbuf_addf(&text, "target %s: %s, workspace %s", t->name, t->endpoint, t->workspace);
    visible_append(&d->out, strbuf_str(&text), text.len);
    strbuf_addc(&d->out, '\n');
}

enum exit_code run_diagnose(const struct options *options)
{
    CLEANUP(plane_close) struct plane p = PLANE_INIT;
    struct diagnosis d = {.options = options, .plane = &p};
    enum exit_code code = plane_select(&p, options, true);
    const char *only = p.namespace_name;

    if (code == CTL_DONE)
        code = plane_connect(&p);
    if (code != CTL_DONE)
        return code;
    begin(&d);
    p.namespace_name = NULL; /* the first steps are about none */
    check_connection(&d);
    if (!d.stopped)
        check_credentials(&d);
    p.namespace_name = only;
    if (!d.stopped)
        try_namespaces(&d);
    p.namespace_name = NULL;
    if (!d.stopped)
        put_end(&d);
    strbuf_release(&d.out);
    if (d.stopped)
        complain("interrupted");
    if (d.write_err.kind != ERR_NONE)
        complain("%s", d.write_err.msg);
    return d.failed || d.stopped || d.write_err.kind != ERR_NONE ? CTL_FAILED : CTL_DONE;
}
