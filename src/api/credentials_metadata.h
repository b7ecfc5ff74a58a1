/* The metadata service of an ECS instance: keys of the RAM role that is attached to it. */
#ifndef CREDENTIALS_METADATA_H
#define CREDENTIALS_METADATA_H

#include "base/cleanup.h"
#include "base/err.h"
#include "credentials_http.h"
#include "credentials_source.h"

/*
 * endpoint is an origin, NULL or "" = the service's own address. role_name NULL or "" = the role
 * that is attached. Takes one token for the fetch; goes on without (version 1 of the service) where
 * there is none, unless ALIBABA_CLOUD_IMDSV1_DISABLED says otherwise.
 */
int metadata_fetch(struct credentials_http *http, const char *endpoint, const char *role_name,
                   struct credentials_grant *ret, struct err *err) MUST_CHECK;

#endif
