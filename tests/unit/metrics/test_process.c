/* process_*: the names and texts everybody knows, plausible values, and absence without /proc. */
#include "metrics/process.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

enum { EXTRA_FDS = 10, SMALLER_FD_LIMIT = 200 };

static const struct {
    const char *name;
    const char *type;
    const char *help;
} catalogue[] = {
    {"process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds."},
    {"process_open_fds", "gauge", "Number of open file descriptors."},
    {"process_max_fds", "gauge", "Maximum number of open file descriptors."},
    {"process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes."},
    {"process_virtual_memory_max_bytes", "gauge",
     "Maximum amount of virtual memory available in bytes."},
    {"process_resident_memory_bytes", "gauge", "Resident memory size in bytes."},
    {"process_start_time_seconds", "gauge",
     "Start time of the process since unix epoch in seconds."},
    {"process_threads", "gauge", "Number of OS threads in the process."},
    {"process_network_receive_bytes_total", "counter",
     "Number of bytes received by the process over the network."},
    {"process_network_transmit_bytes_total", "counter",
     "Number of bytes sent by the process over the network."},
};

static void write_all(struct strbuf *out)
{
    struct registry *registry = registry_new();
    struct err err;

    assert_non_null(registry);
    assert_int_equal(process_metrics_register(registry, &err), 0);
    registry_write(registry, 1U << REGISTRY_PROCESS, NULL, EXPO_TEXT, out);
    assert_true(strbuf_ok(out));
    registry_free(registry);
}

/* The value as it is written; "" if the family is not there. */
static const char *value_text(const struct strbuf *text, const char *name)
{
    CLEANUP(strbuf_release) struct strbuf start = STRBUF_INIT;

    strbuf_addf(&start, "\n%s ", name);
    const char *at = strstr(strbuf_str(text), strbuf_str(&start));
    return at ? at + start.len : "";
}

static double value(const struct strbuf *text, const char *name)
{
    const char *s = value_text(text, name);

    if (!*s)
        fail_msg("%s is absent", name);
    return strtod(s, NULL);
}

static void test_headers(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    const char *at;

    (void)state;
    write_all(&text);
    at = strbuf_str(&text);
    for (size_t i = 0; i < ARRAY_LEN(catalogue); i++) {
        CLEANUP(strbuf_release) struct strbuf header = STRBUF_INIT;

        strbuf_addf(&header, "# HELP %s %s\n# TYPE %s %s\n%s ", catalogue[i].name,
                    catalogue[i].help, catalogue[i].name, catalogue[i].type, catalogue[i].name);
        assert_memory_equal(at, strbuf_str(&header), header.len);
        at = strchr(at + header.len, '\n') + 1;
    }
    assert_string_equal(at, "");
}

static void test_values(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct rlimit files;
    struct rlimit smaller;
    int fds[EXTRA_FDS];

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    smaller = files;
    smaller.rlim_cur = SMALLER_FD_LIMIT;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &smaller), 0);
    for (int i = 0; i < EXTRA_FDS; i++)
        fds[i] = dup(0);
    /* In a child: what is read is kept for a while, and the first test has read already. */
    pid_t child = fork();
    if (child == 0) {
        struct timespec pause = {.tv_nsec = 150 * 1000000L};

        (void)nanosleep(&pause, NULL);
        write_all(&text);
        assert_true(value(&text, "process_open_fds") >= EXTRA_FDS);
        assert_true(value(&text, "process_open_fds") < SMALLER_FD_LIMIT);
        assert_true(value(&text, "process_max_fds") == SMALLER_FD_LIMIT);
        assert_true(value(&text, "process_threads") >= 1);
        assert_true(value(&text, "process_resident_memory_bytes") > 100e3);
        assert_true(value(&text, "process_virtual_memory_bytes") >
                    value(&text, "process_resident_memory_bytes"));
        assert_true(value(&text, "process_cpu_seconds_total") >= 0);
        assert_true(value(&text, "process_cpu_seconds_total") < 60);
        double age = (double)clock_unix_ms() / 1e3 - value(&text, "process_start_time_seconds");
        assert_true(age > 0.1 && age < 60);
        strbuf_release(&text);
        exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    for (int i = 0; i < EXTRA_FDS; i++)
        (void)close(fds[i]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
}

static void test_no_limit_is_what_the_go_client_says(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct rlimit limit;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_AS, &limit), 0);
    if (limit.rlim_cur != RLIM_INFINITY)
        skip();
    write_all(&text);
    const char *v = value_text(&text, "process_virtual_memory_max_bytes");
    assert_int_equal(strncmp(v, "1.8446744073709552e+19\n", 23), 0);
}

static void test_without_proc(void **state)
{
    static const char *const still_there[] = {"process_cpu_seconds_total", "process_max_fds",
                                              "process_virtual_memory_max_bytes"};

    (void)state;
    if (geteuid() != 0)
        skip();
    char dir[] = "/tmp/afe-no-proc-XXXXXX";
    assert_non_null(mkdtemp(dir));
    pid_t child = fork();
    if (child == 0) {
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
        const struct timespec pause = {.tv_nsec = 150 * 1000000L};
        size_t n = 0;

        (void)nanosleep(&pause, NULL); /* what was read before the fork grows old */
        if (chroot(dir) < 0)
            exit(77);
        write_all(&text);
        for (const char *at = strbuf_str(&text); (at = strstr(at, "# TYPE ")); at++)
            n++;
        assert_int_equal(n, ARRAY_LEN(still_there));
        for (size_t i = 0; i < ARRAY_LEN(still_there); i++)
            assert_true(*value_text(&text, still_there[i]) != '\0');
        strbuf_release(&text);
        _exit(0); /* the leak checker needs /proc */
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(rmdir(dir), 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_no_limit_is_what_the_go_client_says),
        cmocka_unit_test(test_without_proc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
