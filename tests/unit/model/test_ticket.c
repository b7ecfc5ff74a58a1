/* Ids of tickets, sets that are searched, answers that end. */
#include "model/ticket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void test_id(void **state)
{
    static const char *const good[] = {"a", "0", "Z", "b3dcdb25-bf36-457d-92ba-a36077e8d99a",
                                       "a_b-C9"};
    static const char *const bad[] = {"",    "-a",  "_a", "a b",   "a.b", ".",   "..",
                                      "a/b", "a\n", "ä",  "a\xff", " a",  "a%2F"};
    char longest[TICKET_ID_MAX + 2];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(ticket_id_valid(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (ticket_id_valid(bad[i]))
            fail_msg("%s", bad[i]);
    memset(longest, 'a', sizeof(longest));
    longest[TICKET_ID_MAX + 1] = '\0';
    assert_false(ticket_id_valid(longest));
    longest[TICKET_ID_MAX] = '\0';
    assert_true(ticket_id_valid(longest));
}

static void test_find(void **state)
{
    char ids[20][8];
    struct ticket items[20];

    (void)state;
    for (size_t n = 0; n <= 20; n++) {
        const struct ticket_set set = {.items = items, .n_items = n};

        for (size_t i = 0; i < n; i++) {
            snprintf(ids[i], sizeof(ids[i]), "t%02zu", 2 * i + 1);
            items[i] = (struct ticket){.id = ids[i]};
        }
        for (size_t i = 0; i <= 2 * n; i++) {
            char id[8];

            snprintf(id, sizeof(id), "t%02zu", i);
            assert_ptr_equal(ticket_set_find(&set, id), i % 2 ? &items[i / 2] : NULL);
        }
    }
    assert_null(ticket_set_find(NULL, "t01"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_id),
        cmocka_unit_test(test_find),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
