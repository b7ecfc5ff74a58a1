/*
 * Which texts may stand where. Pure functions; what they return completes the sentence that the
 * option's name begins: "workspace" "must not be empty". NULL means the text is fine.
 */
#ifndef TEXT_H
#define TEXT_H

enum text_rule {
    TEXT_ANY,         /* "" too, like where no "not empty" is said */
    TEXT_NAME,        /* not empty, short */
    TEXT_WORKSPACE,   /* not empty, goes into a header */
    TEXT_NAMESPACE,   /* not empty, one segment of a path */
    TEXT_REGION,      /* part of a host name */
    TEXT_HOST,        /* a host name or address */
    TEXT_DEPLOYMENT,  /* not empty: a deployment's name */
    TEXT_TICKET,      /* "namespace/ticketId" */
    TEXT_LABEL_VALUE, /* not empty, joined with others by ';' */
    TEXT_FILE,        /* not empty: a path */
    TEXT_FILE_OR_NONE,
    TEXT_KEY,     /* not empty: part of a credential, goes into a header */
    TEXT_ROLE,    /* name of a RAM role, or "" */
    TEXT_ARN,     /* "acs:ram::...", or "" */
    TEXT_SESSION, /* name of a session of a role, or "" */
    TEXT_GLOB,
    TEXT_METRIC_GLOB,
    TEXT_END,
};

const char *text_complaint(enum text_rule rule, const char *s);

/* A host as in a URL, IPv6 in brackets. */
const char *text_host_complaint(const char *host);

#endif
