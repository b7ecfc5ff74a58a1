/*
 * The control path /_sim: what tests see and change. No signature, loopback only.
 *
 *   GET /_sim                      everything in numbers; with ?deployments=NAMESPACE the next one
 *   GET /_sim/deployments/NAME     a JSON list: the full truth about each deployment
 *   GET /_sim/drafts/NAME          a JSON list: each draft, and in "_sim" what is true of it
 *   GET /_sim/tickets/NAME         a JSON list: each deploy ticket
 *   GET /_sim/removed/NAME         a JSON list: what is left of removed deployments
 *   GET /_sim/log[?since=SEQ]      a JSON list of the last 2000 requests
 *   POST /_sim                     a JSON object; all of it is checked before any of it is done,
 * and the answer is that of GET /_sim
 *
 *   {"faults": ["status:code=503", ...]}        the set of faults; [] clears it
 *   {"add": [{...}, ...], "namespace": "x"}     deployments appear; without "namespace" they go
 * where their own member says, else to the first namespace
 *   {"remove": ["id", ...]}
 *   {"set_summary": {"id": {...}|null|"missing"}}     silently: the ledger does not count it
 *   {"set_status": {"id": "FAILED"|null}}             of the newest job
 *   {"set_restarts": {"id": N}}                       of the newest job, if it runs
 *   {"set_failure": {"id": {"reason", "message", "failedAt"}}}     of the newest job, if it failed;
 * any of them
 *   {"rename": {"id": "new name"|null}}
 *   {"event": {"deploymentId": "id", "kind": "start|fail|cancel|finish|purge", "count": 1,
 *              "state": "..."}}, or a list of them: see deployment_event for state
 *   {"add_drafts": [{...}, ...]}       each to the namespace it names, else the first; one of the
 * same id is replaced
 *   {"remove_drafts": ["id", ...]}
 *   {"lock_drafts": {"id": {"holderId", "holderName"}|"name"|null}}      null unlocks
 *   {"edit_drafts": {"id": {"artifact": ...}}}         those members, as if saved by somebody
 *   {"tickets": [{"namespace", "id", "draft", "deployment", COURSE}, ...]}    all may be left out;
 * "deployment" is the deploymentId of a success that releases no draft
 *   {"ticket_course": {COURSE}|null}                   of tickets that clients make
 * COURSE: "polls": N and "time": "2s", whichever is over first, else ticket_polls and ticket_time;
 * "end": "FINISHED|FAILED", "success": true, "message", "validation_result",
 * "validation_success": true, "errors": [{"line", "column", "end_line", "end_column", "message"}];
 * one error is shown as an object, several as a list
 *   {"ticket_polls": N|null}, {"ticket_time": "2s"|null}     N polls find it executing; 2 and null
 *   {"patch": "replace|merge"}                         members that a PATCH leaves out
 *   {"ignore_locks": true}, {"missing_name": "empty|error"}
 *   {"latency": "20ms"}, {"rate_limit": 100}, {"churn": 2.5}, {"clock_offset": "-20m"}
 *   {"options": {"access_denied_as": "gateway|business", "bad_page_as": "gateway|business",
 *                "throttle_status": 429|400, "verify": true}}
 *   {"credentials": {"access_key_id", "access_key_secret", "security_token"}}: any of them; the
 * token before becomes an expired one
 *   {"sts": {"mode": "ok|fail|deny|malformed|hang", "lifetime_s": N|null, "oidc_token": "..."}}
 *   {"metadata": {"mode": the same or "v1-only|no-role", "role": "FlinkMonRole", "lifetime_s": N}}
 *   {"credentials_uri": {"mode": as for sts, "lifetime_s": N}}     see endpoints.h; oidc_token is
 * the one that STS takes, "" for any; lifetime_s null gives what was asked for, or an hour
 *   {"expire_issued": true}                           all keys that were handed out
 *   {"reset_counters": true}
 */
#ifndef SIMULATOR_CONTROL_H
#define SIMULATOR_CONTROL_H

#include <stdbool.h>

#include "reply.h"
#include "simulator.h"
#include "verify.h"

bool control_is_path(const char *raw_path);

void control_answer(struct simulator *s, const struct verify_request *request, struct reply *r);

#endif
