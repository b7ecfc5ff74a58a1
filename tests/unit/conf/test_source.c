/* Reading and including: whose line is whose, what is refused, what is hashed. */
#include "source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "workdir.h"

enum { MIB = 1024 * 1024 };

struct fixture {
    struct arena *arena;
    struct problems problems;
    struct source source;
};

static void fixture_release(struct fixture *f)
{
    source_release(&f->source);
    problems_release(&f->problems);
    arena_free(f->arena);
}

static void load(struct fixture *f, const char *path)
{
    f->arena = arena_new();
    assert_int_equal(source_load(&f->source, path, f->arena, &f->problems), 0);
}

static void expect_place(const struct fixture *f, unsigned line, const char *path,
                         unsigned file_line)
{
    struct source_place p = source_place(&f->source, line);

    assert_string_equal(p.path, path);
    assert_int_equal(p.line, file_line);
}

static void test_one_file(void **state)
{
    CLEANUP(fixture_release) struct fixture f = {0};

    (void)state;
    workdir_write("c.cfg", "a = 1;\n# end");
    load(&f, "c.cfg");
    assert_true(f.source.complete);
    assert_string_equal(strbuf_str(&f.source.text), "a = 1;\n# end\n");
    expect_place(&f, 1, "c.cfg", 1);
    expect_place(&f, 2, "c.cfg", 2);
    /* sha256sum of the file begins with this */
    assert_int_equal(f.source.hash, 0x06b7a97dbea5);
}

static void test_includes(void **state)
{
    CLEANUP(fixture_release) struct fixture f = {0};

    (void)state;
    workdir_mkdir("d");
    workdir_mkdir("d/e");
    workdir_write("c.cfg",
                  "a = 1;\n@include \"d/x.cfg\" b = 2;\n\n  @include \"empty.cfg\"\nc = 3;\n");
    workdir_write("d/x.cfg", "@include \"e/y.cfg\"\nx = 1; /* two\nlines */ xx = 2;");
    workdir_write("d/e/y.cfg", "y = 1;\ny2 = 1;\n");
    workdir_write("empty.cfg", "");
    load(&f, "./c.cfg");
    assert_string_equal(
        strbuf_str(&f.source.text),
        "a = 1;\ny = 1;\ny2 = 1;\n\nx = 1; /* two\nlines */ xx = 2;\n b = 2;\n\n\nc = 3;\n\n");
    expect_place(&f, 1, "./c.cfg", 1);
    expect_place(&f, 2, "d/e/y.cfg", 1);
    expect_place(&f, 3, "d/e/y.cfg", 2);
    expect_place(&f, 4, "d/x.cfg", 1);
    expect_place(&f, 5, "d/x.cfg", 2);
    expect_place(&f, 6, "d/x.cfg", 3);
    expect_place(&f, 7, "./c.cfg", 2);
    expect_place(&f, 8, "./c.cfg", 3);
    expect_place(&f, 9, "./c.cfg", 4);
    expect_place(&f, 10, "./c.cfg", 5);
    assert_string_equal(source_file_at(&f.source, 3)->dir, "d/e");
    assert_string_equal(source_file_at(&f.source, 10)->dir, ".");
}

static uint64_t hash_of(const char *path)
{
    CLEANUP(fixture_release) struct fixture f = {0};

    load(&f, path);
    assert_true(f.source.complete);
    return f.source.hash;
}

static void load_refused(const char *path)
{
    CLEANUP(fixture_release) struct fixture f = {0};

    load(&f, path);
    assert_false(f.source.complete);
}

static void test_hash(void **state)
{
    (void)state;
    workdir_write("c.cfg", "@include \"x.cfg\"\n");
    workdir_write("x.cfg", "x = 1;\n");
    uint64_t first = hash_of("c.cfg");
    assert_int_equal(hash_of("./c.cfg"), first);
    assert_true(first < UINT64_C(1) << 48);
    workdir_write("x.cfg", "x = 1; \n");
    assert_int_not_equal(hash_of("c.cfg"), first);
    workdir_write("x.cfg", "x = 1;\n");
    assert_int_equal(hash_of("c.cfg"), first);
    workdir_write("c.cfg", "@include \"x.cfg\"\n\n");
    assert_int_not_equal(hash_of("c.cfg"), first);
}

static void test_byte_order_mark(void **state)
{
    CLEANUP(fixture_release) struct fixture f = {0};

    (void)state;
    workdir_write("x.cfg", "\xef\xbb\xbfx = 1;\n");
    workdir_write("c.cfg", "\xef\xbb\xbf@include \"x.cfg\"\na = 1;\n");
    load(&f, "c.cfg");
    assert_true(f.source.complete);
    assert_string_equal(strbuf_str(&f.source.text), "x = 1;\n\na = 1;\n\n");
    expect_place(&f, 1, "x.cfg", 1);
    expect_place(&f, 2, "c.cfg", 1);
    expect_place(&f, 3, "c.cfg", 2);

    /* It counts in the hash, and is a mark at the start of a file only. */
    workdir_write("x.cfg", "x = 1;\n");
    assert_int_not_equal(hash_of("c.cfg"), f.source.hash);
    workdir_write("c.cfg", "\xef\xbb\xbf");
    assert_int_not_equal(hash_of("c.cfg"), hash_of("x.cfg"));
    workdir_expect_problems("\xef\xbb\xbf\n'",
                            "c.cfg:2: strings stand in double quotes, not single ones\n");
    workdir_write("x.cfg", "\xef\xbb");
    load_refused("x.cfg");
    workdir_write("x.cfg", "\xef\xbb\xbf\xef\xbb\xbf");
    load_refused("x.cfg");
    workdir_write("x.cfg", "a = 1;\n\xef\xbb\xbf");
    load_refused("x.cfg");
}

static void test_string_lines(void **state)
{
    CLEANUP(fixture_release) struct fixture f = {0};

    (void)state;
    workdir_write("c.cfg", "a = [ \"x\",\n \"y\"\n \"z\",\n\n \"u\" # \"v\"\n];");
    load(&f, "c.cfg");
    assert_int_equal(f.source.n_strings, 3);
    assert_int_equal(f.source.string_lines[0], 1);
    assert_int_equal(f.source.string_lines[1], 2);
    assert_int_equal(f.source.string_lines[2], 5);
}

static void test_refused_texts(void **state)
{
    static const struct {
        const char *text;
        const char *problems;
    } cases[] = {
        {"a = 'x';\n", "c.cfg:1: strings stand in double quotes, not single ones\n"},
        {"\na = \"x;\nb = \"y\";\n",
         "c.cfg:2: a string without its closing quote on the same line\n"},
        {"a = \"\\x00\";\n", "c.cfg:1: a string holds \\x00\n"},
        {"a = \"\001\";\n", "c.cfg:1: a string holds a control character\n"},
        {"a = 1;\n/* b\n", "c.cfg:2: a comment without its closing */\n"},
        {"a = (\n{ b = 1;\n", "c.cfg:2: a bracket that is never closed\n"},
        {"a = (\n{ b = 1;\n);",
         "c.cfg:3: a closing bracket of another kind than the last one opened ('{' in line 2)\n"},
        {"a = [ 1,\n2, ];", "c.cfg:2: a ',' before the closing bracket ('[' in line 1)\n"},
        {"a = 1;\nb =\n\n", "c.cfg:4: a value is missing behind a '='\n"},
        {"a = 1; };", "c.cfg:1: a closing bracket that was never opened\n"},
        {"@include d.cfg\n", "c.cfg:1: an include is written @include \"file\"\n"},
        {"@include_dir \"d\"\n", "c.cfg:1: an include is written @include \"file\"\n"},
        {"a = 1; @include \"d.cfg\"\n", "c.cfg:1: @include must stand at the start of its line\n"},
        {"@include \"d.cfg\" @include \"d.cfg\"\n", "c.cfg:1: cannot include 'd.cfg': No such file "
                                                    "or directory\n"},
        {"\n@include \"/\"\n", "c.cfg:2: cannot include '/': Is a directory\n"},
        {"\n@include \"/dev/null\"\n", "c.cfg:2: cannot include '/dev/null': Not a regular file\n"},
        {"@include \"c.cfg\"\n", "c.cfg:1: too many includes; does 'c.cfg' include itself?\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        workdir_expect_problems(cases[i].text, cases[i].problems);
}

static void test_problem_in_include(void **state)
{
    (void)state;
    workdir_write("x.cfg", "\na = 60s;");
    workdir_expect_problems("\n@include \"x.cfg\"\n",
                            "x.cfg:2: letters behind a number; durations and "
                            "sizes are strings such as \"60s\"\n");
    workdir_write("x.cfg", "a = 1;\nb = ;");
    workdir_expect_problems("\n@include \"x.cfg\"\n", "x.cfg:2: a value is missing behind a '='\n");
    workdir_write("x.cfg", "\nx = [ 1234567890 ];");
    workdir_expect_problems(
        "\n@include \"x.cfg\"\n",
        "c.cfg:1: there are no targets\n"
        "x.cfg:2: an integer of more than nine digits; sizes are strings such as \"64MiB\"\n"
        "x.cfg:2: unknown key 'x'\n");
    workdir_write("x.cfg", "");
    workdir_expect_problems("@include \"x.cfg\" @include \"x.cfg\"\n",
                            "c.cfg:1: @include must stand at the start of its line\n");
}

static void test_many_includes(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    CLEANUP(fixture_release) struct fixture f = {0};

    (void)state;
    workdir_write("x.cfg", "");
    for (int i = 0; i < 64; i++)
        strbuf_adds(&text, "@include \"x.cfg\"\n");
    workdir_write("c.cfg", strbuf_str(&text));
    load(&f, "c.cfg");
    assert_true(f.source.complete);
    strbuf_adds(&text, "@include \"x.cfg\"\n");
    workdir_expect_problems(strbuf_str(&text),
                            "c.cfg:65: too many includes; does 'c.cfg' include itself?\n");
}

static void test_files_that_cannot_be_read(void **state)
{
    (void)state;
    workdir_expect_file_problems("missing.cfg", "missing.cfg: No such file or directory\n");
    workdir_expect_file_problems("", ": No such file or directory\n");
    workdir_mkdir("dir.cfg");
    workdir_expect_file_problems("dir.cfg", "dir.cfg: Is a directory\n");
    workdir_expect_file_problems("/dev/null", "/dev/null: Not a regular file\n");
    workdir_write_bytes("nul.cfg", "a = 1;\nb\0 = 1;\n", 15, 0600);
    workdir_expect_file_problems("nul.cfg", "nul.cfg:2: a NUL byte; this is not a text file\n");
}

static void test_size(void **state)
{
    CLEANUP(fixture_release) struct fixture f = {0};
    CLEANUP(freep) char *text = malloc(MIB + 1);

    (void)state;
    assert_non_null(text);
    memset(text, ' ', MIB + 1);
    workdir_write_bytes("big.cfg", text, MIB, 0600);
    load(&f, "big.cfg");
    assert_true(f.source.complete);
    workdir_expect_problems("@include \"big.cfg\"\n a = 1;\n",
                            "c.cfg:1: more than 1 MiB with its includes\n");
    workdir_write_bytes("big.cfg", text, MIB + 1, 0600);
    workdir_expect_file_problems("big.cfg", "big.cfg: Larger than 1 MiB\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_file, workdir_enter, workdir_leave),
        cmocka_unit_test_setup_teardown(test_includes, workdir_enter, workdir_leave),
        cmocka_unit_test_setup_teardown(test_hash, workdir_enter, workdir_leave),
        cmocka_unit_test_setup_teardown(test_byte_order_mark, workdir_enter, workdir_leave),
        cmocka_unit_test_setup_teardown(test_string_lines, workdir_enter, workdir_leave),
        cmocka_unit_test_setup_teardown(test_refused_texts, workdir_enter, workdir_leave),
        cmocka_unit_test_setup_teardown(test_problem_in_include, workdir_enter, workdir_leave),
        cmocka_unit_test_setup_teardown(test_many_includes, workdir_enter, workdir_leave),
        cmocka_unit_test_setup_teardown(test_files_that_cannot_be_read, workdir_enter,
                                        workdir_leave),
        cmocka_unit_test_setup_teardown(test_size, workdir_enter, workdir_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
