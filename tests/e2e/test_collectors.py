"""The collectors drafts and tickets, and deployments by name, against the simulator."""

import os
import signal
import time
import unittest

import afe

DRIFTED = "aliyun_flink_draft_drifted"
STATUS = "aliyun_flink_deploy_ticket_status"
SUCCESS = "aliyun_flink_deploy_ticket_success"
COMPLETED = "aliyun_flink_deploy_tickets_completed_total"
FAILURES = "aliyun_flink_deploy_ticket_failures_total"
NAMESPACE = "default-namespace"


class Collectors(afe.Case):

    def truth(self, sim, what="drafts"):
        return afe.json.loads(afe.request(sim.port, f"/_sim/{what}/{NAMESPACE}").body)

    def expect(self, exporter, name, value, **labels):
        def holds():
            return exporter.metrics().get(name, **labels) == value

        try:
            afe.wait_for(f"{name}{labels} to be {value}", holds)
        except AssertionError as error:
            raise AssertionError(f"{error}\nit is {exporter.metrics().all(name, **labels)}\n"
                                 f"{exporter.log()}") from None

    def status_of(self, exporter, ticket):
        found = [labels["status"] for labels, value in
                 exporter.metrics().all(STATUS, ticket_id=ticket) if value == 1]
        return found[0] if found else None


class Drafts(Collectors):
    COLLECTORS = 'collectors = [ "deployments", "drafts" ];'

    def test_drafts_are_what_the_simulator_has(self):
        sim, exporter = self.pair("--deployments=40", "--drafts=20", "--rate-limit=0",
                                  extra=self.COLLECTORS, metrics="draft_lock_holder = true;")
        truth = {d["deploymentDraftId"]: d for d in self.truth(sim)}
        afe.wait_for("drift to be decided", lambda: exporter.metrics().all(DRIFTED))
        metrics = exporter.metrics()
        self.assertEqual(metrics.get("aliyun_flink_namespace_drafts"), 20)
        self.assertEqual(metrics.get("aliyun_flink_up"), 1)
        for draft_id, draft in truth.items():
            fact = draft["_sim"]
            labels = {"deployment_draft_id": draft_id}
            info, value = metrics.all("aliyun_flink_draft_info", **labels)[0]
            self.assertEqual(value, 1)
            self.assertEqual(info["draft_name"], draft["name"])
            self.assertEqual(info["deployment_id"], draft.get("referencedDeploymentId") or "")
            self.assertEqual(info["artifact_kind"], draft["artifact"]["kind"].lower())
            self.assertEqual(metrics.get("aliyun_flink_draft_locked", **labels), fact["locked"])
            drifted = int(fact["differs"]) if fact["deployed"] else None
            self.assertEqual(metrics.get(DRIFTED, **labels), drifted, draft)
            holders = metrics.all("aliyun_flink_draft_lock_info", **labels)
            self.assertEqual([h["holder"] for h, _ in holders],
                             [draft["lock"]["holderName"]] if fact["locked"] else [])

    def test_drift_and_locks_come_and_go(self):
        sim, exporter = self.pair("--deployments=20", "--drafts=20", "--rate-limit=0",
                                  extra=self.COLLECTORS)
        draft = next(d for d in self.truth(sim) if d["_sim"]["deployed"] and
                     not d["_sim"]["differs"] and not d["_sim"]["locked"] and
                     d["artifact"]["kind"] == "SQLSCRIPT")
        draft_id = draft["deploymentDraftId"]
        labels = {"deployment_draft_id": draft_id}
        self.expect(exporter, DRIFTED, 0, **labels)
        sim.post(edit_drafts={draft_id: {"artifact": {
            "kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": "INSERT INTO t SELECT 1;"}}}})
        self.expect(exporter, DRIFTED, 1, **labels)
        sim.post(edit_drafts={draft_id: {"artifact": draft["artifact"]}})
        self.expect(exporter, DRIFTED, 0, **labels)
        self.expect(exporter, "aliyun_flink_draft_locked", 0, **labels)
        sim.post(lock_drafts={draft_id: "li.si-locks-it"})
        self.expect(exporter, "aliyun_flink_draft_locked", 1, **labels)
        self.assertFalse("li.si-locks-it" in exporter.get().text)  # only on request
        sim.post(lock_drafts={draft_id: None})
        self.expect(exporter, "aliyun_flink_draft_locked", 0, **labels)
        # Its deployment goes: nobody can tell any more.
        sim.post(remove=[draft["referencedDeploymentId"]])
        self.expect(exporter, DRIFTED, None, **labels)
        sim.post(remove_drafts=[draft_id])
        self.expect(exporter, "aliyun_flink_namespace_drafts", 19)
        self.assertEqual(exporter.metrics().all("aliyun_flink_draft_info", **labels), [])

    def test_one_collector_fails_the_other_goes_on(self):
        sim, exporter = self.pair("--deployments=5", "--drafts=5", "--rate-limit=0",
                                  extra=self.COLLECTORS)
        sim.faults("status:code=500,operation=ListDeploymentDrafts")
        self.expect(exporter, "aliyun_flink_up", 0)
        metrics = exporter.metrics()
        self.assertEqual(metrics.get("aliyun_flink_refresh_success", collector="drafts"), 0)
        self.assertEqual(metrics.get("aliyun_flink_refresh_success", collector="deployments"), 1)
        self.assertEqual(metrics.get("aliyun_flink_namespace_drafts"), 5)  # the last known
        exporter.wait_log("collector=drafts reason=http")
        sim.faults()
        self.expect(exporter, "aliyun_flink_up", 1)


class ByName(Collectors):

    def test_by_name(self):
        sim = self.simulator("--deployments=10", "--rate-limit=0")
        deployments = sim.deployments()
        twin = dict(deployments[3], deploymentId="11111111-2222-3333-4444-555555555555")
        sim.post(add=[twin])
        names = [deployments[0]["name"], deployments[3]["name"], "nobody has this"]
        listed = ", ".join(f'"{n}"' for n in names)
        exporter = self.exporter(self.config(
            sim.url, extra=f"deployment_names = [ {listed} ];")).wait_ready()
        metrics = exporter.metrics()
        shown = {labels["deployment_id"] for labels, _ in
                 metrics.all("aliyun_flink_deployment_info")}
        expected = {d["deploymentId"] for d in sim.deployments() if d["name"] in names}
        self.assertEqual(shown, expected)
        self.assertIn(twin["deploymentId"], shown)
        self.assertEqual(metrics.get("aliyun_flink_up"), 1)
        self.assertIsNone(metrics.get("aliyun_flink_refresh_objects_expected"))
        # Nothing is listed but, where counts leave it open, who is of a status.
        whole = [r for r in sim.log_of_requests() if "pageIndex" in r["query"]
                 and "status=" not in r["query"]]
        self.assertEqual(whole, [])
        exporter.wait_log(r'level=info .*no deployment is called \\"nobody has this\\"')
        sim.post(rename={deployments[5]["deploymentId"]: "nobody has this"})
        self.expect(exporter, "aliyun_flink_namespace_deployments", len(expected) + 1)
        exporter.wait_log("all deployment_names are found again")
        self.assertEqual(exporter.log().count("no deployment is called"), 1)


class Tickets(Collectors):

    def setUp(self):
        super().setUp()
        self.spool = os.path.join(self.dir, "spool")
        os.mkdir(self.spool)

    def start(self, *sim_flags, more=""):
        self.sim = self.simulator("--deployments=5", "--drafts=5", "--rate-limit=0", *sim_flags)
        self.file = self.config(
            self.sim.url, extra='collectors = [ "deployments", "tickets" ]; '
            f'ticket_dir = "spool"; {more}')
        return self.exporter(self.file).wait_ready()

    def drop(self, ticket, text=NAMESPACE + "\n"):
        temporary = os.path.join(self.spool, "." + ticket)
        with open(temporary, "w", encoding="utf-8") as f:
            f.write(text)
        os.rename(temporary, os.path.join(self.spool, ticket))

    def has(self, ticket):
        return os.path.lexists(os.path.join(self.spool, ticket))

    def test_executing_to_finished(self):
        exporter = self.start(more='ticket_ttl = "3s";')
        metrics = exporter.metrics()
        self.assertEqual(metrics.get(COMPLETED), 0)
        self.assertEqual(len(metrics.all(FAILURES)), 5)
        self.sim.post(tickets=[{"id": "t1", "polls": 3, "end": "FINISHED", "success": True}])
        self.drop("t1", NAMESPACE + "\nthe-draft\n")
        afe.wait_for("t1 to execute", lambda: self.status_of(exporter, "t1") == "executing")
        self.assertIsNone(exporter.metrics().get(SUCCESS, ticket_id="t1"))
        self.expect(exporter, SUCCESS, 1, ticket_id="t1")
        metrics = exporter.metrics()
        self.assertEqual(self.status_of(exporter, "t1"), "finished")
        self.assertEqual(metrics.get(COMPLETED), 1)
        self.assertIn("ticket=t1", exporter.wait_log("ticket finished with success"))
        self.assertEqual(sum(v for _, v in metrics.all(FAILURES)), 0)
        info, _ = metrics.all("aliyun_flink_deploy_ticket_info", ticket_id="t1")[0]
        self.assertEqual(info["deployment_draft_id"], "the-draft")
        began = metrics.get("aliyun_flink_deploy_ticket_tracked_timestamp_seconds", ticket_id="t1")
        ended = metrics.get("aliyun_flink_deploy_ticket_completed_timestamp_seconds",
                            ticket_id="t1")
        self.assertLess(began, ended)
        self.assertLess(abs(ended - time.time()), 30)
        self.assertTrue(self.has("t1"))
        afe.wait_for("the file to go", lambda: not self.has("t1"))
        self.expect(exporter, SUCCESS, None, ticket_id="t1")
        self.assertEqual(exporter.metrics().get(COMPLETED), 1)

    def test_validation_failure(self):
        exporter = self.start()
        self.sim.post(tickets=[{
            "id": "t1", "polls": 0, "end": "FINISHED", "success": False,
            "validation_success": False,
            "errors": [{"line": 3, "column": 10, "message": "no such table"}]}])
        self.drop("t1")
        self.expect(exporter, SUCCESS, 0, ticket_id="t1")
        metrics = exporter.metrics()
        self.assertEqual(metrics.get("aliyun_flink_deploy_ticket_validation_success",
                                     ticket_id="t1"), 0)
        self.assertEqual(metrics.get(FAILURES, reason="validation"), 1)
        self.assertEqual(metrics.get(COMPLETED), 1)
        # The message has no label: it is in the log, once.
        line = exporter.wait_log("ticket ended without success")
        for words in ("3:10: no such table", "ticket=t1", "reason=validation", "level=warn"):
            self.assertIn(words, line)
        refreshes = metrics.get("aliyun_flink_refreshes_total", collector="tickets")
        afe.wait_for("two more refreshes", lambda: exporter.metrics().get(
            "aliyun_flink_refreshes_total", collector="tickets") >= refreshes + 2)
        self.assertEqual(exporter.log().count("without success"), 1)

    def test_not_found_may_appear_yet(self):
        exporter = self.start()
        self.drop("later")
        afe.wait_for("it to be unknown", lambda: self.status_of(exporter, "later") == "unknown")
        self.assertEqual(exporter.metrics().get("aliyun_flink_up"), 1)
        self.assertEqual(exporter.metrics().get(COMPLETED), 0)
        self.sim.post(tickets=[{"id": "later", "polls": 1, "end": "FAILED"}])
        self.expect(exporter, FAILURES, 1, reason="failed")

    def test_garbage_is_refused_once(self):
        exporter = self.start()
        os.symlink("/etc/passwd", os.path.join(self.spool, "link"))
        os.mkfifo(os.path.join(self.spool, "fifo"))
        self.drop("other", "no-such-namespace\n")
        self.drop("binary", "x\x01y")
        self.drop("name.with.dots")
        self.drop("good")
        self.sim.post(tickets=[{"id": "good", "polls": 0, "end": "FINISHED", "success": True}])
        self.expect(exporter, SUCCESS, 1, ticket_id="good")
        for name, reason in (("link", "symbolic link"), ("fifo", "not a regular file"),
                             ("other", "names a namespace that the target does not watch"),
                             ("binary", "control characters"),
                             ("name.with.dots", "not named like a ticket")):
            exporter.wait_log(f"{reason}.*file={name}")
        before = exporter.metrics().get("aliyun_flink_exporter_objects_dropped_total",
                                        reason="invalid")
        self.assertGreaterEqual(before, 5)
        afe.wait_for("two more refreshes", lambda: exporter.metrics().get(
            "aliyun_flink_exporter_objects_dropped_total", reason="invalid") >= before + 10)
        self.assertEqual(exporter.log().count("is no ticket"), 5)
        self.assertTrue(self.has("fifo"))  # whose it is is not for the exporter to say
        self.assertNotIn("root:", exporter.log())
        self.assertEqual(exporter.metrics().get("aliyun_flink_up"), 1)

    def test_kill_loses_nothing(self):
        exporter = self.start()
        self.sim.post(tickets=[{"id": "t1", "time": "6s", "polls": 1000, "end": "FINISHED",
                                "success": True}])
        self.drop("t1")
        afe.wait_for("t1 to execute", lambda: self.status_of(exporter, "t1") == "executing")
        exporter.popen.send_signal(signal.SIGKILL)
        exporter.join()
        self.assertTrue(self.has("t1"))
        self.drop("t2")
        self.sim.post(tickets=[{"id": "t2", "polls": 0, "end": "FAILED"}])
        again = self.exporter(self.file).wait_ready()
        self.expect(again, SUCCESS, 1, ticket_id="t1")
        self.expect(again, SUCCESS, 0, ticket_id="t2")
        self.assertEqual(again.metrics().get(COMPLETED), 2)

    def test_reload_keeps_counters(self):
        exporter = self.start()
        self.sim.post(tickets=[{"id": "t1", "polls": 0, "end": "FAILED"}])
        self.drop("t1")
        self.expect(exporter, FAILURES, 1, reason="failed")
        self.config(self.sim.url, extra='collectors = [ "tickets" ]; ticket_dir = "spool"; '
                    f'tickets = [ "{NAMESPACE}/t1", "{NAMESPACE}/t2" ];')
        self.sim.post(tickets=[{"id": "t2", "polls": 0, "end": "FINISHED", "success": False}])
        exporter.send(signal.SIGHUP)
        self.expect(exporter, FAILURES, 1, reason="unsuccessful")
        metrics = exporter.metrics()
        self.assertEqual(metrics.get(COMPLETED), 2)
        self.assertIsNone(metrics.get("aliyun_flink_namespace_deployments"))
        self.assertIsNone(metrics.get("aliyun_flink_refresh_success", collector="deployments"))

    def test_no_directory(self):
        os.rmdir(self.spool)
        exporter = self.start()
        self.expect(exporter, "aliyun_flink_refresh_failures_total", 1, collector="tickets",
                    reason="internal")
        exporter.wait_log(r"ticket_dir \\\".*spool\\\": No such file or directory")
        self.assertEqual(exporter.metrics().get("aliyun_flink_refresh_success",
                                                collector="deployments"), 1)
        os.mkdir(self.spool)
        self.expect(exporter, "aliyun_flink_up", 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
