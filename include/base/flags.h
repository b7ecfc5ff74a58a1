/*
 * Command lines as Prometheus' own programs take them: --flag=value, --flag value, --switch,
 * --no-switch. A table describes the flags and is the help text's source, too.
 *
 * Names are exact: what is an abbreviation today may be two flags tomorrow. Words that are no flags
 * come back one by one, so that a program can have commands with flags before and after them; "--"
 * ends the flags. Plain memory; everything points into argv and the tables.
 */
#ifndef BASE_FLAGS_H
#define BASE_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct flag {
    const char *name;     /* without the dashes */
    const char *argument; /* what the help calls its value; NULL = a switch */
    int id;               /* the caller's */
    const char *help;     /* NULL = not in the help */
};

struct flag_table {
    const struct flag *flags;
    size_t n_flags;
};

struct flags {
    int argc;
    char **argv;
    int at; /* the next word */
    bool ended;
};

/* For main's argc and argv: the program's name is left out. */
struct flags flags_begin(int argc, char **argv);

struct flags_word {
    enum {
        FLAGS_END,
        FLAGS_FLAG,
        FLAGS_ARGUMENT, /* a word that is no flag */
        FLAGS_UNKNOWN,  /* looks like a flag; or a switch with a value, or a value's flag negated */
        FLAGS_NO_VALUE, /* the value is missing */
    } kind;
    const char *text;        /* the word as it stands in argv; NULL at the end */
    const struct flag *flag; /* FLAGS_FLAG, FLAGS_NO_VALUE */
    bool on;                 /* of a switch: not --no-... */
    const char *value;       /* NULL for a switch */
};

/* The next word. Flags are looked for in all tables, the first that has one counts. */
struct flags_word flags_next(struct flags *flags, const struct flag_table *tables, size_t n_tables);

/* The name in the tables that an unknown flag most likely stands for, or NULL. */
const char *flags_nearest(const char *text, const struct flag_table *tables, size_t n_tables);

/* One line a flag. */
void flags_print_help(FILE *out, struct flag_table table);

#endif
