"""What happens to the control plane and to the exporter, at random, and the books of it.

The actor changes the simulated world step by step, only in ways whose outcome the ledger knows
(ledger_model.py). The operator spoils the exporter's day: faults of every kind, SIGKILL, SIGTERM,
reloads. The seed chooses what they do; how the two and the exporter interleave is up to the clock.
"""

import random
import signal
import threading
import time

import afe
from ledger_model import DOWN, EVENTS, KINDS, UP

OLD_MS = 30 * 24 * 3600 * 1000

# Of one namespace, or of all. A totalSize that is too small is 0: one that happens to end with a
# full page is the truth for all that a client can know (docs/metrics.md).
FAULTS = (
    "status:code=500", "status:code=503,rate=0.5", "status:code=401", "status:code=403",
    "status:code=503,retry_after=1", "throttle:ms=200", "throttle:ms=0,code=503,rate=0.5",
    "business:code=990301", "business:mode=no-success", "business:mode=null-data", "html", "xml",
    "empty", "empty:code=204", "malformed", "malformed:page=2", "truncate:mode=length",
    "truncate:mode=chunked", "truncate:mode=eof,page=2", "reset", "reset:rate=0.3", "hang",
    "hang:mode=reply,seconds=1", "hang:mode=body,page=2", "drip:every_ms=100", "huge:size=8MiB",
    "gzip-bomb:size=8MiB", "deep:depth=20000", "redirect:to=http://127.0.0.1:9/",
    "total-size:value=0", "total-size:delta=7", "total-size:missing", "total-size:negative",
    "total-size:string", "total-size:null", "total-size:varying",
    "endless", "endless:mode=fresh", "invalid-utf8", "status:code=502,after=1,page=2")
MAX_FAULTS = 48


class Actor:
    """Changes the world. One thread."""

    def __init__(self, ledger, sim, seed):
        self.ledger, self.sim, self.random = ledger, sim, random.Random(seed)
        self.steps = dict.fromkeys(
            ("end", "purge", "both", "rename", "untell", "tell", "start", "new", "old", "remove",
             "remove with events", "return", "wild"), 0)

    def act(self):
        """One step; a choice that the rules do not allow now does nothing."""
        ns = self.random.choice(list(self.ledger.namespaces.values()))
        choice = self.random.random()
        if choice < 0.12:
            self._come_or_go(ns)
            return
        with self.ledger.lock:
            member = self.random.choice(ns.present() or [None])
        if not member:
            return
        if choice < 0.15:
            self._rename(member)
        elif choice < 0.20:
            self._tell_or_not(member)
        elif choice < 0.23:
            with self.ledger.lock:
                member.start()
            self._post("start", event={"deploymentId": member.id, "kind": "start"})
        else:
            self._jobs(member)

    def _post(self, what, **change):
        self.sim.post(**change)
        self.steps[what] += 1

    # --- jobs ---

    def _jobs(self, member):
        r, kind = self.random, self.random.choice(KINDS)
        with self.ledger.lock:
            ended = r.choice((0, 1, 1, 1, 2, 3))
            first = r.randrange(ended + 1)  # these end before any is purged
            purged = min(r.choice((0, 0, 0, 1, 2, 5)), member.may_purge(kind, first))
            direction = (ended > purged) - (ended < purged)
            if not (ended or purged) or not member.may_move(kind, direction):
                return
            member.step(kind, ended, purged)
        self._post(
            "wild" if member.wild else "both" if ended and purged else "end" if ended else "purge",
            event=[e for e in (self._event(member, EVENTS[kind], first),
                               self._event(member, "purge", purged, kind),
                               self._event(member, EVENTS[kind], ended - first)) if e])
        with self.ledger.lock:
            member.moved(kind, time.time())

    @staticmethod
    def _event(member, event, count, state=None):
        if not count:
            return None
        found = {"deploymentId": member.id, "kind": event, "count": count}
        if state:
            found["state"] = state
        return found

    # --- names and summaries ---

    def _rename(self, member):
        member.name = f"{member.id} {self.random.choice(('a', 'ü', chr(34), 'x' * 40))}"
        self._post("rename", rename={member.id: member.name})

    def _tell_or_not(self, member):
        if member.wild or not member.told:
            self.tell(member)
            return
        with self.ledger.lock:
            if member.first_seen_matters and not member.is_confirmed():
                return
            member.told = False
        self._post("untell", set_summary={member.id: self.random.choice((None, "missing"))})

    def tell(self, member):
        if member.told:
            return
        self._post("tell", set_summary={member.id: member.summary()})
        with self.ledger.lock:
            member.start_over()
            member.told, member.told_at = True, time.time()

    # --- who is there ---

    def _come_or_go(self, ns):
        with self.ledger.lock:
            if not ns.may_change_membership():
                return
            ns.membership_at = float("inf")  # until it has changed: one of these below does it
            gone = [m for m in ns.members if not m.present]
            there = [m for m in ns.present() if not m.wild and m.is_confirmed()]
        choice = self.random.random()
        if choice < 0.45 and len(there) > 2:
            self._remove(ns, self.random.choice(there))
        elif choice < 0.65 and gone:
            self._return(ns, self.random.choice(gone))
        else:
            self._appear(ns, is_new=choice < 0.85)

    def _appear(self, ns, is_new):
        """A new one and its first jobs come in one step; or one that is not new, with a past."""
        counts = {k: self.random.choice((0, 0, 1, 3)) for k in KINDS}
        created_ms = int(time.time() * 1000) - (0 if is_new else OLD_MS)
        with self.ledger.lock:
            member = self.ledger.new_member(ns, created_ms, counts, is_new)
            ns.added += 1
        self._post("new" if is_new else "old", add=[member.as_json()])
        self._came(ns, member)

    def _came(self, ns, member):
        with self.ledger.lock:
            now = time.time()
            member.came_at = ns.membership_at = now
            member.moved_at = dict.fromkeys(KINDS, now)

    def _remove(self, ns, member):
        """All of it has been listed; what happens in this step nobody will see."""
        kind, ended = self.random.choice(KINDS), self.random.choice((0, 0, 1, 4))
        with self.ledger.lock:
            ns.removed += 1
            for k in KINDS:
                ns.reductions[k] += member.counts[k]
            if ended:
                member.step(kind, ended, 0)
                member.lose(kind, ended)
            member.last_listed = dict(member.counts, **{kind: member.counts[kind] - ended})
            member.present = False
        change = {"remove": [member.id]}
        if ended:
            change = {"event": self._event(member, EVENTS[kind], ended), **change}
        self._post("remove with events" if ended else "remove", **change)
        with self.ledger.lock:
            ns.membership_at = time.time()

    def _return(self, ns, member):
        """Under the same id, with what happened while it was away: it is remembered."""
        with self.ledger.lock:
            ns.added += 1
            member.present = True
            member.start_over()
            for kind in KINDS:
                self._while_away(member, kind)
        self._post("return", add=[member.as_json()])
        self._came(ns, member)

    def _while_away(self, member, kind):
        was = member.last_listed[kind]
        now = max(0, was + self.random.choice((0, 0, 0, 1, 2, -1, -3)))
        # Compared with what was listed last. Jobs that ended as it was removed have been purged.
        member.counts[kind] = now
        member.direction[kind] = UP if now >= was else DOWN
        member.ended[kind] += max(0, now - was)
        member.ns.ended[kind] += max(0, now - was)
        member.ns.reductions[kind] += max(0, was - now)
        # The simulator counts from the beginning of this object.
        member.outside[kind] = member.ended[kind]


class Operator(threading.Thread):
    """Faults, kills and reloads. One thread; host runs the exporter."""

    def __init__(self, ledger, sim, seed, host):
        super().__init__(daemon=True)
        self.ledger, self.sim, self.random, self.host = ledger, sim, random.Random(seed), host
        self.stopping, self.quiet = threading.Event(), threading.Event()
        self.error = None
        self.to_begin_with = [self._kill, self._terminate, self._reload]  # each at least once
        self.faults = {}  # namespace name, or None for all of them -> (spec, until)
        self.strikes = {}

    def run(self):
        kill_at = time.monotonic() + self._between_kills()
        while not self.stopping.is_set():
            try:
                self._turn_faults()
                if time.monotonic() > kill_at:
                    self._disturb()
                    kill_at = time.monotonic() + self._between_kills()
            except Exception as e:  # pylint: disable=broad-except; the main thread raises it
                self.error = f"{type(e).__name__}: {e}"
                return
            self.stopping.wait(self.random.uniform(0.05, 0.4))

    def stop(self):
        self.stopping.set()
        self.join(afe.PATIENCE)

    def _between_kills(self):
        return self.random.choice((0.5, 1, 3, 6)) * self.random.random() + 0.2

    # --- faults ---

    def _namespaces(self, name):
        return [self.ledger.namespaces[name]] if name else list(self.ledger.namespaces.values())

    def _turn_faults(self):
        now, changed = time.monotonic(), False
        ended = [name for name, (_, until) in self.faults.items() if until < now]
        for name in ended:
            del self.faults[name]
        for _ in range(self.random.choice((0, 1, 2))):
            changed = self._strike() or changed
        if ended or changed:
            self._post_faults()

    def _strike(self):
        r = self.random
        name = None if r.random() < 0.03 else r.choice(list(self.ledger.namespaces))
        if name in self.faults or len(self.faults) >= min(
                MAX_FAULTS, 1 + len(self.ledger.namespaces) // 3):
            return False
        spec = r.choice(FAULTS)
        with self.ledger.lock:
            ns = self.ledger.namespaces.get(name)
            may_shift = ns and ns.shift and ns.shifts_left and ns.may_change_membership()
            if may_shift and r.random() < 0.5:
                spec = f"shift:mode={ns.shift}" + ("" if ns.shift == "move" else ",count=1")
                ns.dirty_until = float("inf")  # from now on nobody else changes who is there
        kind = spec.split(":")[0]
        self.strikes[kind] = self.strikes.get(kind, 0) + 1
        if name:
            spec += ("," if ":" in spec else ":") + f"namespace={name}"
        self.faults[name] = (spec, time.monotonic() + r.choice((0.3, 1, 3)) * r.random() + 0.2)
        return True

    def _spend_shifts(self):
        """One deployment at most for each POST, which makes the count of a fault begin anew."""
        for name, (spec, _) in list(self.faults.items()):
            if not spec.startswith("shift:") or "mode=move" in spec:
                continue
            ns = self.ledger.namespaces[name]
            if not ns.shifts_left:
                del self.faults[name]
                continue
            ns.shifts_left -= 1
            ns.shifts += 1

    def _post_faults(self, **settings):
        self._spend_shifts()
        with self.ledger.lock:
            for name in self.faults:
                for ns in self._namespaces(name):
                    ns.dirty_until = float("inf")
        self.sim.post(faults=[spec for spec, _ in self.faults.values()], **settings)
        now = time.time()
        with self.ledger.lock:
            struck = {ns.name for name in self.faults for ns in self._namespaces(name)}
            for ns in self.ledger.namespaces.values():
                if ns.dirty_until == float("inf") and ns.name not in struck:
                    ns.dirty_until = now

    def calm(self):
        self.faults.clear()
        self._post_faults(latency="0ms", clock_offset="0s")

    # --- the exporter ---

    def _disturb(self):
        if self.to_begin_with:
            self.to_begin_with.pop(0)()
            return
        ways = self._kill, self._terminate, self._reload, self._slow
        self.random.choices(ways, (8, 4, 6, 2))[0]()

    def _kill(self):
        """At times after a quiet moment: what was shown last must have been saved by then."""
        if self.random.random() < 0.5:
            self.quiet.set()
            self.stopping.wait(1.5)
        self._restart(signal.SIGKILL)
        self.quiet.clear()

    def _terminate(self):
        self._restart(signal.SIGTERM)

    def _reload(self):
        self.host.reload(self.random)

    def _slow(self):
        self.sim.post(latency=self.random.choice(("0ms", "0ms", "50ms", "300ms")))

    def _restart(self, number):
        self.host.end(number)
        self.stopping.wait(self.random.choice((0, 0, 0.5, 2)) * self.random.random())
        while self.random.random() < 0.25:
            self.host.start_and_kill(self.random.random())
        self.host.start()
