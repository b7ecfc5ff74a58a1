"""The four dashboards: what is on them, in the order in which it is read."""

from panels import (BAD_FROM_1, D, DEPLOYMENT, GOOD_FROM_1, INSTANCE, JOB, NAMESPACE, R, T, WORKSPACE, by, d,
                    dashboard, e, graph, rate, stat, t, table, timeline)

STATES = ("starting", "running", "cancelling")
STATUSES = ("running", "transitioning", "failed", "cancelled", "finished", "unknown")
DETAIL = ("/d/aliyun-flink-deployment?var-workspace=${__data.fields.workspace}"
          "&var-flink_namespace=${__data.fields.flink_namespace}&var-deployment=${__data.fields.deployment_id}")
ALIYUN = ("AliyunFlinkJobFailed", "AliyunFlinkJobFailing")
AGE = "time() - (" + by(T + ", collector", t("refresh_last_success_timestamp_seconds")) + " > 0)"
STATUS_COLOURS = {"running": "green", "transitioning": "blue", "failed": "red", "cancelled": "orange",
                  "finished": "purple", "unknown": "#808080"}


def growth(family, more="", window="$__range", select=t):
    return f"increase({select(family, more)}[{window}])"


FLEET = dashboard(
    "aliyun-flink-fleet", "Flink on Alibaba Cloud: fleet",
    "All deployments of the namespaces that are chosen: what runs, what failed, and whether to believe it.",
    [WORKSPACE, NAMESPACE],
    [
        (4, [
            (4, stat("Namespaces that cannot be read", "Namespaces whose last refresh failed. Nothing below is current for them.",
                     "count(" + by(T, t("up")) + " == 0) or 0 * count(" + by(T, t("target_info")) + ")", colours=BAD_FROM_1,
                     no_value="no exporter", alerts=("AliyunFlinkTargetDown",))),
            (4, stat("Oldest data", "Age of the oldest complete listing among collectors and namespaces.",
                     "max(" + AGE + ")", "s", [("green", None), ("orange", 180), ("red", 300)], "never read",
                     ("AliyunFlinkDataStale", "AliyunFlinkNeverRead"))),
            (4, stat("Deployments", "Deployments in the last complete listings.",
                     "sum(" + by(T, t("namespace_deployments")) + ")", no_value="not listed yet")),
            (4, stat("Running jobs", "Jobs in state RUNNING. A job that restarts for ever counts as running.",
                     "sum(" + by(T, t("namespace_jobs", 'state="running"')) + ")", no_value="not listed yet")),
            (4, stat("Deployments down", "Deployments whose latest job failed and in which nothing runs.",
                     "sum(" + by(D, t("deployment_status", 'status="failed"')) + ")", colours=BAD_FROM_1,
                     no_value="no status", alerts=("AliyunFlinkStreamingDeploymentDown",))),
            (4, stat("Failed jobs in this range", "Jobs that were seen to fail, counted by the exporter; purged history does not hide any.",
                     "round(sum(" + by(T, growth("namespace_job_failures_total")) + "))", colours=BAD_FROM_1,
                     no_value="not counted", alerts=ALIYUN)),
        ]),
        (8, [
            (12, graph("Jobs that are alive", "Starting, running and cancelling jobs. The other three states are history and shrink when it is purged.",
                       [("sum by (state) (" + by(T + ", state", t("namespace_jobs", 'state=~"starting|running|cancelling"')) + ")", "{{state}}")],
                       stack=True, states=STATES, no_value="not listed yet")),
            (12, graph("Deployments by latest status", "Each deployment is in exactly one. unknown: listings disagreed, or it never ran.",
                       [("sum by (status) (" + by(D + ", status", t("deployment_status")) + ")", "{{status}}")],
                       stack=True, states=STATUSES, no_value="no status (metrics.deny?)")),
        ]),
        (8, [
            (12, graph("Jobs that failed", "New failures in each interval by namespace, deployments that were deleted since included.",
                       [("round(" + by(T, rate(t("namespace_job_failures_total"), "increase")) + ")", "{{workspace}}/{{flink_namespace}}")],
                       bars=True, stack=True, alerts=(*ALIYUN, "AliyunFlinkJobFailedUnattributed"))),
            (12, graph("Jobs that ended otherwise", "Cancelled and finished jobs in each interval.",
                       [("round(sum(" + by(T, rate(t("namespace_job_cancellations_total"), "increase")) + "))", "cancelled"),
                        ("round(sum(" + by(T, rate(t("namespace_job_completions_total"), "increase")) + "))", "finished")],
                       bars=True, stack=True, states=("cancelled", "finished"),
                       alerts=("AliyunFlinkJobCancelled", "AliyunFlinkStreamingJobFinished"))),
        ]),
        (9, [
            (12, table("Down now", "Deployments whose latest job failed. Click an id for the deployment.",
                       [(by(D, t("deployment_status", 'status="failed"')) + " == 1", "")], "none", "failed", "none is down",
                       hide=("Value",), links=(("deployment_id", "Deployment", DETAIL),),
                       alerts=("AliyunFlinkStreamingDeploymentDown",))),
            (12, table("Most failures in this range", "Deployments by the number of jobs that were seen to fail.",
                       [("topk(20, round(" + by(D, growth("deployment_job_failures_total")) + ") > 0)", "")], "none", "failures",
                       "none failed", links=(("deployment_id", "Deployment", DETAIL),), alerts=ALIYUN)),
        ]),
        "What there is",
        (8, [
            (8, graph("Deployments by namespace", "A sudden fall is a filter, a right that was lost, or somebody's clean-up.",
                      [(by(T, t("namespace_deployments")), "{{workspace}}/{{flink_namespace}}")],
                      alerts=("AliyunFlinkDeploymentsVanished",))),
            (8, graph("Deployments that came and went", "Counted after the first complete listing.",
                      [("round(sum(" + by(T, rate(t("namespace_deployments_added_total"), "increase")) + "))", "added"),
                       ("round(sum(" + by(T, rate(t("namespace_deployments_removed_total"), "increase")) + "))", "removed")], bars=True)),
            (8, graph("Remembered history", "Ended jobs that the control plane still remembers. A fall is a purge and no event.",
                      [("sum by (state) (" + by(T + ", state", t("namespace_jobs", 'state=~"cancelled|finished|failed"')) + ")", "{{state}}"),
                       ("round(sum(" + by(T + ", state", rate(t("namespace_job_history_reductions_total"), "increase")) + "))", "forgotten")],
                      states=("cancelled", "finished", "failed"))),
        ]),
        (8, [
            (8, graph("Deployments by engine version", "From deployment_info.",
                      [("count by (engine_version) (" + by(D + ", engine_version", t("deployment_info")) + ")", "{{engine_version}}")], stack=True)),
            (8, graph("Configured CPU", "JobManager and one TaskManager of each deployment, running or not; how many TaskManagers there are is not told.",
                      [("sum(" + by(D, t("deployment_jobmanager_cpu_cores")) + ")", "JobManagers"),
                       ("sum(" + by(D, t("deployment_taskmanager_cpu_cores")) + ")", "one TaskManager each")], stack=True)),
            (8, table("Pending changes", "Deployments whose job is older than their configuration.",
                      [(by(D, t("deployment_pending_changes")) + " == 1", "")], "none", "pending", "none", hide=("Value",),
                      links=(("deployment_id", "Deployment", DETAIL),), alerts=("AliyunFlinkPendingChanges",))),
        ]),
    ])

STATUS_CODES = [{"type": "value", "options": {
    str(i): {"text": s, "color": STATUS_COLOURS[s], "index": i} for i, s in enumerate(STATUSES)}}]
STATUS_NUMBER = " or ".join(f"({i} + 0 * (" + by(D, d("deployment_status", f'status="{s}"')) + " == 1))"
                            for i, s in enumerate(STATUSES))
YES_NO = [{"type": "value", "options": {"0": {"text": "no", "color": "green", "index": 0},
                                        "1": {"text": "yes", "color": "orange", "index": 1}}}]

DETAIL_BOARD = dashboard(
    "aliyun-flink-deployment", "Flink on Alibaba Cloud: deployment",
    "One deployment: what became of it, what its jobs did, how it is configured.",
    [WORKSPACE, NAMESPACE, DEPLOYMENT],
    [
        (4, [
            (6, stat("Now", "Latest status.", STATUS_NUMBER, mappings=STATUS_CODES, no_value="not seen (deleted, or too old)",
                     alerts=("AliyunFlinkStreamingDeploymentDown", "AliyunFlinkStreamingDeploymentStopped"))),
            (6, stat("Failed jobs in this range", "Counted by the exporter; unlike the remembered number it never shrinks.",
                     "round(" + by(D, growth("deployment_job_failures_total", select=d)) + ")", colours=BAD_FROM_1,
                     no_value="not counted", alerts=ALIYUN)),
            (6, stat("Last failure", "When the exporter last saw a job fail.",
                     "1000 * " + by(D, d("deployment_last_job_failure_timestamp_seconds")), "dateTimeFromNow", no_value="none seen")),
            (6, stat("Pending changes", "Whether the configuration is newer than what runs.",
                     by(D, d("deployment_pending_changes")), mappings=YES_NO, no_value="not told", alerts=("AliyunFlinkPendingChanges",))),
        ]),
        (6, [(24, timeline("Status", "What the deployment was at each moment.", [(STATUS_NUMBER, "status")],
                           "no status in this range", STATUS_CODES, ("AliyunFlinkStreamingDeploymentDown",)))]),
        (8, [
            (12, graph("Jobs the control plane remembers", "All six counts of jobSummary. Ended ones are history and are purged.",
                       [(by("state", d("deployment_jobs")), "{{state}}")],
                       states=(*STATES, "cancelled", "finished", "failed"), alerts=("AliyunFlinkJobStuckTransitioning",))),
            (12, graph("Jobs that ended", "In each interval.",
                       [("round(" + by(D, rate(d("deployment_job_failures_total"), "increase")) + ")", "failed"),
                        ("round(" + by(D, rate(d("deployment_job_cancellations_total"), "increase")) + ")", "cancelled"),
                        ("round(" + by(D, rate(d("deployment_job_completions_total"), "increase")) + ")", "finished")],
                       bars=True, stack=True, states=("failed", "cancelled", "finished"), alerts=ALIYUN)),
        ]),
        "Configuration",
        (6, [(24, table("Properties", "A line for each set of properties it had in this range's last moment.",
                        [(by(D + ", execution_mode, engine_version, artifact_kind, deployment_target, resource_setting_mode, deployment_draft_id",
                             d("deployment_info")), "")], "none", "info", "not seen", hide=("Value",)))]),
        (7, [
            (6, graph("Parallelism", "Absent in expert resource mode.", [(by(D, d("deployment_parallelism")), "parallelism"),
                      (by(D, d("deployment_max_slots")), "max slots (batch)")], no_value="not told")),
            (6, graph("CPU", "Configured cores.", [(by(D, d("deployment_jobmanager_cpu_cores")), "JobManager"),
                      (by(D, d("deployment_taskmanager_cpu_cores")), "one TaskManager")], no_value="not configured")),
            (6, graph("Memory", "Configured memory.", [(by(D, d("deployment_jobmanager_memory_bytes")), "JobManager"),
                      (by(D, d("deployment_taskmanager_memory_bytes")), "one TaskManager")], "bytes", no_value="not configured")),
            (6, graph("Age", "Since it was created, and since it was last modified.",
                      [("time() - " + by(D, d("deployment_created_timestamp_seconds")), "created"),
                       ("time() - " + by(D, d("deployment_modified_timestamp_seconds")), "modified")], "s", no_value="not told")),
        ]),
        "The current job (collector jobs)",
        (7, [
            (8, graph("Restarts by Flink", "Of the current job; a new job begins at 0. A job that restarts for ever is RUNNING all the while.",
                      [(by(D, d("deployment_job_flink_restarts")), "restarts")], no_value="the collector jobs is off",
                      alerts=("AliyunFlinkJobRestarting",))),
            (8, graph("Running since", "Age of the current job.",
                      [("time() - " + by(D, d("deployment_job_started_timestamp_seconds")), "age")], "s", no_value="the collector jobs is off")),
            (8, graph("Resources of the job", "As the control plane accounts for it.",
                      [(by(D, d("deployment_job_cpu_cores")), "cores")], no_value="the collector jobs is off")),
        ]),
    ])

RELEASES = dashboard(
    "aliyun-flink-releases", "Flink on Alibaba Cloud: releases",
    "Drafts that are edited, locked and released, and the tickets of releases under way.",
    [WORKSPACE, NAMESPACE],
    [
        (4, [
            (4, stat("Drafts", "In the last complete listings.", "sum(" + by(T, t("namespace_drafts")) + ")", no_value="the collector drafts is off")),
            (4, stat("Drifted", "Drafts that differ from their deployment.", "sum(" + by(R, t("draft_drifted")) + ")", no_value="the collector drafts is off",
                     alerts=("AliyunFlinkDraftDriftedLong",))),
            (4, stat("Locked", "Drafts whose edit lock somebody holds.", "sum(" + by(R, t("draft_locked")) + ")", no_value="the collector drafts is off",
                     alerts=("AliyunFlinkDraftLockedLong",))),
            (4, stat("Tickets executing", "Releases under way.", "sum(" + by(T, t("deploy_tickets", 'status="executing"')) + ")", no_value="the collector tickets is off",
                     alerts=("AliyunFlinkDeployTicketStuck",))),
            (4, stat("Releases in this range", "Tickets that ended.", "round(sum(" + by(T, growth("deploy_tickets_completed_total")) + "))", no_value="the collector tickets is off")),
            (4, stat("Failed releases in this range", "Tickets that ended without success.", "round(sum(" + by(T + ", reason", growth("deploy_ticket_failures_total")) + "))",
                     colours=BAD_FROM_1, no_value="the collector tickets is off", alerts=("AliyunFlinkDeployTicketFailed",))),
        ]),
        (8, [
            (12, graph("Releases that ended", "In each interval.", [("round(sum(" + by(T, rate(t("deploy_tickets_completed_total"), "increase")) + "))", "ended")],
                       bars=True, no_value="the collector tickets is off")),
            (12, graph("Releases that failed", "By reason.", [("round(sum by (reason) (" + by(T + ", reason", rate(t("deploy_ticket_failures_total"), "increase")) + "))", "{{reason}}")],
                       bars=True, stack=True, no_value="the collector tickets is off", alerts=("AliyunFlinkDeployTicketFailed",))),
        ]),
        (8, [
            (12, table("Tickets", "1 = success, 0 = ended otherwise. An executing ticket has no result and stands on the right.",
                       [(by(T + ", ticket_id", t("deploy_ticket_success")) + " * on (" + T + ", ticket_id) group_left (deployment_draft_id, deployment_id) "
                         + by(T + ", ticket_id, deployment_draft_id, deployment_id", t("deploy_ticket_info")), "")],
                       "none", "success", "no ticket ended lately", alerts=("AliyunFlinkDeployTicketFailed",), colours=GOOD_FROM_1)),
            (12, table("Executing", "For how long the exporter has been following them.",
                       [("(time() - " + by(T + ", ticket_id", t("deploy_ticket_tracked_timestamp_seconds")) + ") and on (" + T + ", ticket_id) "
                         + by(T + ", ticket_id", t("deploy_ticket_status", 'status="executing"')) + " == 1", "")], "s", "followed for", "none is executing",
                       alerts=("AliyunFlinkDeployTicketStuck",), colours=[("green", None), ("orange", 300), ("red", 900)])),
        ]),
        (8, [
            (8, table("How long releases took", "Of the tickets in sight.",
                      [(by(T + ", ticket_id", t("deploy_ticket_completed_timestamp_seconds")) + " - " + by(T + ", ticket_id", t("deploy_ticket_tracked_timestamp_seconds")), "")],
                      "s", "took", "no ticket ended lately")),
            (8, table("Validation", "1 = the artifact passed, 0 = it did not.",
                      [(by(T + ", ticket_id", t("deploy_ticket_validation_success")), "")], "none", "passed", "no result yet", colours=GOOD_FROM_1)),
            (8, graph("Tickets in sight", "By status; ended ones stay for ticket_ttl.", [("sum by (status) (" + by(T + ", status", t("deploy_tickets")) + ")", "{{status}}")],
                      stack=True, states=("executing", "finished", "failed", "unknown"), no_value="the collector tickets is off")),
        ]),
        "Drafts",
        (9, [
            (12, table("Drifted drafts", "Not released since they were edited.",
                       [("(time() - " + by(R, t("draft_modified_timestamp_seconds")) + ") and on (" + T + ", deployment_draft_id) "
                         + by(R, t("draft_drifted")) + " == 1", "")], "s", "edited", "none is drifted", alerts=("AliyunFlinkDraftDriftedLong",))),
            (12, table("Locked drafts", "Nobody else can change them. Who holds the lock: aliyun_flinkctl draft get ID.",
                       [("(time() - " + by(R, t("draft_modified_timestamp_seconds")) + ") and on (" + T + ", deployment_draft_id) "
                         + by(R, t("draft_locked")) + " == 1", "")], "s", "edited", "none is locked", alerts=("AliyunFlinkDraftLockedLong",))),
        ]),
        (8, [
            (8, graph("Drafts", "By namespace.", [(by(T, t("namespace_drafts")), "{{workspace}}/{{flink_namespace}}")], no_value="the collector drafts is off")),
            (8, graph("Drifted and locked", "All namespaces together.", [("sum(" + by(R, t("draft_drifted")) + ")", "drifted"), ("sum(" + by(R, t("draft_locked")) + ")", "locked")],
                      no_value="the collector drafts is off")),
            (8, graph("Drafts by engine version", "What the next releases will run on.",
                      [("count by (engine_version) (" + by(R + ", engine_version", t("draft_info")) + ")", "{{engine_version}}")], stack=True, no_value="the collector drafts is off")),
        ]),
    ])

E = "job, instance"
HEALTH = dashboard(
    "aliyun-flink-exporter", "Flink on Alibaba Cloud: exporter",
    "Whether to believe the other dashboards: scrapes, refreshes, the API, credentials, the process.",
    [JOB, INSTANCE],
    [
        (4, [
            (4, stat("Scraped", "Exporters that Prometheus can scrape.", "sum(" + e("up") + ")", colours=GOOD_FROM_1, alerts=("AliyunFlinkExporterDown", "AliyunFlinkExporterAbsent"))),
            (4, stat("Namespaces not read", "By any of these exporters.", "count(" + e("aliyun_flink_up") + " == 0) or 0 * count(" + e("target_info") + ")",
                     colours=BAD_FROM_1, alerts=("AliyunFlinkTargetDown", "AliyunFlinkReplicaBlind"))),
            (4, stat("Data withheld", "Collectors whose state series are left out because they are too old.", "sum(" + e("data_withheld") + ")", colours=BAD_FROM_1, alerts=("AliyunFlinkDataStale",))),
            (4, stat("Configuration", "Whether the last reading of the file succeeded.", "min(" + e("exporter_config_last_reload_successful") + ")", colours=GOOD_FROM_1,
                     mappings=[{"type": "value", "options": {"1": {"text": "in force", "index": 0}, "0": {"text": "refused", "index": 1}}}], alerts=("AliyunFlinkExporterConfigReloadFailed",))),
            (4, stat("Objects dropped in this range", "Left out by a limit, or because they could not be read; duplicates do not count.",
                     "round(sum(increase(" + e("exporter_objects_dropped_total", 'reason!="duplicate"') + "[$__range])))", colours=BAD_FROM_1, alerts=("AliyunFlinkExporterObjectsDropped",))),
            (4, stat("Shards", "Different shards that answer, of how many there are to be.",
                     "count(count_values(\"ordinal\", " + e("exporter_shard_ordinal") + ")) / max(" + e("exporter_total_shards") + ")", "percentunit",
                     [("red", None), ("green", 1)], alerts=("AliyunFlinkExporterShardsMissing", "AliyunFlinkExporterShardsDisagree"))),
        ]),
        (5, [(24, table("Versions", "What runs where.", [(by(E + ", version, revision, compiler, curl_version, microhttpd_version, tls_backend", e("exporter_build_info")), "")], "none", "up", "no exporter", hide=("Value",)))]),
        "Refreshes: the exporter reads the control plane",
        (8, [
            (8, graph("Age of data", "Since the last complete listing ended.", [("time() - (" + e("refresh_last_success_timestamp_seconds") + " > 0)", "{{instance}} {{flink_namespace}} {{collector}}")], "s",
                      no_value="never read", alerts=("AliyunFlinkDataStale", "AliyunFlinkNeverRead"))),
            (8, graph("Duration by interval", "1 means that a refresh takes as long as the time between two.",
                      [(by(E + f", {T}, collector", e("refresh_duration_seconds")) + " / " + by(E + f", {T}, collector", e("refresh_interval_seconds")), "{{instance}} {{flink_namespace}} {{collector}}")],
                      "percentunit", alerts=("AliyunFlinkRefreshSlow",))),
            (8, graph("Refreshes that failed", "By reason.", [("sum by (reason) (" + rate(e("refresh_failures_total"), "increase") + ") > 0", "{{reason}}")],
                      bars=True, stack=True, no_value="none failed", alerts=("AliyunFlinkRefreshFailing",))),
        ]),
        (8, [
            (8, graph("Refreshes", "Begun, and not begun because the one before still ran.",
                      [("sum(" + rate(e("refreshes_total")) + ")", "begun"), ("sum(" + rate(e("refreshes_missed_total")) + ")", "missed")], "ops", alerts=("AliyunFlinkRefreshSlow",))),
            (8, graph("Objects", "Read by the last refresh, and announced to it.",
                      [(e("refresh_objects"), "{{flink_namespace}} {{collector}}"), (e("refresh_objects_expected"), "{{flink_namespace}} {{collector}} announced")], alerts=("AliyunFlinkListingShort",))),
            (8, graph("Pages", "Read by the last refresh; each is a call of the API.", [(e("refresh_pages"), "{{flink_namespace}} {{collector}}")])),
        ]),
        "The API",
        (8, [
            (8, graph("Requests", "By operation and status; none: no response.", [("sum by (operation, code) (" + rate(e("api_requests_total")) + ")", "{{operation}} {{code}}")], "reqps", stack=True)),
            (8, graph("Requests that failed", "By reason; HTTP 200 with success=false is api.", [("sum by (operation, reason) (" + rate(e("api_request_failures_total")) + ") > 0", "{{operation}} {{reason}}")], "reqps",
                      no_value="none failed", alerts=("AliyunFlinkApiUnauthorized",))),
            (8, graph("Duration of requests", "Quantiles over all operations.",
                      [(f"histogram_quantile({q}, sum by (le) (" + rate(e("api_request_duration_seconds_bucket")) + "))", f"{float(q):.0%}") for q in ("0.5", "0.95", "0.99")], "s")),
        ]),
        (8, [
            (8, graph("Throttled and retried", "Responses that said the rate limit was exceeded; requests sent again.",
                      [("sum(" + rate(e("api_throttled_total")) + ")", "throttled"), ("sum(" + rate(e("api_retries_total")) + ")", "retried"),
                       ("sum(" + rate(e("api_rate_limit_waits_total")) + ")", "held back by rate_limit")], "reqps", alerts=("AliyunFlinkApiThrottled",))),
            (8, graph("Waiting and under way", "Seconds a second that requests waited for our own limit; requests in flight.",
                      [("sum(" + rate(e("api_rate_limit_wait_seconds_total")) + ")", "waiting"), ("sum(" + e("api_requests_in_flight") + ")", "in flight")])),
            (8, graph("Bytes received", "Bodies, before decompression.", [("sum by (operation) (" + rate(e("api_response_bytes_total")) + ")", "{{operation}}")], "Bps")),
        ]),
        (8, [
            (8, graph("Clock", "How far the exporter's clock is from the server's.", [("abs(" + e("api_clock_skew_seconds") + ")", "{{instance}} {{endpoint}}")], "s", alerts=("AliyunFlinkClockSkew",))),
            (8, graph("Credentials expire in", "Renewed 15 minutes before. Static ones are not here.", [("clamp_min(" + e("credentials_expiry_timestamp_seconds") + " - time(), 0)", "{{instance}} {{credentials}} {{provider}}")], "s",
                      no_value="no credentials that expire", alerts=("AliyunFlinkCredentialsExpiring",))),
            (8, graph("Renewals of credentials", "And those that failed.",
                      [("sum(" + rate(e("credentials_refreshes_total"), "increase") + ")", "begun"), ("sum(" + rate(e("credentials_refresh_failures_total"), "increase") + ")", "failed")],
                      no_value="no credentials that expire", alerts=("AliyunFlinkCredentialsRefreshFailing",))),
        ]),
        "What Prometheus reads",
        (8, [
            (8, graph("Series", "In the snapshot, and as scraped.", [(e("exporter_snapshot_series"), "{{instance}} snapshot"), (e("scrape_samples_scraped"), "{{instance}} scraped")])),
            (8, graph("Size", "Of the snapshot, by encoding.", [(e("exporter_snapshot_bytes"), "{{instance}} {{encoding}}")], "bytes")),
            (8, graph("Time", "Rendering the snapshot, scraping it.", [(e("exporter_snapshot_render_duration_seconds"), "{{instance}} render"), (e("scrape_duration_seconds"), "{{instance}} scrape")], "s",
                      alerts=("AliyunFlinkExporterScrapeSlow",))),
        ]),
        (8, [
            (8, graph("HTTP requests", "Served, by path and status.", [("sum by (handler, code) (" + rate(e("exporter_http_requests_total")) + ")", "{{handler}} {{code}}")], "reqps", stack=True)),
            (8, graph("HTTP requests refused", "By reason.", [("sum by (reason) (" + rate(e("exporter_http_requests_rejected_total")) + ")", "{{reason}}")], "reqps")),
            (8, graph("Objects and labels changed", "Objects left out and label values cut or repaired, in each interval.",
                      [("sum by (reason) (" + rate(e("exporter_objects_dropped_total"), "increase") + ")", "object: {{reason}}"),
                       ("sum by (reason) (" + rate(e("exporter_label_values_sanitized_total"), "increase") + ")", "label: {{reason}}")], alerts=("AliyunFlinkExporterObjectsDropped",))),
        ]),
        "The process",
        (8, [
            (6, graph("CPU", "Cores in use.", [(rate(e("process_cpu_seconds_total")), "{{instance}}")], alerts=("AliyunFlinkExporterRestarting",))),
            (6, graph("Memory", "Resident.", [(e("process_resident_memory_bytes"), "{{instance}}")], "bytes")),
            (6, graph("File descriptors", "Open, of those allowed.", [(e("process_open_fds") + " / " + e("process_max_fds"), "{{instance}}")], "percentunit", alerts=("AliyunFlinkExporterFileDescriptors",))),
            (6, graph("Up since", "Age of the process.", [("time() - " + e("process_start_time_seconds"), "{{instance}}")], "s", alerts=("AliyunFlinkExporterRestarting",))),
        ]),
        (8, [
            (8, graph("Log messages", "By level, in each interval.", [("sum by (level) (" + rate(e("exporter_log_messages_total"), "increase") + ")", "{{level}}")], bars=True, stack=True)),
            (8, graph("State file", "Since it was last written; it is written when something changed.", [("time() - " + e("exporter_state_last_save_timestamp_seconds"), "{{instance}} age")], "s",
                      no_value="no state file", alerts=("AliyunFlinkExporterStateNotSaved",))),
            (8, graph("Writes of the state file that failed", "In each interval.", [(rate(e("exporter_state_save_failures_total"), "increase"), "{{instance}}")], no_value="no state file",
                      alerts=("AliyunFlinkExporterStateNotSaved",))),
        ]),
    ])

DASHBOARDS = {"fleet": FLEET, "deployment": DETAIL_BOARD, "releases": RELEASES, "exporter": HEALTH}
