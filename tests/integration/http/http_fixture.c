/*
 * The HTTP server over a made-up generation, for scripts that abuse it.
 *
 *     http_fixture [--NAME=NUMBER ...]      names: see options[] below
 *
 * Prints "port N ADDRESS" once it serves, then obeys lines on stdin, each answered with "done":
 * publish, healthy 0|1, quit. End of input quits too. --publish-every-ms publishes by itself.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "fake_generation.h"
#include "http/server.h"
#include "metrics/process.h"

static struct settings {
    unsigned pieces;
    unsigned piece_bytes;
    unsigned targets;
    unsigned untried; /* of the targets */
    unsigned hostile; /* their names */
    unsigned no_snapshot;
    unsigned max_requests;
    unsigned max_connections;
    unsigned max_per_ip;
    unsigned idle_timeout_s;
    unsigned header_deadline_s;
    unsigned reply_deadline_s;
    unsigned publish_every_ms;
    unsigned port;
    unsigned drain_ms;
    unsigned debug;
    unsigned debug_page;
} settings = {.pieces = 4, .piece_bytes = 4096, .targets = 3, .max_requests = 40, .drain_ms = 3000};

static const struct {
    const char *name;
    unsigned *value;
} options[] = {
    {"pieces", &settings.pieces},
    {"piece-bytes", &settings.piece_bytes},
    {"targets", &settings.targets},
    {"untried", &settings.untried},
    {"hostile", &settings.hostile},
    {"no-snapshot", &settings.no_snapshot},
    {"max-requests", &settings.max_requests},
    {"max-connections", &settings.max_connections},
    {"max-per-ip", &settings.max_per_ip},
    {"idle-timeout", &settings.idle_timeout_s},
    {"header-deadline", &settings.header_deadline_s},
    {"reply-deadline", &settings.reply_deadline_s},
    {"publish-every-ms", &settings.publish_every_ms},
    {"port", &settings.port},
    {"drain-ms", &settings.drain_ms},
    {"debug", &settings.debug},
    {"debug-page", &settings.debug_page},
};

static atomic_bool healthy = true;
static atomic_bool quit;
static unsigned generation;

static bool is_healthy(void *ctx)
{
    (void)ctx;
    return atomic_load(&healthy);
}

static int read_option(const char *arg)
{
    const char *equals = strchr(arg, '=');

    for (size_t i = 0; equals && strncmp(arg, "--", 2) == 0 && i < ARRAY_LEN(options); i++) {
        if (strlen(options[i].name) == (size_t)(equals - arg - 2) &&
            strncmp(arg + 2, options[i].name, strlen(options[i].name)) == 0) {
            *options[i].value = (unsigned)strtoul(equals + 1, NULL, 10);
            return 0;
        }
    }
    return -1;
}

static struct target_status make_target(unsigned i, int64_t now_unix_ms, char *name, size_t size)
{
    bool failing = i % 3 == 1;
    struct target_status t = {
        .target = name,
        .workspace = "a14bd5d90a4f4e",
        .namespace_name = name,
        .endpoint = "https://ververica.cn-hangzhou.aliyuncs.com",
        .last_attempt_unix_ms = now_unix_ms - 12000,
        .last_success_unix_ms = now_unix_ms - (failing ? 4000000 : 12000),
        .failing_since_unix_ms = failing ? now_unix_ms - 745000 : 0,
        .duration_ms = 850 + i,
        .interval_ms = 60000,
        .deployments = failing ? -1 : 120 + (int64_t)i,
        .jobs_running = failing ? -1 : 100,
        .jobs_failed = failing ? -1 : (int64_t)i,
        .over_limit = i % 3 == 2 ? 17 : 0,
        .tried = true,
        .success = !failing,
        .withheld = failing,
        .reason = failing ? "permission" : NULL,
        .message = failing ? "HTTP 403: the key may not list deployments (RequestId ABC)" : NULL,
    };

    (void)snprintf(name, size, "target-%u", i);
    if (settings.hostile)
        (void)snprintf(name, size,
                       i % 2 ? "<script>alert(%u)</script>'\"&amp;\xff\xe2\x80\xaegnp.exe"
                             : "a-very-long-name-%u-that-goes-on-and-on-without-any-place-to-"
                               "break-it-because-somebody-could-not-stop-typing-"
                               "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                       i);
    if (settings.hostile && failing)
        t.message = "<img src=x onerror=alert(1)> \x01\x02 said the server";
    if (i < settings.untried) {
        t.tried = false;
        t.last_attempt_unix_ms = 0;
        t.last_success_unix_ms = 0;
        t.deployments = t.jobs_running = t.jobs_failed = -1;
        t.over_limit = 0;
    }
    return t;
}

static void publish(struct snapshot_slot *slot)
{
    enum { NAME_BYTES = 256 };
    struct target_status *targets = calloc(settings.targets + 1, sizeof(*targets));
    char *names = calloc(settings.targets + 1, NAME_BYTES);

    for (unsigned i = 0; targets && names && i < settings.targets; i++)
        targets[i] = make_target(i, clock_unix_ms(), names + (size_t)i * NAME_BYTES, NAME_BYTES);
    struct fake_generation g = {.number = ++generation,
                                .n_pieces = settings.pieces,
                                .piece_bytes = settings.piece_bytes,
                                .targets = targets,
                                .n_targets = settings.targets,
                                .all_tried = settings.untried == 0};
    struct snapshot *s = targets && names ? fake_generation_new(&g) : NULL;
    if (s)
        snapshot_publish_take(slot, s);
    free(names);
    free(targets);
}

static void *publish_regularly(void *arg)
{
    const struct timespec pause = {.tv_sec = settings.publish_every_ms / 1000,
                                   .tv_nsec = settings.publish_every_ms % 1000 * 1000000L};

    while (!atomic_load(&quit)) {
        publish(arg);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static void obey(struct snapshot_slot *slot)
{
    char line[128];

    while (fgets(line, sizeof(line), stdin)) {
        if (strcmp(line, "quit\n") == 0)
            break;
        if (strcmp(line, "publish\n") == 0)
            publish(slot);
        if (strncmp(line, "healthy ", 8) == 0)
            atomic_store(&healthy, line[8] == '1');
        puts("done");
        fflush(stdout);
    }
}

static int serve(struct registry *registry, struct snapshot_slot *slot, struct err *err)
{
    char address[32];
    struct http_server *server;
    pthread_t publisher;

    (void)snprintf(address, sizeof(address), ":%u", settings.port);
    struct http_options o = {.listen_address = address,
                             .telemetry_path = "/metrics",
                             .version = "0.1.0",
                             .revision = "abc1234",
                             .debug = settings.debug_page,
                             .slot = slot,
                             .registry = registry,
                             .max_requests = settings.max_requests,
                             .max_connections = settings.max_connections,
                             .max_per_ip = settings.max_per_ip,
                             .idle_timeout_s = settings.idle_timeout_s,
                             .header_deadline_s = settings.header_deadline_s,
                             .reply_deadline_s = settings.reply_deadline_s,
                             .healthy = is_healthy};
    if (http_server_start(&o, &server, err) < 0)
        return -1;
    bool publishing = settings.publish_every_ms > 0 &&
                      pthread_create(&publisher, NULL, publish_regularly, slot) == 0;
    printf("port %u %s\n", http_server_port(server), http_server_address(server));
    fflush(stdout);
    obey(slot);

    int64_t began_mono_ms = clock_mono_ms();
    http_server_stop(server, settings.drain_ms);
    printf("stopped %" PRId64 "\n", clock_mono_ms() - began_mono_ms);
    atomic_store(&quit, true);
    if (publishing)
        pthread_join(publisher, NULL);
    return 0;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    struct registry *registry = registry_new();
    struct snapshot_slot *slot = snapshot_slot_new();
    int rc = -1;

    for (int i = 1; i < argc; i++) {
        if (read_option(argv[i]) < 0) {
            fprintf(stderr, "what is %s?\n", argv[i]);
            return 2;
        }
    }
    log_setup(settings.debug ? LOG_DEBUG : LOG_WARN, LOG_LOGFMT);
    if (registry && slot && process_metrics_register(registry, &err) == 0) {
        if (!settings.no_snapshot)
            publish(slot);
        rc = serve(registry, slot, &err);
    }
    if (rc < 0)
        fprintf(stderr, "%s\n", err.msg);
    registry_free(registry);
    snapshot_slot_free(slot);
    return rc < 0 ? 1 : 0;
}
