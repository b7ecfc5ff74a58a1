/*
 * stderr is a pipe whose reader is the test: it reads, or not, or goes away. The formats are
 * checked without the writer thread, the queue with it.
 */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "base/utf8.h"

enum { LINE_MAX_BYTES = 8192, RING_BYTES = 256 * 1024 };

/* --- stderr as a pipe --- */

static int saved_stderr = -1;
static int reader = -1;

static void stderr_to(int fd)
{
    saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    assert_true(saved_stderr >= 0);
    assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    close(fd);
}

static void stderr_to_pipe(void)
{
    int fds[2];

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    reader = fds[0];
    assert_int_equal(fcntl(reader, F_SETFL, O_NONBLOCK), 0);
    stderr_to(fds[1]);
}

static void close_reader(void)
{
    if (reader >= 0)
        close(reader);
    reader = -1;
}

static int restore_stderr(void **state)
{
    (void)state;
    if (saved_stderr >= 0) {
        dup2(saved_stderr, STDERR_FILENO);
        close(saved_stderr);
        saved_stderr = -1;
    }
    close_reader();
    log_setup(LOG_INFO, LOG_LOGFMT);
    return 0;
}

/* Appends what the pipe holds now. */
static void read_available(struct strbuf *b)
{
    char chunk[4096];
    ssize_t n;

    while ((n = read(reader, chunk, sizeof(chunk))) > 0)
        strbuf_add(b, chunk, (size_t)n);
}

static size_t count_lines(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* The only line in the pipe, without its newline. */
static const char *read_line(struct strbuf *b)
{
    strbuf_reset(b);
    read_available(b);
    assert_true(b->len > 0 && b->len <= LINE_MAX_BYTES);
    assert_int_equal(count_lines(b->ptr), 1);
    assert_int_equal(b->ptr[b->len - 1], '\n');
    b->ptr[--b->len] = '\0';
    return b->ptr;
}

/* --- formats --- */

static void test_names(void **state)
{
    enum log_level level = LOG_LEVEL_END;
    enum log_format format = LOG_LOGFMT;

    (void)state;
    for (int i = 0; i < LOG_LEVEL_END; i++) {
        assert_true(log_level_parse(log_level_name((enum log_level)i), &level));
        assert_int_equal(level, i);
    }
    assert_false(log_level_parse("", &level));
    assert_false(log_level_parse("Info", &level));
    assert_false(log_level_parse("warning", &level));
    assert_true(log_format_parse("json", &format));
    assert_int_equal(format, LOG_JSON);
    assert_true(log_format_parse("logfmt", &format));
    assert_int_equal(format, LOG_LOGFMT);
    assert_false(log_format_parse("JSON", &format));
}

static void test_levels(void **state)
{
    (void)state;
    stderr_to_pipe();
    for (int lowest = 0; lowest < LOG_LEVEL_END; lowest++) {
        CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;

        log_setup((enum log_level)lowest, LOG_LOGFMT);
        for (int i = 0; i < LOG_LEVEL_END; i++) {
            uint64_t before = log_lines_total((enum log_level)i);

            log_write((enum log_level)i, LOG_NONE, "x");
            assert_int_equal(log_enabled((enum log_level)i), i >= lowest);
            assert_int_equal(log_lines_total((enum log_level)i) - before, i >= lowest);
        }
        read_available(&b);
        assert_int_equal(count_lines(strbuf_str(&b)), LOG_LEVEL_END - lowest);
    }
    log_setup(LOG_INFO, LOG_LOGFMT);
    log_debug(LOG_NONE, "not %s", "formatted");
}

/* "2026-01-01T03:04:00.123Z" */
static void expect_timestamp(const char *s)
{
    static const char form[] = "0000-00-00T00:00:00.000Z";

    for (size_t i = 0; form[i]; i++) {
        if (form[i] == '0')
            assert_in_range(s[i], '0', '9');
        else
            assert_int_equal(s[i], form[i]);
    }
}

struct format_case {
    const char *msg;
    const char *value;
    const char *expected;
};

static void run_formats(const struct format_case *cases, size_t n, const char *before_ts)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;

    stderr_to_pipe();
    for (size_t i = 0; i < n; i++) {
        log_write(LOG_WARN, LOG_FIELDS({"target", cases[i].value}), "%s", cases[i].msg);
        const char *line = read_line(&b);
        assert_memory_equal(line, before_ts, strlen(before_ts));
        expect_timestamp(line + strlen(before_ts));
        assert_string_equal(line + strlen(before_ts) + 24, cases[i].expected);
    }
}

static void test_logfmt(void **state)
{
    static const struct format_case cases[] = {
        {"refresh failed", NULL, " level=warn msg=\"refresh failed\""},
        {"", "prod", " level=warn msg=\"\" target=prod"},
        {"x", "", " level=warn msg=\"x\" target=\"\""},
        {"x", "a b", " level=warn msg=\"x\" target=\"a b\""},
        {"x", "a=b", " level=warn msg=\"x\" target=\"a=b\""},
        {"x", "a\"b", " level=warn msg=\"x\" target=\"a\\\"b\""},
        {"x", "a\\b", " level=warn msg=\"x\" target=\"a\\\\b\""},
        {"x", "a\tb\n", " level=warn msg=\"x\" target=\"a\\tb\\n\""},
        {"x", "\r\x01\x1b\x7f", " level=warn msg=\"x\" target=\"\\u000d\\u0001\\u001b\\u007f\""},
        {"x", "\xc2\x9b", " level=warn msg=\"x\" target=\"\\u009b\""},
        {"x", "\xc2\xa0", " level=warn msg=\"x\" target=\xc2\xa0"},
        {"x", "\xe4\xb8\xad", " level=warn msg=\"x\" target=\xe4\xb8\xad"},
        {"x", "\xff", " level=warn msg=\"x\" target=\"\xef\xbf\xbd\""},
        {"x", "\xef\xbf\xbd", " level=warn msg=\"x\" target=\xef\xbf\xbd"},
        {"a \"b\" \\ \n\xe4\xb8", "c",
         " level=warn msg=\"a \\\"b\\\" \\\\ \\n\xef\xbf\xbd\xef\xbf\xbd\" target=c"},
    };

    (void)state;
    log_setup(LOG_INFO, LOG_LOGFMT);
    run_formats(cases, ARRAY_LEN(cases), "ts=");
}

static void test_json(void **state)
{
    static const struct format_case cases[] = {
        {"refresh failed", NULL, "\",\"level\":\"warn\",\"msg\":\"refresh failed\"}"},
        {"x", "prod", "\",\"level\":\"warn\",\"msg\":\"x\",\"target\":\"prod\"}"},
        {"x", "", "\",\"level\":\"warn\",\"msg\":\"x\",\"target\":\"\"}"},
        {"a\"b\\c\n\t\x02\x7f", "\xff",
         "\",\"level\":\"warn\",\"msg\":\"a\\\"b\\\\c\\n\\t\\u0002\\u007f\",\"target\":"
         "\"\xef\xbf\xbd\"}"},
    };

    (void)state;
    log_setup(LOG_INFO, LOG_JSON);
    run_formats(cases, ARRAY_LEN(cases), "{\"ts\":\"");
}

static void test_fields(void **state)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;

    (void)state;
    stderr_to_pipe();
    log_info(LOG_FIELDS({"a", "1"}, {"left_out", NULL}, {"b", "2"}), "n=%d", 5);
    assert_string_equal(read_line(&b) + 27, " level=info msg=\"n=5\" a=1 b=2");
    /* Keys are ours; a strange one still makes a valid line. */
    log_error(LOG_FIELDS({"a b\"=\xff", "1"}), "x");
    assert_string_equal(read_line(&b) + 27, " level=error msg=\"x\" a_b___=1");
}

static const char *json_text(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

/* Parses the line as strictly as the format wants it. */
static cJSON *parse_json_line(const char *line)
{
    size_t len = strlen(line);

    assert_true(utf8_valid(line, len));
    for (size_t i = 0; i < len; i++)
        assert_in_range((unsigned char)line[i], 0x20, 0xff);
    cJSON *object = cJSON_ParseWithOpts(line, NULL, 1);
    assert_non_null(object);
    expect_timestamp(json_text(object, "ts"));
    return object;
}

static void test_json_of_every_byte(void **state)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;

    (void)state;
    log_setup(LOG_INFO, LOG_JSON);
    stderr_to_pipe();
    for (int c = 1; c < 256; c++) {
        char text[] = {'<', (char)c, '>', '\0'};

        log_info(LOG_FIELDS({text, "a"}, {"value", text}), "%s", text);
        cJSON *object = parse_json_line(read_line(&b));
        assert_string_equal(json_text(object, "msg"), c < 0x80 ? text : "<\xef\xbf\xbd>");
        assert_string_equal(json_text(object, "value"), json_text(object, "msg"));
        cJSON_Delete(object);
    }
}

/* Fills out with whole repetitions of unit, n bytes at most. */
static void repeat(char *out, size_t n, const char *unit)
{
    size_t unit_len = strlen(unit);
    size_t len = 0;

    for (; len + unit_len <= n; len += unit_len)
        memcpy(out + len, unit, unit_len);
    out[len] = '\0';
}

/* Long texts of every kind of character, shifted so that the cut falls on each of its bytes. */
static void test_long_lines(void **state)
{
    static const char *const units[] = {"x", "\"", "\x01", "\xff", "\xc3\xa4", "\xf0\x9f\x98\x80"};
    static char text[12000];
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;

    (void)state;
    log_setup(LOG_INFO, LOG_JSON);
    stderr_to_pipe();
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        repeat(text, sizeof(text) - 1, units[i]);
        for (int shift = 0; shift < 7; shift++) {
            log_info(LOG_FIELDS({"a", text}, {"b", "short"}, {"c", text}, {"d", "short"}), "%.*s%s",
                     shift, "1234567", text);
            cJSON *object = parse_json_line(read_line(&b));
            const char *msg = json_text(object, "msg");
            assert_memory_equal(msg, "1234567", (size_t)shift);
            assert_string_equal(msg + strlen(msg) - 3, "...");
            assert_string_equal(json_text(object, "b"), "short");
            cJSON_Delete(object);
        }
    }
}

/* Message lengths around the limit of messages, values around what is left of the line. */
static void test_lengths_around_limits(void **state)
{
    static char text[5000];
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    stderr_to_pipe();
    for (int json = 0; json < 2; json++) {
        log_setup(LOG_INFO, json ? LOG_JSON : LOG_LOGFMT);
        for (int len = 4080; len < 4110; len++) {
            log_info(LOG_FIELDS({"k", "v"}), "%.*s", len, text);
            bool cut = strstr(read_line(&b), "...") != NULL;
            assert_int_equal(cut, len > 4096);
        }
        /* 2048 + 1900 + i: slides the end of the third value over the end of the line. */
        for (size_t i = 0; i < 250; i++) {
            const char *third = text + sizeof(text) - 1 - 1900 - i;
            const char *first = text + sizeof(text) - 1 - 2048;

            log_info(LOG_FIELDS({"a", first}, {"b", third}, {"c", "1"}, {"d", "2"}), "%.*s", 4000,
                     text);
            const char *line = read_line(&b);
            if (json)
                cJSON_Delete(parse_json_line(line));
            else
                assert_int_equal(strstr(line, "b=\"") != NULL, strstr(line, "...\"") != NULL);
        }
    }
}

static void test_errno_survives(void **state)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;

    (void)state;
    stderr_to_pipe();
    errno = ENOENT;
    log_warn(LOG_NONE, "open: %s", strerror(errno));
    assert_int_equal(errno, ENOENT);
    assert_non_null(strstr(read_line(&b), "open: No such file or directory"));
}

/* --- writing at once --- */

static void test_direct_failures(void **state)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    uint64_t dropped = log_dropped_total();
    uint64_t lines = log_lines_total(LOG_INFO);

    (void)state;
    stderr_to_pipe();
    close_reader();
    log_info(LOG_NONE, "into a pipe without a reader");
    assert_int_equal(log_dropped_total() - dropped, 1);
    restore_stderr(NULL);

    stderr_to(open("/dev/full", O_WRONLY | O_CLOEXEC));
    log_info(LOG_NONE, "onto a full disk");
    assert_int_equal(log_dropped_total() - dropped, 2);
    close(STDERR_FILENO);
    log_info(LOG_NONE, "nowhere");
    assert_int_equal(log_dropped_total() - dropped, 3);
    assert_int_equal(log_lines_total(LOG_INFO), lines);
    restore_stderr(NULL);

    stderr_to_pipe();
    log_info(LOG_NONE, "arrives");
    read_available(&b);
    assert_int_equal(count_lines(strbuf_str(&b)), 2);
    assert_string_equal(strbuf_str(&b) + 27,
                        strstr(strbuf_str(&b), " level=warn msg=\"log lines dropped\" count=3\n"));
    assert_non_null(strstr(strbuf_str(&b), " level=info msg=\"arrives\"\n"));
    assert_int_equal(log_lines_total(LOG_INFO), lines + 1);
}

/* --- the queue --- */

static void test_start_and_stop(void **state)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;

    (void)state;
    stderr_to_pipe();
    log_stop();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(log_start(), 0);
        assert_int_equal(log_start(), 0);
        log_info(LOG_NONE, "queued");
        log_stop();
        log_stop();
        log_info(LOG_NONE, "direct");
    }
    read_available(&b);
    assert_int_equal(count_lines(strbuf_str(&b)), 6);
}

enum { N_THREADS = 5, N_LINES_EACH = 200 };

static void *log_many(void *name)
{
    for (int i = 0; i < N_LINES_EACH; i++)
        log_info(LOG_FIELDS({"thread", name}), "line %d", i);
    return NULL;
}

/* Lines of several threads arrive whole, and each thread's in its order. */
static void test_threads(void **state)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    char names[N_THREADS][2] = {"a", "b", "c", "d", "e"};
    pthread_t threads[N_THREADS];
    int next[N_THREADS] = {0};
    uint64_t before = log_lines_total(LOG_INFO);

    (void)state;
    stderr_to_pipe();
    assert_true(fcntl(reader, F_SETPIPE_SZ, 1024 * 1024) > 0);
    assert_int_equal(log_start(), 0);
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, names[i]), 0);
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    log_stop();
    read_available(&b);
    assert_int_equal(count_lines(strbuf_str(&b)), N_THREADS * N_LINES_EACH);
    assert_int_equal(log_lines_total(LOG_INFO) - before, N_THREADS * N_LINES_EACH);
    for (const char *line = strbuf_str(&b); *line; line = strchr(line, '\n') + 1) {
        int number;
        char name;

        expect_timestamp(line + 3);
        assert_int_equal(
            sscanf(line + 27, " level=info msg=\"line %d\" thread=%c\n", &number, &name), 2);
        assert_in_range(name, 'a', 'a' + N_THREADS - 1);
        assert_int_equal(number, next[name - 'a']++);
    }
}

/* Reads until b holds n lines; fails if they do not come. */
static void read_lines(struct strbuf *b, size_t n)
{
    while (count_lines(strbuf_str(b)) < n) {
        struct pollfd p = {.fd = reader, .events = POLLIN};

        assert_int_equal(poll(&p, 1, 5000), 1);
        read_available(b);
    }
    assert_int_equal(count_lines(strbuf_str(b)), n);
}

/* Several times round the ring, with lines of changing length. */
static void test_ring_wraps(void **state)
{
    static char text[4000];
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;

    (void)state;
    memset(text, 'x', sizeof(text));
    stderr_to_pipe();
    assert_int_equal(log_start(), 0);
    for (int i = 0; i < 600; i += 40) {
        strbuf_reset(&b);
        for (int k = 0; k < 40; k++)
            log_info(LOG_NONE, "%d:%.*s", i + k, (i + k) * 41 % 4000, text);
        read_lines(&b, 40);
        const char *line = strbuf_str(&b);
        for (int k = 0; k < 40; k++) {
            int number;

            assert_int_equal(sscanf(line + 27, " level=info msg=\"%d:", &number), 1);
            assert_int_equal(number, i + k);
            const char *end = strchr(line, '\n');
            assert_true((size_t)(end - line) > (size_t)((i + k) * 41 % 4000));
            assert_int_equal(end[-1], '"');
            line = end + 1;
        }
    }
    log_stop();
}

/* Logs n lines of a kilobyte and checks that nobody waited for the reader. */
static void log_kilobytes(int n)
{
    static char text[1000];
    int64_t start_ms = clock_mono_ms();

    memset(text, 'x', sizeof(text));
    for (int i = 0; i < n; i++)
        log_info(LOG_NONE, "%.*s", (int)sizeof(text), text);
    assert_true(clock_mono_ms() - start_ms < 1000);
}

static void test_full_pipe(void **state)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    uint64_t lines = log_lines_total(LOG_INFO);
    uint64_t dropped = log_dropped_total();
    char expected[100];

    (void)state;
    stderr_to_pipe();
    assert_true(fcntl(reader, F_SETPIPE_SZ, 4096) > 0);
    assert_int_equal(log_start(), 0);
    log_kilobytes(1000);
    lines = log_lines_total(LOG_INFO) - lines;
    dropped = log_dropped_total() - dropped;
    assert_int_equal(lines + dropped, 1000);
    assert_in_range(lines, RING_BYTES / 1100, RING_BYTES / 1000 + 10);

    /* The reader is back: all accepted lines, then the account, then the next line. */
    read_lines(&b, lines);
    strbuf_reset(&b);
    log_warn(LOG_NONE, "back");
    read_lines(&b, 2);
    (void)snprintf(expected, sizeof(expected),
                   " level=warn msg=\"log lines dropped\" count=%d\nts=", (int)dropped);
    assert_memory_equal(strbuf_str(&b) + 27, expected, strlen(expected));
    assert_non_null(strstr(strbuf_str(&b), " level=warn msg=\"back\"\n"));
    log_stop();
}

static void test_stop_with_stuck_writer(void **state)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    uint64_t lines = log_lines_total(LOG_INFO);

    (void)state;
    stderr_to_pipe();
    assert_true(fcntl(reader, F_SETPIPE_SZ, 4096) > 0);
    assert_int_equal(log_start(), 0);
    log_kilobytes(20);
    int64_t start_ms = clock_mono_ms();
    log_stop();
    assert_in_range(clock_mono_ms() - start_ms, 900, 1500);

    /* The writer still hangs: nobody else may, and no second one starts. */
    uint64_t dropped = log_dropped_total();
    log_kilobytes(3);
    assert_int_equal(log_dropped_total() - dropped, 3);
    assert_int_equal(log_start(), -1);
    log_stop();

    /* It gets away when the reader does its part; then lines are written directly. */
    read_lines(&b, 20);
    assert_int_equal(log_lines_total(LOG_INFO) - lines, 20);
    strbuf_reset(&b);
    for (int i = 0; i < 5000 && log_lines_total(LOG_INFO) - lines == 20; i++) {
        log_info(LOG_NONE, "direct");
        (void)poll(NULL, 0, 1);
    }
    read_lines(&b, 2);
    assert_non_null(strstr(strbuf_str(&b), "log lines dropped"));
    assert_non_null(strstr(strbuf_str(&b), "msg=\"direct\""));
    assert_int_equal(log_start(), 0);
    log_stop();
}

static void test_nonblocking_stderr(void **state)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;

    (void)state;
    stderr_to_pipe();
    assert_true(fcntl(reader, F_SETPIPE_SZ, 4096) > 0);
    assert_int_equal(fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(log_start(), 0);
    log_kilobytes(100);
    read_lines(&b, 100);
    log_stop();
}

static void test_queued_failures(void **state)
{
    CLEANUP(strbuf_release) struct strbuf b = STRBUF_INIT;
    uint64_t dropped = log_dropped_total();

    (void)state;
    for (int i = 0; i < 2; i++) {
        if (i == 0) {
            stderr_to_pipe();
            close_reader();
        } else {
            stderr_to(open("/dev/full", O_WRONLY | O_CLOEXEC));
        }
        assert_int_equal(log_start(), 0);
        log_kilobytes(50);
        log_stop();
        restore_stderr(NULL);
    }
    assert_int_equal(log_dropped_total() - dropped, 100);

    stderr_to_pipe();
    log_info(LOG_NONE, "arrives");
    read_lines(&b, 2);
    assert_non_null(strstr(strbuf_str(&b), " level=warn msg=\"log lines dropped\" count=100\n"));
}

/* The signals a thread of this process blocks, found by the thread's name. */
static uint64_t blocked_signals(const char *thread_name)
{
    uint64_t mask = 0;
    DIR *tasks = opendir("/proc/self/task");

    assert_non_null(tasks);
    for (struct dirent *e; (e = readdir(tasks));) {
        char path[300];
        char line[200];
        bool found = false;

        (void)snprintf(path, sizeof(path), "/proc/self/task/%s/status", e->d_name);
        FILE *f = fopen(path, "re");
        while (f && fgets(line, sizeof(line), f)) {
            char name[32];

            if (sscanf(line, "Name: %31s", name) == 1)
                found = strcmp(name, thread_name) == 0;
            else if (found && strncmp(line, "SigBlk:", 7) == 0)
                mask = strtoull(line + 7, NULL, 16);
        }
        if (f)
            (void)fclose(f);
    }
    closedir(tasks);
    return mask;
}

static void test_writer_takes_no_signals(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGUSR1, SIGCHLD, SIGXFSZ};
    sigset_t before;
    sigset_t after;

    (void)state;
    stderr_to_pipe();
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
    assert_int_equal(log_start(), 0);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
    uint64_t mask = blocked_signals("log");
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        assert_true(mask & UINT64_C(1) << (signals[i] - 1));
        assert_int_equal(sigismember(&after, signals[i]), sigismember(&before, signals[i]));
    }
    log_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test_teardown(test_levels, restore_stderr),
        cmocka_unit_test_teardown(test_logfmt, restore_stderr),
        cmocka_unit_test_teardown(test_json, restore_stderr),
        cmocka_unit_test_teardown(test_fields, restore_stderr),
        cmocka_unit_test_teardown(test_json_of_every_byte, restore_stderr),
        cmocka_unit_test_teardown(test_long_lines, restore_stderr),
        cmocka_unit_test_teardown(test_lengths_around_limits, restore_stderr),
        cmocka_unit_test_teardown(test_errno_survives, restore_stderr),
        cmocka_unit_test_teardown(test_direct_failures, restore_stderr),
        cmocka_unit_test_teardown(test_start_and_stop, restore_stderr),
        cmocka_unit_test_teardown(test_threads, restore_stderr),
        cmocka_unit_test_teardown(test_ring_wraps, restore_stderr),
        cmocka_unit_test_teardown(test_full_pipe, restore_stderr),
        cmocka_unit_test_teardown(test_stop_with_stuck_writer, restore_stderr),
        cmocka_unit_test_teardown(test_nonblocking_stderr, restore_stderr),
        cmocka_unit_test_teardown(test_queued_failures, restore_stderr),
        cmocka_unit_test_teardown(test_writer_takes_no_signals, restore_stderr),
    };

    /* As the program does: a pipe without a reader is an error of write(2), not the end. */
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
