/*
 * The network of a provider under test: answers what it was told to, in order, and keeps what it
 * was asked. Asked for more than that, it fails the test.
 */
#ifndef FAKE_HTTP_H
#define FAKE_HTTP_H

#include <stdint.h>

#include "credentials_http.h"

enum { FAKE_EXCHANGES = 16 };

struct fake_answer {
    int status;       /* 0 = fails with kind */
    const char *body; /* NULL = "" */
    enum err_kind kind;
    int64_t server_unix_ms; /* 0 = no Date */
};

struct fake_question {
    char method[8];
    char url[1024];
    char headers[8192]; /* each with a newline behind */
    char body[65536];
    bool has_body;
    bool direct;
    int64_t connect_timeout_ms;
    int64_t timeout_ms;
};

struct fake_http {
    struct credentials_http http; /* first */
    struct fake_answer answers[FAKE_EXCHANGES];
    size_t n_answers;
    struct fake_question *asked; /* FAKE_EXCHANGES of them */
    size_t n_asked;
    bool stopped;
};

void fake_http_init(struct fake_http *fake);
void fake_http_release(struct fake_http *fake);
/* Forgets answers and questions. */
void fake_http_reset(struct fake_http *fake);
void fake_http_answer(struct fake_http *fake, int status, const char *body);
void fake_http_fail(struct fake_http *fake, enum err_kind kind);

/* "name: value" without a difference of case; NULL if there is none. */
const char *fake_http_header(const struct fake_question *q, const char *name, char *buf,
                             size_t size);

#endif
