"""Bad input never ends the process and never loses the last good data, and each case says what
happened: in the log, in refresh_failures_total{reason}, and on the status page."""

import threading
import time
import unittest

import afe

FAST = ('interval = "1s"; max_backoff = "1s"; timeout = "2s"; max_retries = 0; '
        'max_body_size = "1MiB"; page_size = 10;')
FAILURES = "aliyun_flink_refresh_failures_total"

# fault, the reason it must be counted under
FAULTS = [
    ("status:code=500", "http"),
    ("status:code=503", "http"),
    ("status:code=401", "authentication"),
    ("status:code=403", "permission"),
    ("throttle:ms=1,code=429", "throttled"),
    ("throttle:ms=1,code=503", "throttled"),
    ("business:code=990301", "api"),
    ("html", "http"),
    ("empty", "parse"),
    ("malformed", "parse"),
    ("truncate:bytes=700,mode=length", "http"),
    ("truncate:bytes=700,mode=chunked", "http"),
    ("truncate:bytes=700,mode=eof", "parse"),
    ("reset", "http"),
    ("hang", "timeout"),
    ("drip:bytes=1,every_ms=300", "timeout"),
    ("huge:size=64MiB", "limit"),
    ("gzip-bomb:size=64MiB", "limit"),
    ("deep:depth=100000", "parse"),
    ("redirect:to=http://127.0.0.1:9/", "http"),
]


class Faults(afe.Case):
    def failures(self, exposition):
        return {labels["reason"]: value for labels, value in exposition.all(FAILURES) if value}

    def test_each_fault(self):
        sim, exporter = self.pair("--deployments=25", "--profile=small", "--seed=5", defaults=FAST)
        good = afe.job_counts(exporter.metrics())
        self.assertEqual(len(good), 25)
        for fault, reason in FAULTS:
            with self.subTest(fault=fault):
                self.one_fault(sim, exporter, fault, reason, good)

    def one_fault(self, sim, exporter, fault, reason, good):
        before = self.failures(exporter.metrics())
        log_before = len(exporter.err)
        sim.faults(fault)

        def counted():
            exposition = exporter.metrics()
            now = self.failures(exposition)
            return exposition if now != before else None

        exposition = afe.wait_for(f"{fault} to be counted", counted)
        now = self.failures(exposition)
        grown = {r for r in now if now[r] != before.get(r)}
        self.assertEqual(grown, {reason}, exporter.log())
        self.assertEqual(exposition.get("aliyun_flink_up"), 0)
        self.assertEqual(exposition.get("aliyun_flink_refresh_success"), 0)
        self.assertEqual(afe.job_counts(exposition), good)  # the last good data, whole
        page = exporter.get("/").text
        self.assertIn(reason, page)
        lines = [line for line in exporter.err[log_before:] if "refresh failed" in line]
        self.assertEqual(len(lines), 1, exporter.log())
        self.assertIn("keeping the last data", lines[0])
        self.assertIn(f"reason={reason}", lines[0])
        self.assertIn("target=t1", lines[0])
        sim.faults()
        afe.wait_for(f"recovery from {fault}",
                     lambda: exporter.metrics().get("aliyun_flink_up") == 1)

    def test_a_repeated_failure_is_logged_once(self):
        sim, exporter = self.pair("--deployments=3", "--profile=small", defaults=FAST)
        sim.faults("status:code=500")
        afe.wait_for("three failures", lambda: exporter.metrics().get(FAILURES, reason="http") >= 3)
        lines = [line for line in exporter.err if "refresh failed" in line]
        self.assertEqual(len(lines), 1, exporter.log())
        sim.faults()
        exporter.wait_log("refresh works again")

    def test_invalid_utf8_keeps_the_scrape_up(self):
        sim, exporter = self.pair("--deployments=3", "--profile=small", "--fault=invalid-utf8",
                                  defaults=FAST)
        exposition = exporter.metrics()  # decodes as UTF-8 or raises
        self.assertEqual(exposition.get("aliyun_flink_up"), 1)
        self.assertGreaterEqual(exposition.get(
            "aliyun_flink_exporter_label_values_sanitized_total", reason="invalid_utf8"), 1)

    def test_retries_wait_as_told(self):
        """x-acs-retry-after is milliseconds; the next attempt comes no earlier."""
        sim, exporter = self.pair(
            "--deployments=3", "--profile=small",
            defaults='interval = "1h"; timeout = "10s"; max_retries = 2;',
            *(), exporter_flags=())
        exporter.stop()
        sim.post(reset_counters=True)
        sim.faults("throttle:ms=1500,code=429,count=1")
        again = self.exporter(exporter.config_file).wait_ready()
        self.assertEqual(again.metrics().get("aliyun_flink_up"), 1)
        self.assertEqual(again.metrics().get("aliyun_flink_api_retries_total"), 1)
        self.assertEqual(again.metrics().get("aliyun_flink_api_throttled_total"), 1)
        calls = [c for c in sim.log_of_requests() if "/deployments" in c["path"]]
        throttled = max(i for i, c in enumerate(calls) if c["status"] == 429)
        self.assertGreaterEqual(calls[throttled + 1]["ms"] - calls[throttled]["ms"], 1500)

    def test_other_4xx_are_never_retried(self):
        sim = self.simulator("--deployments=3", "--profile=small", "--fault=status:code=403")
        exporter = self.exporter(self.config(
            sim.url, defaults='interval = "1h"; max_backoff = "1h"; max_retries = 5;')).wait_ready()
        exposition = exporter.metrics()
        self.assertEqual(exposition.get("aliyun_flink_api_requests_total", code="403"), 1)
        self.assertEqual(exposition.get("aliyun_flink_api_retries_total"), 0)

    def test_a_wrong_secret(self):
        sim = self.simulator("--deployments=3", "--profile=small", secret="another")
        exporter = self.exporter(self.config(sim.url, defaults=FAST)).wait_ready()
        self.assertGreaterEqual(exporter.metrics().get(FAILURES, reason="authentication"), 1)
        line = exporter.wait_log("refresh failed")
        self.assertIn("SignatureDoesNotMatch", line)
        self.assertIn("there is no data yet", line)

    def test_wrong_workspace_both_ways(self):
        sim = self.simulator("--deployments=3", "--profile=small")
        exporter = self.exporter(self.config(sim.url, namespaces=("nobody",),
                                             defaults=FAST)).wait_ready()
        afe.wait_for("permission", lambda: exporter.metrics().get(FAILURES, reason="permission"))
        sim.post(options={"access_denied_as": "business"})

        def counted():
            exposition = exporter.metrics()
            before = exposition.get(FAILURES, reason="permission")
            return (exposition.get(FAILURES, reason="api") or 0) + before >= 3

        afe.wait_for("the business refusal", counted)

    def test_total_size_that_lies(self):
        """A wrong totalSize neither ends the listing early nor means an outage for ever."""
        for lie in ("value=0", "missing", "negative", "string", "null", "delta=7", "delta=-3"):
            with self.subTest(lie=lie):
                sim, exporter = self.pair("--deployments=45", "--profile=small",
                                          f"--fault=total-size:{lie}", defaults=FAST)
                exposition = exporter.metrics()
                self.assertEqual(exposition.get("aliyun_flink_up"), 1, exporter.log())
                self.assertEqual(len(exposition.all("aliyun_flink_deployment_info")), 45)
                exporter.stop()
                sim.stop()

    def test_endless_pages_end(self):
        """New deployments for ever end at the limits; the same ones again end at once."""
        sim, exporter = self.pair("--deployments=30", "--profile=small",
                                  defaults=FAST + "max_deployments = 500;")
        sim.faults("endless:mode=fresh")

        def counted():
            return set(self.failures(exporter.metrics())) & {"limit", "incomplete"}

        afe.wait_for("the endless listing to be given up", counted)
        self.assertEqual(len(exporter.metrics().all("aliyun_flink_deployment_info")), 30)
        sim.faults("endless:mode=repeat")
        afe.wait_for("recovery", lambda: exporter.metrics().get("aliyun_flink_up") == 1)
        self.assertEqual(len(exporter.metrics().all("aliyun_flink_deployment_info")), 30)
        self.assertLess(exporter.metrics().get("aliyun_flink_refresh_pages"), 20)

    def test_a_listing_that_shifts(self):
        """Items move between pages while we read: never a partial listing over a whole one, and
        the next quiet refresh is right."""
        sim, exporter = self.pair("--deployments=60", "--profile=small", defaults=FAST)
        whole = len(exporter.metrics().all("aliyun_flink_deployment_info"))
        self.assertEqual(whole, 60)
        sim.faults("shift")
        for _ in range(20):
            found = len(exporter.metrics().all("aliyun_flink_deployment_info"))
            self.assertGreater(found, 0)
            time.sleep(0.1)
        sim.faults()
        want = {d["deploymentId"] for d in sim.deployments()}

        def repaired():
            return {labels["deployment_id"] for labels, _ in exporter.metrics().all(
                "aliyun_flink_deployment_info")} == {d["deploymentId"] for d in sim.deployments()}

        afe.wait_for(f"{len(want)} deployments", repaired)

    def test_object_limit(self):
        sim, exporter = self.pair("--deployments=50", "--profile=small",
                                  defaults=FAST + "max_deployments = 20;")
        exposition = exporter.metrics()
        self.assertEqual(exposition.get("aliyun_flink_up"), 1, exporter.log())
        self.assertEqual(len(exposition.all("aliyun_flink_deployment_info")), 20)
        self.assertGreaterEqual(exposition.get("aliyun_flink_exporter_objects_dropped_total",
                                               reason="object_limit"), 30)
        self.assertIn("max_deployments (20)", exporter.log())
        self.assertIn("30 more", exporter.get("/").text)

    def test_stale_data_is_withheld_and_said_so(self):
        defaults = ('interval = "1s"; max_backoff = "1s"; timeout = "1s"; max_retries = 0; '
                    'max_staleness = "3s";')
        sim, exporter = self.pair("--deployments=5", "--profile=small", defaults=defaults)
        sim.faults("status:code=500")
        afe.wait_for("withholding",
                     lambda: exporter.metrics().get("aliyun_flink_data_withheld") == 1)
        exporter.wait_log("its state series are withheld")
        exposition = exporter.metrics()
        shown = {n for n in exposition.names() if n.startswith("aliyun_flink_deployment_")}
        self.assertEqual(shown, {f"aliyun_flink_deployment_job_{what}_total" for what in
                                 ("failures", "cancellations", "completions")})  # never withheld
        self.assertIsNone(exposition.get("aliyun_flink_namespace_deployments"))
        self.assertEqual(exposition.get("aliyun_flink_up"), 0)
        self.assertIn("withheld", exporter.get("/").text)
        sim.faults()
        afe.wait_for("the data to come back",
                     lambda: len(exporter.metrics().all("aliyun_flink_deployment_info")) == 5)
        self.assertEqual(exporter.metrics().get("aliyun_flink_data_withheld"), 0)
        exporter.wait_log("shown again")

    def test_a_hanging_target_delays_nobody(self):
        sim = self.simulator("--namespaces=one,two", "--deployments=5", "--profile=small",
                             "--fault=hang:namespace=one")
        defaults = 'interval = "1s"; timeout = "30s"; deadline = "1m"; max_staleness = "1h";'
        exporter = self.exporter(self.config(sim.url, namespaces=("one", "two"),
                                             defaults=defaults)).wait_listening()
        afe.wait_for("three refreshes of the other", lambda: exporter.metrics().get(
            "aliyun_flink_refreshes_total", flink_namespace="two") >= 3)
        exposition = exporter.metrics()
        self.assertEqual(exposition.get("aliyun_flink_up", flink_namespace="two"), 1)
        self.assertIsNone(exposition.get("aliyun_flink_up", flink_namespace="one"))
        self.assertEqual(exposition.get("aliyun_flink_refreshes_total", flink_namespace="one"), 1)
        self.assertEqual(exporter.get("/-/ready").status, 503)

    def test_no_connection(self):
        sim = self.simulator("--deployments=5", "--profile=small")
        exporter = self.exporter(self.config(sim.url, defaults=FAST)).wait_ready()
        sim.stop()
        afe.wait_for("connect", lambda: exporter.metrics().get(FAILURES, reason="connect"))
        self.assertEqual(len(exporter.metrics().all("aliyun_flink_deployment_info")), 5)
        self.assertGreaterEqual(exporter.metrics().get(
            "aliyun_flink_api_requests_total", code="none"), 1)

    def test_no_dns(self):
        exporter = self.exporter(self.config("https://nosuch.invalid", defaults=FAST)).wait_ready()
        self.assertGreaterEqual(exporter.metrics().get(FAILURES, reason="dns"), 1)

    def test_a_redirect_is_not_followed(self):
        other = self.simulator("--deployments=1", "--profile=small")
        sim = self.simulator("--deployments=1", "--profile=small",
                             f"--fault=redirect:to={other.url}/api,code=307")
        exporter = self.exporter(self.config(sim.url, defaults=FAST)).wait_ready()
        afe.wait_for("http", lambda: exporter.metrics().get(FAILURES, reason="http"))
        self.assertEqual([c for c in other.log_of_requests() if "_sim" not in c["path"]], [])

    def test_the_control_plane_sees_nothing_but_get(self):
        sim, exporter = self.pair("--deployments=120", "--profile=small", defaults=FAST)
        afe.wait_for("some refreshes",
                     lambda: exporter.metrics().get("aliyun_flink_refreshes_total") >= 3)
        methods = {c["method"] for c in sim.log_of_requests() if not c["path"].startswith("/_sim")}
        self.assertEqual(methods, {"GET"})

    def test_scrapes_go_on_during_a_refresh(self):
        sim, exporter = self.pair("--deployments=5", "--profile=small", defaults=FAST)
        sim.faults("hang")
        results = []

        def scrape():
            for _ in range(20):
                results.append(exporter.get().status)

        threads = [threading.Thread(target=scrape) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(set(results), {200})


if __name__ == "__main__":
    unittest.main(verbosity=2)
