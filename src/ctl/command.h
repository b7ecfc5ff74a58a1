/*
 * The commands: names, arguments, flags, help, and what runs them. One table.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include "base/flags.h"
#include "options.h"

/* What the program ends with; scripts rely on it. */
enum exit_code {
    CTL_DONE = 0,
    CTL_FAILED = 1, /* the API, or the thing asked about */
    CTL_USAGE = 2,
    CTL_TIMED_OUT = 3,
};

struct command {
    const char *name;      /* "draft get": one or two words */
    const char *arguments; /* one word each, "" = none; all of them are needed */
    struct flag_table flags;
    const char *summary; /* one line */
    const char *details; /* of its own help */
    enum exit_code (*run)(const struct options *options);
};

extern const struct command commands[];
extern const size_t n_commands;

/* Every flag a command has of its own. */
enum command_flag_id {
    FLAG_STATUS = 100,
    FLAG_EXECUTION_MODE,
    FLAG_LABEL,
    FLAG_IGNORE_JOB_SUMMARY,
    FLAG_IGNORE_RESOURCE_SETTING,
    FLAG_FILE,
    FLAG_DRY_RUN,
    FLAG_FORCE,
    FLAG_YES,
    FLAG_TIMEOUT,
    FLAG_DRAFT,
};

/*
 * The answer goes to stdout, what went wrong to stderr. Each is run once, by main, with no thread
 * but its own.
 */
enum exit_code run_check(const struct options *options);
enum exit_code run_deployments(const struct options *options);
enum exit_code run_deployment(const struct options *options);
enum exit_code run_diagnose(const struct options *options);
enum exit_code run_drafts(const struct options *options);
enum exit_code run_draft_get(const struct options *options);
enum exit_code run_draft_update(const struct options *options);
enum exit_code run_ticket_get(const struct options *options);
enum exit_code run_ticket_wait(const struct options *options);
enum exit_code run_ticket_track(const struct options *options);

#endif
