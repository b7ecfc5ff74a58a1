/* The state file: bytes that are not what was written, and what a crash or a full disk leaves. */
#include "state_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "base/deflate.h"
#include "io_fail.h"
#include "play.h"

/* Where the payload begins: the line, its length, its sum. */
#define HEADER_LEN (sizeof("aliyun_flink_exporter state 2\n") - 1)
#define FRONT_LEN  (HEADER_LEN + 12)

static const struct events_moment written = {1790000000000, 5000000};

/* --- bytes --- */

static struct events *some_events(void)
{
    struct play p;

    play_begin(&p);
    SEE_LONG(&p, {"a", FAILED(3)}, {"b", FAILED(-1), .finished = 4}, {"c", FAILED(0)});
    SEE(&p, {"a", FAILED(5), .name = "renamed"}, {"b", FAILED(2), .finished = 1000000},
        {"new", .failed = 1, .created_unix_s = p.unix_ms / 1000});
    return p.events;
}

static void make_file(struct strbuf *out)
{
    struct events *events = some_events(), *none = events_new();

    assert_non_null(none);
    state_begin(out, &written, 2);
    state_add(out, "workspace", "default", events);
    state_add(out, "workspace", "namespace 2", none);
    state_end(out);
    assert_true(strbuf_ok(out));
    events_free(events);
    events_free(none);
}

/* Everything in it, as events_write writes it; *ret_len bytes. Fails if it is no state. */
static int read_file(const void *bytes, size_t len, struct strbuf *again, struct err *err)
{
    struct state state = STATE_INIT;
    int rc = state_decode(bytes, len, &state, err);

    if (rc < 0)
        return -1;
    state_begin(again, &state.written, state.n_namespaces);
    for (size_t i = 0; rc == 0 && i < state.n_namespaces; i++) {
        struct events *events = NULL;

        rc = events_read(state.namespaces[i].events, state.namespaces[i].events_len, state.version,
                         true, &state.written, &state.written, &events, err);
        if (rc == 0)
            state_add(again, state.namespaces[i].workspace, state.namespaces[i].namespace_name,
                      events);
        events_free(events);
    }
    state_end(again);
    state_release(&state);
    return rc;
}

static void test_comes_back(void **state)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf once = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf again = STRBUF_INIT;
    struct state decoded = STATE_INIT;
    struct err err;

    (void)state;
    make_file(&bytes);
    assert_int_equal(state_decode(bytes.ptr, bytes.len, &decoded, &err), 0);
    assert_int_equal(decoded.n_namespaces, 2);
    assert_string_equal(decoded.namespaces[1].namespace_name, "namespace 2");
    assert_int_equal(decoded.written.unix_ms, written.unix_ms);
    state_release(&decoded);
    /* Reading settles what was new; from then on nothing changes any more. */
    assert_int_equal(read_file(bytes.ptr, bytes.len, &once, &err), 0);
    assert_int_equal(read_file(once.ptr, once.len, &again, &err), 0);
    assert_int_equal(once.len, again.len);
    assert_memory_equal(once.ptr, again.ptr, once.len);
}

static void test_any_byte_that_changed_is_found(void **state)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf again = STRBUF_INIT;

    (void)state;
    make_file(&bytes);
    for (size_t i = 0; i < bytes.len; i++)
        for (int bit = 0; bit < 8; bit++) {
            struct err err = {0};

            bytes.ptr[i] ^= (char)(1 << bit);
            if (read_file(bytes.ptr, bytes.len, &again, &err) == 0)
                fail_msg("byte %zu, bit %d", i, bit);
            assert_int_equal(err.kind, ERR_PARSE);
            assert_true(err.msg[0]);
            bytes.ptr[i] ^= (char)(1 << bit);
        }
}

static void test_any_other_length_is_found(void **state)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf again = STRBUF_INIT;
    size_t len;

    (void)state;
    make_file(&bytes);
    len = bytes.len;
    strbuf_addc(&bytes, '\n');
    for (size_t n = 0; n <= len + 1; n++) {
        CLEANUP(freep) char *copy = malloc(n + 1); /* of exactly this size, but for none */
        struct err err = {0};

        assert_non_null(copy);
        memcpy(copy, bytes.ptr, n);
        if (n != len)
            assert_int_equal(read_file(copy, n, &again, &err), -1);
    }
}

/* As somebody would write it who knows how: the sum is right, the rest need not be. */
static void sum_up(unsigned char *bytes, size_t len)
{
    uint64_t payload = len - FRONT_LEN;
    uint32_t sum;

    for (int i = 0; i < 8; i++)
        bytes[HEADER_LEN + (size_t)i] = (unsigned char)(payload >> 8 * i);
    sum = deflate_crc32(0, bytes + HEADER_LEN, 8);
    sum = deflate_crc32(sum, bytes + FRONT_LEN, len - FRONT_LEN);
    for (int i = 0; i < 4; i++)
        bytes[HEADER_LEN + 8 + (size_t)i] = (unsigned char)(sum >> 8 * i);
}

/* What is read all the same keeps every promise of event_item.h: it writes what it reads. */
static void expect_sound(const unsigned char *bytes, size_t len)
{
    CLEANUP(strbuf_release) struct strbuf once = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf again = STRBUF_INIT;
    struct err err = {0};

    if (read_file(bytes, len, &once, &err) < 0) {
        assert_int_equal(err.kind, ERR_PARSE);
        return;
    }
    assert_int_equal(read_file(once.ptr, once.len, &again, &err), 0);
    assert_int_equal(once.len, again.len);
    assert_memory_equal(once.ptr, again.ptr, once.len);
}

static void test_lies_with_a_good_sum(void **state)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    unsigned random = 1;

    (void)state;
    make_file(&bytes);
    for (size_t i = FRONT_LEN; i < bytes.len; i++)
        for (int value = 0; value < 256; value++) {
            CLEANUP(freep) unsigned char *copy = malloc(bytes.len);

            assert_non_null(copy);
            memcpy(copy, bytes.ptr, bytes.len);
            copy[i] = (unsigned char)value;
            sum_up(copy, bytes.len);
            expect_sound(copy, bytes.len);
        }
    for (int round = 0; round < 20000; round++) {
        size_t len =
            FRONT_LEN + 1 + (random = random * 1664525 + 1013904223) % (bytes.len - FRONT_LEN);
        CLEANUP(freep) unsigned char *copy = malloc(len);

        assert_non_null(copy);
        memcpy(copy, bytes.ptr, len);
        for (int n = 0; n < 3; n++) {
            random = random * 1664525 + 1013904223;
            copy[FRONT_LEN + (random >> 8) % (len - FRONT_LEN)] = (unsigned char)(random >> 3);
        }
        sum_up(copy, len);
        expect_sound(copy, len);
    }
}

static void test_says_what_is_wrong(void **state)
{
    static const struct {
        const char *text, *complaint;
    } cases[] = {
        {"", "no state file of this program"},
        {"{}", "no state file of this program"},
        {"aliyun_flink_exporter state 0\n", "another version"},
        {"aliyun_flink_exporter state 3\n", "another version"},
        {"aliyun_flink_exporter state 1\n", "cut off"},
        {"aliyun_flink_exporter state 10\n..........................", "another version"},
        {"aliyun_flink_exporter state 2\n", "cut off"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct state decoded = STATE_INIT;
        struct err err = {0};

        assert_int_equal(state_decode(cases[i].text, strlen(cases[i].text), &decoded, &err), -1);
        if (!strstr(err.msg, cases[i].complaint))
            fail_msg("'%s' does not say '%s'", err.msg, cases[i].complaint);
    }
}

/* As it was written before there were statuses: "a" failed three times, and twice since. */
static void test_version_1(void **state)
{
    static const unsigned char file[] =
        "aliyun_flink_exporter state 1\n"
        "\x94\x00\x00\x00\x00\x00\x00\x00\xe7\xad\x74\xda\x80\xd8\xc1\xa2\x8c\x34\xc0\x96"
        "\xb1\x02\x01\x09\x77\x6f\x72\x6b\x73\x70\x61\x63\x65\x00\x07\x64\x65\x66\x61\x75"
        "\x6c\x74\x00\x6d\x00\x00\x00\x00\x00\x00\x00\xa0\xca\xd0\xa2\x8c\x34\x00\x00\x03"
        "\x00\xc9\x90\xc0\x02\x03\x00\x00\x00\xbc\x84\x3d\x00\x00\x00\x00\x00\x00\x00\x01"
        "\x00\x01\x00\x04\x61\x00\xb4\x5d\x02\x69\x0f\x06\x01\x01\x02\x00\x00\x02\x00\x00"
        "\xf5\xf8\xc4\xd5\x06\x62\x00\x1c\xe9\x2e\x62\x29\x03\x01\xc1\x84\x3d\x00\x00\xbc"
        "\x84\x3d\x63\x00\x42\xbe\x31\x62\x29\x01\x01\x01\xf4\xf8\xc4\xd5\x06\x6e\x65\x77"
        "\x00\xb4\x28\x62\x49\x04\x02\x01\x01\x01\x00\x00\x01\x00\x00\xf5\xf8\xc4\xd5\x06";
    struct state decoded = STATE_INIT;
    struct events *events = NULL;
    struct event_reader r = {0};
    struct event_item item;
    struct err err;

    (void)state;
    assert_int_equal(state_decode(file, sizeof(file) - 1, &decoded, &err), 0);
    assert_int_equal(decoded.version, 1);
    assert_int_equal(events_read(decoded.namespaces[0].events, decoded.namespaces[0].events_len, 1,
                                 false, &decoded.written, &written, &events, &err),
                     0);
    assert_int_equal(events->counters[EVENT_COUNTER_JOBS + JOB_EVENT_FAILURE].value, 3);
    r.at = (const unsigned char *)events->items;
    r.end = r.at + events->len;
    assert_int_equal(event_reader_next(&r, &item), 1);
    assert_string_equal(item.id, "a");
    assert_int_equal(item.told[JOB_EVENT_FAILURE], 5);
    assert_int_equal(item.value[JOB_EVENT_FAILURE], 2);
    assert_int_equal(item.status.status, STATUS_UNKNOWN);
    assert_false(item.status.not_failed || item.status.owed || item.status.missing);
    assert_int_equal(events->n_items, 4);
    events_free(events);
    /* Bytes of the one format read as the other are refused, or at least no crash. */
    if (events_read(decoded.namespaces[0].events, decoded.namespaces[0].events_len, 2, false,
                    &decoded.written, &written, &events, &err) == 0)
        events_free(events);
    state_release(&decoded);
}

static void test_no_memory_to_read(void **state)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;

    (void)state;
    make_file(&bytes);
    for (size_t n = 1;; n++) {
        struct state decoded = STATE_INIT;
        struct events *events = NULL;
        struct err err = {0};
        int rc;

        alloc_fail_at(n);
        rc = state_decode(bytes.ptr, bytes.len, &decoded, &err);
        if (rc == 0)
            rc = events_read(decoded.namespaces[0].events, decoded.namespaces[0].events_len,
                             decoded.version, false, &written, &written, &events, &err);
        alloc_fail_off();
        events_free(events);
        state_release(&decoded);
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            return;
        }
        if (rc < 0)
            assert_int_equal(err.kind, ERR_NOMEM);
    }
}

/* --- files --- */

static char directory[64];
static char path[128];

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/test-state-XXXXXX");
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof(path), "%s/state", directory);
    return 0;
}

/* Names in the directory, sorted, each with a blank behind. */
static const char *names(void)
{
    static char text[1024];
    struct dirent **entries;
    int n = scandir(directory, &entries, NULL, alphasort);

    assert_true(n >= 0);
    text[0] = '\0';
    for (int i = 0; i < n; i++) {
        size_t len = strlen(text);

        if (entries[i]->d_name[0] != '.')
            snprintf(text + len, sizeof(text) - len, "%s ", entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return text;
}

static int remove_directory(void **state)
{
    struct dirent **entries;
    int n = scandir(directory, &entries, NULL, alphasort);

    (void)state;
    for (int i = 0; i < n; i++) {
        char name[400];

        snprintf(name, sizeof(name), "%s/%s", directory, entries[i]->d_name);
        if (unlink(name) < 0)
            (void)rmdir(name);
        free(entries[i]);
    }
    free(entries);
    return rmdir(directory);
}

static const char *content(void)
{
    static struct strbuf text;
    bool there = false;
    struct err err = {0};

    strbuf_release(&text);
    if (state_file_read(path, &text, &there, &err) < 0)
        return err.msg[0] ? "unreadable" : "";
    return there ? strbuf_str(&text) : "none";
}

static void forget_content(void)
{
    /* What content() keeps is freed with the next call, so that the last one leaves nothing. */
    (void)unlink(path);
    assert_string_equal(content(), "none");
}

static int write_text(const char *text, struct err *err)
{
    return state_file_write(path, text, strlen(text), err);
}

static void test_replaces(void **state)
{
    struct stat st;
    struct err err;

    (void)state;
    assert_string_equal(content(), "none");
    io_fail_at(0, EIO);
    assert_int_equal(write_text("first, and longer", &err), 0);
    io_fail_off();
    /* Durable before it has its name, and the name after. */
    assert_non_null(strstr(io_fail_calls(), "write fsync rename open fsync "));
    assert_string_equal(content(), "first, and longer");
    assert_int_equal(write_text("second", &err), 0);
    assert_string_equal(content(), "second");
    assert_string_equal(names(), "state ");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    forget_content();
}

static void test_every_call_may_fail(void **state)
{
    static const int errors[] = {ENOSPC, EIO, EROFS, EACCES, EDQUOT};

    (void)state;
    for (size_t e = 0; e < ARRAY_LEN(errors); e++)
        for (size_t n = 1;; n++) {
            struct err err = {0};
            int rc;

            assert_int_equal(write_text("old", &err), 0);
            io_fail_at(n, errors[e]);
            rc = write_text("new content", &err);
            if (io_fail_off() < n) {
                assert_int_equal(rc, 0);
                break;
            }
            assert_int_equal(rc, -1);
            assert_int_equal(err.kind, ERR_IO);
            assert_non_null(strstr(err.msg, strerror(errors[e])));
            assert_non_null(strstr(err.msg, path));
            /* Only the last step, the directory's, comes when the new one is there already. */
            assert_true(strcmp(content(), "old") == 0 || strcmp(content(), "new content") == 0);
            assert_string_equal(names(), "state ");
        }
    forget_content();
}

static void test_killed_at_every_call(void **state)
{
    bool ended = false;

    (void)state;
    for (size_t n = 1; !ended; n++) {
        struct err err = {0};
        int status;
        pid_t child;

        assert_int_equal(write_text("old", &err), 0);
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            io_fail_at(n, 0);
            (void)write_text("new content", &err);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        ended = WEXITSTATUS(status) == 0;
        assert_true(strcmp(content(), "old") == 0 || strcmp(content(), "new content") == 0);
        /* What it left is no obstacle, and does not stay. */
        assert_int_equal(write_text("next", &err), 0);
        assert_string_equal(content(), "next");
        assert_string_equal(names(), "state ");
    }
    forget_content();
}

static void test_two_writers(void **state)
{
    CLEANUP(fdp) int fd = -1;
    char temporary[160];
    struct err err;

    (void)state;
    snprintf(temporary, sizeof(temporary), "%s.tmp", path);
    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(write_text("ours", &err), -1);
    assert_non_null(strstr(err.msg, "another exporter"));
    assert_string_equal(content(), "none");
    assert_string_equal(names(), "state.tmp ");
    forget_content();
}

static void test_a_link_in_the_way_is_not_followed(void **state)
{
    struct err err;

    (void)state;
    char temporary[160];
    snprintf(temporary, sizeof(temporary), "%s.tmp", path);
    assert_int_equal(symlink("/dev/null", temporary), 0);
    assert_int_equal(write_text("ours", &err), -1);
    assert_string_equal(names(), "state.tmp ");
    forget_content();
}

static void test_what_is_no_file(void **state)
{
    struct err err;
    bool there = false;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

    (void)state;
    assert_int_equal(mkdir(path, 0700), 0);
    assert_string_equal(content(), "unreadable");
    assert_int_equal(write_text("ours", &err), -1);
    assert_string_equal(names(), "state ");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_string_equal(content(), "unreadable"); /* and nobody waits for who writes to it */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(state_file_read("/nonexistent/state", &text, &there, &err), 0);
    assert_false(there);
    assert_int_equal(state_file_write("/nonexistent/state", "x", 1, &err), -1);
    assert_non_null(strstr(err.msg, "/nonexistent/state"));
    forget_content();
}

static void test_refused_files_are_kept(void **state)
{
    static const char *const contents[] = {"1", "2", "3", "4", "5"};
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
        assert_int_equal(write_text(contents[i], &err), 0);
        assert_int_equal(state_file_set_aside(path, &err), 0);
        assert_string_equal(content(), "none");
    }
    assert_string_equal(names(), "state.bad state.bad.1 state.bad.2 ");
    for (int i = 0; i < STATE_BAD_KEPT; i++) {
        char bad[160], byte = 0;

        snprintf(bad, sizeof(bad), i ? "%s.bad.%d" : "%s.bad", path, i);
        CLEANUP(fdp) int fd = open(bad, O_RDONLY);
        assert_int_equal(read(fd, &byte, 1), 1);
        assert_int_equal(byte, '5' - i);
    }
    assert_int_equal(state_file_set_aside(path, &err), -1);
    assert_int_equal(err.kind, ERR_IO);
    forget_content();
}

int main(void)
{
#define WITH_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_back),
        cmocka_unit_test(test_any_byte_that_changed_is_found),
        cmocka_unit_test(test_any_other_length_is_found),
        cmocka_unit_test(test_lies_with_a_good_sum),
        cmocka_unit_test(test_says_what_is_wrong),
        cmocka_unit_test(test_version_1),
        cmocka_unit_test(test_no_memory_to_read),
        WITH_DIRECTORY(test_replaces),
        WITH_DIRECTORY(test_every_call_may_fail),
        WITH_DIRECTORY(test_killed_at_every_call),
        WITH_DIRECTORY(test_two_writers),
        WITH_DIRECTORY(test_a_link_in_the_way_is_not_followed),
        WITH_DIRECTORY(test_what_is_no_file),
        WITH_DIRECTORY(test_refused_files_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
