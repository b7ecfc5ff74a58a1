#include "advice.h"

#include <stddef.h>
#include <string.h>

/* By codes of the control plane, which its messages carry. */
static const struct {
    const char *code;
    const char *advice;
} by_code[] = {
    {"InvalidAccessKeyId", "The access key does not exist or is disabled: check it in the RAM "
                           "console, and which credentials the target names."},
    {"SignatureDoesNotMatch", "The access key secret does not belong to the access key id: look "
                              "for a stray blank or newline in the secret."},
    {"InvalidSecurityToken", "The temporary credentials have expired or do not belong together: "
                             "get new ones."},
    {"InvalidTimeStamp", "The clock of this machine is more than 15 minutes wrong: set it, with "
                         "chronyc makestep for example."},
    {"MissingWorkspace", "The workspace id of the target is wrong or missing."},
};

const char *advice_for(const struct err *err)
{
    for (size_t i = 0; i < sizeof(by_code) / sizeof(by_code[0]); i++)
        if (strstr(err->msg, by_code[i].code))
            return by_code[i].advice;
    switch (err->kind) {
    case ERR_DNS:
        return "Check the target's region_id or endpoint, and the name service of this machine "
               "(/etc/resolv.conf). VPC endpoints have names inside the VPC only.";
    case ERR_CONNECT:
        return "Nobody answers there: check the target's endpoint, proxy_url, and what firewalls "
               "and security groups let out.";
    case ERR_TLS:
        return "Check the clock of this machine, the target's tls_config, and whether a proxy "
               "opens TLS connections: then its authority belongs in tls_config.ca_file.";
    case ERR_TIMEOUT:
        return "Try again; if it stays, check the network, or raise the target's timeout and "
               "deadline.";
    case ERR_THROTTLED:
        return "The account's 100 calls a second are used up, by whomever: try again, or lower "
               "rate_limit.";
    case ERR_AUTHENTICATION:
        return "Check the credentials that the target names.";
    case ERR_PERMISSION:
        return "Two things are needed: a RAM policy with the action ('diagnose' prints the least "
               "one), and membership in the namespace, given in the development console.";
    case ERR_NOT_FOUND:
        return "Check the id, and --target and --namespace.";
    default:
        return NULL;
    }
}
