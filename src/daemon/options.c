/*
 * Flags as Prometheus' own programs take them: --flag=value, --flag value, --switch, --no-switch.
 * The table is the help text's source, too. A flag of the interface whose feature is not built yet
 * is known by name, so that it is refused for what it is and never ignored.
 */
#include "options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/quantity.h"
#include "build_info.h"
#include "http/server.h"

#define PROGRAM "aliyun_flink_exporter"

enum flag_kind { FLAG_VALUE, FLAG_SWITCH, FLAG_VALUE_LATER, FLAG_SWITCH_LATER };

enum flag_id {
    ID_HELP = 1000,
    ID_VERSION,
    ID_CONFIG_FILE,
    ID_CONFIG_CHECK,
    ID_LISTEN_ADDRESS,
    ID_TELEMETRY_PATH,
    ID_MAX_REQUESTS,
    ID_ONCE,
    ID_LOG_LEVEL,
    ID_LOG_FORMAT,
    ID_LATER,
};

static const struct flag {
    const char *name;
    enum flag_kind kind;
    enum flag_id id;
    const char *argument; /* its name in the help */
    const char *help;
} flags[] = {
    {"help", FLAG_SWITCH, ID_HELP, NULL, "Show this help and exit."},
    {"version", FLAG_SWITCH, ID_VERSION, NULL, "Show version and revision and exit."},
    {"config.file", FLAG_VALUE, ID_CONFIG_FILE, "FILE",
     "Configuration file (default /etc/aliyun_flink_exporter/exporter.cfg)."},
    {"config.check", FLAG_SWITCH, ID_CONFIG_CHECK, NULL,
     "Check the configuration file, print every problem, exit 0 or 1."},
    {"web.listen-address", FLAG_VALUE, ID_LISTEN_ADDRESS, "HOST:PORT",
     "Address to serve on: host:port, [v6]:port or :port (default :10058)."},
    {"web.telemetry-path", FLAG_VALUE, ID_TELEMETRY_PATH, "PATH",
     "Path of the metrics (default /metrics)."},
    {"web.max-requests", FLAG_VALUE, ID_MAX_REQUESTS, "N",
     "Scrapes at once; more get 503 (default 40)."},
    {"once", FLAG_SWITCH, ID_ONCE, NULL,
     "Refresh every target once, print the exposition to stdout, exit 0 (1 if any target failed)."},
    {"log.level", FLAG_VALUE, ID_LOG_LEVEL, "LEVEL",
     "Lowest level logged: debug, info, warn, error (default info)."},
    {"log.format", FLAG_VALUE, ID_LOG_FORMAT, "FORMAT", "logfmt or json (default logfmt)."},
    {"config.enable-auto-reload", FLAG_SWITCH_LATER, ID_LATER, NULL, NULL},
    {"config.auto-reload-interval", FLAG_VALUE_LATER, ID_LATER, NULL, NULL},
    {"web.systemd-socket", FLAG_SWITCH_LATER, ID_LATER, NULL, NULL},
    {"web.config.file", FLAG_VALUE_LATER, ID_LATER, NULL, NULL},
    {"web.enable-lifecycle", FLAG_SWITCH_LATER, ID_LATER, NULL, NULL},
    {"web.enable-debug", FLAG_SWITCH_LATER, ID_LATER, NULL, NULL},
    {"web.external-url", FLAG_VALUE_LATER, ID_LATER, NULL, NULL},
    {"web.route-prefix", FLAG_VALUE_LATER, ID_LATER, NULL, NULL},
    {"persistence.file", FLAG_VALUE_LATER, ID_LATER, NULL, NULL},
    {"shard", FLAG_VALUE_LATER, ID_LATER, NULL, NULL},
    {"total-shards", FLAG_VALUE_LATER, ID_LATER, NULL, NULL},
};

#define N_FLAGS (sizeof(flags) / sizeof(flags[0]))

static void print_help(void)
{
    printf("usage: " PROGRAM " [flags]\n\n"
           "Watches the deployments of Alibaba Cloud Realtime Compute for Apache Flink and serves\n"
           "what the control plane knows of them to Prometheus.\n\n"
           "Flags take --flag=value or --flag value; switches also --no-flag.\n\n");
    for (size_t i = 0; i < N_FLAGS; i++) {
        char left[64];

        if (!flags[i].help)
            continue;
        snprintf(left, sizeof(left), "--%s%s%s", flags[i].name, flags[i].argument ? "=" : "",
                 flags[i].argument ? flags[i].argument : "");
        printf("  %-32s %s\n", left, flags[i].help);
    }
    printf("\nSignals: SIGHUP reads the configuration again, SIGTERM and SIGINT stop.\n"
           "Exit codes: 0 stopped as asked, 1 could not start or run, 2 usage.\n");
}

static void print_version(void)
{
    printf(PROGRAM ", version %s (revision: %s)\n  branch:   %s\n  compiler: %s\n", build_version,
           build_revision, build_branch, build_compiler);
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

/* What getopt_long works on: for every flag an option, for every switch a second "no-" one. */
struct getopt_table {
    struct option options[2 * N_FLAGS + 1];
    char no_names[N_FLAGS][48];
    size_t flag_of[2 * N_FLAGS]; /* by index into options */
    bool negated[2 * N_FLAGS];
};

static void fill_table(struct getopt_table *t)
{
    size_t n = 0;

    for (size_t i = 0; i < N_FLAGS; i++) {
        bool is_switch = flags[i].kind == FLAG_SWITCH || flags[i].kind == FLAG_SWITCH_LATER;

        t->flag_of[n] = i;
        t->options[n++] = (struct option){.name = flags[i].name,
                                          .has_arg = is_switch ? no_argument : required_argument};
        if (!is_switch)
            continue;
        snprintf(t->no_names[i], sizeof(t->no_names[i]), "no-%s", flags[i].name);
        t->flag_of[n] = i;
        t->negated[n] = true;
        t->options[n++] = (struct option){.name = t->no_names[i], .has_arg = no_argument};
    }
}

/* getopt_long takes any unambiguous abbreviation; scripts must not come to rely on that. */
static bool is_exact(const char *arg, const char *name)
{
    size_t len = strcspn(arg + 2, "=");

    return len == strlen(name) && strncmp(arg + 2, name, len) == 0;
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
            strncmp(value, "/-/", 3) == 0)
            return usage("--web.telemetry-path=%s: must be a plain path such as /metrics", value);
        o->telemetry_path = value;
        break;
    case ID_MAX_REQUESTS:
        if (quantity_parse_u64(value, &n) < 0 || n < 1 || n > 10000)
            return usage("--web.max-requests=%s: must be a number from 1 to 10000", value);
        o->max_requests = (unsigned)n;
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
    if (flag->kind == FLAG_VALUE_LATER || flag->kind == FLAG_SWITCH_LATER)
        return usage("--%s is not supported yet", flag->name);
    switch (flag->id) {
    case ID_HELP:
        if (on)
            print_help();
        return on ? OPTIONS_DONE : OPTIONS_RUN;
    case ID_VERSION:
        if (on)
            print_version();
        return on ? OPTIONS_DONE : OPTIONS_RUN;
    case ID_CONFIG_CHECK:
        o->config_check = on;
        return OPTIONS_RUN;
    case ID_ONCE:
        o->once = on;
        return OPTIONS_RUN;
    default:
        return take_value(o, flag->id, value);
    }
}

enum options_verdict options_parse(struct options *options, int argc, char **argv)
{
    struct getopt_table table = {0};
    enum options_verdict verdict = OPTIONS_RUN;

    *options = (struct options){
        .config_file = "/etc/aliyun_flink_exporter/exporter.cfg",
        .telemetry_path = "/metrics",
        .max_requests = 40,
        .log_level = LOG_INFO,
    };
    fill_table(&table);
    opterr = 0;
    optind = 1;
    while (verdict == OPTIONS_RUN && optind < argc) {
        const char *arg = argv[optind];
        int index = -1;
        int c = getopt_long(argc, argv, "+:", table.options, &index);

        if (c == -1 && optind == argc) /* "--", and nothing behind it */
            break;
        if (c == -1)
            return usage("unexpected argument '%s'", argv[optind]);
        if (c == ':')
            return usage("%s needs a value", arg);
        if (c != 0 || index < 0 || !is_exact(arg, table.options[index].name))
            return usage("unknown or malformed flag '%s'", arg);
        verdict = take_flag(options, &flags[table.flag_of[index]], !table.negated[index], optarg);
    }
    if (!options->listen_address)
        options->listen_address = ":10058";
    return verdict;
}
