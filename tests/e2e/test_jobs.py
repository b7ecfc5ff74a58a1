"""The collector jobs against the simulator: crash loops, failures, what it costs."""

import html
import re
import time
import unittest

import afe

NAMESPACE = "default-namespace"
D = "aliyun_flink_deployment_"
RESTARTS = D + "job_flink_restarts"
STARTED = D + "job_started_timestamp_seconds"
LAST_FAILURE = D + "last_job_failure_timestamp_seconds"
FAMILIES = [STARTED, RESTARTS, D + "job_cpu_cores", D + "job_memory_bytes"]
COLLECTORS = 'collectors = [ "deployments", "jobs" ];'
OF_JOBS = {"collector": "jobs"}


def deployment(name, **summary):
    """Its id is its name."""
    states = dict.fromkeys(afe.STATES, 0)
    states.update(summary)
    return {"deploymentId": name, "name": f"name of {name}", "executionMode": "STREAMING",
            "createdAt": 1700000000, "jobSummary": states}


class Jobs(afe.Case):

    def start(self, *deployments, more="", metrics="", defaults="", flags=()):
        self.sim = self.simulator("--deployments=0", "--rate-limit=0")
        if deployments:
            self.sim.post(add=list(deployments))
        self.file = self.config(self.sim.url, extra=COLLECTORS + more, metrics=metrics,
                                defaults=defaults)
        return self.exporter(self.file, *flags).wait_ready()

    def expect(self, exporter, name, value, **labels):
        try:
            afe.wait_for(f"{name}{labels} to be {value}",
                         lambda: exporter.metrics().get(name, **labels) == value)
        except AssertionError as error:
            raise AssertionError(f"{error}\nit is {exporter.metrics().all(name, **labels)}\n"
                                 f"{exporter.log()}") from None

    def asked(self):
        """How often each deployment was asked for its jobs."""
        counts = {}
        for entry in self.sim.log_of_requests():
            if entry["operation"] == "ListJobs":
                self.assertIn("deploymentId=", entry["query"])
                name = entry["query"].split("deploymentId=")[1].split("&")[0]
                counts[name] = counts.get(name, 0) + 1
        return counts

    def fail_job(self, name, **failure):
        """Nobody may see the job before it says why: once it has ended it is asked for once."""
        self.sim.faults("status:code=500,operation=ListJobs")
        self.sim.post(event={"deploymentId": name, "kind": "fail"})
        self.sim.post(set_failure={name: failure})
        self.sim.faults()

    def another_refresh(self, exporter, n=2):
        name = "aliyun_flink_refreshes_total"
        before = exporter.metrics().get(name, **OF_JOBS)
        afe.wait_for("more refreshes",
                     lambda: exporter.metrics().get(name, **OF_JOBS) >= before + n)

    def test_a_crash_loop_is_seen(self):
        exporter = self.start(deployment("a", running=1), deployment("b", cancelled=3),
                              deployment("c", finished=1, failed=1))
        self.expect(exporter, RESTARTS, 0, deployment_id="a")
        labels, started = exporter.metrics().all(STARTED, deployment_id="a")[0]
        self.assertEqual(labels["deployment_name"], "name of a")
        self.assertTrue(1700000000 <= started <= time.time())
        self.assertEqual(exporter.metrics().get(D + "job_cpu_cores", deployment_id="a"), 2)
        self.assertEqual(exporter.metrics().get(D + "job_memory_bytes", deployment_id="a"), 8 << 30)
        self.sim.post(set_restarts={"a": 17})
        self.expect(exporter, RESTARTS, 17, deployment_id="a")
        self.assertEqual(exporter.metrics().get(D + "jobs", deployment_id="a", state="running"), 1)
        self.assertEqual(exporter.metrics().get("aliyun_flink_up"), 1)
        # The one whose jobs were cancelled is never asked, the one that failed once.
        self.another_refresh(exporter, 3)
        asked = self.asked()
        self.assertGreater(asked.pop("a"), 3)
        self.assertEqual(asked, {"c": 1})
        for name in FAMILIES:
            shown = {labels["deployment_id"] for labels, _ in exporter.metrics().all(name)}
            self.assertEqual(shown, {"a"}, name)
        metrics = exporter.metrics()
        self.assertEqual(metrics.get("aliyun_flink_refresh_objects", **OF_JOBS), 1)
        self.assertEqual(metrics.get("aliyun_flink_refresh_objects_expected", **OF_JOBS), 1)
        # It is stopped, and renamed, and runs again.
        self.sim.post(event={"deploymentId": "a", "kind": "cancel"})
        self.expect(exporter, RESTARTS, None, deployment_id="a")
        # Nothing of the job that ended is shown of the next one.
        self.sim.post(rename={"a": "another name"}, event={"deploymentId": "a", "kind": "start",
                                                           "state": "RUNNING"})
        self.expect(exporter, RESTARTS, 0, deployment_id="a", deployment_name="another name")
        self.sim.post(remove=["a"])
        self.expect(exporter, RESTARTS, None, deployment_id="a")

    def test_exact_times_of_failures(self):
        self.sim = self.simulator("--deployments=0", "--rate-limit=0")
        self.sim.post(add=[deployment("old", failed=2), deployment("new", running=1)])
        self.sim.post(set_status={"old": "FAILED"})
        self.sim.post(set_failure={"old": {"failedAt": 1750000000}})
        exporter = self.exporter(self.config(self.sim.url, extra=COLLECTORS)).wait_ready()
        # From before the exporter, which no listing tells; and no news.
        self.expect(exporter, LAST_FAILURE, 1750000000, deployment_id="old")
        self.assertNotIn("a job of the deployment failed", exporter.log())
        self.expect(exporter, RESTARTS, 0, deployment_id="new")
        failed_at = int(time.time()) - 5
        self.fail_job("new", reason="JobFailed", failedAt=failed_at,
                      message='boom "x"\n\x1b[31m' + "y" * 2000)
        self.expect(exporter, LAST_FAILURE, failed_at, deployment_id="new")
        line = exporter.wait_log("a job of the deployment failed")
        for part in ("level=warn", "target=t1", f"namespace={NAMESPACE}", "deployment=new",
                     'name="name of new"', "failed_at=", "reason=JobFailed", "job=", "boom"):
            self.assertIn(part, line)
        self.assertNotIn("\x1b", line)
        self.assertLess(len(line), 1000)
        self.another_refresh(exporter, 3)
        self.assertEqual(exporter.log().count("a job of the deployment failed"), 1)
        text = exporter.get().text
        self.assertNotIn("boom", text)
        self.assertNotIn("JobFailed", text)
        # A second failure, whose jobs have not been asked for, is that of the listing.
        self.expect(exporter, "aliyun_flink_refresh_success", 1, **OF_JOBS)
        self.sim.faults("status:code=500,operation=ListJobs")
        before = int(time.time())
        self.sim.post(event={"deploymentId": "new", "kind": "fail"})
        afe.wait_for("the failure to be seen", lambda: exporter.metrics().get(
            LAST_FAILURE, deployment_id="new") >= before)
        self.sim.faults()

    def page(self, exporter):
        """The debug page as text: tags gone, entities read."""
        reply = exporter.get("/debug/targets")
        self.assertEqual(reply.status, 200)
        reply.body.decode("utf-8")
        return html.unescape(re.sub(r"<[^>]*>", " ", reply.text))

    def test_why_stands_on_the_debug_page(self):
        exporter = self.start(deployment("a", running=1), deployment("b", running=1),
                              deployment("c", running=1), flags=["--web.enable-debug"])
        self.expect(exporter, RESTARTS, 0, deployment_id="c")
        self.assertIn("None.", self.page(exporter))
        self.assertIn('href="./debug/targets"', exporter.get("/").text)
        hostile = "<script>alert(1)</script>'\"&\x01\x1b[31m\u202egnp.exe\r\n\ufffe" + "y" * 10000
        now = int(time.time())
        for name, age, message in (("a", 100, "Xolderx"), ("b", 10, hostile)):
            self.fail_job(name, reason="Job<b>Failed</b>", failedAt=now - age, message=message)
        for name, age in (("a", 100), ("b", 10)):
            self.expect(exporter, LAST_FAILURE, now - age, deployment_id=name)
        reply = exporter.get("/debug/targets")
        self.assertNotIn("<script", reply.text)
        self.assertNotIn("<b>", reply.text)
        self.assertEqual([c for c in reply.text if ord(c) < 32 and c != "\n"], [])
        self.assertEqual(reply.headers["content-type"], "text/html; charset=utf-8")
        self.assertEqual(reply.headers["cache-control"], "no-store")
        self.assertIn("default-src 'none'", reply.headers["content-security-policy"])
        text = self.page(exporter)
        for part in ("t1  /  " + NAMESPACE, "jobs", "deployments", "Job<b>Failed</b>", "Xolderx",
                     "<script>alert(1)</script>'\"&", "name of a", "y" * 500,
                     time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now - 10))):
            self.assertIn(part, re.sub(r"\n", " ", text))
        self.assertLess(text.index("name of b"), text.index("name of a"))  # the newest first
        self.assertNotIn("name of c", text)
        self.assertNotIn("y" * 1001, text)
        self.assertLess(len(reply.body), 20000)
        head = exporter.get("/debug/targets", method="HEAD")
        self.assertEqual((head.status, head.body), (200, b""))
        self.assertEqual(exporter.get("/debug/targets", method="POST").status, 405)
        self.assertEqual(exporter.get("/debug/requests").status, 404)
        scraped = exporter.get().text
        for secret in ("alert(1)", "Xolderx", "Failed</b>", "yyyy"):
            self.assertNotIn(secret, scraped)
        self.assertGreaterEqual(exporter.metrics().get(
            "aliyun_flink_exporter_http_requests_total", handler="/debug/targets", code="200"), 3)
        # What fails now, and that it failed when it is over.
        self.sim.faults("status:code=503,operation=ListJobs")
        afe.wait_for("a failing collector", lambda: re.search(
            r"failing for \d+ s .*503.* backs off", self.page(exporter)))
        self.sim.faults()
        afe.wait_for("the end of it", lambda: re.search(r"last failure \d+ s ago: .*503",
                                                        self.page(exporter)))
        self.assertNotIn(afe.SECRET, self.page(exporter))
        self.assertNotIn(afe.KEY_ID, self.page(exporter))
        # A deployment that goes takes its failure with it.
        self.sim.post(remove=["a"])
        afe.wait_for("its end", lambda: "name of a" not in self.page(exporter)
                     and "Xolderx" not in self.page(exporter))

    def test_no_debug_page_unless_asked_for(self):
        exporter = self.start(deployment("a", running=1, failed=1))
        for path in ("/debug/targets", "/debug/", "/debug/requests"):
            self.assertEqual(exporter.get(path).status, 404, path)
        self.assertNotIn("debug", exporter.get("/").text)
        self.assertEqual(exporter.metrics().all("aliyun_flink_exporter_http_requests_total",
                                                handler="/debug/targets"), [])

    def test_debug_page_without_the_collector(self):
        sim = self.simulator("--deployments=3", "--rate-limit=0")
        exporter = self.exporter(self.config(sim.url), "--web.enable-debug").wait_ready()
        self.assertIn("without the collector", self.page(exporter))

    def test_a_budget_is_kept_and_shared(self):
        names = [f"d{i:02}" for i in range(25)]
        exporter = self.start(*(deployment(n, running=1) for n in names),
                              more=" max_job_requests = 10;")
        for name in names:
            self.expect(exporter, RESTARTS, 0, deployment_id=name)
        exporter.wait_log(r"25 deployments are to be asked .* max_job_requests \(10\)")
        self.another_refresh(exporter, 5)
        asked = self.asked()
        self.assertEqual(set(asked), set(names))
        self.assertLessEqual(max(asked.values()) - min(asked.values()), 1)
        metrics = exporter.metrics()
        self.assertEqual(metrics.get("aliyun_flink_refresh_objects", **OF_JOBS), 10)
        self.assertEqual(metrics.get("aliyun_flink_refresh_objects_expected", **OF_JOBS), 25)
        refreshes = metrics.get("aliyun_flink_refreshes_total", **OF_JOBS)
        self.assertLessEqual(sum(asked.values()), 10 * (refreshes + 1))
        self.assertEqual(exporter.log().count("they take turns"), 1)

    def test_refused_and_nobody_else_suffers(self):
        sim = self.simulator("--deployments=20", "--rate-limit=0")
        sim.faults("status:code=403,operation=ListJobs")
        exporter = self.exporter(self.config(sim.url, extra=COLLECTORS)).wait_ready()
        self.expect(exporter, "aliyun_flink_refresh_success", 0, **OF_JOBS)
        self.expect(exporter, "aliyun_flink_refresh_success", 1, collector="deployments")
        metrics = exporter.metrics()
        self.assertEqual(metrics.get("aliyun_flink_namespace_deployments"), 20)
        self.assertEqual(metrics.get("aliyun_flink_up"), 0)
        self.assertEqual(metrics.get("aliyun_flink_refresh_failures_total", reason="permission",
                                     **OF_JOBS), 1)
        exporter.wait_log("collector=jobs reason=permission")
        self.assertEqual(metrics.all(RESTARTS), [])
        # One is asked, then the refresh gives up.
        self.assertLessEqual(len([e for e in sim.log_of_requests() if e["operation"] == "ListJobs"]),
                             8)

    def test_without_a_listing(self):
        """Nothing to ask for is no failure; with the first listing there is."""
        self.sim = self.simulator("--deployments=0", "--rate-limit=0")
        self.sim.post(add=[deployment("a", running=1)])
        self.sim.faults("status:code=500,operation=ListDeployments")
        exporter = self.exporter(self.config(self.sim.url, extra=COLLECTORS)).wait_ready()
        metrics = exporter.metrics()
        self.assertEqual(metrics.get("aliyun_flink_refresh_success", **OF_JOBS), 1)
        self.assertEqual(metrics.get("aliyun_flink_refresh_success", collector="deployments"), 0)
        self.assertEqual(self.asked(), {})
        self.sim.faults()
        self.expect(exporter, RESTARTS, 0, deployment_id="a")

    def test_left_out(self):
        exporter = self.start(deployment("a", running=1, failed=1),
                              metrics=f'deny = [ "{RESTARTS}", "*_cpu_cores" ];')
        afe.wait_for("jobs", lambda: exporter.metrics().all(STARTED))
        self.assertEqual(exporter.metrics().all(RESTARTS), [])
        self.assertEqual(exporter.metrics().all(D + "job_cpu_cores"), [])
        with open(self.file, encoding="utf-8") as f:
            text = f.read()
        self.write("exporter.cfg", text.replace("metrics = {", 'metrics = { aggregation = "namespace";'))
        exporter.send(1)
        afe.wait_for("sums only", lambda: not exporter.metrics().all(STARTED))
        self.expect(exporter, "aliyun_flink_refresh_success", 1, **OF_JOBS)
        self.write("exporter.cfg", text.replace(COLLECTORS, ""))
        exporter.send(1)
        afe.wait_for("no such collector", lambda: not exporter.metrics().all(
            "aliyun_flink_refresh_success", **OF_JOBS))
        self.assertEqual(exporter.metrics().all(STARTED), [])
        self.write("exporter.cfg", text)
        exporter.send(1)
        afe.wait_for("jobs again", lambda: exporter.metrics().all(STARTED))

    def test_once(self):
        sim = self.simulator("--deployments=0", "--rate-limit=0")
        sim.post(add=[deployment("a", running=1, failed=1)])
        exporter = afe.Process([afe.program("aliyun_flink_exporter"), "--once", "--config.file="
                                + self.config(sim.url, extra=COLLECTORS)])
        self.assertEqual(exporter.join(), 0, exporter.log())
        text = "".join(line + "\n" for line in exporter.out)
        metrics = afe.Exposition(text)
        self.assertEqual(metrics.get(RESTARTS, deployment_id="a"), 0)
        self.assertIsNotNone(metrics.get(LAST_FAILURE, deployment_id="a"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
