"""The metrics reference against real expositions: every family that the tables of the exporter have is
exposed as they say (type, HELP, labels, values of labels), and nothing is exposed that they lack. The
page docs/metrics.md is made of the same tables (docs/generate.py)."""

import os
import re
import subprocess
import unittest

import afe

OPENMETRICS = "application/openmetrics-text;version=1.0.0"
PRINT_FAMILIES = os.path.join(afe.BIN_DIR, os.pardir, "tests", "print_families")
EXPIRY = "aliyun_flink_credentials_expiry_timestamp_seconds"
# What the exporter below does not show, and why: families, (label, value), (family, label, value).
UNSEEN = {
    **{("provider", value): "other credentials than those configured here" for value in (
        "env", "auto", "profile", "oidc_role_arn", "ram_role_arn", "credentials_uri")},
    (EXPIRY, "provider", "static"): "never expire",
    ("aliyun_flink_refresh_pages", "collector", "tickets"): "are asked for one by one",
    ("aliyun_flink_refresh_pages", "collector", "jobs"): "are asked for one by one",
    ("aliyun_flink_refresh_objects_expected", "collector", "tickets"): "are asked for one by one",
}


class Family:
    def __init__(self, line):
        self.name, self.type, self.stability, labels, self.absent, self.help = line.split("\t")
        pairs = [label.partition("=") for label in labels.split(",") if label]
        self.labels = [name for name, _, _ in pairs]
        self.values = {name: values.split("|") for name, _, values in pairs if values}

    def has_labels(self, names):
        """Whether a sample may have these, in this order."""
        expected = [label for label in self.labels if not label.endswith("*")]
        prefixes = tuple(label[:-1] for label in self.labels if label.endswith("*"))
        rest = names[len(expected):]
        if self.type == "histogram" and rest == ["le"]:
            return True
        return names[: len(expected)] == expected and all(prefixes and r.startswith(prefixes) for r in rest)


def reference():
    done = subprocess.run([PRINT_FAMILIES], check=True, capture_output=True, text=True)
    families = [Family(line) for line in done.stdout.splitlines()]
    return {family.name: family for family in families}


class Reference(afe.Case):
    def setUp(self):
        super().setUp()
        self.families = reference()
        self.seen, self.seen_values = set(), set()
        self.wrong = set()

    def start(self):
        """Two targets that have between them whatever can be configured, and a past to tell of."""
        self.sim = self.simulator("--deployments=60", "--drafts=40", "--profile=typical", "--churn=20",
                                  "--namespaces=default-namespace,other")
        self.sim.post(tickets=[{"id": "t-good", "polls": 0, "end": "FINISHED", "success": True},
                               {"id": "t-bad", "polls": 0, "end": "FAILED"}])
        name = self.sim.deployments("other")[0]["name"]
        text = afe.config(
            self.sim.url, secret_file=self.secret_file,
            metrics='deployment_labels = [ "*" ]; draft_lock_holder = true;',
            extra='collectors = [ "deployments", "drafts", "tickets", "jobs" ]; '
                  'tickets = [ "default-namespace/t-good", "default-namespace/t-bad" ];',
            targets=f', {{ name = "t2"; endpoint = "{self.sim.url}"; workspace = "{afe.WORKSPACE}"; '
                    f'namespaces = [ "other" ]; proxy_url = "none"; credentials = "fetched"; '
                    f'deployment_names = [ "{name}" ]; }}')
        fetched = (f'credentials = ( {{ name = "fetched"; provider = "ecs_ram_role"; role_name = ""; '
                   f'endpoint = "{self.sim.url}"; }}, ')
        text = text.replace("credentials = ( ", fetched, 1).replace(
            'name = "t1";', 'name = "t1"; credentials = "default";', 1)
        text += f'state = {{ file = "{self.dir}/state"; hold = "1s"; }};\n'
        self.daemon = self.exporter(self.write("exporter.cfg", text),
                                    "--web.enable-debug").wait_ready()

    def ask_for_all_kinds(self):
        """Requests of every handler and with every answer that the page names."""
        self.daemon.get(headers={"Accept-Encoding": "gzip"})
        for path in ("/", "/-/healthy", "/-/ready", "/debug/targets", "/nowhere"):
            self.daemon.get(path)
        self.assertEqual(self.daemon.get(method="POST").status, 405)
        self.assertEqual(self.daemon.get("/metrics?collect[]=x%00").status, 400)

    def look(self, text, openmetrics):
        exposition = afe.Exposition(text, openmetrics)
        for name, kind in exposition.types.items():
            full = name + "_total" if openmetrics and kind == "counter" else name
            family = self.families.get(full)
            if not family:
                self.wrong.add(f"{full} is not in the reference")
                continue
            self.seen.add(full)
            if (kind, exposition.helps[name]) != (family.type, family.help):
                self.wrong.add(f"{full}: {kind}, {exposition.helps[name]!r}")
        for line in text.splitlines():
            if not line.startswith("#"):
                self.look_at_sample(line)

    def look_at_sample(self, line):
        name, labels = re.match(r"(\w+)(?:\{(.*)\})? \S+$", line).groups()
        family = self.families.get(re.sub(r"_(bucket|sum|count)$", "", name)) or self.families.get(name)
        pairs = [match.group(1, 2) for match in afe.LABEL.finditer(labels or "")]
        if not family or not family.has_labels([label for label, _ in pairs]):
            self.wrong.add(f"{name} has the labels {[label for label, _ in pairs]}")
            return
        for label, value in pairs:
            if label in family.values:
                self.seen_values.add((family.name, label, value))
                if value not in family.values[label]:
                    self.wrong.add(f"{name}: {label} is none of its values: {value}")

    def missing(self):
        """What the reference has and nobody saw, families first."""
        values = {(name, label, value) for name, family in self.families.items()
                  for label, all_values in family.values.items() for value in all_values}
        return ([name for name in self.families if name not in self.seen and name not in UNSEEN]
                + sorted(v for v in values - self.seen_values if v not in UNSEEN and v[1:] not in UNSEEN))

    def test_tables_are_what_is_exposed(self):
        self.start()
        self.ask_for_all_kinds()
        self.sim.faults("throttle:ms=1,code=429,count=3")

        def looked_enough():
            for accept in ("text/plain", OPENMETRICS):
                reply = self.daemon.get(headers={"Accept": accept})
                self.look(reply.text, accept == OPENMETRICS)
            return self.wrong or not self.missing()

        try:
            afe.wait_for("every family and every value", looked_enough)
        except AssertionError:
            self.fail(f"never exposed: {self.missing()}")
        self.assertEqual(self.wrong, set())
        # What is listed as unseen must be something, and must not be seen after all.
        seen = self.seen | self.seen_values | {value[1:] for value in self.seen_values}
        self.assertEqual([what for what in UNSEEN if what in seen], [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
