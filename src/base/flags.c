#include "base/flags.h"

#include <string.h>

#include "base/nearest.h"

/* Where the help begins; longer flags push it to the right. */
enum { HELP_COLUMN = 32, FLAG_NAME_MAX = 64 };

struct flags flags_begin(int argc, char **argv)
{
    return (struct flags){.argc = argc, .argv = argv, .at = argc > 0 ? 1 : 0};
}

static const struct flag *find(const char *name, size_t len, const struct flag_table *tables,
                               size_t n_tables)
{
    for (size_t t = 0; t < n_tables; t++)
        for (size_t i = 0; i < tables[t].n_flags; i++) {
            const struct flag *flag = &tables[t].flags[i];

            if (strlen(flag->name) == len && memcmp(flag->name, name, len) == 0)
                return flag;
        }
    return NULL;
}

/* A word that begins with a dash and has more. */
static struct flags_word read_flag(struct flags *flags, const char *text,
                                   const struct flag_table *tables, size_t n_tables)
{
    struct flags_word word = {.kind = FLAGS_UNKNOWN, .text = text, .on = true};
    const char *name = text + strlen("--");
    const char *equals;
    size_t len;

    if (strncmp(text, "--", 2) != 0)
        return word;
    equals = strchr(name, '=');
    len = equals ? (size_t)(equals - name) : strlen(name);
    word.flag = find(name, len, tables, n_tables);
    if (!word.flag && len > 3 && strncmp(name, "no-", 3) == 0) {
        word.on = false;
        word.flag = find(name + 3, len - 3, tables, n_tables);
    }
    if (!word.flag || (word.flag->argument ? !word.on : equals != NULL)) {
        word.flag = NULL;
        return word;
    }
    word.kind = FLAGS_FLAG;
    if (!word.flag->argument)
        return word;
    if (equals)
        word.value = equals + 1;
    else if (flags->at < flags->argc)
        word.value = flags->argv[flags->at++];
    else
        word.kind = FLAGS_NO_VALUE;
    return word;
}

struct flags_word flags_next(struct flags *flags, const struct flag_table *tables, size_t n_tables)
{
    const char *text;

    if (flags->at < flags->argc && !flags->ended && strcmp(flags->argv[flags->at], "--") == 0) {
        flags->ended = true;
        flags->at++;
    }
    if (flags->at >= flags->argc)
        return (struct flags_word){.kind = FLAGS_END};
    text = flags->argv[flags->at++];
    if (flags->ended || text[0] != '-' || text[1] == '\0')
        return (struct flags_word){.kind = FLAGS_ARGUMENT, .text = text};
    return read_flag(flags, text, tables, n_tables);
}

const char *flags_nearest(const char *text, const struct flag_table *tables, size_t n_tables)
{
    char name[FLAG_NAME_MAX];
    size_t dashes = strspn(text, "-");
    size_t len = strcspn(text + dashes, "=");
    struct nearest nearest;

    if (len >= sizeof(name))
        return NULL;
    memcpy(name, text + dashes, len);
    name[len] = '\0';
    nearest = nearest_to(name);
    for (size_t t = 0; t < n_tables; t++)
        for (size_t i = 0; i < tables[t].n_flags; i++)
            if (tables[t].flags[i].help)
                nearest_offer(&nearest, tables[t].flags[i].name);
    return nearest.best;
}

void flags_print_help(FILE *out, struct flag_table table)
{
    for (size_t i = 0; i < table.n_flags; i++) {
        const struct flag *flag = &table.flags[i];
        char left[FLAG_NAME_MAX];

        if (!flag->help)
            continue;
        snprintf(left, sizeof(left), "--%s%s%s", flag->name, flag->argument ? "=" : "",
                 flag->argument ? flag->argument : "");
        fprintf(out, "  %-*s %s\n", HELP_COLUMN, left, flag->help);
    }
}
