#include "command.h"

#include "base/cleanup.h"
#include "conf/check.h"

static const struct flag deployments_flags[] = {
    {"status", "STATUS", FLAG_STATUS,
     "Only those whose newest job is RUNNING, FAILED, CANCELLED, FINISHED or TRANSITIONING."},
    {"execution-mode", "MODE", FLAG_EXECUTION_MODE, "Only those of this mode: STREAMING or BATCH."},
    {"label", "KEY=VALUE", FLAG_LABEL,
     "Only those with this label. Again with the same key: any of the values."},
};

static const struct flag deployment_flags[] = {
    {"ignore-job-summary", NULL, FLAG_IGNORE_JOB_SUMMARY, "Do not ask for counts of jobs."},
    {"ignore-resource-setting", NULL, FLAG_IGNORE_RESOURCE_SETTING,
     "Do not ask for resource settings, which can be large."},
};

static const struct flag update_flags[] = {
    {"file", "FILE", FLAG_FILE, "The changes, a JSON object; - reads standard input."},
    {"dry-run", NULL, FLAG_DRY_RUN, "Show what would change and send nothing."},
    {"force", NULL, FLAG_FORCE, "Go on although somebody holds the lock."},
    {"yes", NULL, FLAG_YES, "Do not ask."},
};

static const struct flag wait_flags[] = {
    {"timeout", "DURATION", FLAG_TIMEOUT,
     "Give up after this long, with exit code 3 (default 10m)."},
};

static const struct flag track_flags[] = {
    {"draft", "ID", FLAG_DRAFT, "The draft that is deployed, for the metrics."},
};

#define FLAGS(table)              \
    {                             \
        (table), ARRAY_LEN(table) \
    }

const struct command commands[] = {
    {"deployments", "", FLAGS(deployments_flags), "List deployments.",
     "A row for each deployment of the namespace: how many jobs it has on record by state, "
     "whether\n"
     "it was changed since it was last started, and when. Job counts are history: a failed job\n"
     "is counted until somebody deletes it. The filters are applied by the control plane.\n",
     run_deployments},
    {"deployment", "NAME", FLAGS(deployment_flags), "Show the deployments that have a name.",
     "Names are not unique: all that have exactly this name are shown, the newest first. With\n"
     "--output=json they are shown whole, as the control plane gave them. Exit code 1 if nobody\n"
     "has the name.\n",
     run_deployment},
    {"drafts",
     "",
     {NULL, 0},
     "List deployment drafts.",
     "A row for each draft of the namespace: the deployment it was last deployed to, and who\n"
     "holds its edit lock.\n",
     run_drafts},
    {"draft get",
     "ID",
     {NULL, 0},
     "Show a draft.",
     "Every field and its value; with --output=json the whole object, exactly as it is. Values\n"
     "of variables are shown, too.\n",
     run_draft_get},
    {"draft update", "ID", FLAGS(update_flags), "Change fields of a draft.",
     "FILE holds a JSON object with the fields to change, everything else stays as it is (a JSON\n"
     "merge patch, RFC 7386): objects are merged, null removes a field, anything else, lists too,\n"
     "takes the place of what was there. For example\n\n"
     "    {\"engineVersion\": \"vvr-8.0.9-flink-1.17\", \"labels\": {\"team\": \"orders\", "
     "\"old\": null}}\n\n"
     "Shows what would change and asks; without a terminal it needs --yes. Refuses while anybody\n"
     "holds the edit lock (--force goes on; your own lock counts, too: a key does not know whose\n"
     "it is), and if the draft changed meanwhile. Sends the whole draft with the changes in it,\n"
     "reads it back, and ends with exit code 1 if anything else changed or a change did not take.\n"
     "This changes the draft only: nothing is deployed.\n",
     run_draft_update},
    {"ticket get",
     "ID",
     {NULL, 0},
     "Show the state of a deploy ticket.",
     "What the control plane says of the ticket now. Exit code 0 whatever that is.\n",
     run_ticket_get},
    {"ticket wait", "ID", FLAGS(wait_flags), "Wait until a deploy ticket ends.",
     "Asks every few seconds. Errors of the validation are shown as line:column: message. Exit\n"
     "code 0 only if the ticket ended with success; 1 if it failed, or the API did; 3 if it did "
     "not\n"
     "end in time. An API that fails for a while is waited out, and so is a ticket that nobody\n"
     "knows in its first 30 seconds.\n",
     run_ticket_wait},
    {"ticket track", "ID", FLAGS(track_flags), "Have the exporter follow a deploy ticket.",
     "Puts a file named after the ticket into the target's ticket_dir. The exporter shows the\n"
     "ticket in its metrics from its next refresh on and removes the file some time after the\n"
     "ticket has ended.\n",
     run_ticket_track},
    {"check",
     "",
     {NULL, 0},
     "Check the configuration file.",
     "Prints every problem as file:line: message, like the exporter's --config.check. Exit code 0\n"
     "if there are none, else 1. Asks nobody.\n",
     run_check},
    {"diagnose",
     "",
     {NULL, 0},
     "Find out why the API does not answer as it should.",
     "For the namespaces selected: name service, connection, TLS, clock, credentials, permission\n"
     "for each operation, number of pages and calls an hour, and the least RAM policy. Reads "
     "only.\n"
     "Exit code 1 if a step failed.\n",
     run_diagnose},
};

const size_t n_commands = ARRAY_LEN(commands);

enum exit_code run_check(const struct options *options)
{
    return conf_check(options->config_file) < 0 ? CTL_FAILED : CTL_DONE;
}
