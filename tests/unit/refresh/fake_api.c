#include "fake_api.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/client.h"
#include "api/credentials.h"
#include "base/clock.h"

/* --- configuration --- */

struct fake_conf {
    struct conf conf; /* first: a struct conf is what the rest of the world sees */
    atomic_int refs;
    struct fake_settings settings;
};

static atomic_int confs_alive, credentials_alive;

void fake_settings_init(struct fake_settings *settings, size_t n)
{
    static char names[FAKE_TARGETS][2][24];

    memset(settings, 0, sizeof(*settings));
    settings->n_targets = n;
    settings->n_credentials = 1;
    settings->credentials[0] = (struct credentials_spec){.name = "key", .access_key_id = "a"};
    settings->credentials[1] = (struct credentials_spec){.name = "other", .access_key_id = "b"};
    for (size_t i = 0; i < n; i++) {
        if (names[i][0][0] == '\0') { /* threads may be reading them already */
            snprintf(names[i][0], sizeof(names[i][0]), "t%zu", i);
            snprintf(names[i][1], sizeof(names[i][1]), "n%zu", i);
        }
        settings->namespaces[i][0] = names[i][1];
        settings->targets[i] = (struct target){
            .name = names[i][0],
            .region_id = "",
            .endpoint = "https://one",
            .host = "one",
            .workspace = "w",
            .n_namespaces = 1,
            .collectors = 1u << COLLECTOR_DEPLOYMENTS,
            .proxy_url = "",
            .interval_ms = 60000,
            .deadline_ms = 300000,
            .max_staleness_ms = 300000,
            .max_backoff_ms = 300000,
            .max_deployments = 100000,
            .max_job_requests = 100,
            .ticket_dir = "",
            .ticket_ttl_ms = 3600000,
            .max_tickets = 100,
        };
    }
}

struct conf *fake_conf_new(const struct fake_settings *settings)
{
    struct fake_conf *fake = calloc(1, sizeof(*fake));

    if (!fake)
        return NULL;
    fake->settings = *settings;
    for (size_t i = 0; i < settings->n_targets; i++) {
        fake->settings.targets[i].namespaces = fake->settings.namespaces[i];
        fake->settings.targets[i].credentials =
            &fake->settings.credentials[settings->credentials_of[i]];
    }
    fake->conf = (struct conf){
        .path = "fake.cfg",
        .targets = fake->settings.targets,
        .n_targets = settings->n_targets,
        .credentials = fake->settings.credentials,
        .n_credentials = settings->n_credentials,
        .deny = settings->deny,
        .aggregation = settings->aggregation,
        .draft_lock_holder = settings->draft_lock_holder,
    };
    atomic_init(&fake->refs, 1);
    atomic_fetch_add(&confs_alive, 1);
    return &fake->conf;
}

int fake_confs_alive(void)
{
    return atomic_load(&confs_alive);
}

struct conf *conf_ref(struct conf *conf)
{
    atomic_fetch_add(&((struct fake_conf *)conf)->refs, 1);
    return conf;
}

void conf_unref(struct conf *conf)
{
    if (!conf || atomic_fetch_sub(&((struct fake_conf *)conf)->refs, 1) != 1)
        return;
    atomic_fetch_sub(&confs_alive, 1);
    free(conf);
}

void conf_unrefp(struct conf **conf)
{
    conf_unref(*conf);
}

/* --- credentials --- */

struct credentials {
    atomic_int refs;
    struct credentials_spec spec;
};

int credentials_new(const struct credentials_spec *spec, struct credentials *source,
                    struct api_session *session, struct credentials **ret, struct err *err)
{
    struct credentials *c = calloc(1, sizeof(*c));

    (void)source;
    (void)session;
    if (!c)
        return err_nomem(err, "credentials");
    atomic_init(&c->refs, 1);
    c->spec = *spec;
    atomic_fetch_add(&credentials_alive, 1);
    *ret = c;
    return 0;
}

int fake_credentials_alive(void)
{
    return atomic_load(&credentials_alive);
}

struct credentials *credentials_ref(struct credentials *c)
{
    atomic_fetch_add(&c->refs, 1);
    return c;
}

void credentials_unref(struct credentials *c)
{
    if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    atomic_fetch_sub(&credentials_alive, 1);
    free(c);
}

void credentials_stop(struct credentials *c)
{
    (void)c;
}

bool credentials_same(const struct credentials *c, const struct credentials_spec *spec,
                      const struct credentials *source)
{
    (void)source;
    return c->spec.provider == spec->provider && strcmp(c->spec.name, spec->name) == 0 &&
           strcmp(c->spec.access_key_id, spec->access_key_id) == 0;
}

/* --- the control plane --- */

#define NAMES   256
#define TICKETS 64
#define JOBS    1024

struct api_client {
    bool stopped; /* under mu */
};

static struct {
    pthread_mutex_t mu;
    pthread_cond_t changed;
    struct {
        char name[32];
        enum fake_mode mode;
        size_t n_items;
        int64_t jobs[JOB_STATE_END];
        struct fake_seen seen;
    } names[NAMES];
    size_t n_names;
    enum fake_mode usual_mode;
    int64_t delay_ms;
    bool refuse_clients;
    unsigned running, most_running;
    struct {
        char id[TICKET_ID_MAX + 1];
        enum err_kind kind;
        enum ticket_status status;
        int8_t success;
        unsigned asked;
    } tickets[TICKETS];
    size_t n_tickets;
    struct {
        char id[32];
        enum err_kind kind;
        struct deployment_jobs jobs;
        unsigned asked;
    } jobs[JOBS];
    size_t n_jobs;
    int64_t running_jobs; /* of each deployment */
} fake = {.mu = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

void fake_reset(void)
{
    pthread_mutex_lock(&fake.mu);
    memset(fake.names, 0, sizeof(fake.names));
    fake.n_names = 0;
    memset(fake.tickets, 0, sizeof(fake.tickets));
    fake.n_tickets = 0;
    memset(fake.jobs, 0, sizeof(fake.jobs));
    fake.n_jobs = 0;
    fake.running_jobs = 0;
    fake.usual_mode = FAKE_SUCCEED;
    fake.delay_ms = 0;
    fake.refuse_clients = false;
    fake.running = fake.most_running = 0;
    pthread_mutex_unlock(&fake.mu);
}

/* Index of a name; names are added as they come. Under mu. */
static size_t find(const char *name)
{
    size_t i = 0;

    while (i < fake.n_names && strcmp(fake.names[i].name, name) != 0)
        i++;
    if (i == fake.n_names) {
        if (fake.n_names == NAMES)
            abort();
        snprintf(fake.names[i].name, sizeof(fake.names[i].name), "%s", name);
        fake.names[i].mode = fake.usual_mode;
        fake.names[i].n_items = 1;
        fake.n_names++;
    }
    return i;
}

void fake_set_mode(const char *namespace_name, enum fake_mode mode)
{
    pthread_mutex_lock(&fake.mu);
    if (namespace_name) {
        fake.names[find(namespace_name)].mode = mode;
    } else {
        fake.usual_mode = mode;
        for (size_t i = 0; i < fake.n_names; i++)
            fake.names[i].mode = mode;
    }
    pthread_cond_broadcast(&fake.changed);
    pthread_mutex_unlock(&fake.mu);
}

void fake_set_items(const char *namespace_name, size_t n_items)
{
    pthread_mutex_lock(&fake.mu);
    fake.names[find(namespace_name)].n_items = n_items;
    pthread_mutex_unlock(&fake.mu);
}

void fake_set_summary(const char *namespace_name, int64_t running, int64_t failed,
                      int64_t cancelled)
{
    int64_t *jobs;

    pthread_mutex_lock(&fake.mu);
    jobs = fake.names[find(namespace_name)].jobs;
    jobs[JOB_RUNNING] = running;
    jobs[JOB_FAILED] = failed;
    jobs[JOB_CANCELLED] = cancelled;
    pthread_mutex_unlock(&fake.mu);
}

void fake_set_delay_ms(int64_t delay_ms)
{
    pthread_mutex_lock(&fake.mu);
    fake.delay_ms = delay_ms;
    pthread_mutex_unlock(&fake.mu);
}

void fake_refuse_clients(bool refuse)
{
    pthread_mutex_lock(&fake.mu);
    fake.refuse_clients = refuse;
    pthread_mutex_unlock(&fake.mu);
}

struct fake_seen fake_seen(const char *namespace_name)
{
    struct fake_seen seen;

    pthread_mutex_lock(&fake.mu);
    seen = fake.names[find(namespace_name)].seen;
    pthread_mutex_unlock(&fake.mu);
    return seen;
}

struct fake_seen fake_seen_all(void)
{
    struct fake_seen sum = {0};

    pthread_mutex_lock(&fake.mu);
    for (size_t i = 0; i < fake.n_names; i++) {
        sum.begun += fake.names[i].seen.begun;
        sum.ended += fake.names[i].seen.ended;
    }
    sum.running = fake.running;
    sum.most_running = fake.most_running;
    pthread_mutex_unlock(&fake.mu);
    return sum;
}

int api_client_new(struct api_session *session, struct api_client **ret, struct err *err)
{
    bool refuse;

    (void)session;
    pthread_mutex_lock(&fake.mu);
    refuse = fake.refuse_clients;
    pthread_mutex_unlock(&fake.mu);
    if (refuse)
        return err_set(err, ERR_INTERNAL, "no more clients");
    *ret = calloc(1, sizeof(**ret));
    return *ret ? 0 : err_nomem(err, "a client");
}

void api_client_free(struct api_client *client)
{
    free(client);
}

void api_client_stop(struct api_client *client)
{
    pthread_mutex_lock(&fake.mu);
    client->stopped = true;
    pthread_cond_broadcast(&fake.changed);
    pthread_mutex_unlock(&fake.mu);
}

void api_client_resume(struct api_client *client)
{
    pthread_mutex_lock(&fake.mu);
    client->stopped = false;
    pthread_mutex_unlock(&fake.mu);
}

void fake_set_running(int64_t running)
{
    pthread_mutex_lock(&fake.mu);
    fake.running_jobs = running;
    pthread_mutex_unlock(&fake.mu);
}

/* What a call is known by, and what becomes of it. */
struct call {
    const char *suffix;
    unsigned without;
    size_t n_items; /* how many it brings */
    int64_t jobs[JOB_STATE_END];
};

static int make_deployments(struct listing *listing, const int64_t *jobs, struct err *err)
{
    pthread_mutex_lock(&fake.mu);
    int64_t running = fake.running_jobs;
    pthread_mutex_unlock(&fake.mu);
    for (size_t i = 0; i < listing->n_items; i++) {
        char id[32];
        struct deployment *d = &listing->items[i];

        snprintf(id, sizeof(id), "id-%06zu", i);
        *d = (struct deployment){.id = arena_strdup(listing->arena, id)};
        if (!d->id)
            return err_nomem(err, "a listing");
        memcpy(d->jobs, jobs, sizeof(d->jobs));
        d->name = d->execution_mode = d->engine_version = d->artifact_kind = d->target = "";
        d->target_mode = d->resource_setting_mode = d->draft_id = "";
        if (running > 0)
            d->jobs[JOB_RUNNING] = running;
        if (i == 0)
            d->name = "first";
    }
    return 0;
}

static int make_drafts(struct listing *listing, struct err *err)
{
    for (size_t i = 0; i < listing->n_items; i++) {
        char id[32];
        struct draft *d = &listing->drafts[i];

        snprintf(id, sizeof(id), "draft-%06zu", i);
        *d = (struct draft){.id = arena_strdup(listing->arena, id)};
        if (!d->id)
            return err_nomem(err, "a listing");
        d->name = d->deployment_id = d->lock_holder = "";
        d->execution_mode = d->engine_version = d->artifact_kind = "";
    }
    return 0;
}

static int make_listing(enum record_kind kind, const struct call *call, struct listing **ret,
                        struct err *err)
{
    CLEANUP(listing_freep) struct listing *listing = listing_new();

    if (!listing)
        return err_nomem(err, "a listing");
    listing->kind = kind;
    listing->n_items = call->n_items;
    listing->pages = call->n_items > 100 ? (uint32_t)(call->n_items + 99) / 100 : 1;
    listing->records = arena_calloc(listing->arena, call->n_items, record_kind_size(kind));
    if (!listing->records)
        return err_nomem(err, "a listing");
    if (kind == RECORD_DRAFT ? make_drafts(listing, err)
                             : make_deployments(listing, call->jobs, err))
        return -1;
    *ret = TAKE(listing);
    return 0;
}

/* Under mu, which it lets go while it waits. */
static void wait_for_answer(const struct api_client *client, size_t name)
{
    while (fake.names[name].mode == FAKE_HANG && !client->stopped)
        pthread_cond_wait(&fake.changed, &fake.mu);
    if (fake.delay_ms > 0) {
        struct timespec delay = {.tv_nsec = (long)fake.delay_ms * 1000000};

        pthread_mutex_unlock(&fake.mu);
        nanosleep(&delay, NULL);
        pthread_mutex_lock(&fake.mu);
    }
}

static void note_begun(size_t name, const struct api_request *request)
{
    struct fake_seen *seen = &fake.names[name].seen;

    seen->begun++;
    seen->running++;
    if (seen->running > seen->most_running)
        seen->most_running = seen->running;
    fake.running++;
    if (fake.running > fake.most_running)
        fake.most_running = fake.running;
    snprintf(seen->endpoint, sizeof(seen->endpoint), "%s", request->target->endpoint);
    seen->deadline_left_ms = request->deadline_mono_ms - clock_mono_ms();
}

/* One call from its beginning to its end; -1 and err if it fails. */
static int go_through(struct api_client *client, const struct api_request *request,
                      enum operation operation, struct call *call, struct api_stats *stats,
                      struct err *err)
{
    char key[32];
    enum fake_mode mode;
    size_t name;
    bool stopped;

    snprintf(key, sizeof(key), "%s%s", request->namespace_name, call->suffix);
    pthread_mutex_lock(&fake.mu);
    name = find(key);
    note_begun(name, request);
    fake.names[name].seen.without = call->without;
    call->n_items = fake.names[name].n_items;
    memcpy(call->jobs, fake.names[name].jobs, sizeof(call->jobs));
    wait_for_answer(client, name);
    fake.names[name].seen.running--;
    fake.names[name].seen.ended++;
    fake.running--;
    mode = fake.names[name].mode;
    stopped = client->stopped;
    pthread_mutex_unlock(&fake.mu);

    api_stats_count(stats, operation, mode == FAKE_FAIL ? 500 : 200);
    if (stopped)
        return err_set(err, ERR_STOPPED, "stopped");
    if (mode == FAKE_FAIL)
        return err_set(err, ERR_HTTP, "status 500");
    return 0;
}

int api_client_list_deployments(struct api_client *client, const struct api_request *request,
                                struct listing **ret, struct api_stats *stats, struct err *err)
{
    const char *status = request->target->select.status;
    char suffix[24] = "";
    struct call call = {.suffix = suffix};

    if (status && *status)
        snprintf(suffix, sizeof(suffix), ":%s", status);
    if (go_through(client, request, OPERATION_LIST_DEPLOYMENTS, &call, stats, err) < 0)
        return -1;
    return make_listing(RECORD_DEPLOYMENT, &call, ret, err);
}

int api_client_list_deployments_by_name(struct api_client *client,
                                        const struct api_request *request, unsigned without,
                                        struct listing **ret, struct api_stats *stats,
                                        struct err *err)
{
    struct call call = {.suffix = ":names", .without = without};

    if (go_through(client, request, OPERATION_GET_DEPLOYMENTS_BY_NAME, &call, stats, err) < 0)
        return -1;
    return make_listing(RECORD_DEPLOYMENT, &call, ret, err);
}

int api_client_list_drafts(struct api_client *client, const struct api_request *request,
                           struct listing **ret, struct api_stats *stats, struct err *err)
{
    struct call call = {.suffix = ":drafts"};

    if (go_through(client, request, OPERATION_LIST_DEPLOYMENT_DRAFTS, &call, stats, err) < 0)
        return -1;
    return make_listing(RECORD_DRAFT, &call, ret, err);
}

/* Index of a ticket; they are added as they come. Under mu. */
static size_t find_ticket(const char *id)
{
    size_t i = 0;

    while (i < fake.n_tickets && strcmp(fake.tickets[i].id, id) != 0)
        i++;
    if (i == fake.n_tickets) {
        if (fake.n_tickets == TICKETS)
            abort();
        snprintf(fake.tickets[i].id, sizeof(fake.tickets[i].id), "%s", id);
        fake.tickets[i].success = -1;
        fake.n_tickets++;
    }
    return i;
}

void fake_set_ticket(const char *id, enum err_kind kind, enum ticket_status status, int8_t success)
{
    size_t i;

    pthread_mutex_lock(&fake.mu);
    i = find_ticket(id);
    fake.tickets[i].kind = kind;
    fake.tickets[i].status = status;
    fake.tickets[i].success = success;
    pthread_mutex_unlock(&fake.mu);
}

unsigned fake_ticket_asked(const char *id)
{
    unsigned asked;

    pthread_mutex_lock(&fake.mu);
    asked = fake.tickets[find_ticket(id)].asked;
    pthread_mutex_unlock(&fake.mu);
    return asked;
}

int api_client_get_ticket(struct api_client *client, const struct api_request *request,
                          const char *ticket_id, struct arena *arena, struct ticket_answer *ret,
                          json_value **data, struct api_stats *stats, struct err *err)
{
    struct call call = {.suffix = ":tickets"};
    enum err_kind kind;
    size_t i;

    (void)data;
    if (go_through(client, request, OPERATION_GET_DEPLOY_DEPLOYMENT_DRAFT_RESULT, &call, stats,
                   err) < 0)
        return -1;
    pthread_mutex_lock(&fake.mu);
    i = find_ticket(ticket_id);
    fake.tickets[i].asked++;
    kind = fake.tickets[i].kind;
    *ret = (struct ticket_answer){
        .status = fake.tickets[i].status,
        .status_text = "",
        .success = fake.tickets[i].success,
        .validated = fake.tickets[i].success,
        .deployment_id = arena_strdup(arena, "id-000000"),
        .message = "",
        .validation_result = "",
    };
    pthread_mutex_unlock(&fake.mu);
    if (kind != ERR_NONE)
        return err_set(err, kind, "as the test says");
    return ret->deployment_id ? 0 : err_nomem(err, "a ticket");
}

/* --- jobs --- */

/* Index of a deployment; they are added as they come. Under mu. */
static size_t find_jobs(const char *id)
{
    size_t i = 0;

    while (i < fake.n_jobs && strcmp(fake.jobs[i].id, id) != 0)
        i++;
    if (i == fake.n_jobs) {
        if (fake.n_jobs == JOBS)
            abort();
        snprintf(fake.jobs[i].id, sizeof(fake.jobs[i].id), "%s", id);
        fake.jobs[i].jobs = deployment_jobs_none(fake.jobs[i].id);
        fake.jobs[i].jobs.n_active = 1;
        fake.jobs[i].jobs.current_id = "job";
        fake.jobs[i].jobs.restarts = 0;
        fake.n_jobs++;
    }
    return i;
}

void fake_set_jobs(const char *deployment_id, enum err_kind kind,
                   const struct deployment_jobs *jobs)
{
    pthread_mutex_lock(&fake.mu);
    size_t i = find_jobs(deployment_id);
    fake.jobs[i].kind = kind;
    if (jobs)
        fake.jobs[i].jobs = *jobs;
    pthread_mutex_unlock(&fake.mu);
}

unsigned fake_jobs_asked(const char *deployment_id)
{
    pthread_mutex_lock(&fake.mu);
    unsigned asked = fake.jobs[find_jobs(deployment_id)].asked;
    pthread_mutex_unlock(&fake.mu);
    return asked;
}

/* One after the other; a failure of any other kind than those of one deployment ends it. */
int api_client_list_jobs(struct api_client *client, const struct api_request *request,
                         struct api_jobs_question *questions, size_t n, struct arena *arena,
                         struct err *ret_refused, struct api_stats *stats, struct err *err)
{
    (void)arena;
    *ret_refused = (struct err){.kind = ERR_NONE};
    *stats = (struct api_stats){0};
    for (size_t q = 0; q < n; q++)
        questions[q].fate = API_JOBS_UNASKED;
    for (size_t q = 0; q < n; q++) {
        struct call call = {.suffix = ":jobs"};

        if (go_through(client, request, OPERATION_LIST_JOBS, &call, stats, err) < 0)
            return -1;
        pthread_mutex_lock(&fake.mu);
        size_t i = find_jobs(questions[q].deployment_id);
        enum err_kind kind = fake.jobs[i].kind;
        fake.jobs[i].asked++;
        questions[q].jobs = fake.jobs[i].jobs;
        questions[q].asked_mono_ms = clock_mono_ms();
        questions[q].asked_unix_ms = clock_unix_ms();
        pthread_mutex_unlock(&fake.mu);
        questions[q].fate = kind == ERR_NONE        ? API_JOBS_ANSWERED
                            : kind == ERR_NOT_FOUND ? API_JOBS_ABSENT
                                                    : API_JOBS_REFUSED;
        if (kind == ERR_PARSE && ret_refused->kind == ERR_NONE)
            err_set(ret_refused, kind, "as the test says");
        if (kind != ERR_NONE && kind != ERR_NOT_FOUND && kind != ERR_PARSE)
            return err_set(err, kind, "as the test says");
    }
    return 0;
}
