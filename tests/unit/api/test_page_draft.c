/* Pages of drafts, and the hash of what would run, in drafts and in deployments. */
#include "page_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static struct reply decode_as(const struct page_kind *kind, const char *body)
{
    struct page_options options = {
        .kind = kind, .labels = &all_labels, .page_size = 2, .max_items = 20};

    return decode_with(body, strlen(body), &options);
}

static void test_a_draft(void **state)
{
    CLEANUP(reply_release)
    struct reply r = decode_as(
        &page_of_drafts,
        "{\"success\":true,\"totalSize\":4,\"data\":["
        "{\"deploymentDraftId\":\"r1\",\"name\":\"\xe8\xae\xa2\",\"parentId\":\"p\","
        "\"referencedDeploymentId\":\"d1\",\"executionMode\":\"STREAM\",\"engineVersion\":\"vvr\","
        "\"artifact\":{\"kind\":\"SQLSCRIPT\",\"sqlArtifact\":{\"sqlScript\":\"SELECT 1\"}},"
        "\"lock\":{\"id\":\"l\",\"holderId\":\"18\",\"holderName\":\"userA\"},"
        "\"createdAt\":1723537978,\"modifiedAt\":\"1723537999\"},"
        "{\"deploymentDraftId\":\"r2\",\"lock\":{\"holderId\":\"18\"}},"
        "{\"deploymentDraftId\":\"r3\",\"lock\":{\"id\":\"\",\"holderId\":null}},"
        "{\"deploymentDraftId\":\"r4\",\"lock\":null,\"referencedDeploymentId\":null}]}");

    (void)state;
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.page.n_items, 4);
    assert_int_equal(r.page.total_size, 4);
    const struct draft *d = r.page.drafts;
    assert_string_equal(d[0].id, "r1");
    assert_string_equal(d[0].name, "\xe8\xae\xa2");
    assert_string_equal(d[0].deployment_id, "d1");
    assert_string_equal(d[0].execution_mode, "streaming");
    assert_string_equal(d[0].engine_version, "vvr");
    assert_string_equal(d[0].artifact_kind, "sqlscript");
    assert_string_equal(d[0].lock_holder, "userA");
    assert_int_equal(d[0].locked, 1);
    assert_int_equal(d[0].created_unix_s, 1723537978);
    assert_int_equal(d[0].modified_unix_s, 1723537999);
    assert_true(d[0].content_hash != 0);
    assert_string_equal(d[1].lock_holder, "18");
    assert_int_equal(d[1].locked, 1);
    assert_int_equal(d[2].locked, 0);
    assert_int_equal(d[3].locked, 0);
    assert_string_equal(d[3].deployment_id, "");
    assert_string_equal(d[3].name, "");
    assert_true(d[3].content_hash == 0);
}

static void test_no_drafts(void **state)
{
    CLEANUP(reply_release)
    struct reply r =
        decode_as(&page_of_drafts, "{\"success\":true,\"data\":[{\"deploymentId\":\"d\"}]}");
    CLEANUP(reply_release)
    struct reply none = decode_as(&page_of_drafts, "{\"success\":true,\"data\":null}");

    (void)state;
    assert_int_equal(r.page.n_items, 0);
    assert_int_equal(r.page.invalid, 1);
    assert_int_equal(none.err.kind, ERR_PARSE);
    assert_string_equal(none.err.msg, "the reply has no list of drafts (data)");
}

static uint64_t hash_of_draft(const char *artifact)
{
    char body[65536];

    snprintf(body, sizeof(body),
             "{\"success\":true,\"data\":[{\"deploymentDraftId\":\"r\",\"artifact\":%s}]}",
             artifact);
    CLEANUP(reply_release) struct reply r = decode_as(&page_of_drafts, body);
    if (r.page.n_items != 1)
        fail_msg("%s", r.err.msg);
    return r.page.drafts[0].content_hash;
}

static uint64_t hash_of_deployment(const char *artifact, const struct page_kind *kind)
{
    char body[65536];

    snprintf(body, sizeof(body),
             "{\"success\":true,\"data\":[{\"deploymentId\":\"d\",\"artifact\":%s}]}", artifact);
    CLEANUP(reply_release) struct reply r = decode_as(kind, body);
    assert_int_equal(r.page.n_items, 1);
    return r.page.items[0].content_hash;
}

static void test_content(void **state)
{
    static const char *const different[] = {
        "{\"sqlArtifact\":{\"sqlScript\":\"SELECT 1\"}}",
        "{\"sqlArtifact\":{\"sqlScript\":\"SELECT 2\"}}",
        "{\"sqlArtifact\":{\"sqlScript\":\"SELECT 1 \"}}",
        "{\"sqlArtifact\":{\"sqlScript\":\"SELECT \\\"1\\\" -- \\u8ba2\xe8\xae\xa2\"}}",
        "{\"jarArtifact\":{\"jarUri\":\"SELECT 1\"}}",
        "{\"jarArtifact\":{\"jarUri\":\"u\",\"entryClass\":\"c\"}}",
        "{\"jarArtifact\":{\"jarUri\":\"u\",\"mainArgs\":\"c\"}}",
        "{\"jarArtifact\":{\"jarUri\":\"c\",\"mainArgs\":\"u\"}}",
        "{\"pythonArtifact\":{\"pythonArtifactUri\":\"u\"}}",
        "{\"pythonArtifact\":{\"entryModule\":\"u\"}}",
        "{\"pythonArtifact\":{\"mainArgs\":\"u\"}}",
        "{\"cdcYamlArtifact\":{\"cdcYaml\":\"u\"}}",
    };
    uint64_t hashes[ARRAY_LEN(different)];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(different); i++) {
        hashes[i] = hash_of_draft(different[i]);
        assert_true(hashes[i] != 0);
        for (size_t k = 0; k < i; k++)
            assert_true(hashes[k] != hashes[i]);
        assert_true(hash_of_deployment(different[i], &page_of_deployments_with_content) ==
                    hashes[i]);
        assert_true(hash_of_deployment(different[i], &page_of_deployments) == 0);
    }
}

static void test_what_is_no_content(void **state)
{
    static const char *const same[] = {
        "{\"sqlArtifact\":{\"sqlScript\":\"x\"}}",
        "{\"kind\":\"SQLSCRIPT\",\"sqlArtifact\":{\"additionalDependencies\":[\"y\"],"
        "\"sqlScript\":\"x\"},\"jarArtifact\":null}",
        "{\"sqlArtifact\":{\"sqlScript\":\"x\"},\"jarArtifact\":{\"jarUri\":\"\",\"mainArgs\":null}"
        "}",
    };
    static const char *const nothing[] = {
        "null",
        "{}",
        "[]",
        "\"text\"",
        "{\"kind\":\"SQLSCRIPT\"}",
        "{\"sqlArtifact\":{\"sqlScript\":\"\"}}",
        "{\"sqlArtifact\":{\"sqlScript\":1}}",
        "{\"sqlArtifact\":\"SELECT\"}",
    };

    (void)state;
    for (size_t i = 1; i < ARRAY_LEN(same); i++)
        assert_true(hash_of_draft(same[i]) == hash_of_draft(same[0]));
    for (size_t i = 0; i < ARRAY_LEN(nothing); i++)
        assert_true(hash_of_draft(nothing[i]) == 0);
}

/* Longer than what is kept of any string, and arriving in pieces of every size. */
static void test_long_content(void **state)
{
    static char artifact[60000];
    uint64_t first = 0, other;
    char *end = artifact + sizeof(artifact) - 100;

    (void)state;
    (void)snprintf(artifact, sizeof(artifact), "%s", "{\"sqlArtifact\":{\"sqlScript\":\"");
    for (char *p = artifact + strlen(artifact); p < end; p += 10)
        memcpy(p, "\\n\xe8\xae\xa2 'x' ", 10);
    memcpy(artifact + strlen(artifact), "\"}}", 4);
    for (int turn = 0; turn < 6; turn++) { /* decode_with() changes the size of the pieces */
        uint64_t hash = hash_of_draft(artifact);
        assert_true(turn == 0 || hash == first);
        first = hash;
    }
    *strchr(artifact + sizeof(artifact) / 2, 'x') = 'y';
    other = hash_of_draft(artifact);
    assert_true(other != 0 && other != first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_draft),      cmocka_unit_test(test_no_drafts),
        cmocka_unit_test(test_content),      cmocka_unit_test(test_what_is_no_content),
        cmocka_unit_test(test_long_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
