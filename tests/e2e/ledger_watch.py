"""Scrapes an exporter without pause, over all its restarts, for what must always be true of it.

Of every series of an event counter, by deployment or namespace: it never goes back, is never above
the ledger, and after it began, or began anew, shows its old value for the hold. The exposition is
well-formed. What each scrape says about listings and saves tells the ledger what is confirmed.
"""

import functools
import http.client
import re
import threading
import time

import afe
from ledger_model import KINDS

JOBS = {"failed": "failures", "cancelled": "cancellations", "finished": "completions"}
OF_DEPLOYMENT = {f"aliyun_flink_deployment_job_{JOBS[k]}_total": k for k in KINDS}
OF_NAMESPACE = {f"aliyun_flink_namespace_job_{JOBS[k]}_total": k for k in KINDS}
REDUCTIONS = "aliyun_flink_namespace_job_history_reductions_total"
ADDED = "aliyun_flink_namespace_deployments_added_total"
REMOVED = "aliyun_flink_namespace_deployments_removed_total"
STATUS = "aliyun_flink_deployment_status"
REFRESH = "aliyun_flink_refresh_"
REFRESHES = "aliyun_flink_refreshes_total"
LAST_SAVE = "aliyun_flink_exporter_state_last_save_timestamp_seconds"

HOLD_S = 2.0  # the shortest: two intervals
HOLD_MARGIN_S = 0.05
EVERY_S = 0.12
# All of it is parsed by the strict reader so often; in between, the lines that are needed.
STRICT_EVERY_S = 3.0

NEEDED = (*OF_DEPLOYMENT, *OF_NAMESPACE, REDUCTIONS, ADDED, REMOVED, REFRESHES, LAST_SAVE,
          *(REFRESH + what for what in ("success", "duration_seconds",
                                        "last_attempt_timestamp_seconds",
                                        "last_success_timestamp_seconds")))
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


def read_families(text):
    """name -> [(labels, value)] of the families that the checks are about."""
    found = {}
    for family in NEEDED:
        begin = text.find(f"\n# TYPE {family} ")
        if begin < 0:
            continue
        begin = text.index("\n", begin + 1)
        end = text.find("\n# ", begin)
        found[family] = [read_sample(line) for line in
                         text[begin + 1:end if end >= 0 else None].splitlines()]
    return found


@functools.lru_cache(maxsize=100000)
def read_labels(series):
    return {k: afe.unescape(v) for k, v in LABEL.findall(series)}


def read_sample(line):
    series, _, value = line.rpartition(" ")
    return read_labels(series), float(value)


def by_namespace(found, name):
    return {labels["flink_namespace"]: value for labels, value in found.get(name, [])}


class Series:
    """One series of a deployment's counters, from where it began without a gap."""

    def __init__(self, name, process, not_before, values):
        self.name, self.process, self.values = name, process, values
        self.not_before = not_before  # it was first published after this
        self.scrape = 0


class Watch(threading.Thread):
    def __init__(self, ledger, where):
        """where() is (port, number of the process, when it started), None while there is none."""
        super().__init__(daemon=True)
        self.ledger, self.where = ledger, where
        self.stopping = threading.Event()
        self.violation = None
        self.scrapes = self.strict = 0
        self.refreshes = {}  # by process
        self._seen = {}  # the highest of each counter
        self._series = {}
        self._listings, self._one_at_most = {}, set()
        self._namespaces_at_first = (None, {})  # process, what its first scrape showed
        self._scrape_began, self._strict_at = {}, 0.0  # by process

    def run(self):
        while not self.stopping.is_set() and not self.violation:
            began = time.monotonic()
            try:
                self.once()
            except Exception as e:  # pylint: disable=broad-except; the main thread raises it
                self.violation = self.violation or f"{type(e).__name__}: {e}"
            self.stopping.wait(max(0.01, EVERY_S - (time.monotonic() - began)))

    def stop(self):
        self.stopping.set()
        self.join(afe.PATIENCE)

    def once(self):
        at = self.where()
        if not at:
            return
        began = time.monotonic()
        try:
            reply = afe.request(at[0], "/metrics")
        except (OSError, http.client.HTTPException):
            if self.where() == at:
                raise
            return  # it was killed meanwhile
        if reply.status != 200:
            raise AssertionError(f"/metrics: {reply.status}")
        ended = time.time()
        self.scrapes += 1
        if ended - self._strict_at > STRICT_EVERY_S:
            afe.Exposition(reply.text)
            self._strict_at, self.strict = ended, self.strict + 1
        found = read_families(reply.text)
        with self.ledger.lock:
            self._count_listings(found, at[1])
            self._check_deployments(found, at)
            self._check_namespaces(found, at)
            self._confirm(found, at[1], ended)
        self._scrape_began[at[1]] = began

    def _fail(self, what):
        raise AssertionError(what)

    def _never_back(self, key, value):
        before = self._seen.get(key, 0)
        if value < before:
            self._fail(f"{key} went back from {before:.0f} to {value:.0f}")
        self._seen[key] = value

    def _count_listings(self, found, process):
        """Finds the namespaces of which one listing at most has come since the scrape before."""
        began = by_namespace(found, REFRESH + "last_attempt_timestamp_seconds")
        ended = by_namespace(found, REFRESH + "last_success_timestamp_seconds")
        now = {name: (process, n, began.get(name, 0) <= ended.get(name, 0))
               for name, n in by_namespace(found, REFRESHES).items()}
        self._one_at_most = set()
        for name, (_, n, _) in now.items():
            before = self._listings.get(name)
            if before and before[0] == process and before[2] and n - before[1] <= 1:
                self._one_at_most.add(name)
        self._listings = now

    # --- deployments ---

    def _check_deployments(self, found, at):
        values, namespaces = {}, {}
        for family, kind in OF_DEPLOYMENT.items():
            for labels, value in found.get(family, []):
                namespaces[labels["deployment_id"]] = labels["flink_namespace"]
                deployment = labels["deployment_id"]
                self._never_back((family, deployment), value)
                self._never_invented(deployment, kind, value)
                values.setdefault((deployment, labels["deployment_name"]), {})[kind] = value
        for (deployment, name), shown in values.items():
            self._old_value_first(deployment, name, shown, at,
                                  namespaces[deployment] in self._one_at_most)

    def _never_invented(self, deployment, kind, value):
        member = self.ledger.members.get(deployment)
        if not member:  # made by a fault, with no jobs at all
            if value:
                self._fail(f"{deployment}, of which nobody knows, has {value:.0f} {kind}")
            return
        limit = member.ended[kind] if member.wild else highest(member, kind)
        if value > limit:
            self._fail(f"{deployment} shows {value:.0f} {kind}, but only {limit} of "
                       f"{member.ended[kind]} can have been seen; lately, now {time.time():.3f}: "
                       f"{'; '.join(member.history)}")

    def _old_value_first(self, deployment, name, shown, at, one_listing):
        _, process, started = at
        series = self._series.get(deployment)
        goes_on = (series and series.name == name and series.process == process
                   and series.scrape == self.scrapes - 1)
        if not goes_on:
            if (series and one_listing and series.scrape == self.scrapes - 1
                    and shown != series.values):
                self._fail(f"{deployment}: {series.values} is {shown} under its new name at once")
            # It was published after the scrape before began; nobody knows when.
            not_before = self._scrape_began.get(process, started)
            series = self._series[deployment] = Series(name, process, not_before, shown)
        elif (shown != series.values and
              time.monotonic() - series.not_before < HOLD_S - HOLD_MARGIN_S):
            self._fail(f"{deployment}: {series.values} became {shown} within the hold")
        series.values, series.scrape = shown, self.scrapes

    # --- namespaces ---

    def _check_namespaces(self, found, at):
        _, process, started = at
        if self._namespaces_at_first[0] != process:
            self._namespaces_at_first = (process, {})
        first = self._namespaces_at_first[1]
        for family, kind in OF_NAMESPACE.items():
            shown = {labels["flink_namespace"]: v for labels, v in found.get(family, [])}
            for name, ns in self.ledger.namespaces.items():
                if name not in shown:
                    self._fail(f"{family} of {name} is missing")
                self._never_back((family, name), shown[name])
                if (shown[name] != first.setdefault((family, name), shown[name]) and
                        time.monotonic() - started < HOLD_S - HOLD_MARGIN_S):
                    self._fail(f"{family} of {name} rose within the hold")
                limit = sum(m.ended[kind] if m.wild else highest(m, kind) for m in ns.members)
                if shown[name] > limit:
                    self._fail(f"{family} of {name} is {shown[name]:.0f}, above {limit}")
        for family in (REDUCTIONS, ADDED, REMOVED):
            for labels, value in found.get(family, []):
                ns = self.ledger.namespaces[labels["flink_namespace"]]
                self._never_back((family, ns.name, labels.get("state")), value)
                limit = ns.added if family == ADDED else ns.removed
                if family != REDUCTIONS and value > limit + ns.shifts:
                    self._fail(f"{family} of {ns.name} is {value:.0f}, above {limit} and "
                               f"{ns.shifts} by shifting")

    def _confirm(self, found, process, ended):
        success = by_namespace(found, REFRESH + "success")
        duration = by_namespace(found, REFRESH + "duration_seconds")
        last = by_namespace(found, REFRESH + "last_success_timestamp_seconds")
        saved_at = found[LAST_SAVE][0][1] if LAST_SAVE in found else 0.0
        for name, ns in self.ledger.namespaces.items():
            if success.get(name) == 1:
                ns.listed(last[name] - duration[name], ended, process, saved_at)
        self.refreshes[process] = sum(v for _, v in found.get(REFRESHES, []))


def highest(member, kind):
    """
    What a counter may show at most. Where the status is collected, a deployment whose status became
    failed counts one failure though no count rose, so some of those hidden behind a purge are
    found: at most one for each such step. This is the one place that knows.
    """
    found_by_status = member.masked_failures if kind == "failed" and STATUS_IS_COLLECTED else 0
    return member.expected(kind) + found_by_status


# Set where the exporter under test has the family; see test_ledger.py.
STATUS_IS_COLLECTED = False
