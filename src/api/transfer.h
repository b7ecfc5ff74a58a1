/*
 * One request on its way through libcurl, and what its failure means in words. Private to
 * transport_curl.c and transfer_explain.c, which alone know libcurl.
 */
#ifndef TRANSFER_H
#define TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include "transport.h"

enum { TRANSFER_HEADER_BYTES_MAX = 64 * 1024 };

/* One request and what has come of its reply. On one of two lists: in flight or idle. */
struct transfer {
    struct transfer *next;
    CURL *easy;
    uintptr_t tag;
    struct curl_slist *headers;    /* holds the signature and perhaps a security token */
    struct curl_slist *connect_to; /* for tls.server_name */
    char *request_body;
    size_t request_body_len;
    struct transport_sink sink;
    struct err sink_err; /* what the sink said, ERR_NONE if nothing */
    struct strbuf body;  /* what does not go to the sink */
    size_t body_bytes;   /* of both, after decompression */
    size_t max_body_size;
    bool secret_reply;
    int64_t timeout_ms;
    int64_t connect_ms;
    size_t header_bytes;
    char detail[CURL_ERROR_SIZE]; /* what libcurl says went wrong */
};

int64_t transfer_info_us(const struct transfer *f, CURLINFO what);
long transfer_info_long(const struct transfer *f, CURLINFO what);

/* The transfer ended with rc because of max_body_size. */
bool transfer_body_too_large(const struct transfer *f, CURLcode rc);

/* Sets err to what rc means for this transfer, in words for a log; returns -1. */
int transfer_explain(struct transfer *f, CURLcode rc, struct err *err);

#endif
