/*
 * The text of a configuration: the file with its includes put in place of their @include lines.
 *
 * libconfig could include by itself, but it looks for every file in one directory, takes an
 * absolute path for a relative one, and reads the bytes a second time, after they were hashed and
 * checked. So it is given one text, and lines of that text are mapped back to files here. All
 * other parts of conf speak of lines of the expanded text; only messages name files. A byte order
 * mark that starts a file is left out.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/strbuf.h"
#include "problem.h"

struct source_file {
    const char *path; /* as given, or the directory of the including file and the name there */
    const char *dir;  /* relative paths in the file start here */
    bool exposed;     /* everybody may read it, and it is none of systemd's credentials */
};

/* From first_line on, the text is that of a file from file_line on. */
struct source_span {
    unsigned first_line;
    unsigned file_line;
    const struct source_file *file;
};

struct source {
    struct arena *arena; /* borrowed */
    struct strbuf text;
    struct source_span *spans;
    size_t n_spans;
    size_t cap_spans;
    /* The line of each string: libconfig knows only that of the token behind it. */
    unsigned *string_lines;
    size_t n_strings;
    size_t cap_strings;
    size_t n_files;
    bool complete;         /* the text is whole: it can be parsed */
    bool integers_refused; /* some were replaced: see SOURCE_REFUSED */
    const struct source_file *main_file;
    uint64_t hash; /* first 48 bits of SHA-256 over all bytes, each file's where it is included */
};

/*
 * What stands in the text for an integer that was refused, so that the rest can still be checked:
 * a string that starts with this byte. No string of a file may hold it raw.
 */
#define SOURCE_REFUSED '\001'

/*
 * Reads the file. Problems go to problems; with any but refused integers the text is not complete.
 * -1 when memory is out.
 */
int source_load(struct source *s, const char *path, struct arena *arena,
                struct problems *problems) MUST_CHECK;
void source_release(struct source *s);

struct source_place {
    const char *path;
    unsigned line; /* 0 = the file could not be read */
};
/* Line 0 is the main file as a whole: its first line. */
struct source_place source_place(const struct source *s, unsigned line);
const struct source_file *source_file_at(const struct source *s, unsigned line);

#endif
