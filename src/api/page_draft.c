/*
 * A draft's record out of the values of its object, as the page ListDeploymentDrafts of the API
 * writes it.
 */
#include "page_values.h"
#include "record_shape.h"

enum {
    DRAFT_ID = REPLY_VALUES,
    DRAFT_NAME,
    DRAFT_DEPLOYMENT_ID,
    DRAFT_EXECUTION_MODE,
    DRAFT_ENGINE_VERSION,
    DRAFT_CREATED,
    DRAFT_MODIFIED,
    DRAFT_LOCK,
    DRAFT_LOCK_ID,
    DRAFT_LOCK_HOLDER_ID,
    DRAFT_LOCK_HOLDER_NAME,
    DRAFT_ARTIFACT,
    DRAFT_CONTENT = DRAFT_ARTIFACT + ARTIFACT_VALUES,
    DRAFT_VALUES_END = DRAFT_CONTENT + CONTENT_VALUES,
};

ARTIFACT_SHAPE(artifact, DRAFT_ARTIFACT, DRAFT_CONTENT);

static const struct json_member lock_members[] = {
    MEMBER("id", DRAFT_LOCK_ID),
    MEMBER("holderId", DRAFT_LOCK_HOLDER_ID),
    MEMBER("holderName", DRAFT_LOCK_HOLDER_NAME),
};
static const struct json_shape lock_shape = SHAPE(lock_members);

static const struct json_member draft_members[] = {
    MEMBER("deploymentDraftId", DRAFT_ID),
    MEMBER("name", DRAFT_NAME),
    MEMBER("referencedDeploymentId", DRAFT_DEPLOYMENT_ID),
    MEMBER("executionMode", DRAFT_EXECUTION_MODE),
    MEMBER("artifact", DRAFT_ARTIFACT, .inside = &artifact_shape),
    MEMBER("engineVersion", DRAFT_ENGINE_VERSION),
    MEMBER("lock", DRAFT_LOCK, .inside = &lock_shape),
    MEMBER("createdAt", DRAFT_CREATED),
    MEMBER("modifiedAt", DRAFT_MODIFIED),
};
static const struct json_shape draft_shape = SHAPE(draft_members);
static const struct json_member reply_members[] = {REPLY_MEMBERS(&draft_shape)};
static const struct json_shape reply_shape = SHAPE(reply_members);

/* Some answers have a lock object whose members are all empty: nobody holds that. */
static void read_lock(struct page_reader *r, struct draft *d)
{
    const char *id = page_text(r, DRAFT_LOCK_ID);
    const char *holder_id = page_text(r, DRAFT_LOCK_HOLDER_ID);
    const char *holder_name = page_text(r, DRAFT_LOCK_HOLDER_NAME);

    d->lock_holder = *holder_name ? holder_name : holder_id;
    d->locked = *id || *d->lock_holder;
}

static int read_draft(struct page_reader *r, void *ret, struct err *err)
{
    struct draft *d = ret;

    (void)err;
    *d = (struct draft){.id = page_id(r)};
    if (!d->id)
        return 0;
    d->name = page_text(r, DRAFT_NAME);
    d->deployment_id = page_text(r, DRAFT_DEPLOYMENT_ID);
    d->execution_mode = page_execution_mode(r, DRAFT_EXECUTION_MODE);
    d->engine_version = page_text(r, DRAFT_ENGINE_VERSION);
    d->artifact_kind = page_lower(r, DRAFT_ARTIFACT + ARTIFACT_KIND);
    d->created_unix_s = page_time(r, DRAFT_CREATED);
    d->modified_unix_s = page_time(r, DRAFT_MODIFIED);
    d->content_hash = page_content_hash(r, DRAFT_CONTENT);
    read_lock(r, d);
    return 0;
}

const struct page_kind page_of_drafts = {
    .record = RECORD_DRAFT,
    .shape = &reply_shape,
    .n_values = DRAFT_VALUES_END,
    .id = DRAFT_ID,
    .read = read_draft,
};
