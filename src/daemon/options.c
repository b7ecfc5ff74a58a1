/*
 * A flag of the interface whose feature is not built yet is known by name, so that it is refused
 * for what it is and never ignored.
 */
#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/build_info.h"
#include "base/cleanup.h"
#include "base/flags.h"
#include "base/quantity.h"
#include "http/server.h"

#define PROGRAM "aliyun_flink_exporter"

enum flag_id {
    ID_HELP = 1000,
    ID_VERSION,
    ID_CONFIG_FILE,
    ID_CONFIG_CHECK,
    ID_LISTEN_ADDRESS,
    ID_TELEMETRY_PATH,
    ID_MAX_REQUESTS,
    ID_ENABLE_DEBUG,
    ID_ONCE,
    ID_PERSISTENCE_FILE,
    ID_LOG_LEVEL,
    ID_LOG_FORMAT,
    ID_LATER,
};

static const struct flag flags[] = {
    {"help", NULL, ID_HELP, "Show this help and exit."},
    {"version", NULL, ID_VERSION, "Show version and revision and exit."},
    {"config.file", "FILE", ID_CONFIG_FILE,
     "Configuration file (default /etc/aliyun_flink_exporter/exporter.cfg)."},
    {"config.check", NULL, ID_CONFIG_CHECK,
     "Check the configuration file, print every problem, exit 0 or 1."},
    {"web.listen-address", "HOST:PORT", ID_LISTEN_ADDRESS,
     "Address to serve on: host:port, [v6]:port or :port (default :10058)."},
    {"web.telemetry-path", "PATH", ID_TELEMETRY_PATH, "Path of the metrics (default /metrics)."},
    {"web.max-requests", "N", ID_MAX_REQUESTS, "Scrapes at once; more get 503 (default 40)."},
    {"web.enable-debug", NULL, ID_ENABLE_DEBUG,
     "Serve /debug/targets: refreshes in detail, and why jobs failed, to whoever can reach the "
     "port."},
    {"persistence.file", "FILE", ID_PERSISTENCE_FILE,
     "State file of the event counters, instead of the configuration's state.file."},
    {"once", NULL, ID_ONCE,
     "Refresh every target once, print the exposition to stdout, exit 0 (1 if any target failed)."},
    {"log.level", "LEVEL", ID_LOG_LEVEL,
     "Lowest level logged: debug, info, warn, error (default info)."},
    {"log.format", "FORMAT", ID_LOG_FORMAT, "logfmt or json (default logfmt)."},
    {"config.enable-auto-reload", NULL, ID_LATER, NULL},
    {"config.auto-reload-interval", "VALUE", ID_LATER, NULL},
    {"web.systemd-socket", NULL, ID_LATER, NULL},
    {"web.config.file", "VALUE", ID_LATER, NULL},
    {"web.enable-lifecycle", NULL, ID_LATER, NULL},
    {"web.external-url", "VALUE", ID_LATER, NULL},
    {"web.route-prefix", "VALUE", ID_LATER, NULL},
    {"shard", "VALUE", ID_LATER, NULL},
    {"total-shards", "VALUE", ID_LATER, NULL},
};

static const struct flag_table table = {flags, ARRAY_LEN(flags)};

static void print_help(void)
{
    printf("usage: " PROGRAM " [flags]\n\n"
           "Watches the deployments of Alibaba Cloud Realtime Compute for Apache Flink and serves\n"
           "what the control plane knows of them to Prometheus.\n\n"
           "Flags take --flag=value or --flag value; switches also --no-flag.\n\n");
    flags_print_help(stdout, table);
    printf("\nSignals: SIGHUP reads the configuration again, SIGTERM and SIGINT stop.\n"
           "Exit codes: 0 stopped as asked, 1 could not start or run, 2 usage.\n");
}

static enum options_verdict PRINTF_LIKE(1, 2) usage(const char *format, ...)
{
    va_list ap;

    fprintf(stderr, PROGRAM ": ");
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fprintf(stderr, "\nTry '" PROGRAM " --help'.\n");
    return OPTIONS_USAGE;
}

static enum options_verdict take_value(struct options *o, enum flag_id id, const char *value)
{
    struct err err = {0};
    uint64_t n;

    switch (id) {
    case ID_CONFIG_FILE:
        o->config_file = value;
        break;
    case ID_LISTEN_ADDRESS:
        if (strncmp(value, "unix:", 5) == 0)
            return usage("--web.listen-address=%s: UNIX sockets are not supported yet", value);
        if (o->listen_address)
            return usage("--web.listen-address=%s: a second address is not supported yet", value);
        if (http_check_address(value, &err) < 0)
            return usage("--web.listen-address: %s", err.msg);
        o->listen_address = value;
        break;
    case ID_TELEMETRY_PATH:
        if (value[0] != '/' || value[1] == '\0' || strpbrk(value, "?#% \t") ||
            strncmp(value, "/-/", 3) == 0 || strncmp(value, "/debug/", 7) == 0)
            return usage("--web.telemetry-path=%s: must be a plain path such as /metrics", value);
        o->telemetry_path = value;
        break;
    case ID_MAX_REQUESTS:
        if (quantity_parse_u64(value, &n) < 0 || n < 1 || n > 10000)
            return usage("--web.max-requests=%s: must be a number from 1 to 10000", value);
        o->max_requests = (unsigned)n;
        break;
    case ID_PERSISTENCE_FILE:
        if (!*value)
            return usage("--persistence.file: must not be empty");
        o->persistence_file = value;
        break;
    case ID_LOG_LEVEL:
        if (!log_level_parse(value, &o->log_level))
            return usage("--log.level=%s: must be debug, info, warn or error", value);
        break;
    case ID_LOG_FORMAT:
        if (!log_format_parse(value, &o->log_format))
            return usage("--log.format=%s: must be logfmt or json", value);
        break;
    default:
        break;
    }
    return OPTIONS_RUN;
}

static enum options_verdict take_flag(struct options *o, const struct flag *flag, bool on,
                                      const char *value)
{
    switch ((enum flag_id)flag->id) {
    case ID_LATER:
        return usage("--%s is not supported yet", flag->name);
    case ID_HELP:
        if (on)
            print_help();
        return on ? OPTIONS_DONE : OPTIONS_RUN;
    case ID_VERSION:
        if (on)
            build_print_version(PROGRAM);
        return on ? OPTIONS_DONE : OPTIONS_RUN;
    case ID_CONFIG_CHECK:
        o->config_check = on;
        return OPTIONS_RUN;
    case ID_ONCE:
        o->once = on;
        return OPTIONS_RUN;
    case ID_ENABLE_DEBUG:
        o->debug = on;
        return OPTIONS_RUN;
    default:
        return take_value(o, (enum flag_id)flag->id, value);
    }
}

enum options_verdict options_parse(struct options *options, int argc, char **argv)
{
    struct flags words = flags_begin(argc, argv);
    enum options_verdict verdict = OPTIONS_RUN;

    *options = (struct options){
        .config_file = "/etc/aliyun_flink_exporter/exporter.cfg",
        .telemetry_path = "/metrics",
        .max_requests = 40,
        .log_level = LOG_INFO,
    };
    while (verdict == OPTIONS_RUN) {
        struct flags_word word = flags_next(&words, &table, 1);

        switch (word.kind) {
        case FLAGS_END:
            if (!options->listen_address)
                options->listen_address = ":10058";
            return OPTIONS_RUN;
        case FLAGS_FLAG:
            verdict = take_flag(options, word.flag, word.on, word.value);
            break;
        case FLAGS_ARGUMENT:
            return usage("unexpected argument '%s'", word.text);
        case FLAGS_UNKNOWN:
            return usage("unknown or malformed flag '%s'", word.text);
        case FLAGS_NO_VALUE:
            return usage("%s needs a value", word.text);
        }
    }
    return verdict;
}
