"""Delivery: every burst of failures is told once, and nothing else, by real servers in real time.

The daemon, the simulator, Debian's Prometheus and Alertmanager with the shipped rules, routes and
inhibitions; only intervals and receivers are the test's. Each deployment lives through a story of
its own, all at the same time: failures, purges, births, deletions, while the API fails and exporters
are stopped, killed and started again. What counts is what a webhook is told. Failures less than the
rule's ten minutes apart are one burst.

    AFE_BIN_DIR=build/release/bin /usr/bin/python3 tests/e2e/test_alerts.py --minutes 15

goes on after the short form with a storm of random failures and kills, with second bursts after the
window has passed, and with resolved alerts; --seed N repeats a storm.
"""

import argparse
import collections
import json
import os
import random
import shutil
import signal
import sys
import time
import unittest

import afe
import monitoring

HOLD = 6  # seconds of state.hold: three scrapes
WINDOW = 600  # seconds, of AliyunFlinkJobFailed
APART = 690  # failures that far apart are two bursts, whatever the hold and the downtime between
FAILED, FAILING = "AliyunFlinkJobFailed", "AliyunFlinkJobFailing"
UNATTRIBUTED = "AliyunFlinkJobFailedUnattributed"
CANCELLED, FINISHED = "AliyunFlinkJobCancelled", "AliyunFlinkStreamingJobFinished"
RECEIVERS = {FAILED: "flink-office-hours", UNATTRIBUTED: "flink-office-hours", FAILING: "flink-on-call",
             CANCELLED: "flink-record", FINISHED: "flink-record"}
# True of what the test does, and not what it is about; most of them only in a long run.
BESIDE = {"AliyunFlinkExporterRestarting", "AliyunFlinkStreamingDeploymentStopped",
          "AliyunFlinkExporterConfigsDiffer"}
YOUNG = dict(dict.fromkeys(afe.STATES, 0), running=1)
PAST = dict(YOUNG, failed=7, cancelled=2, finished=2)
OUTAGES = ("status:code=503", "throttle", "html", "truncate", "malformed", "empty", "reset",
           "status:code=403,error=Forbidden.RAM")

options = argparse.Namespace(minutes=0.0, seed=None)


class Member:
    """An exporter on a port of its own that can be stopped and started again."""

    def __init__(self, case, name, namespace, state):
        self.case, self.port, self.process = case, monitoring.free_port(), None
        text = afe.config(case.sim.url, namespaces=(namespace,), secret_file=case.secret_file,
                          defaults='max_backoff = "2s"; timeout = "3s";')
        file = f'file = "{case.dir}/{name}.state"; ' if state else ""
        self.config_file = case.write(f"{name}.cfg", text + f'state = {{ {file}hold = "{HOLD}s"; }};\n')

    def start(self):
        self.process = self.case.exporter(self.config_file, port=self.port).wait_listening()

    def stop(self, number=signal.SIGTERM):
        code = self.process.stop(number)
        self.case.assertIn(code, (0, -signal.SIGKILL), self.process.log())

    def kill_and_start(self):
        self.stop(signal.SIGKILL)
        self.start()


class Delivery(afe.Case):
    def setUp(self):
        super().setUp()
        for program in ("prometheus", "prometheus-alertmanager"):
            if not shutil.which(program):
                self.skipTest(f"no {program}")
        self.seed = options.seed if options.seed is not None else random.randrange(1000000)
        self.chance = random.Random(self.seed)
        self.steps, self.expected = [], collections.Counter()
        self.sim = self.simulator("--deployments=0", "--namespaces=single,paired")
        self.alone = Member(self, "alone", "single", state=True)
        self.first = Member(self, "first", "paired", state=True)
        self.second = Member(self, "second", "paired", state=False)

    # --- the setting ---------------------------------------------------------------------------

    def start_servers(self):
        for member in (self.alone, self.first, self.second):
            member.start()
        self.receiver = monitoring.Receiver()
        self.stack.callback(self.receiver.stop)
        alertmanager = monitoring.Alertmanager(
            self.write("alertmanager.yml", json.dumps(self.routes())), os.path.join(self.dir, "alertmanager"))
        self.stack.callback(alertmanager.process.stop)
        alertmanager.wait_ready()
        self.prometheus = monitoring.Prometheus(
            self.write("prometheus.yml", json.dumps(self.scraping(alertmanager.port))),
            os.path.join(self.dir, "tsdb"))
        self.stack.callback(self.prometheus.process.stop)
        self.prometheus.wait_ready()

    def routes(self):
        """The example with every receiver at the webhook, and no time to wait for company."""
        config = monitoring.load_yaml(os.path.join(afe.SOURCE_DIR, "etc/prometheus/alertmanager.example.yml"))

        def hurry(route):
            for key in ("group_wait", "group_interval"):
                if key in route:
                    route[key] = "1s"
            for child in route.get("routes", []):
                hurry(child)

        hurry(config["route"])
        for receiver in config["receivers"]:
            receiver["webhook_configs"] = [{"url": self.receiver.url, "send_resolved": True}]
        return config

    def scraping(self, alertmanager_port):
        """Part A of the example, faster."""
        config = monitoring.load_yaml(os.path.join(afe.SOURCE_DIR, "etc/prometheus/prometheus.example.yml"))
        config["global"] = {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "1s"}
        config["rule_files"] = [monitoring.RULES]
        manager = config["alerting"]["alertmanagers"][0]
        manager["static_configs"] = [{"targets": [f"127.0.0.1:{alertmanager_port}"]}]
        job = config["scrape_configs"][0]
        job.update(scrape_interval="2s", scrape_timeout="2s", static_configs=[
            {"targets": [f"127.0.0.1:{m.port}" for m in (self.alone, self.first, self.second)]}])
        config["scrape_configs"] = [job]
        return config

    def wait_known(self):
        """Until every counter follows at once: shown for the hold, and scraped."""
        def known():
            found = self.prometheus.query("min(count_over_time(aliyun_flink_namespace_job_failures_total[1m]))"
                                          " and count(aliyun_flink_namespace_job_failures_total) == 3")
            return found and float(found[0]["value"][1]) * 2 > HOLD + 3

        afe.wait_for("enough scrapes", known)

    # --- what is done to deployments -----------------------------------------------------------

    def deployment(self, name, *alerts, namespace="single", failed=7, age=90 * 86400, mode="STREAMING"):
        """One with a past, and what is expected to be told of it from now on."""
        self.sim.post(namespace=namespace, add=[{
            "deploymentId": name, "name": name, "executionMode": mode,
            "createdAt": int(time.time()) - age, "jobSummary": dict(PAST if age else YOUNG, failed=failed)}])
        self.expected.update((alert, name) for alert in alerts)
        return name

    def event(self, name, kind, count=1, **more):
        self.sim.post(event=dict(deploymentId=name, kind=kind, count=count, **more))

    def make_fail(self, name, count=1):
        self.event(name, "start")
        self.event(name, "fail", count)

    def purge(self, name, count=3):
        self.event(name, "purge", count, state="FAILED")

    def at(self, second, function, *args, **kwargs):
        self.steps.append((second, len(self.steps), function, args, kwargs))

    def fails_at(self, name, *seconds, namespace="single", alerts=(FAILED,)):
        self.deployment(name, *alerts, namespace=namespace)
        for second in seconds:
            self.at(second, self.make_fail, name)

    def born_at(self, second, name, *alerts, **how):
        self.at(second, self.deployment, name, *alerts, **dict({"failed": 0, "age": 0}, **how))

    # --- the stories ---------------------------------------------------------------------------

    def tell_events(self):
        self.deployment("quiet")
        self.fails_at("one", 0)
        self.fails_at("two in a burst", 1, 30)
        self.fails_at("three in a burst", 0, 21, 43, alerts=(FAILED, FAILING))
        # The inhibition decides what is told of it: that it keeps failing, and perhaps the first.
        self.at(2, self.make_fail, self.deployment("many at once", FAILING), 5)
        self.at(0, self.purge, self.deployment("purged"))
        self.at(20, self.purge, self.deployment("purged later"), 7)
        self.fails_at("purged, failed", 5)
        self.at(0, self.purge, "purged, failed")
        self.fails_at("failed, purged", 0)
        self.at(5, self.purge, "failed, purged", 8)
        self.at(3, self.event, self.deployment("cancelled", CANCELLED), "cancel")
        self.at(3, self.event, self.deployment("finished", FINISHED), "finish")
        self.at(3, self.event, self.deployment("batch", mode="BATCH"), "finish")
        self.at(4, self.event, self.deployment("started"), "start")
        for name, summary in (("not told", None), ("left out", "missing")):
            self.deployment(name)
            self.at(6, self.sim.post, set_summary={name: summary})
            self.at(10, self.sim.post, set_summary={name: PAST})

    def tell_names_and_births(self):
        self.at(2, self.sim.post, rename={self.deployment("renamed"): "another name"})
        self.fails_at("renamed, failed", 4)
        self.at(2, self.sim.post, rename={"renamed, failed": "yet another name"})
        self.fails_at("failed, renamed", 0)
        self.at(8, self.sim.post, rename={"failed, renamed": "a new name"})
        self.born_at(1, "born failing", FAILED, failed=1)
        self.born_at(1, "born failing twice", FAILED, failed=2)
        self.born_at(1, "born, failed", FAILED)
        self.at(3, self.make_fail, "born, failed")
        self.born_at(2, "born well")
        self.born_at(2, "old, comes into sight", failed=5, age=86400)
        self.fails_at("failed, deleted", 0)
        self.at(9, self.sim.post, remove=["failed, deleted"])
        self.at(9, self.sim.post, remove=[self.deployment("deleted")])

    def tell_outages(self):
        """From 12 to 21; each kind of failure of the API for a while."""
        for n, fault in enumerate(OUTAGES):
            self.at(12 + n, self.sim.faults, fault + ("," if ":" in fault else ":") + "namespace=single")
        self.at(21, self.sim.faults)
        self.fails_at("in an outage", 15)
        self.fails_at("before and in an outage", 10, 16)
        self.at(15, self.purge, self.deployment("purged in an outage"))
        self.born_at(15, "born failing in an outage", FAILED, failed=1)

    def tell_restarts(self):
        """Down from 26 to 32; killed at 36, again within the hold, and after it."""
        self.at(26, self.alone.stop)
        self.at(32, self.alone.start)
        self.fails_at("just before the stop", 25.9)
        self.fails_at("while it was down", 28)
        self.fails_at("before and while it was down", 22, 29)
        self.at(28, self.purge, self.deployment("purged while it was down"))
        self.born_at(28, "born failing while it was down", FAILED, failed=1)
        for n, (when, before) in enumerate(((36, 0.2), (40, 0.9), (49, 1.5))):
            self.fails_at(f"just before kill {n}", when - before)
            self.fails_at(f"well before kill {n}", when - before - 3)
            self.born_at(when - before, f"born failing before kill {n}", FAILED, failed=1)
            self.at(when - before, self.purge, self.deployment(f"purged before kill {n}"))
            self.at(when, self.alone.kill_and_start)
        self.fails_at("when all is well again", 52)

    def tell_pair(self):
        """The second has no state file. One is down at a time, then both."""
        def fails_at(name, *seconds):
            self.fails_at(f"pair: {name}", *seconds, namespace="paired")

        self.deployment("pair: quiet", namespace="paired")
        fails_at("one", 0)
        fails_at("two in a burst", 1, 40)
        self.at(10, self.first.stop)
        fails_at("the first is down", 13)
        self.at(17, self.first.start)
        self.at(26, self.second.stop, signal.SIGKILL)
        fails_at("the second is down", 28)
        self.at(28, self.purge, self.deployment("pair: purged", namespace="paired"))
        self.at(31, self.second.start)
        self.at(44, self.first.stop, signal.SIGKILL)
        self.at(44, self.second.stop)
        fails_at("both are down", 46)
        self.at(48, self.first.start)
        self.at(48, self.second.start)

    # --- the long form -------------------------------------------------------------------------

    def tell_long(self, end):
        """Second bursts, one that grows, a failure of which only the namespace knows, and a storm."""
        self.fails_at("two bursts", 3, 3 + APART, alerts=(FAILED, FAILED))
        self.fails_at("a burst that grows", 2, 2 + 480)
        self.born_at(64, "born failing, gone", failed=1)
        self.at(67, self.sim.post, remove=["born failing, gone"])
        self.expected[UNATTRIBUTED, None] += 1
        for n in range(60):
            self.tell_of_the_storm(f"storm {n}", n % 5, end - 40)
        second = 70.0
        while second < end - 60:
            second = self.disturb(second) + self.chance.uniform(8, 40)

    def tell_of_the_storm(self, name, kind, end):
        namespace = "paired" if name.endswith("0") else "single"
        at = self.chance.uniform(70, end - 30)
        if kind == 0:
            self.deployment(name, namespace=namespace)
            self.at(at, self.purge, name, self.chance.randrange(1, 8))
        elif kind == 1 and end > 80 + APART:
            at = self.chance.uniform(70, end - APART)
            self.fails_at(name, at, self.chance.uniform(at + APART, end), namespace=namespace,
                          alerts=(FAILED, FAILED))
        elif kind == 2:
            self.fails_at(name, at, min(end, at + self.chance.uniform(1, 480)), namespace=namespace)
        elif kind == 3:
            self.born_at(at, name, FAILED, failed=self.chance.randrange(1, 3), namespace=namespace)
        else:
            self.fails_at(name, at, namespace=namespace)
            # A minute on: within one interval, or one outage, they would cancel out.
            self.at(at + 60, self.purge, name, self.chance.randrange(1, 8))

    def disturb(self, second):
        """Something happens to the API or to an exporter; returns when it is over."""
        kind, lasts = self.chance.randrange(5), self.chance.uniform(1, 12)
        if kind == 0:
            self.at(second, self.sim.faults, self.chance.choice(OUTAGES))
            self.at(second + lasts, self.sim.faults)
            return second + lasts
        if kind == 1:
            self.at(second, self.alone.kill_and_start)
            return second
        member = self.chance.choice((self.alone, self.alone, self.first, self.second))
        self.at(second, member.stop, self.chance.choice((signal.SIGTERM, signal.SIGKILL)))
        self.at(second + lasts, member.start)
        return second + lasts

    # --- the verdict ---------------------------------------------------------------------------

    def run_steps(self):
        began = time.monotonic()
        done = 0
        while done < len(self.steps):  # births add expectations, never steps
            self.steps[done:] = sorted(self.steps[done:], key=lambda step: step[:2])
            second, _, function, args, kwargs = self.steps[done]
            time.sleep(max(0.0, began + second - time.monotonic()))
            function(*args, **kwargs)
            done += 1

    def told(self):
        counted = collections.Counter()
        for name, deployment, _ in self.receiver.told("firing"):
            if name not in BESIDE:
                counted[name, deployment] += 1
        counted.pop((FAILED, "many at once"), None)
        return counted

    def explain(self, wrong):
        lines = [f"seed {self.seed}"]
        for (alert, deployment), (wanted, got) in sorted(wrong.items(), key=str):
            lines.append(f"{alert} of {deployment!r}: expected {wanted}, told {got}")
            for (name, told_of, starts_at), notification in self.receiver.told("firing").items():
                if (name, told_of) == (alert, deployment):
                    lines.append(f"  {starts_at}: {notification.description}")
            for series in self.prometheus.query(
                    f'aliyun_flink_deployment_job_failures_total{{deployment_id="{deployment}"}}[30m]'):
                values, last = [], None
                for when, value in series["values"]:
                    if value != last:
                        values.append(f"{value} at {time.strftime('%H:%M:%S', time.gmtime(when))}")
                    last = value
                lines.append(f"  counter of {series['metric']['instance']}: {', '.join(values)}")
        return "\n".join(lines)

    def check(self):
        def wrong():
            told = self.told()
            return {key: (self.expected[key], told[key]) for key in set(told) | set(self.expected)
                    if told[key] != self.expected[key]}

        patience = time.monotonic() + 30
        while wrong() and time.monotonic() < patience:
            time.sleep(0.2)
        time.sleep(HOLD + 4)  # for what must not come
        left = wrong()
        self.assertEqual(left, {}, self.explain(left))
        for notification in self.receiver.told("firing").values():
            if notification.name in RECEIVERS:
                self.assertEqual(notification.receiver, RECEIVERS[notification.name])
        for rule_group in self.prometheus.get("rules")["groups"]:
            for rule in rule_group["rules"]:
                self.assertEqual(rule["health"], "ok", rule.get("lastError"))

    def check_resolved(self):
        """What fired in the beginning is over, and was told to be, once."""
        resolved = collections.Counter((n, d) for n, d, _ in self.receiver.told("resolved"))
        for name in ("one", "failed, purged", "pair: one", "born failing"):
            self.assertEqual(resolved[FAILED, name], 1, name)
        self.assertEqual(resolved[FAILED, "a burst that grows"], 0)

    def test_each_burst_is_told_once(self):
        end = options.minutes * 60
        self.tell_events()
        self.tell_names_and_births()
        self.tell_outages()
        self.tell_restarts()
        self.tell_pair()
        if end:
            print(f"seed {self.seed}", flush=True)
            self.tell_long(end)
        self.start_servers()
        self.wait_known()
        self.run_steps()
        self.check()
        if end > WINDOW + 60:
            self.check_resolved()
        print(f"{sum(self.expected.values())} alerts about {len(self.expected)} of "
              f"{len(self.sim.deployments('single')) + len(self.sim.deployments('paired'))} deployments "
              f"were told once each", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=0.0, help="13 or more for second bursts")
    parser.add_argument("--seed", type=int)
    parsed, rest = parser.parse_known_args()
    if parsed.minutes and parsed.minutes < 13:
        parser.error("--minutes must be 13 or more: a second burst comes after 11 and a half")
    options.minutes, options.seed = parsed.minutes, parsed.seed
    unittest.main(argv=sys.argv[:1] + rest, verbosity=2)


if __name__ == "__main__":
    main()
