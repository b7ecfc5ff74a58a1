/*
 * What the kernel says about this process, under the names every Prometheus client library uses.
 *
 * Most values come from a handful of files in /proc that cost about as much to read as a small
 * scrape costs in all, and one scrape wants all of them. So they are read together and kept for
 * READ_EVERY_MS in atomics: under hundreds of scrapes a second each sees values at most that old,
 * and none waits for another. Two threads that find them old both read and both store; whichever
 * is last wins, and either is right.
 */
#include "metrics/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { READ_EVERY_MS = 100 };

#define UNKNOWN INT64_C(-1)

enum value {
    OPEN_FDS,
    VIRTUAL_MEMORY_BYTES,
    RESIDENT_MEMORY_BYTES,
    THREADS,
    NETWORK_RECEIVE_BYTES,
    NETWORK_TRANSMIT_BYTES,
    VALUE_END,
};

/* One process, one set: static, so that the families need no owner. */
static struct {
    _Atomic int64_t values[VALUE_END]; /* UNKNOWN = cannot be read */
    _Atomic int64_t read_at_mono_ms;   /* 0 = never */
    int64_t start_time_unix_ms;        /* set at registration, before any reader */
} process;

/* --- reading --- */

/* The first size - 1 bytes of a file as a string; -1 if it cannot be read. */
static int read_text(const char *path, char *buf, size_t size)
{
    CLEANUP(fdp) int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;

    if (fd < 0)
        return -1;
    while (len < size - 1) {
        ssize_t n = read(fd, buf + len, size - 1 - len);

        if (n < 0)
            return -1;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    buf[len] = '\0';
    return 0;
}

/* Fields of /proc/self/stat as proc(5) numbers them, from 3 on. */
enum {
    STAT_FIELD_FIRST = 3,
    STAT_NUM_THREADS = 20,
    STAT_STARTTIME = 22,
    STAT_VSIZE = 23,
    STAT_RSS = 24,
    STAT_FIELD_END,
};

/* Fields 3 to 24 (the state, a letter, as 0); -1 if the file is hidden or not as expected. */
static int read_stat(int64_t fields[STAT_FIELD_END])
{
    char text[1024];

    if (read_text("/proc/self/stat", text, sizeof(text)) < 0)
        return -1;
    /* The name in field 2 may hold spaces and parentheses; only the last one closes it. */
    const char *p = strrchr(text, ')');
    if (!p || p[1] != ' ')
        return -1;
    p += 2;
    for (int field = STAT_FIELD_FIRST; field < STAT_FIELD_END; field++) {
        fields[field] = strtoll(p, NULL, 10);
        p = strchr(p, ' ');
        if (!p)
            return -1;
        p++;
    }
    return 0;
}

static int64_t count_open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int64_t n = 0;

    if (!dir)
        return UNKNOWN;
    for (const struct dirent *d = readdir(dir); d; d = readdir(dir))
        n += d->d_name[0] != '.';
    (void)closedir(dir);
    return n - 1; /* the directory itself was open while counting */
}

/* In a list of words separated by single spaces, the one at the given place, as a number. */
static int64_t number_at(const char *words, size_t place)
{
    for (size_t i = 0; i < place; i++) {
        words = strchr(words, ' ');
        if (!words)
            return UNKNOWN;
        words++;
    }

    char *end;
    long long v = strtoll(words, &end, 10);
    return end == words || v < 0 ? UNKNOWN : v;
}

/* The place of a name among the words of a line; SIZE_MAX if it is not there. */
static size_t place_of(const char *words, const char *name)
{
    size_t len = strlen(name);

    for (size_t place = 0;; place++) {
        size_t word = strcspn(words, " \n");

        if (word == len && memcmp(words, name, len) == 0)
            return place;
        if (words[word] != ' ')
            return SIZE_MAX;
        words += word + 1;
    }
}

/* netstat has two lines a group: "IpExt: NAME NAME ...", then "IpExt: NUMBER NUMBER ...". */
static void read_network(int64_t *ret_in, int64_t *ret_out)
{
    char text[8192];

    *ret_in = UNKNOWN;
    *ret_out = UNKNOWN;
    if (read_text("/proc/self/net/netstat", text, sizeof(text)) < 0)
        return;
    const char *names = strstr(text, "IpExt: ");
    const char *numbers = names ? strstr(names + 1, "\nIpExt: ") : NULL;
    if (!numbers)
        return;
    size_t in = place_of(names, "InOctets");
    size_t out = place_of(names, "OutOctets");
    if (in == SIZE_MAX || out == SIZE_MAX)
        return;
    *ret_in = number_at(numbers + 1, in);
    *ret_out = number_at(numbers + 1, out);
}

static void store(enum value value, int64_t v)
{
    atomic_store_explicit(&process.values[value], v, memory_order_relaxed);
}

static void read_values(void)
{
    int64_t fields[STAT_FIELD_END];
    int64_t in;
    int64_t out;
    bool have_stat = read_stat(fields) == 0;

    store(THREADS, have_stat ? fields[STAT_NUM_THREADS] : UNKNOWN);
    store(VIRTUAL_MEMORY_BYTES, have_stat ? fields[STAT_VSIZE] : UNKNOWN);
    store(RESIDENT_MEMORY_BYTES,
          have_stat ? fields[STAT_RSS] * (int64_t)sysconf(_SC_PAGESIZE) : UNKNOWN);
    store(OPEN_FDS, count_open_fds());
    read_network(&in, &out);
    store(NETWORK_RECEIVE_BYTES, in);
    store(NETWORK_TRANSMIT_BYTES, out);
}

static int64_t value_now(enum value value)
{
    int64_t now_mono_ms = clock_mono_ms();
    int64_t read_at = atomic_load_explicit(&process.read_at_mono_ms, memory_order_acquire);

    if (read_at == 0 || now_mono_ms - read_at >= READ_EVERY_MS) {
        read_values();
        /* After the values: who sees this time sees values at least as new. */
        atomic_store_explicit(&process.read_at_mono_ms, now_mono_ms, memory_order_release);
    }
    return atomic_load_explicit(&process.values[value], memory_order_relaxed);
}

/*
 * The kernel counts the start in ticks since boot, on the clock CLOCK_BOOTTIME reads (in a time
 * namespace too); btime of /proc/stat would say the same in whole seconds only.
 */
static int64_t start_time_unix_ms(void)
{
    int64_t fields[STAT_FIELD_END];
    struct timespec boot;
    long ticks_per_s = sysconf(_SC_CLK_TCK);

    if (ticks_per_s <= 0 || read_stat(fields) < 0 || clock_gettime(CLOCK_BOOTTIME, &boot) < 0)
        return UNKNOWN;
    int64_t now_boot_ms = (int64_t)boot.tv_sec * 1000 + boot.tv_nsec / 1000000;
    int64_t start_boot_ms = fields[STAT_STARTTIME] * 1000 / ticks_per_s;
    return clock_unix_ms() - (now_boot_ms - start_boot_ms);
}

/* --- writing --- */

static void write_i64(const struct family *family, struct expo *e, int64_t value)
{
    if (value != UNKNOWN)
        expo_sample_i64(e, family->name, EXPO_NO_LABELS, EXPO_NO_LABELS, value);
}

/* A line of the table: the family, and the value it shows where that is one of the set. */
struct process_family {
    struct family family; /* first: collect functions get its address */
    registry_collect_fn *collect;
    enum value value;
};

static void collect_value(void *ctx, const struct family *family, struct expo *e)
{
    const struct process_family *line = (const struct process_family *)family;

    (void)ctx;
    write_i64(family, e, value_now(line->value));
}

static void collect_cpu(void *ctx, const struct family *family, struct expo *e)
{
    struct rusage usage;

    (void)ctx;
    if (getrusage(RUSAGE_SELF, &usage) < 0)
        return;
    int64_t us = ((int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
                 usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    expo_sample_double(e, family->name, EXPO_NO_LABELS, EXPO_NO_LABELS, (double)us / 1e6);
}

/*
 * The soft limit, which is what bites. No limit is 2^64 - 1, as the Go client writes it: a common
 * value, and the one that takes longest to print.
 */
static void write_limit(const struct family *family, struct expo *e, const struct rlimit *limit)
{
    if (limit->rlim_cur == RLIM_INFINITY) {
        strbuf_adds(e->out, family->name);
        strbuf_adds(e->out, " 1.8446744073709552e+19\n");
        e->n_series++;
        return;
    }
    expo_sample_double(e, family->name, EXPO_NO_LABELS, EXPO_NO_LABELS, (double)limit->rlim_cur);
}

static void collect_max_fds(void *ctx, const struct family *family, struct expo *e)
{
    struct rlimit limit;

    (void)ctx;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        write_limit(family, e, &limit);
}

static void collect_virtual_memory_max(void *ctx, const struct family *family, struct expo *e)
{
    struct rlimit limit;

    (void)ctx;
    if (getrlimit(RLIMIT_AS, &limit) == 0)
        write_limit(family, e, &limit);
}

static void collect_start_time(void *ctx, const struct family *family, struct expo *e)
{
    (void)ctx;
    if (process.start_time_unix_ms != UNKNOWN)
        expo_sample_ms(e, family->name, EXPO_NO_LABELS, EXPO_NO_LABELS, process.start_time_unix_ms);
}

/* --- the table --- */

/* None has labels. */
#define GAUGE   METRIC_GAUGE, .labels = NULL
#define COUNTER METRIC_COUNTER, .labels = NULL

static const struct process_family families[] = {
    {{"process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", COUNTER},
     .collect = collect_cpu},
    {{"process_open_fds", "Number of open file descriptors.", GAUGE}, collect_value, OPEN_FDS},
    {{"process_max_fds", "Maximum number of open file descriptors.", GAUGE},
     .collect = collect_max_fds},
    {{"process_virtual_memory_bytes", "Virtual memory size in bytes.", GAUGE},
     collect_value,
     VIRTUAL_MEMORY_BYTES},
    {{"process_virtual_memory_max_bytes", "Maximum amount of virtual memory available in bytes.",
      GAUGE},
     .collect = collect_virtual_memory_max},
    {{"process_resident_memory_bytes", "Resident memory size in bytes.", GAUGE},
     collect_value,
     RESIDENT_MEMORY_BYTES},
    {{"process_start_time_seconds", "Start time of the process since unix epoch in seconds.",
      GAUGE},
     .collect = collect_start_time},
    {{"process_threads", "Number of OS threads in the process.", GAUGE}, collect_value, THREADS},
    {{"process_network_receive_bytes_total",
      "Number of bytes received by the process over the network.", COUNTER},
     collect_value,
     NETWORK_RECEIVE_BYTES},
    {{"process_network_transmit_bytes_total",
      "Number of bytes sent by the process over the network.", COUNTER},
     collect_value,
     NETWORK_TRANSMIT_BYTES},
};

int process_metrics_register(struct registry *registry, struct err *err)
{
    process.start_time_unix_ms = start_time_unix_ms();
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        if (registry_add(registry, REGISTRY_PROCESS, &families[i].family, families[i].collect, NULL,
                         err) < 0)
            return -1;
    }
    return 0;
}
