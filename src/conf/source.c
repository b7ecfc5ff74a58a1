#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/secret_file.h"
#include "files.h"
#include "lex.h"

enum {
    BYTES_MAX = 1024 * 1024, /* of all files together, too */
    INCLUDES_MAX = 64,
    INCLUDE_DEPTH_MAX = 10,
    SPANS_FIRST = 16,
    HASH_BITS = 48,
    READ_BYTES = 16 * 1024,
};

static const char TOO_LONG_INTEGER[] =
    "an integer of more than nine digits; sizes are strings such as \"64MiB\"";

struct expansion {
    struct source *source;
    struct problems *problems;
    struct lex_state state;
    EVP_MD_CTX *digest;
    unsigned line; /* of the expanded text, that is being written */
};

/* PROBLEM: it was reported, go no further. */
enum outcome { EXPANDED, PROBLEM, NOMEM };

static int push_span(struct source *s, struct source_span span)
{
    if (s->n_spans == s->cap_spans) {
        size_t cap = s->cap_spans ? s->cap_spans * 2 : SPANS_FIRST;
        struct source_span *spans = realloc(s->spans, cap * sizeof(*spans));

        if (!spans)
            return -1;
        s->spans = spans;
        s->cap_spans = cap;
    }
    s->spans[s->n_spans++] = span;
    return 0;
}

static int push_string_line(struct source *s, unsigned line)
{
    if (s->n_strings == s->cap_strings) {
        size_t cap = s->cap_strings ? s->cap_strings * 2 : SPANS_FIRST;
        unsigned *lines = realloc(s->string_lines, cap * sizeof(*lines));

        if (!lines)
            return -1;
        s->string_lines = lines;
        s->cap_strings = cap;
    }
    s->string_lines[s->n_strings++] = line;
    return 0;
}

/* Reads at most BYTES_MAX bytes into text; NULL, or why not. Static, or errno's own words. */
static const char *read_file(const char *path, struct strbuf *text, struct stat *st)
{
    CLEANUP(fdp) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0 || fstat(fd, st) < 0)
        return strerror(errno);
    if (S_ISDIR(st->st_mode))
        return strerror(EISDIR);
    if (!S_ISREG(st->st_mode))
        return "Not a regular file";
    for (;;) {
        char bytes[READ_BYTES];
        ssize_t n = read(fd, bytes, sizeof(bytes));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return strerror(errno);
        if (n == 0)
            return NULL;
        strbuf_add(text, bytes, (size_t)n);
        if (text->over_limit)
            return "Larger than 1 MiB";
    }
}

static const struct source_file *new_file(struct source *s, const char *path, bool exposed)
{
    struct source_file *file = arena_calloc(s->arena, 1, sizeof(*file));
    const char *slash = strrchr(path, '/');

    if (!file)
        return NULL;
    file->path = arena_strdup(s->arena, path);
    if (!slash)
        file->dir = ".";
    else
        file->dir = arena_strndup(s->arena, path, slash == path ? 1 : (size_t)(slash - path));
    file->exposed = exposed;
    return file->path && file->dir ? file : NULL;
}

static enum outcome expand_file(struct expansion *x, const char *path, unsigned depth);

/* The name between the quotes of an @include, against the directory of the file it stands in. */
static char *include_path(struct arena *arena, const char *dir, const char *text,
                          struct lex_token token)
{
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
    const char *quote = memchr(text + token.start, '"', token.end - token.start);
    const char *end = text + token.end - 1;

    for (const char *p = quote + 1; p < end; p++) {
        if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
            p++;
        strbuf_addc(&path, *p);
    }
    return strbuf_ok(&path) ? files_join(arena, dir, strbuf_str(&path)) : NULL;
}

static enum outcome expand_include(struct expansion *x, const struct source_file *file,
                                   const char *path, unsigned depth)
{
    struct source *s = x->source;

    if (s->n_files > INCLUDES_MAX || depth == INCLUDE_DEPTH_MAX) {
        problem_add(x->problems, x->line, "too many includes; does '%.*s' include itself?",
                    PROBLEM_TEXT(file->path));
        return PROBLEM;
    }

    enum outcome outcome = expand_file(x, path, depth + 1);
    if (outcome == EXPANDED && s->text.len > 0 && s->text.ptr[s->text.len - 1] != '\n') {
        strbuf_addc(&s->text, '\n');
        x->line++;
    }
    return outcome;
}

/* The integer makes place for a string that says so, of the same length. */
static void replace_integer(struct expansion *x, size_t len)
{
    struct source *s = x->source;

    strbuf_addc(&s->text, '"');
    strbuf_addc(&s->text, SOURCE_REFUSED);
    for (size_t i = 3; i < len; i++)
        strbuf_addc(&s->text, ' ');
    strbuf_addc(&s->text, '"');
    s->integers_refused = true;
    problem_add(x->problems, x->line, "%s", TOO_LONG_INTEGER);
}

static void report_token(struct expansion *x, struct lex_token token, const char *reason)
{
    const struct lex_state *state = &x->state;

    if (token.kind != LEX_CLOSE || state->depth == 0) {
        problem_add(x->problems, x->line, "%s", reason);
        return;
    }
    unsigned opened = source_place(x->source, state->open_line[state->depth - 1]).line;
    problem_add(x->problems, x->line, "%s ('%c' in line %u)", reason, state->open[state->depth - 1],
                opened);
}

/* A token that is no include: checked and copied. */
static enum outcome copy_token(struct expansion *x, const char *text, struct lex_token token)
{
    struct source *s = x->source;
    bool string = token.kind == LEX_STRING || token.kind == LEX_LONG_INTEGER;
    bool first_string = string && x->state.last != LEX_STRING;
    const char *reason = lex_accept(&x->state, text, token, x->line);

    if (!reason && string && memchr(text + token.start, SOURCE_REFUSED, token.end - token.start))
        reason = "a string holds a control character";
    if (reason) {
        report_token(x, token, reason);
        return PROBLEM;
    }
    if (first_string && push_string_line(s, x->line) < 0)
        return NOMEM;
    if (token.kind == LEX_LONG_INTEGER)
        replace_integer(x, token.end - token.start);
    else
        strbuf_add(&s->text, text + token.start, token.end - token.start);
    return EXPANDED;
}

static unsigned count_lines(const char *text, size_t len)
{
    unsigned n = 0;

    for (size_t i = 0; i < len; i++)
        n += text[i] == '\n';
    return n;
}

/* Some editors start a text with U+FEFF, which libconfig does not know. */
static size_t byte_order_mark_len(const struct strbuf *bytes)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t len = sizeof(mark) - 1;

    return bytes->len >= len && memcmp(bytes->ptr, mark, len) == 0 ? len : 0;
}

static enum outcome expand_tokens(struct expansion *x, const struct source_file *file,
                                  const struct strbuf *bytes, unsigned depth)
{
    size_t skipped = byte_order_mark_len(bytes);
    const char *text = strbuf_str(bytes) + skipped;
    size_t len = bytes->len - skipped;
    unsigned file_line = 1;
    struct lex_token token = {0};

    do {
        enum outcome outcome;

        token = lex_next(text, len, token.end);
        unsigned lines = count_lines(text + token.start, token.end - token.start);
        if (token.kind == LEX_INCLUDE) {
            const char *path = include_path(x->source->arena, file->dir, text, token);

            outcome = path ? expand_include(x, file, path, depth) : NOMEM;
            if (outcome == EXPANDED &&
                push_span(x->source, (struct source_span){x->line, file_line, file}) < 0)
                return NOMEM;
        } else {
            outcome = copy_token(x, text, token);
        }
        if (outcome != EXPANDED)
            return outcome;
        x->line += lines;
        file_line += lines;
        if (x->source->text.over_limit) {
            problem_add(x->problems, x->line, "more than 1 MiB with its includes");
            return PROBLEM;
        }
    } while (token.kind != LEX_END);
    return x->source->text.bad ? NOMEM : EXPANDED;
}

/* depth 0 is the main file, whose problems have no line; includes have that of their @include. */
static enum outcome expand_file(struct expansion *x, const char *path, unsigned depth)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_LIMIT(BYTES_MAX);
    struct source *s = x->source;
    struct stat st;
    const char *reason = read_file(path, &bytes, &st);

    if (!reason && bytes.bad)
        return NOMEM;
    if (reason && depth > 0)
        problem_add(x->problems, x->line, "cannot include '%s': %s", path, reason);
    else if (reason)
        problem_add(x->problems, 0, "%s", reason);
    if (reason)
        return PROBLEM;

    bool exposed = secret_file_exposed(path, &st);
    const struct source_file *file = new_file(s, path, exposed);
    if (!file || push_span(s, (struct source_span){x->line, 1, file}) < 0)
        return NOMEM;
    if (s->n_files++ == 0)
        s->main_file = file;
    if (EVP_DigestUpdate(x->digest, strbuf_str(&bytes), bytes.len) != 1)
        return NOMEM;

    const char *nul = memchr(strbuf_str(&bytes), '\0', bytes.len);
    if (nul) {
        unsigned lines = count_lines(bytes.ptr, (size_t)(nul - bytes.ptr));

        problem_add(x->problems, x->line + lines, "a NUL byte; this is not a text file");
        return PROBLEM;
    }
    return expand_tokens(x, file, &bytes, depth);
}

static int finish_hash(struct expansion *x)
{
    unsigned char digest[EVP_MAX_MD_SIZE];

    if (EVP_DigestFinal_ex(x->digest, digest, NULL) != 1)
        return -1;
    for (int i = 0; i < HASH_BITS / 8; i++)
        x->source->hash = x->source->hash << 8 | digest[i];
    return 0;
}

static int expand(struct expansion *x, const char *path)
{
    enum outcome outcome = expand_file(x, path, 0);

    if (outcome == NOMEM)
        return -1;
    if (outcome == PROBLEM)
        return 0;
    const char *reason = lex_finish(&x->state);
    if (reason) {
        unsigned line = x->state.depth > 0 ? x->state.open_line[x->state.depth - 1] : x->line;

        problem_add(x->problems, line, "%s", reason);
        return 0;
    }
    /* libconfig takes a comment for one only if a newline ends it. */
    x->source->text.limit = 0;
    strbuf_addc(&x->source->text, '\n');
    x->source->complete = true;
    return strbuf_ok(&x->source->text) ? finish_hash(x) : -1;
}

int source_load(struct source *s, const char *path, struct arena *arena, struct problems *problems)
{
    struct expansion x = {.source = s, .problems = problems, .line = 1};

    *s = (struct source){.arena = arena, .text = STRBUF_LIMIT(BYTES_MAX)};
    /* Until it is read, so that problems have a file to name. */
    s->main_file = new_file(s, path, false);
    x.digest = EVP_MD_CTX_new();
    int rc = -1;
    if (s->main_file && x.digest && EVP_DigestInit_ex(x.digest, EVP_sha256(), NULL) == 1)
        rc = expand(&x, path);
    EVP_MD_CTX_free(x.digest);
    return rc;
}

void source_release(struct source *s)
{
    strbuf_release(&s->text);
    free(s->spans);
    free(s->string_lines);
    *s = (struct source){0};
}

static const struct source_span *span_at(const struct source *s, unsigned line)
{
    const struct source_span *found = NULL;

    for (size_t i = 0; i < s->n_spans && s->spans[i].first_line <= line; i++)
        found = &s->spans[i];
    return found;
}

struct source_place source_place(const struct source *s, unsigned line)
{
    const struct source_span *span = span_at(s, line);

    if (!span)
        return (struct source_place){s->main_file->path, s->complete ? 1 : 0};
    return (struct source_place){span->file->path, span->file_line + (line - span->first_line)};
}

const struct source_file *source_file_at(const struct source *s, unsigned line)
{
    const struct source_span *span = span_at(s, line);

    return span ? span->file : s->main_file;
}
