/* What a reload keeps, what it is due at once for, what it shares; no memory. */
#include "watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "fake_api.h"

#define T0 INT64_C(5000000)

static uint64_t next_id = 1;

static struct watch_set make(const struct fake_settings *settings, const struct watch_set *old,
                             int64_t now_ms)
{
    CLEANUP(conf_unrefp) struct conf *conf = fake_conf_new(settings);
    struct watch_set set;
    struct err err;

    assert_non_null(conf);
    assert_int_equal(watch_set_make(conf, old, NULL, now_ms, &next_id, &set, &err), 0);
    return set;
}

/* As a reload does it: the new set is made beside the old one, which then goes. */
static void remake(struct watch_set *set, const struct fake_settings *settings, int64_t now_ms)
{
    struct watch_set made = make(settings, set, now_ms);

    watch_set_release(set);
    *set = made;
}

/* The state of a watch in the midst of its life. */
static void age(struct watch *w)
{
    w->timetable.due_mono_ms = T0 + 45678;
    w->worker = 7;
    w->tried = true;
    w->failing = true;
    w->reason = ERR_TLS;
}

static int nothing_is_left(void **state)
{
    (void)state;
    return fake_confs_alive() == 0 && fake_credentials_alive() == 0 ? 0 : -1;
}

/* --- the first configuration --- */

static void test_first(void **state)
{
    struct fake_settings settings;
    struct watch_set set;

    (void)state;
    fake_settings_init(&settings, 3);
    settings.namespaces[1][1] = "second";
    settings.targets[1].n_namespaces = 2;
    set = make(&settings, NULL, T0);
    assert_int_equal(set.n_watches, 4);
    assert_string_equal(set.watches[0].namespace_name, "n0");
    assert_string_equal(set.watches[1].namespace_name, "n1");
    assert_string_equal(set.watches[2].namespace_name, "second");
    assert_string_equal(set.watches[3].namespace_name, "n2");
    for (size_t i = 0; i < 4; i++) {
        const struct watch *w = &set.watches[i];

        assert_in_range(w->timetable.due_mono_ms, T0, T0 + 4 * 100);
        assert_int_equal(w->timetable.interval_ms, 60000);
        assert_int_equal(w->timetable.max_backoff_ms, 300000);
        assert_ptr_equal(w->credentials, set.credentials.items[0]);
        assert_true(w->worker == SIZE_MAX);
        assert_false(w->running || w->outdated || w->tried || w->failing);
        assert_ptr_equal(watch_find(&set, w->id), w);
        for (size_t j = 0; j < i; j++)
            assert_true(set.watches[j].id != w->id);
    }
    assert_null(watch_find(&set, 0));
    assert_null(watch_find(&set, next_id));
    assert_int_equal(fake_confs_alive(), 1);
    watch_set_release(&set);
    watch_set_release(&set); /* an empty set has nothing to give */
}

static void test_one_namespace_is_due_at_once(void **state)
{
    struct fake_settings settings;
    struct watch_set set;

    (void)state;
    fake_settings_init(&settings, 1);
    set = make(&settings, NULL, T0);
    assert_true(set.watches[0].timetable.due_mono_ms == T0);
    watch_set_release(&set);
}

/* Many namespaces with a short interval do not wait longer than that. */
static void test_spread_ends_with_the_interval(void **state)
{
    struct fake_settings settings;
    struct watch_set set;

    (void)state;
    fake_settings_init(&settings, 100);
    for (size_t i = 0; i < 100; i++)
        settings.targets[i].interval_ms = 1000;
    set = make(&settings, NULL, T0);
    for (size_t i = 0; i < 100; i++)
        assert_in_range(set.watches[i].timetable.due_mono_ms, T0, T0 + 999);
    watch_set_release(&set);
}

static void test_no_namespaces(void **state)
{
    struct fake_settings settings;
    struct watch_set set;

    (void)state;
    fake_settings_init(&settings, 0);
    settings.n_credentials = 0;
    set = make(&settings, NULL, T0);
    assert_int_equal(set.n_watches, 0);
    remake(&set, &settings, T0);
    assert_null(watch_find(&set, 1));
    watch_set_release(&set);
}

/* --- reload --- */

static void test_the_same_again(void **state)
{
    struct fake_settings settings;
    struct watch_set set;
    struct watch before;
    struct credentials *credentials;

    (void)state;
    fake_settings_init(&settings, 2);
    set = make(&settings, NULL, T0);
    age(&set.watches[1]);
    set.watches[1].running = true;
    before = set.watches[1];
    credentials = set.credentials.items[0];
    remake(&set, &settings, T0 + 100);
    assert_int_equal(set.watches[1].id, before.id);
    assert_memory_equal(&set.watches[1].timetable, &before.timetable, sizeof(before.timetable));
    assert_int_equal(set.watches[1].worker, 7);
    assert_true(set.watches[1].running && set.watches[1].tried && set.watches[1].failing);
    assert_int_equal(set.watches[1].reason, ERR_TLS);
    assert_false(set.watches[1].outdated);
    /* The provider stays, with what it holds. */
    assert_ptr_equal(set.credentials.items[0], credentials);
    assert_ptr_equal(set.watches[1].credentials, credentials);
    assert_int_equal(fake_credentials_alive(), 1);
    /* What is pointed to belongs to the new configuration: the old one is gone. */
    assert_int_equal(fake_confs_alive(), 1);
    assert_ptr_equal(set.watches[1].target, &set.conf->targets[1]);
    assert_ptr_equal(set.watches[1].namespace_name, set.conf->targets[1].namespaces[0]);
    watch_set_release(&set);
}

static const char *const values_a[] = {"x", "y"};
static const char *const values_b[] = {"x", "z"};

enum change {
    ENDPOINT,
    CREDENTIALS,
    COLLECTORS,
    SELECT_NAME,
    SELECT_MODE,
    SELECT_STATUS,
    SELECT_CREATOR,
    SELECT_MODIFIER,
    SELECT_KEY,
    SELECT_VALUES,
    SELECT_MORE_VALUES,
    TLS_CA,
    TLS_CERT,
    TLS_KEY,
    TLS_NAME,
    TLS_SKIP,
    PROXY,
    LABELS,
    MORE_LABELS,
    MAX_DEPLOYMENTS,
    READS_DIFFERENTLY_END,
};

/* size-ok(function): a flat table as a switch */
static void apply(struct fake_settings *settings, enum change change)
{
    struct target *t = &settings->targets[0];

    switch (change) {
    case ENDPOINT:
        t->endpoint = "https://two";
        break;
    case CREDENTIALS:
        settings->credentials_of[0] = 1;
        break;
    case COLLECTORS:
        t->collectors |= 1u << COLLECTOR_DRAFTS;
        break;
    case SELECT_NAME:
        t->select.name = "x";
        break;
    case SELECT_MODE:
        t->select.execution_mode = "x";
        break;
    case SELECT_STATUS:
        t->select.status = "x";
        break;
    case SELECT_CREATOR:
        t->select.creator = "x";
        break;
    case SELECT_MODIFIER:
        t->select.modifier = "x";
        break;
    case SELECT_KEY:
        t->select.label_key = "x";
        break;
    case SELECT_VALUES:
        t->select.label_values = values_b;
        break;
    case SELECT_MORE_VALUES:
        t->select.n_label_values = 1;
        break;
    case TLS_CA:
        t->tls.ca_file = "x";
        break;
    case TLS_CERT:
        t->tls.cert_file = "x";
        break;
    case TLS_KEY:
        t->tls.key_file = "x";
        break;
    case TLS_NAME:
        t->tls.server_name = "x";
        break;
    case TLS_SKIP:
        t->tls.insecure_skip_verify = true;
        break;
    case PROXY:
        t->proxy_url = "none";
        break;
    case LABELS:
        t->deployment_labels.patterns = values_b;
        break;
    case MORE_LABELS:
        t->deployment_labels.n_patterns = 1;
        break;
    case MAX_DEPLOYMENTS:
        t->max_deployments = 1;
        break;
    case READS_DIFFERENTLY_END:
        break;
    }
}

static void settings_with_everything(struct fake_settings *settings)
{
    fake_settings_init(settings, 2);
    settings->n_credentials = 2;
    settings->targets[0].select.label_values = values_a;
    settings->targets[0].select.n_label_values = 2;
    settings->targets[0].deployment_labels =
        (struct glob_list){.patterns = values_a, .n_patterns = 2};
}

/* What reads differently now is due at once; a refresh under way no longer counts. */
static void test_reads_differently(void **state)
{
    (void)state;
    for (int change = 0; change < READS_DIFFERENTLY_END; change++) {
        for (int running = 0; running < 2; running++) {
            struct fake_settings settings;
            struct watch_set set;
            uint64_t id, other;

            settings_with_everything(&settings);
            set = make(&settings, NULL, T0);
            age(&set.watches[0]);
            age(&set.watches[1]);
            set.watches[0].running = running;
            set.watches[0].timetable.failures = 3;
            id = set.watches[0].id;
            other = set.watches[1].id;
            apply(&settings, (enum change)change);
            remake(&set, &settings, T0 + 100);
            assert_true(set.watches[0].timetable.due_mono_ms == T0 + 100);
            assert_int_equal(set.watches[0].timetable.failures, 0);
            assert_int_equal(set.watches[0].id, id);
            assert_int_equal(set.watches[0].outdated, running);
            assert_int_equal(set.watches[0].running, running);
            /* The other target has nothing to do with it. */
            assert_true(watch_find(&set, other)->timetable.due_mono_ms == T0 + 45678);
            watch_set_release(&set);
        }
    }
}

static void test_reads_the_same(void **state)
{
    struct fake_settings settings;
    struct watch_set set;

    (void)state;
    settings_with_everything(&settings);
    set = make(&settings, NULL, T0);
    age(&set.watches[0]);
    set.watches[0].running = true;
    settings.targets[0].name = "renamed";
    settings.targets[0].region_id = "cn-hangzhou";
    settings.targets[0].timeout_ms = 1;
    settings.targets[0].deadline_ms = 1;
    settings.targets[0].max_staleness_ms = 1;
    settings.targets[0].max_body_size = 1;
    settings.targets[0].concurrency = 9;
    settings.targets[0].page_size = 9;
    settings.targets[0].max_retries = 9;
    settings.targets[0].requests_per_second = 9;
    settings.targets[0].select.name = ""; /* not set is not set */
    remake(&set, &settings, T0 + 100);
    assert_true(set.watches[0].timetable.due_mono_ms == T0 + 45678);
    assert_false(set.watches[0].outdated);
    assert_string_equal(set.watches[0].target->name, "renamed");
    watch_set_release(&set);
}

/* Once outdated, a refresh under way stays so over further reloads. */
static void test_outdated_stays(void **state)
{
    struct fake_settings settings;
    struct watch_set set;

    (void)state;
    fake_settings_init(&settings, 1);
    set = make(&settings, NULL, T0);
    set.watches[0].running = true;
    settings.targets[0].endpoint = "https://two";
    remake(&set, &settings, T0 + 1);
    remake(&set, &settings, T0 + 2);
    assert_true(set.watches[0].outdated);
    settings.targets[0].endpoint = "https://one";
    remake(&set, &settings, T0 + 3);
    assert_true(set.watches[0].outdated);
    watch_set_release(&set);
}

static void test_interval(void **state)
{
    struct fake_settings settings;
    struct watch_set set;

    (void)state;
    fake_settings_init(&settings, 1);
    set = make(&settings, NULL, T0);
    age(&set.watches[0]);
    settings.targets[0].interval_ms = 1000;
    settings.targets[0].max_backoff_ms = 2000;
    remake(&set, &settings, T0 + 100);
    assert_int_equal(set.watches[0].timetable.interval_ms, 1000);
    assert_int_equal(set.watches[0].timetable.max_backoff_ms, 2000);
    assert_in_range(set.watches[0].timetable.due_mono_ms, T0 + 101, T0 + 1100);
    watch_set_release(&set);
}

static void test_one_goes_one_comes(void **state)
{
    struct fake_settings settings, other;
    struct watch_set set;
    uint64_t first, second;

    (void)state;
    fake_settings_init(&settings, 2);
    set = make(&settings, NULL, T0);
    age(&set.watches[1]);
    first = set.watches[0].id;
    second = set.watches[1].id;
    /* n0 goes, n2 comes, n1 moves to the front. */
    other = settings;
    other.targets[0] = settings.targets[1];
    other.namespaces[0][0] = "n1";
    other.namespaces[1][0] = "n2";
    remake(&set, &other, T0 + 100);
    assert_int_equal(set.n_watches, 2);
    assert_null(watch_find(&set, first));
    assert_ptr_equal(watch_find(&set, second), &set.watches[0]);
    assert_true(set.watches[0].timetable.due_mono_ms == T0 + 45678);
    assert_in_range(set.watches[1].timetable.due_mono_ms, T0 + 100, T0 + 300);
    assert_true(set.watches[1].id > second);
    /* Who comes back is somebody new: a result for the old one must not be taken for its own. */
    remake(&set, &settings, T0 + 200);
    assert_null(watch_find(&set, first));
    assert_true(set.watches[0].id > second + 1);
    /* The same name in another workspace is another namespace. */
    settings.targets[1].workspace = "v";
    remake(&set, &settings, T0 + 300);
    assert_null(watch_find(&set, second));
    watch_set_release(&set);
}

/* A key that changed is another provider, for those that use it. */
static void test_credentials(void **state)
{
    struct fake_settings settings;
    struct watch_set set;
    struct credentials *kept;

    (void)state;
    fake_settings_init(&settings, 2);
    settings.n_credentials = 2;
    settings.credentials_of[1] = 1;
    set = make(&settings, NULL, T0);
    age(&set.watches[0]);
    age(&set.watches[1]);
    kept = set.credentials.items[1];
    settings.credentials[0].access_key_id = "changed";
    remake(&set, &settings, T0 + 100);
    assert_ptr_equal(set.credentials.items[1], kept);
    assert_true(set.watches[0].timetable.due_mono_ms == T0 + 100);
    assert_true(set.watches[1].timetable.due_mono_ms == T0 + 45678);
    assert_int_equal(fake_credentials_alive(), 2);
    /* Wherever they stand in the file. */
    settings.credentials[1] = settings.credentials[0];
    settings.credentials[0] = (struct credentials_spec){.name = "other", .access_key_id = "b"};
    settings.credentials_of[0] = 1;
    settings.credentials_of[1] = 0;
    age(&set.watches[0]);
    remake(&set, &settings, T0 + 200);
    assert_ptr_equal(set.credentials.items[0], kept);
    assert_true(set.watches[0].timetable.due_mono_ms == T0 + 45678);
    assert_true(set.watches[1].timetable.due_mono_ms == T0 + 45678);
    watch_set_release(&set);
}

/* Those that no target names are not made: nobody fetches keys for them. */
static void test_unused_credentials(void **state)
{
    struct fake_settings settings;
    struct watch_set set;

    (void)state;
    fake_settings_init(&settings, 1);
    settings.n_credentials = 2;
    settings.credentials_of[0] = 1;
    set = make(&settings, NULL, T0);
    assert_int_equal(fake_credentials_alive(), 1);
    assert_null(set.credentials.items[0]);
    assert_ptr_equal(set.watches[0].credentials, set.credentials.items[1]);
    /* Unless one that is used takes its keys from them. */
    settings.credentials[1].provider = CREDENTIALS_RAM_ROLE_ARN;
    settings.credentials[1].source = "key";
    remake(&set, &settings, T0 + 100);
    assert_int_equal(fake_credentials_alive(), 2);
    assert_non_null(set.credentials.items[0]);
    watch_set_release(&set);
}

/* --- collectors --- */

#define ALL (1u << COLLECTOR_DEPLOYMENTS | 1u << COLLECTOR_DRAFTS | 1u << COLLECTOR_TICKETS)

static void test_a_watch_for_each_collector(void **state)
{
    struct fake_settings settings;
    struct watch_set set;
    uint64_t drafts, tickets;

    (void)state;
    fake_settings_init(&settings, 2);
    settings.targets[0].collectors = ALL;
    settings.targets[1].collectors = 1u << COLLECTOR_DRAFTS | 1u << COLLECTOR_JOBS;
    set = make(&settings, NULL, T0);
    assert_int_equal(set.n_watches, 5);
    assert_int_equal(set.watches[4].collector, COLLECTOR_JOBS);
    assert_int_equal(set.watches[4].entry, 1);
    assert_int_equal(set.n_entries, 2);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(set.watches[i].collector, i);
        assert_int_equal(set.watches[i].entry, 0);
        assert_string_equal(set.watches[i].namespace_name, "n0");
        /* Their turns are not the same. */
        assert_true(i == 0 ||
                    set.watches[i].timetable.phase_ms != set.watches[i - 1].timetable.phase_ms);
    }
    assert_int_equal(set.watches[3].collector, COLLECTOR_DRAFTS);
    assert_int_equal(set.watches[3].entry, 1);
    assert_string_equal(set.entries[1].namespace_name, "n1");
    /* One goes, the others stay who they are; the one that comes back is somebody new. */
    drafts = set.watches[1].id;
    tickets = set.watches[2].id;
    age(&set.watches[2]);
    settings.targets[0].collectors &= ~(1u << COLLECTOR_DRAFTS);
    remake(&set, &settings, T0 + 1);
    assert_int_equal(set.n_watches, 4);
    assert_null(watch_find(&set, drafts));
    assert_ptr_equal(watch_find(&set, tickets), &set.watches[1]);
    assert_true(set.watches[1].timetable.due_mono_ms == T0 + 45678);
    settings.targets[0].collectors = ALL;
    remake(&set, &settings, T0 + 2);
    assert_true(set.watches[1].id > tickets);
    watch_set_release(&set);
}

static const char *const one_name[] = {"a"};
static const char *const other_name[] = {"b"};
static const struct target_ticket ticket_a[] = {{"n0", "a"}};
static const struct target_ticket ticket_b[] = {{"n0", "b"}};

/* What each setting has to do with whom. */
static void test_who_reads_differently(void **state)
{
    static const char *const info[] = {"*info", "*_cpu_cores", "*_bytes", "*parallelism",
                                       "*max_slots"};
    enum { NAMES, OTHER_NAMES, DENY, LABEL, MAX, TICKETS, OTHER_TICKETS, DIR, TTL, MOST, END };
    static const unsigned who[END] = {
        [NAMES] = 1u << COLLECTOR_DEPLOYMENTS,
        [OTHER_NAMES] = 1u << COLLECTOR_DEPLOYMENTS,
        [DENY] = 1u << COLLECTOR_DEPLOYMENTS,
        [LABEL] = 1u << COLLECTOR_DEPLOYMENTS,
        [MAX] = 1u << COLLECTOR_DEPLOYMENTS | 1u << COLLECTOR_DRAFTS,
        [TICKETS] = 1u << COLLECTOR_TICKETS,
        [OTHER_TICKETS] = 1u << COLLECTOR_TICKETS,
        [DIR] = 1u << COLLECTOR_TICKETS,
        [TTL] = 1u << COLLECTOR_TICKETS,
        [MOST] = 1u << COLLECTOR_TICKETS,
    };

    (void)state;
    for (int change = 0; change < END; change++) {
        struct fake_settings settings;
        struct target *t = &settings.targets[0];
        struct watch_set set;

        fake_settings_init(&settings, 1);
        t->collectors = ALL;
        t->deployment_names = one_name;
        t->n_deployment_names = change != NAMES;
        t->tickets = ticket_a;
        t->n_tickets = change != TICKETS;
        set = make(&settings, NULL, T0);
        for (size_t i = 0; i < 3; i++)
            age(&set.watches[i]);
        t->n_deployment_names = t->n_tickets = 1;
        t->deployment_names = change == OTHER_NAMES ? other_name : one_name;
        t->tickets = change == OTHER_TICKETS ? ticket_b : ticket_a;
        settings.deny = (struct glob_list){.patterns = info, .n_patterns = change == DENY ? 5 : 0};
        t->select.label_key = change == LABEL ? "k" : NULL;
        t->max_deployments += change == MAX;
        t->ticket_dir = change == DIR ? "spool" : "";
        t->ticket_ttl_ms += change == TTL;
        t->max_tickets += change == MOST;
        remake(&set, &settings, T0 + 100);
        for (size_t i = 0; i < 3; i++) {
            bool due = set.watches[i].timetable.due_mono_ms == T0 + 100;

            if (due != !!(who[change] & (1u << set.watches[i].collector)))
                fail_msg("change %d, collector %zu", change, i);
        }
        watch_set_release(&set);
    }
}

/* --- no memory --- */

static void test_no_memory(void **state)
{
    struct fake_settings settings, other;
    struct watch_set set;
    size_t n = 1;

    (void)state;
    fake_settings_init(&settings, 2);
    settings.n_credentials = 2;
    settings.credentials_of[1] = 1;
    set = make(&settings, NULL, T0);
    age(&set.watches[0]);
    other = settings;
    other.targets[0].endpoint = "https://two";
    other.credentials[1].access_key_id = "changed";
    for (;; n++) {
        CLEANUP(conf_unrefp) struct conf *conf = fake_conf_new(&other);
        struct watch_set made = {0};
        struct err err = {0};
        int rc;

        alloc_fail_at(n);
        rc = watch_set_make(conf, &set, NULL, T0, &next_id, &made, &err);
        alloc_fail_off();
        if (alloc_fail_count() < n) {
            assert_int_equal(rc, 0);
            watch_set_release(&made);
            break;
        }
        assert_int_equal(rc, -1);
        assert_int_equal(err.kind, ERR_NOMEM);
        assert_null(made.conf);
        assert_int_equal(fake_credentials_alive(), 2);
        assert_true(set.watches[0].timetable.due_mono_ms == T0 + 45678);
        assert_false(set.watches[0].outdated);
    }
    assert_true(n > 3);
    watch_set_release(&set);
}

/* --- the lists of a status --- */

enum {
    FAILED = 1u << STATUS_FAILED,
    ENDED = 1u << STATUS_CANCELLED | 1u << STATUS_FINISHED,
};

static void test_lists_take_turns(void **state)
{
    struct watch w = {.asks_status = true};

    (void)state;
    for (int turn = 0; turn < 3; turn++)
        for (int i = 0; i < 10; i++) {
            assert_int_equal(watch_status_lists(&w), i == 0 ? FAILED | ENDED : FAILED);
            watch_note_lists(&w, watch_status_lists(&w), false, false);
        }
    /* A status that is open now is asked for once. */
    watch_note_lists(&w, watch_status_lists(&w), false, true);
    assert_int_equal(watch_status_lists(&w), FAILED | ENDED);
    watch_note_lists(&w, watch_status_lists(&w), false, false);
    for (int i = 0; i < 9; i++) {
        assert_int_equal(watch_status_lists(&w), FAILED);
        watch_note_lists(&w, FAILED, i % 2, false); /* what failed is another list */
    }
    /* What could not be read is tried again. */
    for (int i = 0; i < 5; i++) {
        assert_int_equal(watch_status_lists(&w), FAILED | ENDED);
        watch_note_lists(&w, FAILED | ENDED, true, false);
    }
    w.asks_status = false;
    assert_int_equal(watch_status_lists(&w), 0);
}

static void test_lists_over_a_reload(void **state)
{
    static const char *const pattern = "aliyun_flink_deployment_status";
    struct fake_settings settings;
    struct watch_set set;

    (void)state;
    fake_settings_init(&settings, 1);
    settings.targets[0].collectors |= 1u << COLLECTOR_DRAFTS;
    set = make(&settings, NULL, T0);
    assert_int_equal(watch_status_lists(&set.watches[0]), FAILED | ENDED);
    assert_int_equal(watch_status_lists(&set.watches[1]), 0); /* drafts have none */
    watch_note_lists(&set.watches[0], FAILED | ENDED, false, false);
    age(&set.watches[0]);
    remake(&set, &settings, T0);
    assert_int_equal(watch_status_lists(&set.watches[0]), FAILED);
    assert_true(set.watches[0].timetable.due_mono_ms == T0 + 45678);
    settings.deny = (struct glob_list){.patterns = &pattern, .n_patterns = 1};
    remake(&set, &settings, T0);
    assert_int_equal(watch_status_lists(&set.watches[0]), 0);
    age(&set.watches[0]);
    settings.deny.n_patterns = 0;
    remake(&set, &settings, T0);
    assert_int_equal(watch_status_lists(&set.watches[0]), FAILED | ENDED);
    assert_true(set.watches[0].timetable.due_mono_ms == T0);
    watch_set_release(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_lists_take_turns, nothing_is_left),
        cmocka_unit_test_teardown(test_lists_over_a_reload, nothing_is_left),
        cmocka_unit_test_teardown(test_first, nothing_is_left),
        cmocka_unit_test_teardown(test_one_namespace_is_due_at_once, nothing_is_left),
        cmocka_unit_test_teardown(test_spread_ends_with_the_interval, nothing_is_left),
        cmocka_unit_test_teardown(test_no_namespaces, nothing_is_left),
        cmocka_unit_test_teardown(test_the_same_again, nothing_is_left),
        cmocka_unit_test_teardown(test_reads_differently, nothing_is_left),
        cmocka_unit_test_teardown(test_reads_the_same, nothing_is_left),
        cmocka_unit_test_teardown(test_outdated_stays, nothing_is_left),
        cmocka_unit_test_teardown(test_interval, nothing_is_left),
        cmocka_unit_test_teardown(test_one_goes_one_comes, nothing_is_left),
        cmocka_unit_test_teardown(test_credentials, nothing_is_left),
        cmocka_unit_test_teardown(test_unused_credentials, nothing_is_left),
        cmocka_unit_test_teardown(test_a_watch_for_each_collector, nothing_is_left),
        cmocka_unit_test_teardown(test_who_reads_differently, nothing_is_left),
        cmocka_unit_test_teardown(test_no_memory, nothing_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
