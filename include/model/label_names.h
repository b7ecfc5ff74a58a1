/*
 * Names and closed sets of values of labels, in the form of struct family's field labels. For the
 * metrics reference only: what is exposed comes from the *_name functions, and a unit test compares
 * the two.
 */
#ifndef MODEL_LABEL_NAMES_H
#define MODEL_LABEL_NAMES_H

/* Of all that belongs to a namespace, and what identifies an object in it. */
#define LABELS_NAMESPACE  "workspace,flink_namespace"
#define LABELS_DEPLOYMENT LABELS_NAMESPACE ",deployment_id,deployment_name"
#define LABELS_DRAFT      LABELS_NAMESPACE ",deployment_draft_id,draft_name"
#define LABELS_TICKET     LABELS_NAMESPACE ",ticket_id"

#define LABEL_STATE       "state=starting|running|cancelling|cancelled|finished|failed"
/* Those in which a job stays. */
#define LABEL_END_STATE   "state=cancelled|finished|failed"
#define LABEL_STATUS      "status=unknown|running|transitioning|failed|cancelled|finished"
#define LABEL_COLLECTOR   "collector=deployments|drafts|tickets|jobs"
/* Those that the exporter asks for. */
#define LABEL_OPERATION                               \
    "operation=ListDeployments|GetDeploymentsByName|" \
    "ListDeploymentDrafts|GetDeployDeploymentDraftResult|ListJobs"
#define LABEL_PROVIDER \
    "provider=static|env|auto|profile|ecs_ram_role|oidc_role_arn|ram_role_arn|credentials_uri"
/* The kinds of errors that are reasons. */
#define LABEL_REASON                                                                     \
    "reason=dns|connect|tls|timeout|http|throttled|authentication|permission|api|parse|" \
    "incomplete|limit|internal"

#define LABEL_TICKET_STATUS "status=executing|finished|failed|unknown"
#define LABEL_TICKET_REASON "reason=failed|validation|unsuccessful|not_found|expired"

#endif
