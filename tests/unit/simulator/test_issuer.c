/* Issued keys are fresh, found again, and the oldest are forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "issuer.h"

static void test_keys(void **state)
{
    (void)state;
    struct issuer *i = issuer_new(1);
    struct issued_key first;
    struct issued_key other;
    struct issued_key found;
    issuer_issue(i, 5000, &first);
    issuer_issue(i, 6000, &other);
    assert_string_not_equal(first.id, other.id);
    assert_string_not_equal(first.secret, other.secret);
    assert_string_not_equal(first.token, other.token);
    assert_int_equal(strncmp(first.id, "STS.", 4), 0);
    assert_true(issuer_find(i, first.id, &found));
    assert_string_equal(found.secret, first.secret);
    assert_string_equal(found.token, first.token);
    assert_int_equal(found.expires_unix_ms, 5000);
    assert_false(issuer_find(i, "", &found));
    assert_false(issuer_find(i, "STS.nobody", &found));
    issuer_expire_all(i);
    assert_true(issuer_find(i, other.id, &found));
    assert_int_equal(found.expires_unix_ms, 0);
    issuer_free(i);
    issuer_free(NULL);
}

static void test_the_oldest_goes(void **state)
{
    (void)state;
    struct issuer *i = issuer_new(1);
    struct issued_key first;
    struct issued_key second;
    struct issued_key last;
    issuer_issue(i, 1, &first);
    issuer_issue(i, 1, &second);
    for (int n = 2; n < ISSUER_MAX_KEYS; n++)
        issuer_issue(i, 1, &last);
    assert_true(issuer_find(i, first.id, &last));
    issuer_issue(i, 1, &last);
    assert_false(issuer_find(i, first.id, &last));
    assert_true(issuer_find(i, second.id, &last));
    assert_int_equal(issuer_count(i), ISSUER_MAX_KEYS + 1);
    issuer_free(i);
}

static void test_tokens(void **state)
{
    (void)state;
    struct issuer *i = issuer_new(1);
    struct err err = {0};
    char token[ISSUER_TEXT_LEN];
    assert_false(issuer_metadata_token_good(i, "", 0));
    issuer_metadata_token(i, 100, token);
    assert_true(issuer_metadata_token_good(i, token, 99));
    assert_false(issuer_metadata_token_good(i, token, 100));
    assert_false(issuer_metadata_token_good(i, "", 99));

    assert_true(issuer_oidc_token_good(i, "any"));
    assert_int_equal(issuer_set_oidc_token(i, "one", &err), 0);
    assert_true(issuer_oidc_token_good(i, "one"));
    assert_false(issuer_oidc_token_good(i, "any"));
    assert_int_equal(issuer_set_oidc_token(i, "", &err), 0);
    assert_true(issuer_oidc_token_good(i, "any"));
    issuer_free(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_the_oldest_goes),
        cmocka_unit_test(test_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
