/*
 * Errors as values: a kind to act on and a sentence to read.
 *
 * What can fail at run time returns 0 or -1, is MUST_CHECK and takes a struct err last. The struct
 * is plain memory on the caller's stack: nothing to free, no thread owns it. Helpers return -1 so
 * that they fit a return statement. Where it happens: err_set. On the way up: err_wrap puts the
 * context in front. Whoever handles an error logs it; whoever returns it does not.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#include "base/cleanup.h"

/*
 * The kinds up to ERR_INTERNAL are the failure reasons of the exposition (label `reason` of
 * aliyun_flink_refresh_failures_total and aliyun_flink_api_request_failures_total) and what the
 * retry rules decide on. The rest stay inside the program.
 */
enum err_kind {
    ERR_NONE = 0,
    ERR_DNS,
    ERR_CONNECT,
    ERR_TLS,
    ERR_TIMEOUT,
    ERR_HTTP, /* a status that is no success and says nothing better; a redirect too */
    ERR_THROTTLED,
    ERR_AUTHENTICATION, /* a missing credential too */
    ERR_PERMISSION,
    ERR_API, /* the control plane said no in its own words: success is not true */
    ERR_PARSE,
    ERR_INCOMPLETE,
    ERR_LIMIT,
    ERR_INTERNAL, /* out of memory too, see err_reason() */
    ERR_CONF,
    ERR_IO,
    ERR_NOMEM,
    ERR_NOT_FOUND, /* the control plane says that there is no such thing; counted as api */
    ERR_STOPPED,   /* the program or the target goes away; nobody's failure */
};

/* Reasons are the kinds ERR_DNS .. ERR_INTERNAL; arrays by reason have this length, index 0 unused.
 */
#define ERR_REASON_END ((int)ERR_INTERNAL + 1)

struct err {
    enum err_kind kind;
    char msg[512]; /* one line, cut at the end if too long, valid UTF-8 if its arguments are */
};

/* Sets kind and message; returns -1. err may be NULL where the caller does not care. */
int err_set(struct err *err, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Puts "context: " in front of the message, keeps the kind; returns -1. */
int err_wrap(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Out of memory while making `what`; returns -1. */
int err_nomem(struct err *err, const char *what);

/*
 * The reason under which a kind is counted: itself up to ERR_INTERNAL, ERR_API for ERR_NOT_FOUND,
 * ERR_INTERNAL for the rest.
 */
enum err_kind err_reason(enum err_kind kind);

/* The label value of a kind: "dns", "connect", ... Never NULL; static. */
const char *err_kind_name(enum err_kind kind);

#endif
