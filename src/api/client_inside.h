/*
 * The inside of struct api_client, for the files that make its calls.
 */
#ifndef CLIENT_INSIDE_H
#define CLIENT_INSIDE_H

#include <stddef.h>
#include <stdint.h>

#include "api/client.h"
#include "call.h"
#include "endpoint.h"
#include "ids.h"
#include "transport.h"

enum { PAGE_SIZES_REMEMBERED = 16 };

/* A page size below the configured one that worked, and with what configuration. */
struct known_page_size {
    char *place; /* operation, host, workspace, namespace */
    int configured_page_size;
    int64_t max_body_size;
    int page_size;
    int64_t until_mono_ms;
};

struct api_client {
    struct api_session *session;
    struct transport *transport;
    struct ids_key ids_key;
    struct known_page_size page_sizes[PAGE_SIZES_REMEMBERED];
    size_t next_page_size; /* the one to be forgotten next */

    struct api_last_call last;
    char last_code[sizeof(((struct api_refusal *)0)->code)];
    char last_request_id[sizeof(((struct api_refusal *)0)->request_id)];
};

/* The env of the calls of one request; stats is emptied. ERR_NOMEM. */
int client_env(struct api_client *client, const struct api_request *request,
               enum operation operation, struct api_stats *stats, struct call_env *ret,
               struct err *err) MUST_CHECK;

/* For api_client_last_call. */
void client_note_reply(struct api_client *client, const struct transport_reply *reply,
                       const struct api_refusal *refusal);

#endif
