/*
 * What the services that grant keys answer, decoded. Pure: bytes in, keys or an error out; what is
 * taken out of an answer and not handed out is overwritten.
 */
#ifndef CREDENTIALS_ANSWER_H
#define CREDENTIALS_ANSWER_H

#include "base/cleanup.h"
#include "base/err.h"
#include "credentials_http.h"
#include "credentials_source.h"
#include "retry.h"

/*
 * STS: {"Credentials":{"AccessKeyId",...}}. A refusal sets *ret_hint, and err to status, code,
 * RequestId and, if show_message says so, the server's message: for a request that held a token
 * it may quote it.
 */
int credentials_answer_sts(const struct credentials_http_reply *reply, bool show_message,
                           struct credentials_grant *ret, enum retry_hint *ret_hint,
                           struct err *err) MUST_CHECK;

/*
 * The metadata service and the credentials URI: {"Code":"Success","AccessKeyId",...}. Another Code
 * is a failure, none is not.
 */
int credentials_answer_document(const struct credentials_http_reply *reply,
                                struct credentials_grant *ret, struct err *err) MUST_CHECK;

/* "2026-11-21T20:54:27Z", with or without a fraction, in milliseconds; -1 for anything else. */
int64_t credentials_expiration_unix_ms(const char *text);

#endif
