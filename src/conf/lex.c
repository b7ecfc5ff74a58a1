#include "lex.h"

#include <string.h>
#include <strings.h>

/* Values of more digits might not fit the 32 bits libconfig puts them in. */
enum { DECIMAL_DIGITS_MAX = 9, HEX_DIGITS_MAX = 7 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex_digit(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_name_start(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '*';
}

static bool is_name_byte(char c)
{
    return is_name_start(c) || is_digit(c) || c == '-' || c == '_';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f';
}

struct text {
    const char *bytes;
    size_t len;
};

/* 0 behind the end: no text holds a NUL. */
static char at(const struct text *t, size_t pos)
{
    return pos < t->len ? t->bytes[pos] : '\0';
}

static struct lex_token token(enum lex_kind kind, size_t start, size_t end)
{
    return (struct lex_token){.kind = kind, .start = start, .end = end};
}

static struct lex_token bad(size_t pos, const char *reason)
{
    return (struct lex_token){.kind = LEX_BAD, .start = pos, .end = pos, .reason = reason};
}

static size_t skip_digits(const struct text *t, size_t pos)
{
    while (is_digit(at(t, pos)))
        pos++;
    return pos;
}

/* Behind an exponent that starts at pos, or pos. */
static size_t skip_exponent(const struct text *t, size_t pos)
{
    if (at(t, pos) != 'e' && at(t, pos) != 'E')
        return pos;

    size_t digits = pos + 1;
    if (at(t, digits) == '+' || at(t, digits) == '-')
        digits++;
    return is_digit(at(t, digits)) ? skip_digits(t, digits) : pos;
}

static size_t skip_long_suffix(const struct text *t, size_t pos)
{
    for (int i = 0; i < 2 && at(t, pos) == 'L'; i++)
        pos++;
    return pos;
}

static bool is_hex(const struct text *t, size_t pos)
{
    return at(t, pos) == '0' && (at(t, pos + 1) == 'x' || at(t, pos + 1) == 'X') &&
           is_hex_digit(at(t, pos + 2));
}

static struct lex_token lex_hex(const struct text *t, size_t start)
{
    size_t first = start + 2;
    size_t end = first;

    while (is_hex_digit(at(t, end)))
        end++;
    bool too_long = end - first > HEX_DIGITS_MAX;
    return token(too_long ? LEX_LONG_INTEGER : LEX_NUMBER, start, skip_long_suffix(t, end));
}

static struct lex_token lex_number(const struct text *t, size_t start)
{
    size_t pos = start;

    if (at(t, pos) == '+' || at(t, pos) == '-')
        pos++;
    size_t end = skip_digits(t, pos);
    if (at(t, end) == '.')
        return token(LEX_NUMBER, start, skip_exponent(t, skip_digits(t, end + 1)));
    if (end == pos)
        return bad(start, "a sign without a number");
    if (skip_exponent(t, end) > end)
        return token(LEX_NUMBER, start, skip_exponent(t, end));
    bool too_long = end - pos > DECIMAL_DIGITS_MAX;
    return token(too_long ? LEX_LONG_INTEGER : LEX_NUMBER, start, skip_long_suffix(t, end));
}

static struct lex_token lex_string(const struct text *t, size_t start)
{
    static const char nul[] = "\\x00";

    for (size_t pos = start + 1; pos < t->len; pos++) {
        char c = t->bytes[pos];

        if (c == '"')
            return token(LEX_STRING, start, pos + 1);
        if (c == '\n')
            break;
        if (c != '\\')
            continue;
        /* libconfig drops a NUL without a word. */
        if (t->len - pos >= 4 && strncasecmp(t->bytes + pos, nul, 4) == 0)
            return bad(start, "a string holds \\x00");
        if (at(t, pos + 1) == '"' || at(t, pos + 1) == '\\')
            pos++;
    }
    return bad(start, "a string without its closing quote on the same line");
}

static struct lex_token lex_block_comment(const struct text *t, size_t start)
{
    for (size_t pos = start + 2; pos + 1 < t->len; pos++)
        if (t->bytes[pos] == '*' && t->bytes[pos + 1] == '/')
            return token(LEX_SPACE, start, pos + 2);
    return bad(start, "a comment without its closing */");
}

static struct lex_token lex_line_comment(const struct text *t, size_t start)
{
    size_t pos = start;

    while (pos < t->len && t->bytes[pos] != '\n')
        pos++;
    return token(LEX_SPACE, start, pos);
}

/* Stops behind a newline, so that every line has its start at the start of a token. */
static struct lex_token lex_blanks(const struct text *t, size_t start)
{
    size_t pos = start;

    while (is_blank(at(t, pos)))
        pos++;
    if (at(t, pos) == '\n')
        pos++;
    return token(LEX_SPACE, start, pos);
}

/* LEX_END if there is no @include on the line that starts at start. */
static struct lex_token lex_include(const struct text *t, size_t start)
{
    static const char word[] = "@include";
    size_t pos = start;

    while (at(t, pos) == ' ' || at(t, pos) == '\t')
        pos++;
    if (t->len - pos < strlen(word) || memcmp(t->bytes + pos, word, strlen(word)) != 0)
        return token(LEX_END, start, start);
    pos += strlen(word);
    size_t blanks = pos;
    while (at(t, pos) == ' ' || at(t, pos) == '\t')
        pos++;
    if (pos == blanks || at(t, pos) != '"')
        return bad(start, "an include is written @include \"file\"");

    struct lex_token path = lex_string(t, pos);
    return path.kind == LEX_STRING ? token(LEX_INCLUDE, start, path.end) : path;
}

static struct lex_token lex_word(const struct text *t, size_t start)
{
    const char *word = t->bytes + start;
    size_t end = start + 1;

    while (is_name_byte(at(t, end)))
        end++;
    bool boolean = (end - start == 4 && strncasecmp(word, "true", 4) == 0) ||
                   (end - start == 5 && strncasecmp(word, "false", 5) == 0);
    return token(boolean ? LEX_BOOLEAN : LEX_NAME, start, end);
}

static struct lex_token lex_byte(const struct text *t, size_t pos)
{
    switch (t->bytes[pos]) {
    case '=':
    case ':':
        return token(LEX_EQUALS, pos, pos + 1);
    case ',':
        return token(LEX_COMMA, pos, pos + 1);
    case ';':
        return token(LEX_SEMICOLON, pos, pos + 1);
    case '{':
    case '[':
    case '(':
        return token(LEX_OPEN, pos, pos + 1);
    case '}':
    case ']':
    case ')':
        return token(LEX_CLOSE, pos, pos + 1);
    case '\'':
        return bad(pos, "strings stand in double quotes, not single ones");
    case '@':
        return bad(pos, "@include must stand at the start of its line");
    default:
        return bad(pos, "a character that has no meaning outside of strings and comments");
    }
}

struct lex_token lex_next(const char *text, size_t len, size_t pos)
{
    struct text t = {text, len};

    if (pos >= len)
        return token(LEX_END, len, len);
    if (pos == 0 || text[pos - 1] == '\n') {
        struct lex_token include = lex_include(&t, pos);

        if (include.kind != LEX_END)
            return include;
    }

    char c = text[pos];
    if (is_blank(c) || c == '\n')
        return lex_blanks(&t, pos);
    if (c == '#' || (c == '/' && at(&t, pos + 1) == '/'))
        return lex_line_comment(&t, pos);
    if (c == '/' && at(&t, pos + 1) == '*')
        return lex_block_comment(&t, pos);
    if (c == '"')
        return lex_string(&t, pos);
    if (is_hex(&t, pos))
        return lex_hex(&t, pos);
    if (is_digit(c) || c == '-' || c == '+' || c == '.')
        return lex_number(&t, pos);
    if (is_name_start(c))
        return lex_word(&t, pos);
    return lex_byte(&t, pos);
}

/*
 * The order of tokens, from the last one and the innermost open bracket. libconfig checks it again;
 * but it says no more than "syntax error", and leaks the strings it holds at that point.
 */

/* What is open: '{' (or nothing), '[' or '('. */
static char innermost(const struct lex_state *s)
{
    return s->depth > 0 ? s->open[s->depth - 1] : '{';
}

static bool ends_value(enum lex_kind kind)
{
    return kind == LEX_STRING || kind == LEX_NUMBER || kind == LEX_LONG_INTEGER ||
           kind == LEX_BOOLEAN || kind == LEX_CLOSE;
}

static const char NO_EQUALS[] = "a '=' is missing behind a key";
static const char NO_VALUE[] = "a value is missing behind a '='";

/* A word where a value should be is a forgotten quote most of the time. It may be a secret. */
static const char *accept_name(const struct lex_state *s)
{
    if (s->adjacent && (s->last == LEX_NUMBER || s->last == LEX_LONG_INTEGER))
        return "letters behind a number; durations and sizes are strings such as \"60s\"";
    if (s->last == LEX_EQUALS || innermost(s) != '{')
        return "a value is a string in double quotes, a number, true or false";
    return s->last == LEX_NAME ? NO_EQUALS : NULL;
}

static const char *accept_value(const struct lex_state *s, enum lex_kind kind)
{
    char open = innermost(s);

    if (s->last == LEX_STRING && kind == LEX_STRING)
        return NULL; /* the two are one */
    if (open == '{') {
        if (s->last == LEX_NAME)
            return NO_EQUALS;
        return s->last == LEX_EQUALS ? NULL : "a value without a key";
    }
    if (ends_value(s->last))
        return "a ',' is missing between two values";
    if (open == '[' && kind == LEX_OPEN)
        return "[ ] holds strings, numbers or booleans; a list of others stands in ( )";
    return NULL;
}

static const char *accept_separator(const struct lex_state *s, enum lex_kind kind)
{
    if (kind == LEX_SEMICOLON && innermost(s) != '{')
        return "a ';' between brackets that hold a list; its values are separated by ','";
    if (s->last == LEX_NAME)
        return NO_EQUALS;
    if (s->last == LEX_EQUALS)
        return NO_VALUE;
    return ends_value(s->last) ? NULL : "a ',' or ';' that follows no value";
}

static const char *accept_open(struct lex_state *s, char c, unsigned line)
{
    const char *reason = accept_value(s, LEX_OPEN);

    if (reason)
        return reason;
    if (s->depth == LEX_DEPTH_MAX)
        return "brackets are nested too deeply";
    s->open[s->depth] = c;
    s->open_line[s->depth++] = line;
    return NULL;
}

static const char *accept_close(struct lex_state *s, char c)
{
    char open = innermost(s);

    if (s->depth == 0)
        return "a closing bracket that was never opened";
    if (c != (open == '{' ? '}' : open == '[' ? ']' : ')'))
        return "a closing bracket of another kind than the last one opened";
    if (s->last == LEX_NAME)
        return NO_EQUALS;
    if (s->last == LEX_EQUALS)
        return NO_VALUE;
    if (s->last == LEX_COMMA && c != '}')
        return "a ',' before the closing bracket";
    s->depth--;
    return NULL;
}

static const char *accept(struct lex_state *s, char first_byte, enum lex_kind kind, unsigned line)
{
    switch (kind) {
    case LEX_NAME:
        return accept_name(s);
    case LEX_EQUALS:
        return s->last == LEX_NAME ? NULL : "a '=' that follows no key";
    case LEX_COMMA:
    case LEX_SEMICOLON:
        return accept_separator(s, kind);
    case LEX_OPEN:
        return accept_open(s, first_byte, line);
    case LEX_CLOSE:
        return accept_close(s, first_byte);
    default:
        return accept_value(s, kind);
    }
}

const char *lex_accept(struct lex_state *state, const char *text, struct lex_token token,
                       unsigned line)
{
    switch (token.kind) {
    case LEX_BAD:
        return token.reason;
    case LEX_SPACE:
    case LEX_INCLUDE:
    case LEX_END:
        state->adjacent = false;
        return NULL;
    default:
        break;
    }
    const char *reason = accept(state, text[token.start], token.kind, line);
    state->last = token.kind;
    state->adjacent = true;
    return reason;
}

const char *lex_finish(const struct lex_state *state)
{
    if (state->last == LEX_NAME)
        return NO_EQUALS;
    if (state->last == LEX_EQUALS)
        return NO_VALUE;
    return state->depth > 0 ? "a bracket that is never closed" : NULL;
}
