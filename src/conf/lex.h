/*
 * The tokens of libconfig's language, for what has to be known before libconfig reads the text:
 * integers it would wrap, files it would include, and the mistakes that it calls "syntax error".
 * Pure functions over bytes; the text holds no NUL.
 */
#ifndef LEX_H
#define LEX_H

#include <stdbool.h>
#include <stddef.h>

enum lex_kind {
    LEX_END,
    LEX_SPACE, /* blanks up to and with a line's end; a comment */
    LEX_NAME,
    LEX_BOOLEAN,
    LEX_EQUALS,
    LEX_COMMA,
    LEX_SEMICOLON,
    LEX_OPEN,
    LEX_CLOSE,
    LEX_STRING,
    LEX_NUMBER,
    LEX_LONG_INTEGER, /* one libconfig would wrap */
    LEX_INCLUDE,      /* from the line's start to the closing quote */
    LEX_BAD,
};

struct lex_token {
    enum lex_kind kind;
    size_t start;
    size_t end;
    const char *reason; /* of LEX_BAD; static */
};

/* The token at pos. Its end is behind its start unless it is LEX_END or LEX_BAD. */
struct lex_token lex_next(const char *text, size_t len, size_t pos);

enum { LEX_DEPTH_MAX = 16 };

/* What came before, to judge the next token. Starts zeroed; shared by a file and its includes. */
struct lex_state {
    enum lex_kind last;
    bool adjacent; /* nothing stands between that one and the next */
    unsigned depth;
    char open[LEX_DEPTH_MAX];
    unsigned open_line[LEX_DEPTH_MAX];
};

/* Takes a token in; NULL, or why it cannot stand there. Static. */
const char *lex_accept(struct lex_state *state, const char *text, struct lex_token token,
                       unsigned line);
/* The same for the end of all. */
const char *lex_finish(const struct lex_state *state);

#endif
