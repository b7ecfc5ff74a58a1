/*
 * Global flags stand before or behind the command, a command's own behind it. Whoever reads a
 * complaint at three in the morning is told what to type instead.
 */
#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/client.h"
#include "base/build_info.h"
#include "base/cleanup.h"
#include "base/nearest.h"
#include "base/quantity.h"
#include "command.h"
#include "complain.h"

#define DEFAULT_CONFIG "/etc/aliyun_flink_exporter/exporter.cfg"

enum { DEFAULT_TIMEOUT_MS = 10 * 60 * 1000, MAX_TIMEOUT_MS = 24 * 60 * 60 * 1000 };

enum global_flag_id {
    ID_HELP,
    ID_VERSION,
    ID_CONFIG_FILE,
    ID_TARGET,
    ID_NAMESPACE,
    ID_OUTPUT,
    ID_LOG_LEVEL,
};

static const struct flag global_flags[] = {
    {"help", NULL, ID_HELP, "Show this help, or that of a command, and exit."},
    {"version", NULL, ID_VERSION, "Show version and revision and exit."},
    {"config.file", "FILE", ID_CONFIG_FILE,
     "The exporter's configuration (default " DEFAULT_CONFIG ")."},
    {"target", "NAME", ID_TARGET, "Which target; not needed where only one is configured."},
    {"namespace", "NAME", ID_NAMESPACE,
     "Which namespace; not needed where the target has only one."},
    {"output", "FORMAT", ID_OUTPUT, "table or json (default table)."},
    {"log.level", "LEVEL", ID_LOG_LEVEL,
     "Lowest level logged to stderr: debug, info, warn, error (default warn)."},
};

static const struct flag_table global_table = {global_flags, ARRAY_LEN(global_flags)};

static void hint(const struct options *o)
{
    fprintf(stderr, "Try '" PROGRAM_NAME "%s%s --help'.\n", o->command ? " " : "",
            o->command ? o->command->name : "");
}

static enum options_verdict PRINTF_LIKE(2, 3)
    usage(const struct options *o, const char *format, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    complain("%s", text);
    hint(o);
    return OPTIONS_USAGE;
}

/* --- help --- */

static void print_help(void)
{
    printf("usage: " PROGRAM_NAME " [flags] COMMAND [flags] [arguments]\n\n"
           "Asks the control plane of Alibaba Cloud Realtime Compute for Apache Flink, with the\n"
           "configuration file of aliyun_flink_exporter. Only 'draft update' changes anything.\n\n"
           "Commands:\n");
    for (size_t i = 0; i < n_commands; i++) {
        char left[64];

        snprintf(left, sizeof(left), "%s %s", commands[i].name, commands[i].arguments);
        printf("  %-32s %s\n", left, commands[i].summary);
    }
    printf("\nFlags, as --flag=value or --flag value, switches also as --no-flag:\n");
    flags_print_help(stdout, global_table);
    printf(
        "\n'" PROGRAM_NAME " COMMAND --help' tells more. The answer goes to stdout, everything\n"
        "else to stderr.\n"
        "Exit codes: 0 done, 1 the API or the thing asked about failed, 2 usage, 3 timed out.\n");
}

static void print_command_help(const struct command *c)
{
    printf("usage: " PROGRAM_NAME " %s%s%s%s\n\n%s\n%s", c->name, *c->arguments ? " " : "",
           c->arguments, c->flags.n_flags ? " [flags]" : "", c->summary, c->details);
    if (c->flags.n_flags > 0)
        printf("\nFlags:\n");
    flags_print_help(stdout, c->flags);
    printf("\nFlags of all commands:\n");
    flags_print_help(stdout, global_table);
}

/* --- values --- */

static enum options_verdict take_label(struct options *o, const char *value)
{
    size_t key_len = strcspn(value, "=");

    if (value[key_len] == '\0' || key_len == 0 || value[key_len + 1] == '\0')
        return usage(o, "--label=%s: must be KEY=VALUE", value);
    if (key_len >= sizeof(o->label_key))
        return usage(o, "--label: the key has more than %zu bytes", sizeof(o->label_key) - 1);
    if (o->n_label_values > 0 &&
        (strlen(o->label_key) != key_len || memcmp(o->label_key, value, key_len) != 0))
        return usage(o, "--label=%s: the API filters by one key, and '%s' was given before", value,
                     o->label_key);
    if (o->n_label_values == LABEL_VALUES_MAX)
        return usage(o, "--label: more than %d values", LABEL_VALUES_MAX);
    memcpy(o->label_key, value, key_len);
    o->label_key[key_len] = '\0';
    o->label_values[o->n_label_values++] = value + key_len + 1;
    return OPTIONS_RUN;
}

/* One of a closed set, in any case; points to the spelling the API wants. */
static const char *one_of(const char *value, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(words[i], value) == 0)
            return words[i];
    return NULL;
}

static enum options_verdict take_filter(struct options *o, int id, const char *value)
{
    static const char *const statuses[] = {"RUNNING", "FAILED", "CANCELLED", "FINISHED",
                                           "TRANSITIONING"};
    static const char *const modes[] = {"STREAMING", "BATCH"};

    if (id == FLAG_STATUS) {
        o->status = one_of(value, statuses, ARRAY_LEN(statuses));
        return o->status ? OPTIONS_RUN
                         : usage(o,
                                 "--status=%s: must be RUNNING, FAILED, CANCELLED, FINISHED or "
                                 "TRANSITIONING",
                                 value);
    }
    o->execution_mode = one_of(value, modes, ARRAY_LEN(modes));
    return o->execution_mode ? OPTIONS_RUN
                             : usage(o, "--execution-mode=%s: must be STREAMING or BATCH", value);
}

static enum options_verdict take_command_flag(struct options *o, int id, bool on, const char *value)
{
    switch ((enum command_flag_id)id) {
    case FLAG_STATUS:
    case FLAG_EXECUTION_MODE:
        return take_filter(o, id, value);
    case FLAG_LABEL:
        return take_label(o, value);
    case FLAG_IGNORE_JOB_SUMMARY:
    case FLAG_IGNORE_RESOURCE_SETTING: {
        unsigned bit =
            id == FLAG_IGNORE_JOB_SUMMARY ? API_WITHOUT_JOB_SUMMARY : API_WITHOUT_RESOURCE_SETTING;
        o->without = on ? o->without | bit : o->without & ~bit;
        break;
    }
    case FLAG_FILE:
        o->file = value;
        break;
    case FLAG_DRY_RUN:
        o->dry_run = on;
        break;
    case FLAG_FORCE:
        o->force = on;
        break;
    case FLAG_YES:
        o->yes = on;
        break;
    case FLAG_TIMEOUT:
        if (quantity_parse_duration_ms(value, &o->timeout_ms) < 0 || o->timeout_ms < 1 ||
            o->timeout_ms > MAX_TIMEOUT_MS)
            return usage(o, "--timeout=%s: must be a duration up to 24h, such as 90s or 10m",
                         value);
        break;
    case FLAG_DRAFT:
        o->draft = value;
        break;
    }
    return OPTIONS_RUN;
}

static enum options_verdict take_flag(struct options *o, const struct flag *flag, bool on,
                                      const char *value, bool *help)
{
    switch (flag->id) {
    case ID_HELP:
        *help = on;
        break;
    case ID_VERSION:
        if (!on)
            break;
        build_print_version(PROGRAM_NAME);
        return OPTIONS_DONE;
    case ID_CONFIG_FILE:
        o->config_file = value;
        break;
    case ID_TARGET:
        o->target = value;
        break;
    case ID_NAMESPACE:
        o->namespace_name = value;
        break;
    case ID_OUTPUT:
        if (strcmp(value, "table") != 0 && strcmp(value, "json") != 0)
            return usage(o, "--output=%s: must be table or json", value);
        o->json = strcmp(value, "json") == 0;
        break;
    case ID_LOG_LEVEL:
        if (!log_level_parse(value, &o->log_level))
            return usage(o, "--log.level=%s: must be debug, info, warn or error", value);
        break;
    default:
        return take_command_flag(o, flag->id, on, value);
    }
    return OPTIONS_RUN;
}

/* --- words --- */

/* The command of these one or two words; group says that some command begins with the first. */
static const struct command *find_command(const char *first, const char *second, bool *group)
{
    size_t len = strlen(first);

    *group = false;
    for (size_t i = 0; i < n_commands; i++) {
        const char *name = commands[i].name;

        if (strncmp(name, first, len) != 0)
            continue;
        if (name[len] == '\0' && !second)
            return &commands[i];
        if (name[len] != ' ')
            continue;
        *group = true;
        if (second && strcmp(name + len + 1, second) == 0)
            return &commands[i];
    }
    return NULL;
}

static enum options_verdict unknown_command(const struct options *o, const char *first,
                                            const char *second)
{
    char text[256];
    struct nearest nearest;

    snprintf(text, sizeof(text), "%s%s%s", first, second ? " " : "", second ? second : "");
    nearest = nearest_to(text);
    for (size_t i = 0; i < n_commands; i++)
        nearest_offer(&nearest, commands[i].name);
    if (nearest.best)
        return usage(o, "unknown command '%s', did you mean '%s'?", text, nearest.best);
    return usage(o, "unknown command '%s'", text);
}

static enum options_verdict unknown_flag(const struct options *o, const char *text,
                                         const struct flag_table *tables, size_t n_tables)
{
    const char *near = flags_nearest(text, tables, n_tables);
    char name[64];

    snprintf(name, sizeof(name), "%.*s", (int)strcspn(text, "="), text);
    for (size_t i = 0; !near && i < n_commands; i++)
        for (size_t j = 0; j < commands[i].flags.n_flags; j++)
            if (strcmp(name + strspn(name, "-"), commands[i].flags.flags[j].name) == 0)
                return usage(o, "%s is a flag of '%s' and stands behind it", name,
                             commands[i].name);
    if (near && strcmp(near, name + strspn(name, "-")) == 0)
        return usage(o, "malformed flag '%s'", text);
    if (near)
        return usage(o, "unknown flag '%s', did you mean '--%s'?", text, near);
    return usage(o, "unknown flag '%s'", text);
}

static enum options_verdict take_word(struct options *o, const char *word, const char **group_word)
{
    bool group;

    if (o->command) {
        if (!*o->command->arguments || o->argument)
            return usage(o, "unexpected argument '%s'", word);
        if (!*word)
            return usage(o, "'%s' needs %s, which is empty", o->command->name,
                         o->command->arguments);
        o->argument = word;
        return OPTIONS_RUN;
    }
    o->command = find_command(*group_word ? *group_word : word, *group_word ? word : NULL, &group);
    if (o->command)
        return OPTIONS_RUN;
    if (*group_word || !group)
        return unknown_command(o, *group_word ? *group_word : word, *group_word ? word : NULL);
    *group_word = word;
    return OPTIONS_RUN;
}

static enum options_verdict which_of_group(const struct options *o, const char *word)
{
    char names[128] = "";
    size_t len = 0;

    for (size_t i = 0; i < n_commands; i++)
        if (strncmp(commands[i].name, word, strlen(word)) == 0 &&
            commands[i].name[strlen(word)] == ' ' && len < sizeof(names))
            len += (size_t)snprintf(names + len, sizeof(names) - len, "%s'%s'", len > 0 ? ", " : "",
                                    commands[i].name);
    return usage(o, "which of %s?", names);
}

static enum options_verdict finish(struct options *o, bool help, const char *group_word)
{
    if (help) {
        if (o->command)
            print_command_help(o->command);
        else
            print_help();
        return OPTIONS_DONE;
    }
    if (!o->command && group_word)
        return which_of_group(o, group_word);
    if (!o->command)
        return usage(o, "which command?");
    if (*o->command->arguments && !o->argument)
        return usage(o, "'%s' needs %s", o->command->name, o->command->arguments);
    if (o->command->run == run_draft_update && !o->file)
        return usage(o, "'%s' needs --file=FILE with the changes", o->command->name);
    return OPTIONS_RUN;
}

enum options_verdict options_parse(struct options *options, int argc, char **argv)
{
    struct flags words = flags_begin(argc, argv);
    enum options_verdict verdict = OPTIONS_RUN;
    const char *group_word = NULL;
    bool help = false;

    *options = (struct options){
        .config_file = DEFAULT_CONFIG,
        .log_level = LOG_WARN,
        .timeout_ms = DEFAULT_TIMEOUT_MS,
    };
    while (verdict == OPTIONS_RUN) {
        const struct flag_table tables[] = {
            global_table, options->command ? options->command->flags : (struct flag_table){0}};
        struct flags_word word = flags_next(&words, tables, ARRAY_LEN(tables));

        switch (word.kind) {
        case FLAGS_END:
            return finish(options, help, group_word);
        case FLAGS_FLAG:
            verdict = take_flag(options, word.flag, word.on, word.value, &help);
            break;
        case FLAGS_ARGUMENT:
            verdict = take_word(options, word.text, &group_word);
            break;
        case FLAGS_UNKNOWN:
            return unknown_flag(options, word.text, tables, ARRAY_LEN(tables));
        case FLAGS_NO_VALUE:
            return usage(options, "%s needs a value", word.text);
        }
    }
    return verdict;
}
