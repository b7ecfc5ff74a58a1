"""The status of deployments: from counts, from lists, remembered; and failures that no count shows."""

import json
import os
import signal
import unittest

import afe

STATUSES = {"unknown", "running", "transitioning", "failed", "cancelled", "finished"}
STATUS = "aliyun_flink_deployment_status"
FAILURES = "aliyun_flink_deployment_job_failures_total"
OF_NAMESPACE = "aliyun_flink_namespace_job_failures_total"
REQUESTS = "aliyun_flink_api_requests_total"
REFRESHES = "aliyun_flink_refreshes_total"

# id: how it stands, as the list filter has it; its jobs; what must be told.
WORLD = {
    "runs": ("RUNNING", {"running": 1, "failed": 3}, "running"),
    "comes": ("STARTING", {"starting": 1, "cancelled": 2, "failed": 3}, "transitioning"),
    "down": ("FAILED", {"failed": 3, "cancelled": 1}, "failed"),
    "stopped": ("CANCELLED", {"failed": 3, "cancelled": 1}, "cancelled"),
    "done": ("FINISHED", {"failed": 1, "finished": 9}, "finished"),
    "only-failed": ("FAILED", {"failed": 2}, "failed"),
    "nowhere": (None, {"failed": 3, "cancelled": 1}, "unknown"),
    "never": (None, {}, "unknown"),
    "silent": (None, None, "unknown"),
}


class Status(afe.Case):
    def setUp(self):
        super().setUp()
        self.state = os.path.join(self.dir, "state")

    def world(self, world=None):
        world = WORLD if world is None else world
        items = [{"deploymentId": key, "name": key, "executionMode": "STREAMING",
                  "jobSummary": jobs, "_sim": {"status": status}}
                 for key, (status, jobs, _) in world.items()]
        return self.simulator("--load=" + self.write("load.json", json.dumps(items)))

    def start(self, sim, **config_args):
        text = afe.config(sim.url, secret_file=self.secret_file, **config_args)
        path = self.write("exporter.cfg", text + f'state = {{ file = "{self.state}"; hold = "1s"; }};\n')
        return self.exporter(path)

    def status(self, exposition, deployment):
        """The one that is 1; all six must be there."""
        samples = exposition.all(STATUS, deployment_id=deployment)
        self.assertEqual({labels["status"] for labels, _ in samples}, STATUSES)
        self.assertEqual(sorted(value for _, value in samples), [0, 0, 0, 0, 0, 1])
        return next(labels["status"] for labels, value in samples if value == 1)

    def wait_status(self, exporter, deployment, status):
        afe.wait_for(f"{deployment} to be {status}",
                     lambda: self.status(exporter.metrics(), deployment) == status)

    def listed(self, exporter, times):
        """So many whole listings that began from now on."""
        def begun():
            return exporter.metrics().get(REFRESHES, collector="deployments")

        enough = begun() + times + 1
        afe.wait_for("listings", lambda: begun() >= enough)

    def mask(self, sim, deployment):
        """A job fails and an older one that failed is purged, at one moment."""
        sim.post(event=[{"deploymentId": deployment, "kind": "fail"},
                        {"deploymentId": deployment, "kind": "purge", "state": "failed"}])

    def test_told_and_kept(self):
        sim = self.world()
        exporter = self.start(sim).wait_ready()
        first = exporter.metrics()
        self.assertEqual({key: self.status(first, key) for key in WORLD},
                         {key: told for key, (_, _, told) in WORLD.items()})
        # The listing and one list of each kind, in one refresh.
        if first.get(REFRESHES, collector="deployments") == 1:
            self.assertEqual(first.get(REQUESTS, operation="ListDeployments", code="200"), 4)
        self.assertEqual(first.get("aliyun_flink_refresh_pages", collector="deployments"), 1)
        # What changes is told by the next refresh, or by the next list of those that ended.
        sim.post(event=[{"deploymentId": "down", "kind": "start"},
                        {"deploymentId": "runs", "kind": "fail"}])
        sim.post(set_status={"nowhere": "CANCELLED"})
        self.wait_status(exporter, "down", "running")
        self.wait_status(exporter, "runs", "failed")
        self.wait_status(exporter, "nowhere", "cancelled")
        sim.post(event={"deploymentId": "down", "kind": "cancel"})
        self.wait_status(exporter, "down", "cancelled")
        # A restart keeps it, though the control plane lists nothing by status any more.
        self.assertEqual(exporter.stop(), 0)
        sim.faults(*(f"status:code=403,status={status}"
                     for status in ("FAILED", "CANCELLED", "FINISHED")))
        again = self.start(sim).wait_ready()
        exposition = again.metrics()
        self.assertEqual(exposition.get("aliyun_flink_up"), 1)
        for key, told in (("down", "cancelled"), ("nowhere", "cancelled"), ("done", "finished"),
                          ("runs", "failed"), ("never", "unknown")):
            self.assertEqual(self.status(exposition, key), told, key)

    def test_lists_that_cannot_be_read(self):
        sim = self.world()
        sim.faults("status:code=403,status=FAILED")
        exporter = self.start(sim, defaults="max_retries = 0; max_deployments = 50;").wait_ready()
        exposition = exporter.metrics()
        self.assertEqual(exposition.get("aliyun_flink_up"), 1)
        for key, (_, jobs, told) in WORLD.items():
            certain = jobs is not None and (told in ("running", "transitioning") or len(jobs) == 1)
            self.assertEqual(self.status(exposition, key), told if certain else "unknown", key)
        self.listed(exporter, 2)
        self.assertEqual(exporter.log().count("the status of some deployments may be unknown"), 1)
        failed = exporter.metrics()
        self.assertGreaterEqual(
            failed.get("aliyun_flink_api_request_failures_total", reason="permission"), 2)
        sim.faults()
        self.wait_status(exporter, "down", "failed")
        self.wait_status(exporter, "stopped", "cancelled")
        exporter.wait_log("deployments can be listed by status again")
        # A list that breaks in the middle, or never ends, is no list; what is known stays.
        for fault in ("truncate:status=FAILED", "total-size:status=FAILED,value=7",
                      "endless:status=FAILED,mode=fresh", "malformed:status=FAILED"):
            sim.faults(fault)
            self.listed(exporter, 1)
            exposition = exporter.metrics()
            self.assertEqual(self.status(exposition, "down"), "failed", fault)
            self.assertEqual(exposition.get("aliyun_flink_up"), 1, fault)

    def test_masked_failures_count(self):
        sim = self.world({"a": ("RUNNING", {"running": 1, "failed": 3, "cancelled": 1}, ""),
                          "b": ("RUNNING", {"running": 1, "failed": 3, "cancelled": 1}, "")})
        exporter = self.start(sim).wait_ready()
        self.listed(exporter, 4)  # the hold is over
        self.mask(sim, "a")
        self.wait_status(exporter, "a", "failed")
        afe.wait_for("the failure",
                     lambda: exporter.metrics().get(FAILURES, deployment_id="a") == 1)
        self.listed(exporter, 2)
        exposition = exporter.metrics()
        self.assertEqual(exposition.get(FAILURES, deployment_id="a"), 1)
        self.assertEqual(exposition.get(FAILURES, deployment_id="b"), 0)
        self.assertEqual(exposition.get(OF_NAMESPACE), 1)
        self.assertEqual(afe.job_counts(exposition)["a"]["failed"], 3)  # as before
        # Also over a kill, and a failure that the counts show is not counted twice.
        exporter.popen.send_signal(signal.SIGKILL)
        exporter.join()
        self.mask(sim, "b")
        sim.post(event=[{"deploymentId": "a", "kind": "start"}, {"deploymentId": "a", "kind": "fail"}])
        again = self.start(sim).wait_ready()
        for key, value in (("a", 2), ("b", 1)):
            afe.wait_for(f"failures of {key}", lambda k=key, v=value: again.metrics().get(
                FAILURES, deployment_id=k) == v)
        self.listed(again, 2)
        exposition = again.metrics()
        self.assertEqual(exposition.get(FAILURES, deployment_id="a"), 2)
        self.assertEqual(exposition.get(FAILURES, deployment_id="b"), 1)
        self.assertEqual(exposition.get(OF_NAMESPACE), 3)

    def test_selected_and_by_name(self):
        """A selection by status is the answer itself; names are looked up in the lists."""
        sim = self.world()
        selected = self.start(sim, extra='select = { status = "FAILED"; };').wait_ready()
        exposition = selected.metrics()
        self.assertEqual(self.status(exposition, "down"), "failed")
        self.assertEqual(exposition.get("aliyun_flink_namespace_deployments"), 2)
        self.listed(selected, 2)
        self.assertEqual(set(sim.state()["calls"]), {"ListDeployments"})
        exposition = selected.metrics()
        self.assertLessEqual(
            exposition.get(REQUESTS, operation="ListDeployments", code="200"),
            exposition.get(REFRESHES, collector="deployments"))  # one a refresh
        self.assertEqual(selected.stop(), 0)
        os.unlink(self.state)
        named = self.start(sim, extra='deployment_names = [ "down", "stopped" ];').wait_ready()
        exposition = named.metrics()
        self.assertEqual(self.status(exposition, "down"), "failed")
        self.assertEqual(self.status(exposition, "stopped"), "cancelled")

    def test_nobody_asks(self):
        sim = self.world()
        exporter = self.start(sim, metrics=f'deny = [ "{STATUS}" ];').wait_ready()
        self.listed(exporter, 2)
        exposition = exporter.metrics()
        self.assertEqual(exposition.all(STATUS), [])
        self.assertLessEqual(
            exposition.get(REQUESTS, operation="ListDeployments", code="200"),
            exposition.get(REFRESHES, collector="deployments"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
