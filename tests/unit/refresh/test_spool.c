/* A directory written by others: what is taken for a ticket, what is refused and for what reason.
 */
#include "spool.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "spool_dir.h"

static const char *const namespaces[] = {"first", "second"};

static struct target target_of(const char *dir)
{
    return (struct target){.namespaces = namespaces, .n_namespaces = 2, .ticket_dir = dir};
}

/* Found now, or so many seconds later. */
struct found {
    struct arena *arena;
    struct spool spool;
};

static struct found scan_later(const char *dir, const char *namespace_name, int64_t later_s)
{
    struct found found = {.arena = arena_new()};
    struct target t = target_of(dir);
    struct err err;

    assert_non_null(found.arena);
    if (spool_scan(&t, namespace_name, NULL, (int64_t)time(NULL) + later_s, found.arena,
                   &found.spool, &err) < 0)
        fail_msg("%s", err.msg);
    return found;
}

static struct found scan(const char *dir, const char *namespace_name)
{
    return scan_later(dir, namespace_name, 60);
}

/* The one refusal of a directory: "NAME REASON". */
static void expect_refusal(const char *dir, const char *name, const char *reason)
{
    struct found found = scan(dir, "first");

    assert_int_equal(found.spool.n_files, 0);
    assert_int_equal(found.spool.refused, 1);
    assert_int_equal(found.spool.n_refusals, 1);
    assert_string_equal(found.spool.refusals[0].name, name);
    assert_string_equal(found.spool.refusals[0].reason, reason);
    arena_free(found.arena);
    found = scan(dir, "second"); /* it is said once */
    assert_int_equal(found.spool.n_files, 0);
    assert_int_equal(found.spool.refused, 0);
    arena_free(found.arena);
}

static void test_tickets(void **state)
{
    const char *dir = *state;
    struct found found;

    spool_dir_write(dir, "b3dcdb25-bf36", "first\n0b7d3d0a\n");
    spool_dir_write(dir, "A_1", "first");
    spool_dir_write(dir, "zz", "first\n\n\n");
    spool_dir_write(dir, "other", "second\nd");
    spool_dir_write(dir, ".tmp", "garbage\001");
    found = scan(dir, "first");
    assert_int_equal(found.spool.n_files, 3);
    assert_string_equal(found.spool.files[0].id, "A_1");
    assert_string_equal(found.spool.files[0].draft_id, "");
    assert_string_equal(found.spool.files[1].id, "b3dcdb25-bf36");
    assert_string_equal(found.spool.files[1].draft_id, "0b7d3d0a");
    assert_string_equal(found.spool.files[2].id, "zz");
    assert_int_equal(found.spool.refused, 0);
    arena_free(found.arena);
    found = scan(dir, "second");
    assert_int_equal(found.spool.n_files, 1);
    assert_string_equal(found.spool.files[0].id, "other");
    assert_string_equal(found.spool.files[0].draft_id, "d");
    arena_free(found.arena);
}

static void test_names(void **state)
{
    static const char *const names[] = {"a b", "-a", "_a", "a.tmp", "\xff\xfe", "a\nb", "ä"};
    char longest[TICKET_ID_MAX + 2];
    const char *dir = *state;
    struct found found;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        spool_dir_write(dir, names[i], "first\n");
        expect_refusal(dir, names[i], "is not named like a ticket");
        assert_int_equal(unlink(spool_dir_path(dir, names[i])), 0);
    }
    memset(longest, 'a', sizeof(longest) - 1);
    longest[TICKET_ID_MAX + 1] = '\0';
    spool_dir_write(dir, longest, "first\n");
    expect_refusal(dir, longest, "is not named like a ticket");
    assert_int_equal(unlink(spool_dir_path(dir, longest)), 0);
    longest[TICKET_ID_MAX] = '\0';
    spool_dir_write(dir, longest, "first\n");
    found = scan(dir, "first");
    assert_int_equal(found.spool.n_files, 1);
    arena_free(found.arena);
}

static void test_contents(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"\n", "does not name a namespace on its first line"},
        {"\nfirst\n", "does not name a namespace on its first line"},
        {"third\n", "names a namespace that the target does not watch"},
        {"First\n", "names a namespace that the target does not watch"},
        {"first \n", "names a namespace that the target does not watch"},
        {"first\ndraft\nmore\n", "has more than two lines"},
        {"first\r\n", "has control characters in it"},
        {"first\ndr\taft", "has control characters in it"},
        {"first\ndr\x7f", "has control characters in it"},
        {"first\n\xff", "is not UTF-8"},
        {"first\n\xed\xa0\x80", "is not UTF-8"},
    };
    const char *dir = *state;
    char text[SPOOL_FILE_MAX + 2];
    struct found found;
    FILE *f;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        spool_dir_write(dir, "t", cases[i].text);
        expect_refusal(dir, "t", cases[i].reason);
    }
    f = fopen(spool_dir_path(dir, "t"), "w");
    assert_non_null(f);
    assert_int_equal(fwrite("first\n\0", 1, 7, f), 7);
    fclose(f);
    expect_refusal(dir, "t", "has control characters in it");

    memset(text, 'x', sizeof(text));
    memcpy(text, "first\n", 6);
    text[6 + 512 + 1] = '\0';
    spool_dir_write(dir, "t", text);
    expect_refusal(dir, "t", "has a draft id of more than 512 bytes");
    text[6 + 512] = '\0';
    spool_dir_write(dir, "t", text);
    found = scan(dir, "first");
    assert_int_equal(found.spool.n_files, 1);
    assert_int_equal(strlen(found.spool.files[0].draft_id), 512);
    arena_free(found.arena);

    memset(text, '\n', sizeof(text)); /* as large as may be, and a byte more */
    memcpy(text, "first", 5);
    text[SPOOL_FILE_MAX] = '\0';
    spool_dir_write(dir, "t", text);
    found = scan(dir, "first");
    assert_int_equal(found.spool.n_files, 1);
    arena_free(found.arena);
    text[SPOOL_FILE_MAX] = '\n';
    text[SPOOL_FILE_MAX + 1] = '\0';
    spool_dir_write(dir, "t", text);
    expect_refusal(dir, "t", "is larger than 4 KiB");
}

static void test_no_files(void **state)
{
    const char *dir = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    spool_dir_write(dir, ".real", "first\n");
    assert_int_equal(symlink(".real", spool_dir_path(dir, "t")), 0);
    expect_refusal(dir, "t", "is a symbolic link");
    assert_int_equal(unlink(spool_dir_path(dir, "t")), 0);
    assert_int_equal(symlink("/etc/passwd", spool_dir_path(dir, "t")), 0);
    expect_refusal(dir, "t", "is a symbolic link");
    assert_int_equal(unlink(spool_dir_path(dir, "t")), 0);

    assert_int_equal(mkfifo(spool_dir_path(dir, "t"), 0600), 0); /* nobody writes: do not wait */
    expect_refusal(dir, "t", "is not a regular file");
    assert_int_equal(unlink(spool_dir_path(dir, "t")), 0);

    assert_int_equal(mkdir(spool_dir_path(dir, "t"), 0700), 0);
    expect_refusal(dir, "t", "is not a regular file");
    assert_int_equal(rmdir(spool_dir_path(dir, "t")), 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s/t", dir);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    expect_refusal(dir, "t", "is not a regular file");
    close(fd);
    assert_int_equal(unlink(spool_dir_path(dir, "t")), 0);

    spool_dir_drop_root(dir);
    spool_dir_write(dir, "t", "first\n");
    assert_int_equal(chmod(spool_dir_path(dir, "t"), 0), 0);
    expect_refusal(dir, "t", "may not be read");
    spool_dir_regain_root();
}

/* A hard link to a file is a file like any other. */
static void test_hard_link(void **state)
{
    const char *dir = *state;
    char to[512];
    struct found found;

    spool_dir_write(dir, "a", "first\n");
    snprintf(to, sizeof(to), "%s/b", dir);
    assert_int_equal(link(spool_dir_path(dir, "a"), to), 0);
    found = scan(dir, "first");
    assert_int_equal(found.spool.n_files, 2);
    arena_free(found.arena);
}

/* An empty file is complained about only once it is old enough that nobody is writing it. */
static void test_empty(void **state)
{
    const char *dir = *state;
    struct found found;

    spool_dir_write(dir, "t", "");
    found = scan_later(dir, "first", 1);
    assert_int_equal(found.spool.n_files + found.spool.refused, 0);
    arena_free(found.arena);
    expect_refusal(dir, "t", "is empty");
    found = scan_later(dir, "first", -3600); /* a clock that was set back is no excuse for ever */
    assert_int_equal(found.spool.refused, 1);
    arena_free(found.arena);
}

/* A file that was followed and is written anew is not lost while it is empty. */
static void test_written_anew(void **state)
{
    static const struct ticket items[] = {{.id = "gone", .draft_id = "", .spooled = true},
                                          {.id = "t", .draft_id = "x", .spooled = true},
                                          {.id = "u", .draft_id = "", .configured = true}};
    const struct ticket_set before = {.items = items, .n_items = ARRAY_LEN(items)};
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *dir = *state;
    const struct target target = target_of(dir);
    struct spool spool;
    struct err err;

    spool_dir_write(dir, "new", "");
    spool_dir_write(dir, "t", "");
    spool_dir_write(dir, "u", "");
    assert_int_equal(spool_scan(&target, "first", &before, time(NULL) + 1, arena, &spool, &err), 0);
    assert_int_equal(spool.n_files, 1);
    assert_string_equal(spool.files[0].id, "t");
    assert_int_equal(spool.refused, 0);
    assert_int_equal(spool_scan(&target, "first", &before, time(NULL) + 60, arena, &spool, &err),
                     0);
    assert_int_equal(spool.n_files, 0);
    assert_int_equal(spool.refused, 3);
}

static void test_many_refusals(void **state)
{
    const char *dir = *state;
    struct found found;

    for (unsigned i = 0; i < 150; i++) {
        char name[16];

        snprintf(name, sizeof(name), "x.%03u", i);
        spool_dir_write(dir, name, "first\n");
    }
    found = scan(dir, "first");
    assert_int_equal(found.spool.refused, 150);
    assert_int_equal(found.spool.n_refusals, TICKET_REFUSALS_MAX);
    assert_string_equal(found.spool.refusals[0].name, "x.000");
    assert_string_equal(found.spool.refusals[99].name, "x.099");
    arena_free(found.arena);
}

static void test_no_directory(void **state)
{
    const char *dir = *state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(freep) char *missing = strdup(spool_dir_path(dir, "missing"));
    struct target t = target_of(missing);
    char expected[600];
    struct spool spool;
    struct err err;

    assert_int_equal(spool_scan(&t, "first", NULL, 0, arena, &spool, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_int_equal(err_reason(err.kind), ERR_INTERNAL);
    snprintf(expected, sizeof(expected), "ticket_dir \"%s\": No such file or directory", missing);
    assert_string_equal(err.msg, expected);
    spool_dir_write(dir, "missing", "a file");
    assert_int_equal(spool_scan(&t, "first", NULL, 0, arena, &spool, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_non_null(strstr(err.msg, "Not a directory"));
}

/* No descriptors left: that is no fault of the files, and they are not given up for it. */
static void test_no_descriptors(void **state)
{
    const char *dir = *state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct target t = target_of(dir);
    struct rlimit old, low;
    struct spool spool;
    struct err err;
    int fd = dup(0);

    spool_dir_write(dir, "a", "first\n");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    for (int spare = 1; spare <= 3; spare++) {
        low = (struct rlimit){(rlim_t)(fd + spare), old.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
        int rc = spool_scan(&t, "first", NULL, 0, arena, &spool, &err);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
        if (rc < 0) {
            assert_int_equal(err.kind, ERR_IO);
            assert_non_null(strstr(err.msg, "Too many open files"));
        }
        assert_int_equal(rc, spare < 3 ? -1 : 0);
    }
    close(fd);
}

static void test_remove(void **state)
{
    const char *dir = *state;
    struct err err = {0};

    spool_dir_write(dir, "a", "first\n");
    assert_int_equal(spool_remove(dir, "a", &err), 0);
    assert_false(spool_dir_has(dir, "a"));
    assert_int_equal(spool_remove(dir, "a", &err), 0); /* gone is gone */
    assert_int_equal(mkdir(spool_dir_path(dir, "d"), 0700), 0);
    assert_int_equal(spool_remove(dir, "d", &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    assert_non_null(strstr(err.msg, "cannot remove \"d\" from ticket_dir"));
}

static void test_as_before(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const struct ticket items[] = {{.id = "a", .draft_id = "x", .spooled = true},
                                   {.id = "b", .draft_id = "", .configured = true}};
    const struct ticket_set before = {.items = items, .n_items = 2};
    struct spool spool;
    struct err err;

    (void)state;
    assert_int_equal(spool_as_before(&before, arena, &spool, &err), 0);
    assert_int_equal(spool.n_files, 1);
    assert_string_equal(spool.files[0].id, "a");
    assert_string_equal(spool.files[0].draft_id, "x");
    assert_int_equal(spool_as_before(NULL, arena, &spool, &err), 0);
    assert_int_equal(spool.n_files, 0);
}

static void test_no_memory(void **state)
{
    const char *dir = *state;
    struct target t = target_of(dir);
    size_t n = 1;

    for (unsigned i = 0; i < 100; i++) {
        char name[16];

        snprintf(name, sizeof(name), "t%u", i);
        spool_dir_write(dir, name, i % 2 ? "first\nx\n" : "garbage\n");
    }
    for (;; n++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct err err = {0};
        struct spool spool;
        int rc;

        assert_non_null(arena);
        alloc_fail_at(n);
        rc = spool_scan(&t, "first", NULL, (int64_t)time(NULL), arena, &spool, &err);
        alloc_fail_off();
        if (rc == 0)
            break;
        assert_true(err.kind == ERR_NOMEM || err.kind == ERR_IO); /* opendir allocates, too */
        assert_true(n < 1000);
    }
    assert_true(n > 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, spool_dir_enter, spool_dir_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_tickets),        TEST(test_names),         TEST(test_contents),
        TEST(test_no_files),       TEST(test_hard_link),     TEST(test_empty),
        TEST(test_written_anew),   TEST(test_many_refusals), TEST(test_no_directory),
        TEST(test_no_descriptors), TEST(test_remove),        TEST(test_as_before),
        TEST(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
