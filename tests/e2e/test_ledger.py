"""The counters against the ledger: a long random run of the real programs, checked exactly.

Jobs start, fail, finish, are cancelled and purged, deployments come, go, return and are renamed,
the API fails in every way, the exporter is killed, stopped, started and reloaded at random moments.
All the time: ledger_watch.py. When all has settled, for every deployment, namespace and kind,

    counter + what the documentation says cannot be seen = ledger, and the ledger = the simulator's

As a soak: test_ledger.py --minutes 10 --seed 7 --namespaces 24. The seed is printed; it fixes what
is done, not how it falls between the exporter's steps.
"""

import argparse
import os
import random
import signal
import sys
import threading
import time
import unittest

import afe
import ledger_watch
from ledger_chaos import Actor, Operator, OLD_MS
from ledger_model import KINDS, LEDGER_KEYS, Ledger
from ledger_watch import ADDED, LAST_SAVE, OF_DEPLOYMENT, OF_NAMESPACE, REDUCTIONS, REMOVED, STATUS

OPTIONS = argparse.Namespace(seconds=26.0, seed=None, namespaces=40, round=26.0, pace=0.02)
LAST_FAILURE = "aliyun_flink_deployment_last_job_failure_timestamp_seconds"
# What is neither compared nor cheap.
DENIED = ("deployment_info", "deployment_created_*", "deployment_modified_*",
          "deployment_pending_*", "deployment_parallelism", "deployment_jobmanager_*",
          "deployment_taskmanager_*", "deployment_labels", "deployment_max_slots", "api_*")
STATUSES = {"FAILED": "failed", "CANCELLED": "cancelled", "FINISHED": "finished"}


def status_of(truth):
    """What docs/metrics.md says: active jobs first, whichever is the newest."""
    if truth["jobs"]["running"]:
        return "running"
    if truth["jobs"]["starting"] or truth["jobs"]["cancelling"]:
        return "transitioning"
    return STATUSES.get(truth["status"], "unknown")


class Host:
    """Runs the exporter, one process after the other, all with the same state file."""

    def __init__(self, case, ledger, url):
        self.case, self.ledger, self.url = case, ledger, url
        self.state = os.path.join(case.dir, "state")
        self.lock = threading.Lock()
        self.exporter, self.number, self.started = None, 0, 0.0
        self.kills = self.stops = self.reloads = self.early = 0
        self.configure()

    def configure(self, chance=None):
        """The file as it is when all is quiet, or a variant of it."""
        names = {}  # by page size, which is a target
        for ns in self.ledger.namespaces.values():
            names.setdefault(ns.page_size, []).append(ns.name)
        sizes = sorted(names)
        if chance and chance.random() < 0.3:
            names[sizes[1]].append(names[sizes[0]].pop(0))  # watched by another target
        targets = [self._target(size, size if not chance else chance.choice((size, 2, 5, 100)),
                                names[size]) for size in sizes[1:]]
        by_namespace = bool(chance) and chance.random() < 0.2
        denied = ", ".join(f'"aliyun_flink_{name}"' for name in DENIED)
        text = afe.config(
            self.url, secret_file=self.case.secret_file, name="t", targets="".join(targets),
            namespaces=names[sizes[0]], extra=f"page_size = {sizes[0]};",
            defaults='interval = "1s"; timeout = "1s"; deadline = "3s"; max_retries = 1; '
                     'max_backoff = "1s"; max_staleness = "4s"; max_body_size = "1MiB"; '
                     "max_deployments = 2000; "
                     f"concurrency = {chance.choice((1, 4)) if chance else 4};",
            metrics=f'deny = [ {denied} ]; '
                    f'aggregation = "{"namespace" if by_namespace else "deployment"}";')
        hold = chance.choice(("1s", "3s")) if chance else "1s"
        text += f'state = {{ file = "{self.state}"; hold = "{hold}"; }};\n'
        self.path = self.case.write("exporter.cfg", text)

    def _target(self, size, page_size, names):
        listed = ", ".join(f'"{name}"' for name in names)
        return (f', {{ name = "t{size}"; endpoint = "{self.url}"; workspace = "{afe.WORKSPACE}"; '
                f'namespaces = [ {listed} ]; proxy_url = "none"; page_size = {page_size}; }}')

    def where(self):
        with self.lock:
            return (self.exporter.port, self.number, self.started) if self.exporter else None

    def start(self):
        started = time.monotonic()
        exporter = self.case.exporter(self.path).wait_listening()
        with self.lock:
            self.exporter, self.number, self.started = exporter, self.number + 1, started

    def start_and_kill(self, after_s):
        exporter = self.case.exporter(self.path)
        time.sleep(after_s)
        exporter.send(signal.SIGKILL)
        exporter.join()
        self.early += 1

    def end(self, number):
        with self.lock:
            exporter, process, self.exporter = self.exporter, self.number, None
            exporter.send(number)
        code = exporter.join()
        self.check_log(exporter)
        if code != (0 if number == signal.SIGTERM else -number):
            raise AssertionError(f"it ended with {code}:\n{exporter.log()}")
        if number == signal.SIGKILL:
            self.kills += 1
            return
        self.stops += 1
        with self.ledger.lock:
            self.ledger.saved_by(process)

    def reload(self, chance):
        self.configure(chance)
        self.exporter.send(signal.SIGHUP)
        self.reloads += 1

    @staticmethod
    def check_log(exporter):
        """All that goes wrong here is the API's doing, which is a warning."""
        errors = [line for line in exporter.err if "level=error" in line]
        if errors:
            raise AssertionError("the exporter has an error of its own: " + errors[0])

    def check_alive(self):
        with self.lock:
            if self.exporter and self.exporter.popen.poll() is not None:
                raise AssertionError("the exporter ended by itself:\n" + self.exporter.log())


class Books(afe.Case):
    """Compares everything, when nothing moves any more."""

    def differences(self, ledger, exposition, truths, sums):
        """
        Sentences about what is not as it should be. truths: the simulator's, of each namespace's
        deployments; sums: its ledger of each namespace, added and removed from the start on.
        """
        self.found = []
        shown = {}
        for family, kind in OF_DEPLOYMENT.items():
            for labels, value in exposition.all(family):
                key = (labels["flink_namespace"], labels["deployment_id"], kind)
                shown[key] = value
        self.when = {ls["deployment_id"] for ls, _ in exposition.all(LAST_FAILURE)}
        self.sums_shown = {(family, ls["flink_namespace"], ls.get("state")): value
                           for family in (*OF_NAMESPACE, ADDED, REMOVED, REDUCTIONS)
                           for ls, value in exposition.all(family)}
        jobs = afe.job_counts(exposition)
        statuses = {}
        for labels, value in exposition.all(STATUS):
            if value:
                statuses.setdefault(labels["deployment_id"], []).append(labels["status"])
        for ns in ledger.namespaces.values():
            truth = {d["deploymentId"]: d for d in truths[ns.name]}
            self._who_is_there(ns, truth, {k[1] for k in shown if k[0] == ns.name})
            for member in ns.present():
                if member.id in truth:
                    self._simulator_agrees(member, truth[member.id])
                    self._member(member, shown)
                    self._equal(f"jobs of {member.id}", jobs.get(member.id),
                                truth[member.id]["jobs"])
            for id_, statuses_of in statuses.items():
                if id_ in truth:
                    self._status(id_, statuses_of, truth[id_])
            self._namespace(ns, shown)
            self._comings_and_goings(ns, shown, sums[ns.name])
        return self.found

    def _equal(self, what, got, wanted):
        if got != wanted:
            self.found.append(f"{what}: {got}, not {wanted}")

    def _who_is_there(self, ns, truth, shown):
        self._equal(f"{ns.name} in the simulator, without",
                    sorted(m.id for m in ns.present() if m.id not in truth), [])
        self._equal(f"deployments of {ns.name}", sorted(shown), sorted(truth))

    def _simulator_agrees(self, member, truth):
        for kind in KINDS:
            self._equal(f"ledger of {kind} of {member.id}", truth["ledger"][LEDGER_KEYS[kind]],
                        member.ended[kind] - member.outside[kind])
            self._equal(f"count of {kind} of {member.id}", truth["jobs"][kind], member.counts[kind])
        self._equal(f"newest job of {member.id}", (truth["status"], truth["jobs"]["running"]),
                    (member.newest, member.running))

    def _member(self, member, shown):
        for kind in KINDS:
            got = shown.get((member.ns.name, member.id, kind))
            low, high = (member.bounds(kind) if member.wild else
                         (member.expected(kind), ledger_watch.highest(member, kind)))
            if got is None or not low <= got <= high:
                self.found.append(f"{kind} of {member.id}: {got}, not {low} to {high}; ended "
                                  f"{member.ended[kind]}, cannot be seen {member.lost[kind]}")
        failures = shown.get((member.ns.name, member.id, "failed"))
        self._equal(f"time of the last failure of {member.id} is told", member.id in self.when,
                    bool(failures))

    def _status(self, id_, statuses, truth):
        self._equal(f"statuses of {id_}", len(statuses), 1)
        right = status_of(truth)
        # Those that were cancelled or finished are asked for now and then.
        if statuses[0] != right and (statuses[0] != "unknown" or right in ("running", "failed")):
            self.found.append(f"status of {id_}: {statuses[0]}, not {right}")

    def _namespace(self, ns, shown):
        """The wild ones count with what is shown of them, all others with what has to be."""
        for family, kind in OF_NAMESPACE.items():
            wild = sum(shown.get((ns.name, m.id, kind), 0) for m in ns.members if m.wild)
            low = wild + sum(m.expected(kind) for m in ns.members if not m.wild)
            high = wild + sum(ledger_watch.highest(m, kind) for m in ns.members if not m.wild)
            got = self.sums_shown.get((family, ns.name, None))
            if got is None or not low <= got <= high:
                self.found.append(f"{family} of {ns.name}: {got}, not {low} to {high}")

    def _comings_and_goings(self, ns, shown, sums):
        """The simulator's are members, and what came or went because pages shifted."""
        came, went = sums["added"] - ns.added, sums["removed"] - ns.removed
        self._equal(f"shifted in {ns.name}", (came if ns.shift == "insert" else 0) <= ns.shifts and
                    (went if ns.shift == "remove" else 0) <= ns.shifts, True)
        for family, wanted in ((ADDED, sums["added"]), (REMOVED, sums["removed"])):
            self._equal(f"{family} of {ns.name}", self.sums_shown.get((family, ns.name, None)),
                        wanted)
        for kind in KINDS:
            self._equal(f"events of {kind} in {ns.name}", sums[LEDGER_KEYS[kind]],
                        ns.simulated[kind])
        for kind in KINDS:
            # What a wild one's count fell by: what it would be without any purge, less what it is.
            wild = sum(m.baseline[kind] + shown.get((ns.name, m.id, kind), 0) - m.counts[kind]
                       for m in ns.members if m.wild)
            self._equal(f"reductions of {kind} in {ns.name}",
                        self.sums_shown.get((REDUCTIONS, ns.name, kind)),
                        ns.reductions[kind] + wild + self._found_by_status(ns, kind, shown))

    def _found_by_status(self, ns, kind, shown):
        """
        Of all that is not wild, removed ones too: each such event counts with the purge that hid
        it. Those of wild ones are in what is shown of them.
        """
        family = next(f for f, k in OF_NAMESPACE.items() if k == kind)
        return self.sums_shown.get((family, ns.name, None), 0) - sum(
            shown.get((ns.name, m.id, kind), 0) if m.wild else m.expected(kind)
            for m in ns.members)


class TestLedger(Books):
    def build(self, chance):
        """Namespaces of all sizes: one page, several, many."""
        kinds = ((100, None, 3, 8), (100, None, 3, 8), (100, None, 4, 12), (7, None, 15, 25),
                 (7, "move", 15, 25), (3, "insert", 8, 13), (7, "remove", 10, 15))
        for i in range(OPTIONS.namespaces):
            page_size, shift, low, high = (40, None, 90, 130) if i == 0 else kinds[i % len(kinds)]
            ns = self.ledger.add_namespace(f"ns{i:02}", page_size, shift)
            ns.size = chance.randint(low, high)
        self.sim = self.simulator(
            "--deployments=0", "--rate-limit=0", "--profile=small",
            "--namespaces=" + ",".join(self.ledger.namespaces))
        self.sacrifice()
        now_ms = int(time.time() * 1000)
        for ns in self.ledger.namespaces.values():
            members = [self.ledger.new_member(
                ns, now_ms - OLD_MS, {k: chance.choice((0, 2, 30)) for k in KINDS}, False,
                wild=i == 0) for i in range(ns.size)]
            self.sim.post(add=[m.as_json() for m in members])
            for member in members:
                member.came_at = time.time()
        self.added_before = {}
        self.added_before = {name: of["added"] for name, of in self.sums().items()}

    def sacrifice(self):
        """Where pages shift because the first deployment goes, it is not one of the ledger's."""
        for ns in self.ledger.namespaces.values():
            if ns.shift == "remove":
                self.sim.post(namespace=ns.name, add=[
                    {"deploymentId": f"{ns.name}-first{i:03}", "name": "first",
                     "createdAt": 1, "jobSummary": {"running": 1}} for i in range(ns.shifts_left)])

    def begin(self):
        """All is listed once, and saved, before anything happens: until then it is the past."""
        self.host = Host(self, self.ledger, self.sim.url)
        self.host.start()
        self.watch = ledger_watch.Watch(self.ledger, self.host.where)
        self.watch.start()
        self.wait("the first listings", lambda: all(
            ns.candidate for ns in self.ledger.namespaces.values()))
        # Of this one: the next process has no deployments to show before its first listing.
        ledger_watch.STATUS_IS_COLLECTED = STATUS in self.host.exporter.metrics().types
        self.host.end(signal.SIGTERM)
        self.host.start()

    def wait(self, what, condition):
        def met():
            self.check()
            with self.ledger.lock:
                return condition()

        afe.wait_for(what, met)

    def check(self):
        error = self.watch.violation or (self.operator.error if self.operator else None)
        if error:
            self.fail(f"{error}\n(seed {self.seed})\n{self.host.exporter.log()[-3000:]}"
                      if self.host.exporter else error)
        self.host.check_alive()

    def chaos(self, seconds, round_):
        actor_pace = random.Random(f"{self.seed} pace {round_}")
        self.operator = Operator(self.ledger, self.sim, f"{self.seed} operator {round_}", self.host)
        self.operator.start()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not self.operator.quiet.is_set():
                self.actor.act()
            self.check()
            time.sleep(OPTIONS.pace * actor_pace.random())
        self.operator.stop()
        self.check()
        for kind, n in self.operator.strikes.items():
            self.strikes[kind] = self.strikes.get(kind, 0) + n

    def settle(self):
        """No faults, all told, the configuration as it was: in a while everything is equal."""
        self.operator.calm()
        for member in list(self.ledger.members.values()):
            if member.present:
                self.actor.tell(member)
        self.host.configure()
        self.host.exporter.send(signal.SIGHUP)
        truths = {name: self.sim.deployments(name) for name in self.ledger.namespaces}
        sums = self.sums()
        deadline = time.monotonic() + afe.PATIENCE
        while True:
            self.check()
            exposition = self.host.exporter.metrics()
            found = self.differences(self.ledger, exposition, truths, sums)
            if not found:
                break
            if time.monotonic() > deadline:
                self.fail(f"seed {self.seed}: {len(found)} differences, such as\n" +
                          "\n".join(found[:20]))
            time.sleep(0.5)
        self.stays(exposition, truths, sums)

    def stays(self, exposition, truths, sums):
        """Two more listings of each change nothing."""
        def done(at):
            return {tuple(sorted(ls.items())): v
                    for ls, v in at.all("aliyun_flink_refreshes_total")}

        before = done(exposition)

        def all_again():
            self.check()
            now = self.host.exporter.metrics()
            return now if all(v >= before[k] + 3 for k, v in done(now).items()) else None

        now = afe.wait_for("two more listings", all_again)
        self.assertEqual(self.differences(self.ledger, now, truths, sums), [], f"seed {self.seed}")

    def sums(self):
        """The simulator's ledger, without what was added to begin with."""
        sums = self.sim.state()["ledger"]
        for name, of in sums.items():
            of["added"] -= self.added_before.get(name, 0)
        return sums

    def test_ledger(self):
        self.seed = OPTIONS.seed
        if self.seed is None:
            self.seed = random.SystemRandom().randrange(10**6)
        print(f"seed {self.seed}", flush=True)
        chance = random.Random(f"{self.seed} world")
        self.ledger, self.operator, self.strikes = Ledger(), None, {}
        self.build(chance)
        self.begin()
        self.actor = Actor(self.ledger, self.sim, f"{self.seed} actor")
        began, round_ = time.monotonic(), 0
        try:
            while round_ == 0 or time.monotonic() - began < OPTIONS.seconds:
                self.chaos(OPTIONS.round, round_)
                self.settle()
                self.report(round_, time.monotonic() - began)
                round_ += 1
        finally:
            self.watch.stop()
            if self.operator:
                self.operator.stop()
        self.check()
        self.host.check_log(self.host.exporter)
        self.assertEqual([n for n in os.listdir(self.dir) if n.startswith("state.bad")], [])
        self.assertGreater(self.host.exporter.metrics().get(LAST_SAVE), 0)
        # It did put things to the test.
        self.assertGreater(self.ledger.total_ended(), 30)
        self.assertGreater(self.ledger.total_lost(), 0)
        self.assertGreater(self.host.kills + self.host.early, 0)
        self.assertGreater(self.watch.strict, 2)

    def report(self, round_, seconds):
        host = self.host
        print(f"round {round_ + 1}, {seconds:.0f} s: "
              f"{sum(self.watch.refreshes.values()):.0f} refreshes, "
              f"{self.ledger.total_ended()} events of which {self.ledger.total_lost()} cannot be "
              f"seen, {host.kills} kills and {host.early} while starting, {host.stops} stops, "
              f"{host.reloads} reloads, {sum(self.strikes.values())} faults of {len(self.strikes)} "
              f"kinds, {self.watch.scrapes} scrapes; {self.actor.steps}", flush=True)


def main():
    if os.environ.get("AFE_SANITIZE") == "thread":
        # It is that much slower.
        OPTIONS.namespaces, OPTIONS.seconds, OPTIONS.round = 16, 16.0, 16.0
    parser = argparse.ArgumentParser(description="The counters against the ledger, for longer.")
    parser.add_argument("--minutes", type=float, help="of chaos; compared once a minute")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--namespaces", type=int, default=OPTIONS.namespaces, metavar="14-64",
                        help="each is listed once a second")
    arguments, rest = parser.parse_known_args()
    if not 14 <= arguments.namespaces <= 64:
        parser.error("--namespaces must be 14 to 64: two of each kind, and not more than workers")
    OPTIONS.seed, OPTIONS.namespaces = arguments.seed, arguments.namespaces
    if arguments.minutes:
        OPTIONS.seconds, OPTIONS.round = arguments.minutes * 60, 60.0
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()
