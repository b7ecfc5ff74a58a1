/*
 * aliyun_flink_simulator: a double of the control-plane API on loopback.
 *
 * main reads the command line, makes the world, starts the server and the churn, and waits for a
 * signal. Everything else runs in the server's threads (server.h) and the churn's (churn.h).
 */
#include <signal.h>
#include <stdio.h>

#include "churn.h"
#include "options.h"
#include "server.h"

enum { EXIT_DONE = 0, EXIT_CANNOT = 1, EXIT_USAGE = 2 };

/* Before any thread exists, so that all of them inherit it: signals are for sigwait alone. */
static void block_signals(sigset_t *stop)
{
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(stop);
    sigaddset(stop, SIGTERM);
    sigaddset(stop, SIGINT);
    pthread_sigmask(SIG_BLOCK, stop, NULL);
}

static void announce(const struct server *server, const struct options *o)
{
    const struct settings *s = &o->conf.settings;
    printf("listening on http://%s\n", server_address(server));
    printf("access key id: %s\n", s->key_id);
    printf("access key secret: %s\n", s->key_secret);
    if (*s->token)
        printf("security token: %s\n", s->token);
    printf("workspace: %s\n", o->conf.world.workspace);
    fflush(stdout);
}

static int run(struct simulator *s, const struct options *o, const sigset_t *stop, struct err *err)
{
    struct server *server;
    struct churn churn;
    if (server_start(s, o->listen, &server, err) < 0)
        return -1;
    if (churn_start(&churn, s) < 0) {
        server_stop(server);
        return err_set(err, ERR_INTERNAL, "no thread for the churn");
    }
    announce(server, o);
    int signal_number;
    sigwait(stop, &signal_number);
    halt_stop(&s->halt);
    server_stop(server);
    churn_join(&churn);
    return 0;
}

static int simulate(const struct options *o)
{
    struct err err = {0};
    struct simulator *s;
    sigset_t stop;
    block_signals(&stop);
    if (simulator_new(&o->conf, &s, &err) < 0) {
        fprintf(stderr, "aliyun_flink_simulator: %s\n", err.msg);
        return EXIT_CANNOT;
    }
    int rc = run(s, o, &stop, &err);
    if (rc < 0)
        fprintf(stderr, "aliyun_flink_simulator: %s\n", err.msg);
    simulator_free(s);
    return rc < 0 ? EXIT_CANNOT : EXIT_DONE;
}

int main(int argc, char **argv)
{
    static struct options options; /* the faults make it large */
    struct err err = {0};
    if (options_parse(argc, argv, &options, &err) < 0) {
        fprintf(stderr, "aliyun_flink_simulator: %s\nTry --help.\n", err.msg);
        return EXIT_USAGE;
    }
    int rc = EXIT_DONE;
    if (options.help)
        options_print_help();
    else if (options.version)
        options_print_version();
    else
        rc = simulate(&options);
    options_release(&options);
    return rc;
}
