/*
 * The operation that changes something. It has a header and an object file of its own, so that a
 * program that only reads does not even contain it.
 */
#ifndef API_WRITE_H
#define API_WRITE_H

#include "api/client.h"

/*
 * UpdateDeploymentDraft: PATCH with the whole draft as body. *ret is the draft as the control plane
 * says it is now. Sent again only where it is certain that nothing has happened (no name service,
 * no connection, throttled, a refused date or token). Where an attempt may have arrived and nobody
 * said no to it (a timeout, a broken transfer, an answer that cannot be read, a nonce that came
 * before), err says that the draft may have been changed; nowhere else. ERR_NOT_FOUND: there is no
 * such draft. err names the refusal's code.
 */
int api_client_update_draft(struct api_client *client, const struct api_request *request,
                            const char *draft_id, const json_value *draft, json_value **ret,
                            struct api_stats *stats, struct err *err) MUST_CHECK;

#endif
