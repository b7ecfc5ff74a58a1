#include "base/flags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

enum { ID_ONCE = 1, ID_FILE, ID_HIDDEN, ID_STATUS, ID_OTHER_FILE };

static const struct flag common[] = {
    {"once", NULL, ID_ONCE, "Do it once."},
    {"config.file", "FILE", ID_FILE, "The file."},
    {"hidden", NULL, ID_HIDDEN, NULL},
};
static const struct flag command[] = {
    {"status", "S", ID_STATUS, "Only these."},
    {"config.file", "FILE", ID_OTHER_FILE, "Never found: the first table has it."},
};
static const struct flag_table tables[] = {{common, ARRAY_LEN(common)},
                                           {command, ARRAY_LEN(command)}};

#define WORDS_MAX 12

/* "f1" flag on, "f-1" flag off, "f2=x" with value, "a:x" argument, "u:x" unknown, "v:x" no value.
 */
static void expect(const char *line, const char *expected)
{
    char text[256], result[512] = "";
    char *argv[WORDS_MAX];
    char program[] = "program";
    int argc = 1;
    struct flags flags;

    snprintf(text, sizeof(text), "%s", line);
    argv[0] = program;
    for (char *save = NULL, *word = strtok_r(text, " ", &save); word;
         word = strtok_r(NULL, " ", &save)) {
        assert_in_range(argc, 1, WORDS_MAX - 1);
        if (strcmp(word, "''") == 0)
            *word = '\0';
        argv[argc++] = word;
    }
    flags = flags_begin(argc, argv);
    for (;;) {
        struct flags_word word = flags_next(&flags, tables, ARRAY_LEN(tables));
        size_t len = strlen(result);
        char *end = result + len;
        size_t left = sizeof(result) - len;
        const char *sign = word.on ? "" : "-";

        if (word.kind == FLAGS_END)
            break;
        if (word.kind == FLAGS_FLAG && word.value)
            snprintf(end, left, "f%d=%s ", word.flag->id, word.value);
        else if (word.kind == FLAGS_FLAG)
            snprintf(end, left, "f%s%d ", sign, word.flag->id);
        else
            snprintf(end, left, "%c:%s ",
                     word.kind == FLAGS_ARGUMENT  ? 'a'
                     : word.kind == FLAGS_UNKNOWN ? 'u'
                                                  : 'v',
                     word.text);
    }
    assert_string_equal(result, expected);
}

static void test_words(void **state)
{
    (void)state;
    expect("", "");
    expect("--once", "f1 ");
    expect("--no-once --once", "f-1 f1 ");
    expect("--hidden", "f3 ");
    expect("--config.file x --config.file=y --config.file=", "f2=x f2=y f2= ");
    expect("--config.file=a=b --status ''", "f2=a=b f4= ");
    expect("--config.file --once", "f2=--once "); /* the next word, whatever it is */
    expect("draft --status RUNNING update 7 --once", "a:draft f4=RUNNING a:update a:7 f1 ");
    expect("- ''", "a:- a: ");
    expect("-- --once --", "a:--once a:-- ");
    expect("--", "");
    expect("x -- --status", "a:x a:--status ");
}

static void test_refused(void **state)
{
    (void)state;
    expect("--nothing --nothing=1 -x -once ---once --=x --no-",
           "u:--nothing u:--nothing=1 u:-x u:-once u:---once u:--=x u:--no- ");
    expect("--no-config.file --no-config.file=x --no-no-once --ONCE",
           "u:--no-config.file u:--no-config.file=x u:--no-no-once u:--ONCE ");
    expect("--once=1 --once= --no-once=true", "u:--once=1 u:--once= u:--no-once=true ");
    expect("--on --onc --config --config.fil=x --once1",
           "u:--on u:--onc u:--config u:--config.fil=x u:--once1 ");
    expect("--once --config.file", "f1 v:--config.file ");
}

static void test_nearest(void **state)
{
    (void)state;
    assert_string_equal(flags_nearest("--statsu=RUNNING", tables, 2), "status");
    assert_string_equal(flags_nearest("--config-file", tables, 2), "config.file");
    assert_null(flags_nearest("--statsu", tables, 1));
    assert_null(flags_nearest("--hiden", tables, 2)); /* what is not shown is not offered */
    assert_null(flags_nearest("--", tables, 2));
    assert_null(flags_nearest(
        "--aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", tables, 2));
}

static void test_help(void **state)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    assert_non_null(out);
    flags_print_help(out, tables[0]);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, "  --once                           Do it once.\n"
                              "  --config.file=FILE               The file.\n");
    free(text);
}

static void test_no_arguments_at_all(void **state)
{
    struct flags flags = flags_begin(0, NULL);

    (void)state;
    assert_int_equal(flags_next(&flags, tables, 2).kind, FLAGS_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_no_arguments_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
