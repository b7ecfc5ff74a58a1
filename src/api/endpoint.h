/*
 * The inside of api/session.h: token buckets, clock skew, live counters.
 *
 * One struct endpoint per (host, credentials name); found or made under the session's lock, never
 * freed before the session. All functions are thread-safe.
 */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/session.h"
#include "model/target.h"

struct endpoint;

/*
 * NULL when memory is out. A changed rate or burst of the target is taken over; the bucket keeps
 * its tokens, at most the new burst.
 */
struct endpoint *session_endpoint(struct api_session *session, const struct target *target);

const char *session_user_agent(const struct api_session *session);
struct credentials_counts *session_credentials_counts(struct api_session *session);

/*
 * Takes a token, or says how long until there will be one (> 0 ms) without taking it. A caller
 * that was told to wait asks again; waiting requests of one endpoint are served in no fixed order.
 */
int64_t endpoint_take_token(struct endpoint *endpoint, int64_t now_mono_ms);

/*
 * A request that was sent at sent_mono_ms, of a listing that may have `most` in flight, was told
 * that it is one too many. The quota is the account's, so nobody with the same credentials asks
 * before until_mono_ms, and the window closes to one request, once for all that were under way
 * together (RFC 5681, 3.1, has the rules; a request is a segment, an answer an ACK).
 */
void endpoint_throttled(struct endpoint *endpoint, size_t most, int64_t sent_mono_ms,
                        int64_t now_mono_ms, int64_t until_mono_ms);
int64_t endpoint_paused_until_mono_ms(struct endpoint *endpoint);

/*
 * A request that was sent at sent_mono_ms was answered: a window that was closed before grows, by
 * one for each answer up to half of what it was, then by one for each windowful of answers.
 */
void endpoint_answered(struct endpoint *endpoint, int64_t sent_mono_ms);
/* How often that was so: grows while requests with these credentials get through. */
uint64_t endpoint_answers(struct endpoint *endpoint);

/* Requests that one listing may have in flight: most, or less after throttling; at least 1. */
size_t endpoint_window(struct endpoint *endpoint, size_t most);

/* Connections that a request opened, and the TLS handshakes among them, for the counters. */
void endpoint_count_connections(struct endpoint *endpoint, unsigned opened,
                                unsigned tls_handshakes);

/* Server time (Date header) minus local time, for the gauge; kept by host, whoever signs. */
void endpoint_set_skew_ms(struct endpoint *endpoint, int64_t skew_ms);

/*
 * Correction for x-acs-date: 0 until the server refused a date (InvalidTimeStamp.Expired), from
 * then on the skew it showed. Signed time = clock_unix_ms() + correction. Kept by host too: a
 * server has one clock for all who sign.
 */
int64_t endpoint_correction_ms(const struct endpoint *endpoint);
void endpoint_set_correction_ms(struct endpoint *endpoint, int64_t correction_ms);

/* Live metrics. */
void session_request_begun(struct api_session *session);
void session_request_ended(struct api_session *session, enum operation operation,
                           int64_t duration_us, uint64_t body_bytes);
/* A request given up unfinished (stopped, cancelled): no longer in flight, counted nowhere else. */
void session_request_dropped(struct api_session *session);

#endif
