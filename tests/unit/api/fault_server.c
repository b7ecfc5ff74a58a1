#include "fault_server.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVER         AFE_SOURCE_DIR "/tests/integration/api/fault_server.py"
#define MANY_ADDRESSES 32

extern char **environ;

static struct {
    pid_t pid;
    int to_server; /* the server ends when this is closed */
    struct {
        char name[24];
        int port;
    } ports[MANY_ADDRESSES];
    size_t n_ports;
    char ca[256];
} server;

static void read_ports(FILE *from_server)
{
    char line[512];

    while (fgets(line, sizeof(line), from_server)) {
        char name[24], value[256];
        if (strcmp(line, "ready\n") == 0)
            return;
        assert_int_equal(sscanf(line, "%23s %255s", name, value), 2);
        if (strcmp(name, "ca") == 0) {
            snprintf(server.ca, sizeof(server.ca), "%s", value);
            continue;
        }
        assert_true(server.n_ports < MANY_ADDRESSES);
        snprintf(server.ports[server.n_ports].name, sizeof(server.ports[0].name), "%s", name);
        server.ports[server.n_ports++].port = atoi(value);
    }
    fail_msg("%s did not start", SERVER);
}

int fault_server_start(void **state)
{
    char *const argv[] = {(char[]){"python3"}, (char[]){SERVER}, NULL};
    int in[2], out[2];
    posix_spawn_file_actions_t actions;

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    int rc = posix_spawnp(&server.pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    if (rc != 0)
        return -1;
    server.to_server = in[1];
    FILE *from_server = fdopen(out[0], "r");
    read_ports(from_server);
    fclose(from_server);
    return 0;
}

int fault_server_stop(void **state)
{
    int status;

    (void)state;
    close(server.to_server);
    waitpid(server.pid, &status, 0);
    return 0;
}

int fault_server_port(const char *name)
{
    for (size_t i = 0; i < server.n_ports; i++)
        if (strcmp(server.ports[i].name, name) == 0)
            return server.ports[i].port;
    fail_msg("no port %s", name);
    return 0;
}

const char *fault_server_ca(void)
{
    return server.ca;
}
