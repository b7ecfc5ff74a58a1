"""Event counters: every failure once, none that did not happen, over kills, restarts and purges."""

import os
import random
import signal
import subprocess
import time
import unittest

import afe

FAILURES = "aliyun_flink_deployment_job_failures_total"
OF_NAMESPACE = "aliyun_flink_namespace_job_failures_total"
SAVE_FAILURES = "aliyun_flink_exporter_state_save_failures_total"


class Events(afe.Case):
    def setUp(self):
        super().setUp()
        self.state = os.path.join(self.dir, "state")

    def start(self, sim, *flags, **config_args):
        """An exporter with a state file and the shortest hold: two intervals of a second."""
        text = afe.config(sim.url, secret_file=self.secret_file, **config_args)
        path = self.write("exporter.cfg", text + f'state = {{ file = "{self.state}"; hold = "1s"; }};\n')
        return self.exporter(path, *flags)

    def fail(self, sim, deployment, count=1):
        sim.post(event={"deploymentId": deployment, "kind": "start"})
        sim.post(event={"deploymentId": deployment, "kind": "fail", "count": count})

    def wait_value(self, exporter, name, value, **labels):
        afe.wait_for(f"{name} to be {value}",
                     lambda: exporter.metrics().get(name, **labels) == value)

    def listed(self, exporter, times=1):
        """So many whole listings that began from now on."""
        def count():
            exposition = exporter.metrics()
            return exposition.get("aliyun_flink_refreshes_total", collector="deployments") - 1

        done = count() + 1 + times
        afe.wait_for("listings", lambda: count() >= done)

    def settled(self, exporter):
        """Counters have been shown long enough to follow at once."""
        self.listed(exporter, 5)

    def test_failures_and_purges(self):
        sim = self.simulator("--deployments=3", "--profile=small")
        exporter = self.start(sim).wait_ready()
        first = sim.deployments()[0]["deploymentId"]
        old = exporter.metrics()
        self.assertEqual(old.get(FAILURES, deployment_id=first), 0)
        self.assertEqual(old.get(OF_NAMESPACE), 0)
        self.settled(exporter)
        self.fail(sim, first, 2)
        self.wait_value(exporter, FAILURES, 2, deployment_id=first)
        failed = afe.expected_counts(sim.deployments()[0]["jobSummary"])["failed"]
        sim.post(event={"deploymentId": first, "kind": "purge", "count": failed})
        afe.wait_for("the purge", lambda: exporter.metrics().get(
            "aliyun_flink_namespace_job_history_reductions_total", state="failed") >= 1)
        self.fail(sim, first)
        self.wait_value(exporter, FAILURES, 3, deployment_id=first)
        sim.post(remove=[first])
        self.wait_value(exporter, "aliyun_flink_namespace_deployments_removed_total", 1)
        exposition = exporter.metrics()
        self.assertEqual(exposition.get(OF_NAMESPACE), 3)
        self.assertIsNone(exposition.get(FAILURES, deployment_id=first))

    def test_failures_while_it_was_down(self):
        sim = self.simulator("--deployments=3", "--profile=small")
        exporter = self.start(sim).wait_ready()
        first = sim.deployments()[0]["deploymentId"]
        self.settled(exporter)
        self.fail(sim, first)
        self.wait_value(exporter, FAILURES, 1, deployment_id=first)
        self.assertEqual(exporter.stop(), 0)
        self.fail(sim, first, 4)
        again = self.start(sim).wait_listening()
        self.assertEqual(again.metrics().get(OF_NAMESPACE), 1)
        afe.wait_for("the first listing", lambda: again.metrics().get(FAILURES, deployment_id=first)
                     is not None)
        self.assertEqual(again.metrics().get(FAILURES, deployment_id=first), 1)  # the old one first
        self.wait_value(again, FAILURES, 5, deployment_id=first)
        self.wait_value(again, OF_NAMESPACE, 5)

    def test_killed_at_any_moment(self):
        """Nothing that a scrape has seen goes back, and in the end everything is counted once."""
        chance = random.Random(4)
        sim = self.simulator("--deployments=20", "--profile=small")
        ids = [d["deploymentId"] for d in sim.deployments()]
        exporter = self.start(sim).wait_ready()
        self.settled(exporter)
        seen, failures = {}, dict.fromkeys(ids, 0)
        for _ in range(12):
            for _ in range(chance.randrange(1, 4)):
                victim = chance.choice(ids)
                count = chance.randrange(1, 4)
                self.fail(sim, victim, count)
                failures[victim] += count
            until = time.monotonic() + chance.random() * 3
            while time.monotonic() < until:
                for labels, value in exporter.metrics().all(FAILURES):
                    self.assertGreaterEqual(value, seen.get(labels["deployment_id"], 0))
                    seen[labels["deployment_id"]] = value
            exporter.popen.send_signal(signal.SIGKILL)
            exporter.join()
            exporter = self.start(sim).wait_listening()
            self.assertGreaterEqual(exporter.metrics().get(OF_NAMESPACE), sum(seen.values()))
        for victim, count in failures.items():
            self.wait_value(exporter, FAILURES, count, deployment_id=victim)
        self.wait_value(exporter, OF_NAMESPACE, sum(failures.values()))
        self.assertEqual(sorted(n for n in os.listdir(self.dir) if n.startswith("state.")), [])

    def test_once(self):
        """Each run goes on where the one before ended, as a textfile collector shows them."""
        sim = self.simulator("--deployments=2", "--profile=small")
        first = sim.deployments()[0]["deploymentId"]
        path = self.write("exporter.cfg", afe.config(sim.url, secret_file=self.secret_file))

        def run():
            done = subprocess.run(
                [afe.program("aliyun_flink_exporter"), f"--config.file={path}", "--once",
                 f"--persistence.file={self.state}"], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
            return afe.Exposition(done.stdout).get(FAILURES, deployment_id=first)

        path = self.write("exporter.cfg", afe.config(sim.url, secret_file=self.secret_file)
                          + 'state = { hold = "1s"; };\n')
        self.assertEqual(run(), 0)
        self.fail(sim, first)
        time.sleep(2.1)  # the hold, between two processes
        self.assertEqual(run(), 1)
        self.fail(sim, first)
        self.assertEqual(run(), 2)
        self.assertEqual(run(), 2)

    def test_without_a_place_for_the_file(self):
        """A directory that is not there costs the saving, not the service."""
        self.state = os.path.join(self.dir, "no", "state")
        sim = self.simulator("--deployments=2", "--profile=small")
        exporter = self.start(sim).wait_ready()
        first = sim.deployments()[0]["deploymentId"]
        exporter.wait_log("cannot save the event counters")
        self.settled(exporter)
        self.fail(sim, first)
        self.wait_value(exporter, FAILURES, 1, deployment_id=first)
        self.assertGreaterEqual(exporter.metrics().get(SAVE_FAILURES), 1)
        self.assertEqual(exporter.log().count("cannot save the event counters"), 1)
        os.mkdir(os.path.join(self.dir, "no"))
        exporter.wait_log("saved again")
        self.assertTrue(os.path.exists(self.state))

    def test_a_broken_file_is_set_aside(self):
        with open(self.state, "w", encoding="utf-8") as f:
            f.write("something else\n")
        sim = self.simulator("--deployments=2", "--profile=small")
        exporter = self.start(sim).wait_ready()
        exporter.wait_log("state file cannot be used.*no state file of this program")
        with open(self.state + ".bad", encoding="utf-8") as f:
            self.assertEqual(f.read(), "something else\n")
        afe.wait_for("a new file", lambda: os.path.exists(self.state))
        self.assertEqual(os.stat(self.state).st_mode & 0o777, 0o600)

    def test_reload(self):
        sim = self.simulator("--deployments=2", "--profile=small")
        exporter = self.start(sim).wait_ready()
        first = sim.deployments()[0]["deploymentId"]
        self.settled(exporter)
        self.fail(sim, first)
        self.wait_value(exporter, FAILURES, 1, deployment_id=first)
        other = os.path.join(self.dir, "other")
        self.write("exporter.cfg", afe.config(sim.url, secret_file=self.secret_file)
                   + f'state = {{ file = "{other}"; hold = "1s"; }};\n')
        exporter.send(signal.SIGHUP)
        exporter.wait_log("was reloaded")
        afe.wait_for("the other file", lambda: os.path.exists(other))
        self.assertEqual(exporter.metrics().get(FAILURES, deployment_id=first), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
