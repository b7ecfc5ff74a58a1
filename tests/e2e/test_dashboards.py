"""Every panel and every rule on a real Prometheus, with data: of a model, and of the daemon.

The model has every family, so there every query has to have a result. The daemon under a simulator
that churns has what is built: there a query has to have a result unless it names a family that is
not built yet, or one that is there only at times (CONDITIONAL), or asks for what may not happen.
"""

import os
import re
import shutil
import time
import unittest

import afe
import monitoring

PENDING = os.path.join(afe.SOURCE_DIR, "tests/fixtures/prometheus/pending_families.txt")

# Families that the daemon of this test may have no series of, and why.
CONDITIONAL = {
    "aliyun_flink_deployment_labels": "nobody gave a label alerting",
    "aliyun_flink_deployment_last_job_failure_timestamp_seconds": "until a job fails",
    "aliyun_flink_deployment_max_slots": "batch deployments",
    "aliyun_flink_deployment_parallelism": "not in expert mode",
    "aliyun_flink_credentials_expiry_timestamp_seconds": "temporary credentials",
    "aliyun_flink_credentials_refreshes_total": "temporary credentials",
    "aliyun_flink_credentials_refresh_failures_total": "temporary credentials",
    "aliyun_flink_api_in_flight_limit": "after throttling",
}


def pending():
    with open(PENDING, encoding="utf-8") as file:
        return {line for line in file.read().split("\n") if line and not line.startswith("#")}


def filters(expression):
    """Whether it compares: then nothing may be left although there is data."""
    return re.search(r"(==|!=|[<>]=?)\s*[\d.]", expression)


class Watched(afe.Case):
    """What both kinds of data have in common: a Prometheus with the rules, all queries asked."""

    def prometheus(self, port):
        if not shutil.which("prometheus"):
            self.skipTest("no prometheus")
        config = self.write("prometheus.yml", f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: ["{monitoring.RULES}"]
scrape_configs:
- job_name: aliyun-flink-exporter
  static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
""", 0o644)
        prometheus = monitoring.Prometheus(config, os.path.join(self.dir, "tsdb"))
        self.stack.callback(prometheus.process.stop)
        return prometheus.wait_ready()

    def wait_scrapes(self, prometheus, number):
        """Rates need samples, and recording rules evaluations."""
        def enough():
            found = prometheus.query("count_over_time(up[10m])")
            return found and float(found[0]["value"][1]) >= number

        afe.wait_for(f"{number} scrapes", enough)

    def ask(self, prometheus, target, values):
        expression = monitoring.substitute(target["expr"], values)
        if target["instant"]:
            return expression, prometheus.query(expression)
        now = time.time()
        return expression, prometheus.query_range(expression, now - 8, now, 1)

    def check_panels(self, prometheus, may_be_empty):
        # One that has its resources configured: not all do.
        deployment = prometheus.query(
            "aliyun_flink_deployment_taskmanager_memory_bytes and on (deployment_id) "
            "aliyun_flink_deployment_parallelism")[0]["metric"]["deployment_id"]
        values = monitoring.variables(deployment)
        asked, empty = 0, []
        for name, board in monitoring.boards().items():
            for panel in monitoring.panels(board):
                for target in panel["targets"]:
                    expression, result = self.ask(prometheus, target, values)
                    asked += 1
                    if not result and not may_be_empty(expression):
                        empty.append(f"{name}: {panel['title']}: {expression}")
        self.assertEqual(empty, [])
        self.assertGreater(asked, 80)

    def check_variables(self, prometheus):
        """What the lists at the top of the dashboards are made of."""
        everything = monitoring.variables(".*")
        for name, board in monitoring.boards().items():
            for variable in board["templating"]["list"]:
                if variable["type"] == "datasource":
                    continue
                query = monitoring.substitute(variable["query"]["query"], everything)
                if query.startswith("label_values("):
                    selector, label = re.match(r"label_values\((.*), (\w+)\)$", query).groups()
                    found = prometheus.get(f"label/{label}/values", **{"match[]": selector})
                else:
                    regex = re.compile(variable["regex"].strip("/").replace("(?<", "(?P<"))
                    lines = ["{" + ",".join(f'{k}="{v}"' for k, v in sorted(r["metric"].items())) + "}"
                             for r in prometheus.query(re.match(r"query_result\((.*)\)$", query).group(1))]
                    found = [regex.search(line).group("value", "text") for line in lines]
                self.assertTrue(found, f"{name}: ${variable['name']}: {query}")

    def check_rules(self, prometheus, may_be_missing):
        """Each expression is asked; each recording has a result; each family selected has series."""
        missing = []
        for rule in monitoring.rules():
            result = prometheus.query(rule["expr"])
            named = {s.split("{")[0] for s in monitoring.selectors(rule["expr"])}
            if "record" in rule and not result and not any(map(may_be_missing, named)):
                missing.append(rule["record"])
            for selector in monitoring.selectors(rule["expr"]):
                if not prometheus.query(f"count({selector})") and not may_be_missing(selector.split("{")[0]):
                    missing.append(f"{rule.get('alert') or rule.get('record')}: {selector}")
        self.assertEqual(missing, [])
        for group in prometheus.get("rules")["groups"]:
            for rule in group["rules"]:
                self.assertEqual(rule["health"], "ok", rule.get("lastError"))

    def firing(self, prometheus):
        return {r["metric"]["alertname"] for r in prometheus.query('ALERTS{alertstate="firing"}')}


class OfAModel(Watched):
    def test_every_query_has_a_result(self):
        port, stop = monitoring.serve(monitoring.Model(time.time()))
        self.stack.callback(stop)
        prometheus = self.prometheus(port)
        self.wait_scrapes(prometheus, 30)
        self.check_panels(prometheus, lambda expression: False)
        self.check_variables(prometheus)
        self.check_rules(prometheus, lambda family: False)
        self.assertIn("AliyunFlinkJobFailed", self.firing(prometheus))
        self.assertNotIn("AliyunFlinkExporterAbsent", self.firing(prometheus))


class OfTheDaemon(Watched):
    def setting(self):
        """A simulator that churns and an exporter with all collectors that it knows."""
        sim = self.simulator("--deployments=40", "--drafts=30", "--profile=typical", "--churn=20")
        sim.post(tickets=[{"id": "t-good", "polls": 0, "end": "FINISHED", "success": True},
                          {"id": "t-bad", "polls": 0, "end": "FAILED"},
                          {"id": "t-long", "polls": 1000, "end": "FINISHED", "success": True}])
        tickets = ", ".join(f'"default-namespace/{t}"' for t in ("t-good", "t-bad", "t-long"))
        path = self.config(sim.url, metrics='deployment_labels = [ "*" ]; draft_lock_holder = true;',
                           extra=f'collectors = [ "deployments", "drafts", "tickets", "jobs" ]; tickets = [ {tickets} ];')
        with open(path, "a", encoding="utf-8") as file:
            file.write(f'state = {{ file = "{self.dir}/state"; hold = "1s"; }};\n')
        return sim, self.exporter(path).wait_ready()

    def test_what_is_built_shows(self):
        _, exporter = self.setting()
        prometheus = self.prometheus(exporter.port)
        self.wait_scrapes(prometheus, 20)
        built = set(exporter.metrics().types) | pending()
        absent = (set(CONDITIONAL) | pending()) - set(exporter.metrics().types)

        def may_be_empty(expression):
            named = {s.split("{")[0] for s in monitoring.selectors(expression)}
            return bool(named & set(CONDITIONAL)) or bool(named & absent) or filters(expression)

        self.check_panels(prometheus, may_be_empty)
        self.check_variables(prometheus)
        self.check_rules(prometheus, lambda family: family in absent or family in CONDITIONAL)
        named = {s.split("{")[0] for b in monitoring.boards().values() for p in monitoring.panels(b)
                 for t in p["targets"] for s in monitoring.selectors(t["expr"])}
        named = {n[: -len("_bucket")] if n.endswith("_bucket") else n for n in named}
        self.assertEqual(named - built - set(CONDITIONAL), set())
        self.assertNotIn("AliyunFlinkExporterAbsent", self.firing(prometheus))


if __name__ == "__main__":
    unittest.main(verbosity=2)
