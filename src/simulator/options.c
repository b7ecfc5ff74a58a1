#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"

#define DEFAULT_KEY_ID     "LTAI-simulator"
#define DEFAULT_KEY_SECRET "not-a-secret-simulator-only"

struct flag {
    const char *name;
    const char *value; /* what to call it in the help; NULL = a boolean */
    int (*set)(struct options *o, const char *value, bool on, struct err *err);
    const char *help;
};

static int bad(struct err *err, const char *name, const char *value, const char *what)
{
    return err_set(err, ERR_CONF, "--%s: '%s' is not %s", name, value, what);
}

static int copy(char *out, size_t size, const char *name, const char *value, struct err *err)
{
    if (strlen(value) >= size)
        return err_set(err, ERR_CONF, "--%s: longer than %zu bytes", name, size - 1);
    memcpy(out, value, strlen(value) + 1);
    return 0;
}

static int parse_double(const char *text, double hi, double *ret)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !(v >= 0 && v <= hi))
        return -1;
    *ret = v;
    return 0;
}

/* --- one function a flag --- */

static int set_help(struct options *o, const char *value, bool on, struct err *err)
{
    (void)value;
    (void)err;
    o->help = on;
    return 0;
}

static int set_version(struct options *o, const char *value, bool on, struct err *err)
{
    (void)value;
    (void)err;
    o->version = on;
    return 0;
}

static int set_verify(struct options *o, const char *value, bool on, struct err *err)
{
    (void)value;
    (void)err;
    o->conf.settings.verify = on;
    return 0;
}

static int set_listen(struct options *o, const char *value, bool on, struct err *err)
{
    (void)on;
    (void)err;
    o->listen = value;
    return 0;
}

static int set_workspace(struct options *o, const char *value, bool on, struct err *err)
{
    (void)on;
    if (!*value)
        return bad(err, "workspace", value, "a workspace id");
    o->conf.world.workspace = value;
    return 0;
}

static int set_namespaces(struct options *o, const char *value, bool on, struct err *err)
{
    (void)on;
    free(o->namespaces_text);
    o->namespaces_text = strdup(value);
    if (!o->namespaces_text)
        return err_nomem(err, "namespaces");
    o->conf.n_namespaces = 0;
    for (char *at = o->namespaces_text;;) {
        size_t len = strcspn(at, ",");
        bool more = at[len] == ',';
        at[len] = '\0';
        if (!len || o->conf.n_namespaces == OPTIONS_MAX_NAMESPACES)
            return bad(err, "namespaces", value, "a list of names: a,b");
        o->namespaces[o->conf.n_namespaces++] = at;
        if (!more)
            return 0;
        at += len + 1;
    }
}

static int set_deployments(struct options *o, const char *value, bool on, struct err *err)
{
    (void)on;
    uint64_t n;
    if (quantity_parse_u64(value, &n) < 0 || n > 10000000)
        return bad(err, "deployments", value, "a number up to 10000000");
    o->conf.n_deployments = (size_t)n;
    o->deployments_given = true;
    return 0;
}

static int set_drafts(struct options *o, const char *value, bool on, struct err *err)
{
    (void)on;
    uint64_t n;
    if (quantity_parse_u64(value, &n) < 0 || n > 1000000)
        return bad(err, "drafts", value, "a number up to 1000000");
    o->conf.n_drafts = (size_t)n;
    return 0;
}

static int set_seed(struct options *o, const char *value, bool on, struct err *err)
{
    (void)on;
    return quantity_parse_u64(value, &o->conf.world.seed) < 0 ? bad(err, "seed", value, "a number")
                                                              : 0;
}

static int set_profile(struct options *o, const char *value, bool on, struct err *err)
{
    (void)on;
    return profile_parse(value, &o->conf.world.profile) < 0
               ? bad(err, "profile", value, "small, typical or heavy")
               : 0;
}

static int set_quirks(struct options *o, const char *value, bool on, struct err *err)
{
    (void)on;
    return parse_double(value, 1, &o->conf.world.quirks) < 0
               ? bad(err, "quirks", value, "a rate from 0 to 1")
               : 0;
}

static int set_latency(struct options *o, const char *value, bool on, struct err *err)
{
    (void)on;
    return quantity_parse_duration_ms(value, &o->conf.settings.latency_ms) < 0
               ? bad(err, "latency", value, "a duration such as 20ms")
               : 0;
}

static int set_load(struct options *o, const char *value, bool on, struct err *err)
{
    (void)on;
    (void)err;
    o->conf.load_file = value;
    return 0;
}

static int set_key_id(struct options *o, const char *value, bool on, struct err *err)
{
    (void)on;
    struct settings *s = &o->conf.settings;
    return copy(s->key_id, sizeof(s->key_id), "access-key-id", value, err);
}

static int set_key_secret(struct options *o, const char *value, bool on, struct err *err)
{
    (void)on;
    struct settings *s = &o->conf.settings;
    return copy(s->key_secret, sizeof(s->key_secret), "access-key-secret", value, err);
}

static int set_token(struct options *o, const char *value, bool on, struct err *err)
{
    (void)on;
    struct settings *s = &o->conf.settings;
    return copy(s->token, sizeof(s->token), "security-token", value, err);
}

static int set_fault(struct options *o, const char *value, bool on, struct err *err)
{
    (void)on;
    if (o->conf.n_faults == OPTIONS_MAX_FAULTS)
        return err_set(err, ERR_CONF, "--fault: more than %d", OPTIONS_MAX_FAULTS);
    if (fault_parse(value, &o->faults[o->conf.n_faults], err) < 0)
        return err_wrap(err, "--fault");
    o->conf.n_faults++;
    return 0;
}

static int set_churn(struct options *o, const char *value, bool on, struct err *err)
{
    (void)on;
    return parse_double(value, 1e6, &o->conf.settings.churn) < 0
               ? bad(err, "churn", value, "a number of events per second")
               : 0;
}

static int set_rate_limit(struct options *o, const char *value, bool on, struct err *err)
{
    (void)on;
    return parse_double(value, 1e9, &o->conf.settings.rate_limit) < 0
               ? bad(err, "rate-limit", value, "a number of calls per second")
               : 0;
}

static const struct flag flags[] = {
    {"help", NULL, set_help, "show this and exit"},
    {"version", NULL, set_version, "show the version and exit"},
    {"listen", "ADDRESS:PORT", set_listen,
     "loopback only; port 0 takes a free one [127.0.0.1:18080]"},
    {"workspace", "ID", set_workspace, "the workspace that exists [a14bd5d90a4f4e]"},
    {"namespaces", "A,B", set_namespaces, "its namespaces [default-namespace]"},
    {"deployments", "N", set_deployments, "made up in each namespace [50, or 0 with --load]"},
    {"drafts", "N", set_drafts, "made up in each namespace, most of them of its deployments [0]"},
    {"seed", "N", set_seed, "another seed makes another world [1]"},
    {"profile", "NAME", set_profile, "size of the deployments: small, typical, heavy [typical]"},
    {"quirks", "RATE", set_quirks, "0 to 1: how often deployments are odd [0]"},
    {"load", "FILE", set_load, "a JSON list of deployments to start with, as it is"},
    {"latency", "DURATION", set_latency, "before each reply, such as 20ms [0ms]"},
    {"churn", "RATE", set_churn,
     "events per second: jobs start, fail, end; drafts are edited, released [0]"},
    {"rate-limit", "N", set_rate_limit,
     "calls per second, operation and account; 0 for no limit [100]"},
    {"access-key-id", "ID", set_key_id, "[" DEFAULT_KEY_ID "]"},
    {"access-key-secret", "SECRET", set_key_secret, "[" DEFAULT_KEY_SECRET "]"},
    {"security-token", "TOKEN", set_token, "makes the key a temporary one; clients must send it"},
    {"verify", NULL, set_verify, "check signatures; --no-verify takes every request for signed"},
    {"fault", "KIND[:KEY=VALUE,...]", set_fault, "repeatable; see below"},
};

/* --- the words --- */

static const struct flag *find_flag(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if (strlen(flags[i].name) == len && strncmp(flags[i].name, name, len) == 0)
            return &flags[i];
    }
    return NULL;
}

/* One word, or two; *at moves to the last one used. */
static int parse_flag(int argc, char **argv, int *at, struct options *o, struct err *err)
{
    const char *word = argv[*at];
    if (strncmp(word, "--", 2) != 0 || !word[2])
        return err_set(err, ERR_CONF, "unexpected argument '%s'", word);
    const char *name = word + 2;
    const char *value = strchr(name, '=');
    size_t len = value ? (size_t)(value - name) : strlen(name);
    bool on = true;
    const struct flag *flag = find_flag(name, len);
    if (!flag && strncmp(name, "no-", 3) == 0) {
        flag = find_flag(name + 3, len - 3);
        on = false;
        if (flag && flag->value)
            flag = NULL; /* only booleans have a "no" */
    }
    if (!flag)
        return err_set(err, ERR_CONF, "unknown flag '%.*s'", (int)len + 2, word);
    if (!flag->value && value)
        return err_set(err, ERR_CONF, "--%s takes no value", flag->name);
    if (flag->value && value)
        value++;
    else if (flag->value && *at + 1 < argc)
        value = argv[++*at];
    else if (flag->value)
        return err_set(err, ERR_CONF, "--%s needs a value", flag->name);
    return flag->set(o, value, on, err);
}

int options_parse(int argc, char **argv, struct options *ret, struct err *err)
{
    *ret = (struct options){
        .listen = "127.0.0.1:18080",
        .namespaces = {"default-namespace"},
        .conf =
            {
                .world = {.workspace = "a14bd5d90a4f4e", .profile = PROFILE_TYPICAL, .seed = 1},
                .settings = settings_default,
                .n_namespaces = 1,
                .n_deployments = 50,
            },
    };
    struct settings *set = &ret->conf.settings;
    snprintf(set->key_id, sizeof(set->key_id), "%s", DEFAULT_KEY_ID);
    snprintf(set->key_secret, sizeof(set->key_secret), "%s", DEFAULT_KEY_SECRET);
    for (int i = 1; i < argc; i++) {
        if (parse_flag(argc, argv, &i, ret, err) < 0) {
            options_release(ret);
            return -1;
        }
    }
    ret->conf.namespaces = ret->namespaces;
    ret->conf.faults = ret->faults;
    if (ret->conf.load_file && !ret->deployments_given)
        ret->conf.n_deployments = 0;
    return 0;
}

void options_release(struct options *o)
{
    free(o->namespaces_text);
    o->namespaces_text = NULL;
}

void options_print_help(void)
{
    puts("usage: aliyun_flink_simulator [flags]\n\n"
         "A double of the control-plane API of Realtime Compute for Apache Flink, on loopback.\n");
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        char left[64];
        snprintf(left, sizeof(left), "--%s%s%s", flags[i].name, flags[i].value ? " " : "",
                 flags[i].value ? flags[i].value : "");
        printf("  %-34s %s\n", left, flags[i].help);
    }
    puts("\nBooleans also as --no-flag.\n");
    puts(fault_help);
    puts(
        "\nThe control path /_sim shows and changes everything while the program runs: GET /_sim,\n"
        "GET /_sim/deployments/NAMESPACE (or drafts, tickets), GET /_sim/log, POST /_sim with JSON "
        "such as\n"
        "{\"faults\": [\"status:code=503,count=3\"]}.\n\n"
        "Temporary keys come from STS (POST /), a metadata service (/latest/...) and a "
        "credentials\n"
        "URI (/credentials) on the same port.");
}

void options_print_version(void)
{
    puts("aliyun_flink_simulator, version " AFE_VERSION " (revision: " AFE_REVISION ")");
}
