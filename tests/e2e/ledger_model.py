"""What really happened, and what of it an exporter that only lists can have seen: exactly.

A deployment's count of ended jobs may go up (jobs end) and down (old jobs are purged), and between
two listings only the difference shows. The books stay exact all the same, because of one rule that
whoever makes things happen keeps to: between two points at which a deployment is known to have been
listed and saved, its count moves in one direction only. Then it does not matter which listings came
in between, which of them failed, or after which the exporter was killed: the rises they show add up
to what the count rose. A step is atomic, so of one that is "n jobs end and m are purged" exactly
min(n, m) cannot be seen, and its direction is the sign of n - m.

Of what cannot be seen the exporter finds some failures all the same, by the deployment's status
(docs/metrics.md, "Failures that no count shows"): at most one for each step that hid one, and with
it the purge that hid it. So the bounds are apart by that much, and what was found of all failures
is what is to be found in all reductions. For this the documentation assumes that the newest job is
never purged, and nobody here does (may_purge).

What else cannot be seen (docs/metrics.md) is known as well: jobs that end in the step that removes
their deployment, and jobs that ended before a deployment was seen first and was not new.

"Wild" deployments keep to no rule but that; of them there are bounds only, and what the exporter says of
them is taken for true where it is part of a sum.

All times are unix seconds. The ledger's lock guards everything here.
"""

import collections
import threading
import time

KINDS = ("failed", "cancelled", "finished")
EVENTS = {"failed": "fail", "cancelled": "cancel", "finished": "finish"}
# As the simulator's own ledger has them.
LEDGER_KEYS = {"failed": "failures", "cancelled": "cancellations", "finished": "completions"}
# The status of a newest job that ended so, as the simulator tells it.
ENDED = {"failed": "FAILED", "cancelled": "CANCELLED", "finished": "FINISHED"}
UP, DOWN = 1, -1
# Two clocks are read: the exporter's cuts to milliseconds, and a step's end is not its middle.
MARGIN_S = 0.02


class Member:
    """One deployment. Counters are by kind."""

    def __init__(self, ns, number, created_ms, counts, is_new, wild=False):
        self.ns, self.id, self.created_ms = ns, f"{ns.name}-d{number:05}", created_ms
        self.name = self.id
        self.counts = dict(counts)  # jobs that the control plane remembers
        self.start_over()
        self.baseline = {k: 0 if is_new else counts[k] for k in KINDS}
        self.ended = {k: counts[k] if is_new else 0 for k in KINDS}  # those that are no past
        self.lost = dict.fromkeys(KINDS, 0)  # of these, what cannot be seen
        self.outside = dict(self.ended)  # of these, what the simulator's ledger does not have
        self.direction = dict.fromkeys(KINDS, UP)
        self.moved_at = dict.fromkeys(KINDS, 0.0)
        # The past of a deployment that is not new is whatever is seen first.
        self.first_seen_matters = not is_new
        self.came_at = float("inf")
        self.told, self.told_at = True, 0.0
        self.present, self.wild = True, wild
        self.masked_failures = 0  # steps in which a failure hid behind a purge
        self.history = collections.deque(maxlen=12)  # of steps, for whoever looks for an error

    def expected(self, kind):
        return self.ended[kind] - self.lost[kind]

    def bounds(self, kind):
        """Of a wild one: what the count rose by in all, and all that ended."""
        return max(0, self.counts[kind] - self.baseline[kind]), self.ended[kind]

    def confirmed_since(self, moment):
        return self.told and self.ns.confirmed > max(moment, self.told_at) + MARGIN_S

    def is_confirmed(self):
        """Everything about it was listed and saved."""
        return self.confirmed_since(max(self.came_at, *self.moved_at.values()))

    def may_move(self, kind, direction):
        if self.wild:
            return True
        if self.first_seen_matters and not self.confirmed_since(self.came_at):
            return False
        return direction in (0, self.direction[kind]) or self.confirmed_since(
            max(self.came_at, self.moved_at[kind]))

    # --- jobs, as the simulator has them ---

    def start_over(self):
        """One job runs, and it is the newest."""
        self.running, self.newest = 1, "RUNNING"

    def start(self):
        self.running, self.newest = self.running + 1, "RUNNING"

    def _after(self, kind, ended):
        """(running, newest) when so many have ended: the newest first, then others, then new ones."""
        running, newest = self.running, self.newest
        for _ in range(ended):
            if newest == "RUNNING" or not running:
                newest = ENDED[kind]
            running = max(0, running - 1)
        return running, newest

    def may_purge(self, kind, ended):
        """So many, if so many have ended just before: all that ended so but the newest of all."""
        newest = self._after(kind, ended)[1]
        return max(0, self.counts[kind] + ended - (newest == ENDED[kind]))

    # --- the books ---

    def step(self, kind, ended, purged):
        """Notes what is about to happen in one step; moved() when it has."""
        self.moved_at[kind] = float("inf")
        self.running, self.newest = self._after(kind, ended)
        self.history.append(f"{time.time():.3f} {kind} +{ended} -{purged}")
        self.counts[kind] += ended - purged
        self.ended[kind] += ended
        self.ns.ended[kind] += ended
        self.ns.simulated[kind] += ended
        if self.wild:
            return
        hidden = min(ended, purged)
        if kind == "failed" and hidden and self.newest == ENDED["failed"]:
            self.masked_failures += 1
        self.lose(kind, hidden)
        if ended != purged:
            self.direction[kind] = UP if ended > purged else DOWN
        self.ns.reductions[kind] += max(0, purged - ended)

    def lose(self, kind, n):
        self.lost[kind] += n
        self.ns.lost[kind] += n

    def moved(self, kind, now):
        self.moved_at[kind] = now

    def summary(self):
        return {"starting": 0, "running": 1, "cancelling": 0, **self.counts}

    def as_json(self):
        return {"deploymentId": self.id, "name": self.name, "namespace": self.ns.name,
                "executionMode": "STREAMING", "engineVersion": "vvr-8.0.11-flink-1.17",
                "artifact": {"kind": "JAR", "jarArtifact": {"jarUri": "oss://b/a.jar"}},
                "createdAt": self.created_ms, "modifiedAt": self.created_ms,
                "jobSummary": self.summary()}


class Namespace:
    def __init__(self, name, page_size, shift=None):
        self.name, self.page_size, self.shift = name, page_size, shift
        # Pages that shift: so many deployments without jobs may come, or go, that are no members.
        self.shifts, self.shifts_left = 0, 60
        self.members = []
        self.ended = dict.fromkeys(KINDS, 0)  # of all members, wild and removed ones too
        self.lost = dict.fromkeys(KINDS, 0)
        self.simulated = dict.fromkeys(KINDS, 0)  # what the simulator's ledger has to say
        self.reductions = dict.fromkeys(KINDS, 0)  # without those of wild members
        self.added = self.removed = 0  # members
        self.membership_at = 0.0
        self.dirty_until = 0.0  # with a fault, inf while it lasts
        # A whole listing that began then was taken in and saved; nothing disturbed it.
        self.confirmed = 0.0
        self.candidate = None  # (began, when it was seen, by which process)

    def present(self):
        return [m for m in self.members if m.present]

    def may_change_membership(self):
        """
        Not before the change before was listed: where one deployment goes and another comes between
        two pages, totalSize stays, and a third may be missed that moved from one page to the other.
        Shifting is such a change, too.
        """
        shifted_until = self.dirty_until if self.shift else 0.0
        return self.confirmed > max(self.membership_at, shifted_until) + MARGIN_S

    def listed(self, began, seen_at, process, saved_at):
        """A scrape at seen_at shows a whole listing that began then, and the last save."""
        if self.candidate and self.candidate[2] != process:
            self.candidate = None
        if self.candidate and saved_at > self.candidate[1] + MARGIN_S:
            self.confirmed = max(self.confirmed, self.candidate[0])
            self.candidate = None
        if not self.candidate and began > max(self.dirty_until, self.membership_at) + MARGIN_S:
            self.candidate = (began, seen_at, process)


class Ledger:
    def __init__(self):
        self.lock = threading.RLock()
        self.namespaces = {}
        self.members = {}  # by id, removed ones too
        self.numbers = 0

    def add_namespace(self, *args):
        ns = Namespace(*args)
        self.namespaces[ns.name] = ns
        return ns

    def new_member(self, ns, created_ms, counts, is_new, wild=False):
        self.numbers += 1
        member = Member(ns, self.numbers, created_ms, counts, is_new, wild)
        ns.members.append(member)
        for kind in KINDS:
            ns.ended[kind] += member.ended[kind]
        self.members[member.id] = member
        return member

    def saved_by(self, process):
        """It ended as asked: all that it had listed is saved."""
        for ns in self.namespaces.values():
            if ns.candidate and ns.candidate[2] == process:
                ns.confirmed = max(ns.confirmed, ns.candidate[0])
                ns.candidate = None

    def total_ended(self):
        return sum(ns.ended[k] for ns in self.namespaces.values() for k in KINDS)

    def total_lost(self):
        return sum(ns.lost[k] for ns in self.namespaces.values() for k in KINDS)
