/*
 * aliyun_flink_exporter: reads like a table of contents.
 *
 * Options, configuration, then the parts from the bottom up: log, registry, API session, scheduler
 * (which publishes a first snapshot), HTTP. After that the main thread only waits for signals:
 * SIGHUP reloads, SIGTERM and SIGINT stop. All signals are blocked before any thread exists, and
 * there are no signal handlers, so there are no async-signal rules to remember.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/credentials.h"
#include "api/session.h"
#include "base/build_info.h"
#include "base/descriptors.h"
#include "base/harden.h"
#include "base/heap.h"
#include "base/log.h"
#include "conf/check.h"
#include "conf/conf.h"
#include "http/server.h"
#include "inventory/snapshot.h"
#include "metrics/process.h"
#include "metrics/registry.h"
#include "options.h"
#include "refresh/scheduler.h"
#include "self_metrics.h"

/* Replies under way get this long at the end; the whole stop stays below five seconds. */
#define DRAIN_MS 2000

struct program {
    const struct options *options;
    struct self_metrics self;
    struct registry *registry;
    struct snapshot_slot *slot;
    struct api_session *session;
    struct scheduler *scheduler;
    struct http_server *http;
};

/* --- configuration --- */

/* One log line a problem, so that each is found by its file:line. */
static void log_problems(struct strbuf *problems, const struct err *err)
{
    char *line = problems->len > 0 && strbuf_ok(problems) ? problems->ptr : NULL;

    if (!line)
        log_error(LOG_NONE, "%s", err->msg);
    while (line && *line) {
        char *end = strchr(line, '\n');

        if (end)
            *end = '\0';
        log_error(LOG_NONE, "%s", line);
        line = end ? end + 1 : NULL;
    }
}

static struct conf *load_config(const struct options *options)
{
    CLEANUP(strbuf_release) struct strbuf problems = STRBUF_INIT;
    struct conf *conf = NULL;
    struct err err = {0};

    if (conf_load(options->config_file, &conf, &problems, &err) < 0) {
        log_problems(&problems, &err);
        return NULL;
    }
    return conf;
}

static void reload(struct program *p)
{
    CLEANUP(conf_unrefp) struct conf *conf = load_config(p->options);
    struct err err = {0};

    if (!conf) {
        self_metrics_config_refused(&p->self);
        log_error(LOG_NONE, "the configuration was refused, the running one stays in force");
        return;
    }
    if (scheduler_reload(p->scheduler, conf, &err) < 0) {
        self_metrics_config_refused(&p->self);
        log_error(LOG_NONE, "cannot reload, the running configuration stays in force: %s", err.msg);
        return;
    }
    self_metrics_config_loaded(&p->self, conf->hash);
    log_info(LOG_NONE, "the configuration was reloaded: %zu target%s", conf->n_targets,
             conf->n_targets == 1 ? "" : "s");
}

/* --- the parts --- */

static int make_parts(struct program *p, struct err *err)
{
    char user_agent[128];

    snprintf(user_agent, sizeof(user_agent), "aliyun_flink_exporter/%s", build_version);
    p->registry = registry_new();
    p->slot = snapshot_slot_new();
    if (!p->registry || !p->slot)
        return err_nomem(err, "the registry");
    p->self.curl_version = api_curl_version();
    p->self.tls_backend = api_tls_backend();
    p->self.microhttpd_version = http_library_version();
    if (self_metrics_register(&p->self, p->registry, err) < 0 ||
        snapshot_metrics_register(p->registry, p->slot, err) < 0 ||
        process_metrics_register(p->registry, err) < 0)
        return -1;
    return api_session_new(p->registry, user_agent, &p->session, err);
}

static int start_scheduler(struct program *p, struct conf *conf, struct err *err)
{
    const struct scheduler_options options = {
        .conf = conf,
        .session = p->session,
        .registry = p->registry,
        .slot = p->slot,
        .state_file = p->options->persistence_file,
        .once = p->options->once,
    };

    if (scheduler_start(&options, &p->scheduler, err) < 0)
        return -1;
    self_metrics_config_loaded(&p->self, conf->hash);
    return 0;
}

static bool is_healthy(void *ctx)
{
    return scheduler_healthy(((struct program *)ctx)->scheduler);
}

static int start_http(struct program *p, struct err *err)
{
    const struct http_options options = {
        .listen_address = p->options->listen_address,
        .telemetry_path = p->options->telemetry_path,
        .version = build_version,
        .revision = build_revision,
        .debug = p->options->debug,
        .slot = p->slot,
        .registry = p->registry,
        .max_requests = p->options->max_requests,
        .healthy = is_healthy,
        .healthy_ctx = p,
    };

    return http_server_start(&options, &p->http, err);
}

/* From the top down; parts that were never made are NULL. */
static void stop_parts(struct program *p)
{
    http_server_stop(p->http, DRAIN_MS);
    scheduler_stop(p->scheduler);
    api_session_free(p->session);
    registry_free(p->registry);
    snapshot_slot_free(p->slot);
}

/* --- running --- */

static void block_signals(sigset_t *ret)
{
    sigemptyset(ret);
    sigaddset(ret, SIGHUP);
    sigaddset(ret, SIGTERM);
    sigaddset(ret, SIGINT);
    pthread_sigmask(SIG_BLOCK, ret, NULL);
}

/* A second SIGTERM or SIGINT ends the program at once: the kernel's default does that. */
static void let_signals_kill(const sigset_t *signals)
{
    sigset_t deadly = *signals;

    sigdelset(&deadly, SIGHUP);
    pthread_sigmask(SIG_UNBLOCK, &deadly, NULL);
}

static void serve_until_stopped(struct program *p, const sigset_t *signals)
{
    for (;;) {
        int signal_number;

        if (sigwait(signals, &signal_number) != 0)
            continue;
        if (signal_number == SIGHUP) {
            reload(p);
            continue;
        }
        log_info(LOG_NONE, "stopping on %s", signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
        let_signals_kill(signals);
        return;
    }
}

static int run_daemon(struct program *p, const sigset_t *signals)
{
    struct err err = {0};

    if (start_http(p, &err) < 0) {
        log_error(LOG_NONE, "%s", err.msg);
        return EXIT_FAILURE;
    }
    log_info(LOG_NONE, "serving %s on %s", p->options->telemetry_path,
             http_server_address(p->http));
    serve_until_stopped(p, signals);
    return EXIT_SUCCESS;
}

static int print_exposition(struct program *p)
{
    CLEANUP(snapshot_unrefp) struct snapshot *s = snapshot_acquire(p->slot);
    CLEANUP(strbuf_release) struct strbuf live = STRBUF_INIT;
    struct piece *const *pieces;
    size_t n;

    registry_write(p->registry, 1u << REGISTRY_EXPORTER, snapshot_deny(s), EXPO_TEXT, &live);
    if (!strbuf_ok(&live))
        return -1;
    pieces = snapshot_pieces(s, EXPO_TEXT, &n);
    for (size_t i = 0; i < n; i++) {
        size_t len;
        const char *text = piece_text(pieces[i], &len);

        if (fwrite(text, 1, len, stdout) != len)
            return -1;
    }
    return fwrite(strbuf_str(&live), 1, live.len, stdout) == live.len && fflush(stdout) == 0 ? 0
                                                                                             : -1;
}

/* SIGTERM and SIGINT keep their defaults here: there is nothing to lose. */
static int run_once(struct program *p)
{
    bool all_succeeded = scheduler_wait_once(p->scheduler);

    if (print_exposition(p) < 0) {
        log_error(LOG_NONE, "cannot write the exposition to stdout");
        return EXIT_FAILURE;
    }
    return all_succeeded ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run(const struct options *options, const sigset_t *signals)
{
    struct program p = {.options = options};
    CLEANUP(conf_unrefp) struct conf *conf = load_config(options);
    struct err err = {0};
    int rc = EXIT_FAILURE;

    if (!conf)
        return EXIT_FAILURE;
    if (log_start() < 0)
        log_warn(LOG_NONE, "cannot start the log's thread, a slow stderr will slow the exporter");
    log_info(LOG_FIELDS({"version", build_version}, {"revision", build_revision}), "starting");
    if (make_parts(&p, &err) < 0 || start_scheduler(&p, conf, &err) < 0)
        log_error(LOG_NONE, "cannot start: %s", err.msg);
    else
        rc = options->once ? run_once(&p) : run_daemon(&p, signals);
    stop_parts(&p);
    log_info(LOG_NONE, "stopped");
    log_stop();
    return rc;
}

int main(int argc, char **argv)
{
    struct options options;
    sigset_t signals;
    enum options_verdict verdict;
    struct err not_hardened = {0};

    heap_setup();
    descriptors_hold_standard();
    bool hardened = harden_process(&not_hardened) == 0;
    credentials_environment_take();
    /* Whoever goes away while it is written to is an error of that write: TLS cannot ask for it. */
    signal(SIGPIPE, SIG_IGN);
    block_signals(&signals);
    verdict = options_parse(&options, argc, argv);
    if (verdict != OPTIONS_RUN || options.config_check || options.once)
        pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
    if (verdict == OPTIONS_USAGE)
        return 2;
    if (verdict == OPTIONS_DONE)
        return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    log_setup(options.log_level, options.log_format);
    if (options.config_check)
        return conf_check(options.config_file) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    if (!hardened)
        log_warn(LOG_NONE, "%s", not_hardened.msg);
    return run(&options, &signals);
}
