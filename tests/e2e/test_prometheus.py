"""A real Prometheus scrapes the daemon, in both formats."""

import http.server
import json
import shutil
import threading
import unittest
import urllib.parse

import afe


class TextOnly(http.server.BaseHTTPRequestHandler):
    """A proxy that asks the exporter for text 0.0.4 whatever Prometheus prefers."""

    port = 0

    def do_GET(self):
        headers = {"Accept": "text/plain;version=0.0.4", "Accept-Encoding": "gzip"}
        reply = afe.request(self.port, self.path, headers=headers)
        self.send_response(reply.status)
        for name in ("content-type", "content-encoding"):
            if name in reply.headers:
                self.send_header(name, reply.headers[name])
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *args):
        pass


class RealPrometheus(afe.Case):
    def prometheus(self, jobs):
        if not shutil.which("prometheus"):
            self.skipTest("no prometheus")
        scrape = "".join(f"- job_name: {name}\n  static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n"
                         for name, port in jobs.items())
        path = self.write("prometheus.yml", "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
                          "scrape_configs:\n" + scrape, 0o644)
        port = free_port()
        process = afe.Process(["prometheus", f"--config.file={path}",
                               f"--storage.tsdb.path={self.dir}/tsdb",
                               f"--web.listen-address=127.0.0.1:{port}"])
        self.stack.callback(process.stop)
        return port

    def query(self, port, expression):
        reply = afe.request(port, "/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        return {r["metric"].get("job", ""): float(r["value"][1])
                for r in json.loads(reply.body)["data"]["result"]}

    def test_both_formats(self):
        sim, exporter = self.pair("--deployments=150", "--profile=small", "--quirks=0.3",
                                  metrics='deployment_labels = [ "*" ];')
        handler = type("Handler", (TextOnly,), {"port": exporter.port})
        proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        self.stack.callback(proxy.server_close)
        self.stack.callback(proxy.shutdown)
        port = self.prometheus({"openmetrics": exporter.port, "text": proxy.server_port})
        jobs = {"openmetrics", "text"}

        def scraped():
            try:
                return self.query(port, "up") == dict.fromkeys(jobs, 1.0)
            except (OSError, ValueError, KeyError):
                return False

        afe.wait_for("up == 1 in both formats", scraped)
        deployments = len(sim.deployments())
        afe.wait_for("the aggregate", lambda: self.query(
            port, "sum by (job) (aliyun_flink_namespace_deployments)") == dict.fromkeys(
                jobs, float(deployments)))
        wanted = len(exporter.metrics().all("aliyun_flink_deployment_jobs"))
        self.assertEqual(self.query(port, "count by (job) (aliyun_flink_deployment_jobs)"),
                         dict.fromkeys(jobs, float(wanted)))
        infos = self.query(port, "count by (job) (aliyun_flink_deployment_info)")
        self.assertEqual(infos, dict.fromkeys(jobs, float(deployments)))
        total = len(exporter.metrics().samples)
        scraped_total = self.query(port, "scrape_samples_scraped")
        for job in jobs:
            self.assertLessEqual(abs(scraped_total[job] - total), 8)  # live families come and go

    def test_a_deleted_deployment_goes_stale(self):
        sim, exporter = self.pair("--deployments=3", "--profile=small")
        port = self.prometheus({"flink": exporter.port})
        gone = sim.deployments()[0]["deploymentId"]
        expression = f'count by (job) (aliyun_flink_deployment_info{{deployment_id="{gone}"}})'

        def count():
            try:
                return self.query(port, expression)
            except (OSError, ValueError, KeyError):
                return None

        afe.wait_for("the deployment", lambda: count() == {"flink": 1.0})
        sim.post(remove=[gone])
        # Stale within a refresh and a scrape, long before Prometheus' five minutes of lookback.
        afe.wait_for("its series to go stale", lambda: count() == {}, 30)


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


if __name__ == "__main__":
    unittest.main(verbosity=2)
