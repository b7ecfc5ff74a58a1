"""What a scraper gets: both formats by negotiation, gzip as one member, and always one whole
generation. Checked with promtool, with the reference OpenMetrics parser, and with a parser of our
own for what both let pass: duplicate series and interleaved families."""

import gzip
import shutil
import subprocess
import threading
import unittest
import zlib

import afe

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS_ACCEPT = ("application/openmetrics-text;version=1.0.0,"
                     "application/openmetrics-text;version=0.0.1;q=0.75,"
                     "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
REFERENCE_PARSER = """
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
n = sum(len(family.samples) for family in text_string_to_metric_families(sys.stdin.read()))
print(n)
"""


class Formats(afe.Case):
    def setUp(self):
        super().setUp()
        self.sim, self.exporter = self.pair("--deployments=230", "--profile=small", "--quirks=0.3",
                                            "--seed=3", defaults='interval = "1h";',
                                            metrics='deployment_labels = [ "*" ];')

    def test_text(self):
        reply = self.exporter.get(headers={"Accept": "text/plain"})
        self.assertEqual((reply.status, reply.headers["content-type"]), (200, TEXT))
        self.assertEqual(reply.headers["vary"], "Accept, Accept-Encoding")
        exposition = afe.Exposition(reply.text)
        self.assertEqual(exposition.get("aliyun_flink_up"), 1)
        series = exposition.get("aliyun_flink_exporter_snapshot_series")
        live = [n for n in exposition.samples if n[0].startswith(
            ("aliyun_flink_exporter_", "process_", "aliyun_flink_api_request_duration",
             "aliyun_flink_api_requests_in_flight", "aliyun_flink_api_response_bytes",
             "aliyun_flink_api_clock_skew", "aliyun_flink_api_connections_opened",
             "aliyun_flink_api_tls_handshakes", "aliyun_flink_api_in_flight_limit",
             "aliyun_flink_credentials_"))]
        self.assertEqual(series, len(exposition.samples) - len(live))

    def test_promtool(self):
        reply = self.exporter.get(headers={"Accept": "text/plain"})
        done = subprocess.run(["promtool", "check", "metrics"], input=reply.body,
                              capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    def test_openmetrics(self):
        reply = self.exporter.get(headers={"Accept": PROMETHEUS_ACCEPT})
        self.assertEqual((reply.status, reply.headers["content-type"]), (200, OPENMETRICS))
        exposition = afe.Exposition(reply.text, openmetrics=True)
        done = subprocess.run(["/usr/bin/python3", "-c", REFERENCE_PARSER], input=reply.body,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(int(done.stdout), len(exposition.samples))

    def test_formats_agree(self):
        text = afe.Exposition(self.exporter.get(headers={"Accept": "text/plain"}).text)
        openmetrics = afe.Exposition(
            self.exporter.get(headers={"Accept": PROMETHEUS_ACCEPT}).text, openmetrics=True)

        def stable(exposition):
            return {k: v for k, v in exposition.samples.items() if not k[0].startswith(
                ("process_", "aliyun_flink_exporter_http", "aliyun_flink_exporter_snapshot_bytes"))}

        self.assertEqual(stable(text), stable(openmetrics))

    def test_gzip_is_one_member_and_the_same_text(self):
        for accept in ("text/plain", PROMETHEUS_ACCEPT):
            reply = self.exporter.get(headers={"Accept": accept, "Accept-Encoding": "gzip"})
            self.assertEqual(reply.headers["content-encoding"], "gzip")
            one = zlib.decompressobj(wbits=31)
            text = one.decompress(reply.body) + one.flush()
            self.assertTrue(one.eof)
            self.assertEqual(one.unused_data, b"")  # a second member would be left here
            self.assertEqual(text, gzip.decompress(reply.body))
            afe.Exposition(text.decode(), openmetrics=accept == PROMETHEUS_ACCEPT)

    def test_curl_reads_gzip(self):
        if not shutil.which("curl"):
            self.skipTest("no curl")
        done = subprocess.run(["curl", "-sS", "--noproxy", "*", "--compressed", "-f",
                               f"http://127.0.0.1:{self.exporter.port}/metrics"],
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        afe.Exposition(done.stdout.decode())

    def test_head(self):
        reply = self.exporter.get(method="HEAD")
        self.assertEqual((reply.status, reply.body), (200, b""))
        self.assertEqual(reply.headers["content-type"], TEXT)
        self.assertGreater(int(reply.headers["content-length"]), 1000)

    def test_no_timestamps_and_no_created(self):
        text = self.exporter.get(headers={"Accept": PROMETHEUS_ACCEPT}).text
        self.assertNotIn("_created{", text.replace("deployment_created", ""))
        for line in text.splitlines():
            if not line.startswith("#"):
                self.assertEqual(len(line.rsplit("}", 1)[-1].split()), 1 if "}" in line else 2, line)


class Generations(afe.Case):
    def test_a_scrape_is_one_whole_generation(self):
        """All deployments carry the same count, which grows between listings; a scrape that mixes
        two generations would show two values."""
        sim, exporter = self.pair("--deployments=0", defaults='interval = "1s"; page_size = 10;')
        ids = [f"d-{i:03d}" for i in range(60)]
        sim.post(add=[{"deploymentId": i, "name": i, "jobSummary": {"failed": 0}} for i in ids])
        stop = threading.Event()

        def grow():
            n = 0
            while not stop.is_set():
                n += 1
                sim.post(set_summary={i: {"failed": n} for i in ids})
                stop.wait(0.05)

        thread = threading.Thread(target=grow)
        thread.start()
        seen = set()
        try:
            def scraped():
                exposition = exporter.metrics()
                failed = {value for labels, value in exposition.all(
                    "aliyun_flink_deployment_jobs", state="failed")}
                total = exposition.get("aliyun_flink_namespace_jobs", state="failed")
                rows = exposition.all("aliyun_flink_deployment_jobs", state="failed")
                # The listing itself may straddle two values of the simulator; the sums that were
                # rendered with it must be of the same records all the same.
                if rows:
                    self.assertEqual(len(rows), 60)
                    self.assertEqual(total, sum(value for _, value in rows))
                seen.update(failed)
                return len(seen) >= 5
            afe.wait_for("five generations", scraped)
        finally:
            stop.set()
            thread.join()


if __name__ == "__main__":
    unittest.main(verbosity=2)
