"""The operator's tool against the simulator: every command, and what must never happen."""

import json
import os
import pty
import select
import signal
import socket
import subprocess
import threading
import time
import unittest

import afe

TOOL = "aliyun_flinkctl"
CHINESE = "订单-实时宽表"
SQL = "CREATE TABLE a (\n  id BIGINT\n);\nINSERT INTO b\nSELECT id FROM a;\n"
DRAFT = "6f0c1f5e-0000-4000-8000-000000000001"
OTHER_DRAFT = DRAFT[:-1] + "f"


def draft(draft_id=DRAFT, **members):
    made = {
        "deploymentDraftId": draft_id, "name": CHINESE, "workspace": afe.WORKSPACE,
        "namespace": "default-namespace", "executionMode": "STREAMING",
        "engineVersion": "vvr-8.0.7-flink-1.17",
        "artifact": {"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": SQL, "additionalDependencies": []}},
        "labels": {"team": "orders", "n": 1.0},
        "localVariables": [{"name": "password", "value": "s3cr3t"}],
        "creator": "1", "creatorName": "ann", "modifier": "1", "modifierName": "ann",
        "createdAt": 1714058507, "modifiedAt": 1714058843,
    }
    made.update(members)
    return made


class Tool(afe.Case):
    only_reads = False

    sim_flags = ("--deployments=5",)

    def setUp(self):
        super().setUp()
        self.sim = self.simulator(*self.sim_flags)
        self.cfg = self.config(self.sim.url)

    def run_tool(self, *words, stdin=None, cfg=None, env=None, stdout=subprocess.PIPE):
        full_env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        full_env.update(env or {})
        if stdin is None:
            channel = {"stdin": subprocess.DEVNULL}
        else:
            channel = {"input": stdin.encode() if isinstance(stdin, str) else stdin}
        done = subprocess.run(
            [afe.program(TOOL), f"--config.file={cfg or self.cfg}", *words], stdout=stdout,
            stderr=subprocess.PIPE, check=False, timeout=afe.PATIENCE, env=full_env, **channel)
        done.stdout = (done.stdout or b"").decode("utf-8")
        done.stderr = done.stderr.decode("utf-8")
        for text in (done.stdout, done.stderr):
            self.assertNotIn(afe.SECRET, text)
            self.assertNotIn("runtime error", text)
            self.assertNotIn("Sanitizer", text)
            self.assertNotIn("\x1b", text)
        return done

    def ok(self, *words, **kwargs):
        done = self.run_tool(*words, **kwargs)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done

    def json(self, *words, **kwargs):
        return json.loads(self.ok("--output=json", *words, **kwargs).stdout)

    def fails(self, code, *words, **kwargs):
        done = self.run_tool(*words, **kwargs)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def methods(self):
        return [r["method"] for r in self.sim.log_of_requests() if r["path"].startswith("/api")]

    def truth(self, draft_id=DRAFT, namespace="default-namespace"):
        reply = afe.request(self.sim.port, f"/_sim/drafts/{namespace}")
        found = [d for d in json.loads(reply.body) if d["deploymentDraftId"] == draft_id]
        self.assertEqual(len(found), 1)
        found[0].pop("_sim", None)
        return found[0]


class Deployments(Tool):
    sim_flags = ("--deployments=230",)

    def test_all_pages(self):
        listed = self.json("deployments")
        truth = self.sim.deployments()
        self.assertEqual(sorted(d["id"] for d in listed),
                         sorted(d["deploymentId"] for d in truth))
        by_id = {d["deploymentId"]: d for d in truth}
        for d in listed:
            t = by_id[d["id"]]
            self.assertEqual(d["name"], t["name"])
            self.assertEqual(d["execution_mode"], t["executionMode"].lower())
            for state, n in d["jobs"].items():
                self.assertEqual(n or 0, (t["jobSummary"] or {}).get(state, 0))
        self.assertEqual([d["name"] for d in listed], sorted(
            (d["name"] for d in listed), key=lambda name: name.encode()))
        lines = self.ok("deployments").stdout.splitlines()
        self.assertEqual(len(lines), 231)
        self.assertRegex(lines[0], r"^NAME +ID +MODE +ENGINE +JOBS +CHANGED +MODIFIED$")

    def test_filters_go_to_the_api(self):
        truth = self.sim.deployments()
        batch = self.json("deployments", "--execution-mode=batch")
        self.assertEqual({d["id"] for d in batch},
                         {d["deploymentId"] for d in truth if d["executionMode"] == "BATCH"})
        self.ok("deployments", "--status=FAILED", "--label=team=a b", "--label=team=订单")
        query = self.sim.log_of_requests()[-1]["query"]
        self.assertIn("status=FAILED", query)
        self.assertIn("labelKey=team", query)
        self.assertIn("labelValueArray=a%20b%3B%E8%AE%A2%E5%8D%95", query)

    def test_the_targets_own_filter_is_not_applied(self):
        cfg = self.config(self.sim.url, extra='select = { execution_mode = "BATCH"; };')
        self.assertEqual(len(self.json("deployments", cfg=cfg)), 230)

    def test_nothing(self):
        self.sim.post(remove=[d["deploymentId"] for d in self.sim.deployments()])
        self.assertEqual(self.json("deployments"), [])
        self.assertEqual(len(self.ok("deployments").stdout.splitlines()), 1)

    def test_by_name(self):
        name = "a b/c+d~e*f"
        for i, extra in enumerate(({"createdAt": 1700000000}, {"createdAt": 1700000100})):
            self.sim.post(add=[dict({"deploymentId": f"d{i}", "name": name, "executionMode": "STREAMING",
                                     "engineVersion": "v", "x": 1.0}, **extra)])
        found = self.json("deployment", name)
        self.assertEqual([d["deploymentId"] for d in found], ["d1", "d0"])
        self.assertEqual(found[0]["name"], name)
        self.assertEqual(len(self.ok("deployment", name).stdout.splitlines()), 3)
        self.ok("deployment", name, "--ignore-job-summary", "--ignore-resource-setting")
        self.assertEqual(self.sim.log_of_requests()[-1]["query"],
                         "ignoreJobSummary=true&ignoreResourceSetting=true")
        for setting in ("empty", "error"):
            self.sim.post(missing_name=setting)
            done = self.fails(1, "deployment", "a b")
            self.assertIn("exactly the name 'a b'", done.stderr)
            self.assertEqual(done.stdout, "")
            done = self.fails(1, "--output=json", "deployment", "a b")
            self.assertEqual(json.loads(done.stdout), [])

    def test_hostile_names_do_not_reach_the_terminal(self):
        self.sim.post(add=[{"deploymentId": "evil", "name": "\x1b[2J\x07\u202eevil\n\x9b31m",
                            "executionMode": "STREAMING"}])
        out = self.ok("deployments").stdout
        self.assertIn("\\x1b[2J\\x07\\u202eevil\\n\\u009b31m", out)
        raw = self.ok("deployments", "--output=json").stdout
        self.assertNotIn("\x9b", raw)
        self.assertIn("\x1b[2J\x07\u202eevil\n\x9b31m", [d["name"] for d in json.loads(raw)])


class Basics(Tool):
    def test_usage(self):
        for words in ((), ("nothing",), ("drafts", "--nothing"), ("draft",), ("deployment",),
                      ("draft", "update", "x"), ("deployments", "--status=up")):
            done = self.fails(2, *words)
            self.assertEqual(done.stdout, "")
            self.assertIn("--help", done.stderr)
        self.assertEqual(self.sim.log_of_requests(), [])
        first = self.ok("--version").stdout.splitlines()[0]
        self.assertRegex(first, rf"^{TOOL}, version \d+\.\d+\.\d+ \(revision: \S+\)$")

    def test_selection(self):
        second = ('{ name = "t2"; endpoint = "%s"; workspace = "w2"; proxy_url = "none"; '
                  'namespaces = [ "n1", "n2" ]; }' % self.sim.url)
        cfg = self.config(self.sim.url, targets=", " + second)
        self.assertIn("t1 and t2", self.fails(2, "deployments", cfg=cfg).stderr)
        self.assertIn("n1 and n2", self.fails(2, "deployments", "--target=t2", cfg=cfg).stderr)
        self.assertIn("did you mean 't1'", self.fails(2, "deployments", "--target=t3", cfg=cfg).stderr)
        self.assertIn("did you mean 'n1'",
                      self.fails(2, "deployments", "--target=t2", "--namespace=n", cfg=cfg).stderr)
        self.assertEqual(self.sim.log_of_requests(), [])
        self.ok("deployments", "--target=t1", cfg=cfg)

    def test_configuration(self):
        self.assertEqual(self.ok("check").stdout, f"{self.cfg} is valid: 1 target\n")
        bad = self.write("bad.cfg", 'targets = ( {\n  nam = "a";\n} );\n')
        exporter = subprocess.run([afe.program("aliyun_flink_exporter"), f"--config.file={bad}",
                                   "--config.check"], capture_output=True, text=True, check=False,
                                  timeout=afe.PATIENCE)
        done = self.fails(1, "check", cfg=bad)
        self.assertEqual((done.stdout, done.stderr), (exporter.stdout, exporter.stderr))
        self.assertIn(f"{bad}:2: ", self.fails(1, "deployments", cfg=bad).stderr)
        self.assertIn("No such file", self.fails(1, "drafts", cfg="/nonexistent.cfg").stderr)

    def test_a_full_disk_and_a_closed_pipe(self):
        with open("/dev/full", "wb") as full:
            for words in (("deployments",), ("check",), ("--help",), ("diagnose",)):
                done = self.run_tool(*words, stdout=full)
                self.assertEqual(done.returncode, 1, words)
        read_end, write_end = os.pipe()
        os.close(read_end)
        try:
            done = self.run_tool("deployments", stdout=write_end)
        finally:
            os.close(write_end)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_closed_standard_descriptors(self):
        done = subprocess.run(["/bin/sh", "-c", 'exec "$0" "$@" >&-', afe.program(TOOL),
                               f"--config.file={self.cfg}", "deployments"], check=False,
                              capture_output=True, timeout=afe.PATIENCE)
        self.assertEqual(done.returncode, 1)

    def test_failures_say_what_to_do(self):
        self.sim.post(credentials={"access_key_secret": "another-secret"})
        done = self.fails(1, "deployments")
        self.assertIn("SignatureDoesNotMatch", done.stderr)
        self.assertIn("secret", done.stderr)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            cfg = self.config(f"http://127.0.0.1:{taken.getsockname()[1]}",
                              defaults="max_retries = 0;")
            self.assertIn("proxy_url", self.fails(1, "deployments", cfg=cfg).stderr)

    def test_ctrl_c_ends_a_hanging_call(self):
        self.sim.faults("hang")
        for number in (signal.SIGINT, signal.SIGTERM):
            tool = afe.Process([afe.program(TOOL), f"--config.file={self.cfg}", "deployments"])
            time.sleep(0.5)
            began = time.monotonic()
            tool.send(number)
            self.assertEqual(tool.join(), 1)
            self.assertLess(time.monotonic() - began, 5)
            self.assertIn("interrupted", tool.log())

    def test_secrets_leave_the_environment(self):
        cfg = self.write("env.cfg", afe.config(self.sim.url, secret_file="x").replace(
            'provider = "static"', 'provider = "env"').replace(
            f'access_key_id = "{afe.KEY_ID}";', "").replace('access_key_secret_file = "x";', ""))
        env = {"ALIBABA_CLOUD_ACCESS_KEY_ID": afe.KEY_ID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": afe.SECRET}
        self.ok("deployments", cfg=cfg, env=env)
        self.sim.faults("hang")
        tool = afe.Process([afe.program(TOOL), f"--config.file={cfg}", "deployments"], env=env)
        time.sleep(0.5)
        try:
            with open(f"/proc/{tool.popen.pid}/environ", "rb") as f:
                self.assertNotIn(afe.SECRET.encode(), f.read())
        except PermissionError:
            pass  # nobody may read it: better still
        tool.send(signal.SIGINT)
        tool.join()


class Drafts(Tool):
    sim_flags = ("--deployments=3", "--drafts=7")

    def setUp(self):
        super().setUp()
        self.sim.post(add_drafts=[draft()])

    def patch(self, change):
        return self.write("patch.json", change if isinstance(change, str) else json.dumps(change))

    def update(self, change, *flags, code=0, **kwargs):
        return self.fails(code, "draft", "update", DRAFT, f"--file={self.patch(change)}", *flags,
                          **kwargs)

    def test_list_and_get(self):
        self.sim.post(lock_drafts={DRAFT: {"holderId": "7", "holderName": "王伟"}})
        listed = {d["id"]: d for d in self.json("drafts")}
        self.assertEqual(len(listed), 8)
        self.assertEqual(listed[DRAFT]["name"], CHINESE)
        self.assertEqual(listed[DRAFT]["lock_holder"], "王伟")
        table = self.ok("drafts").stdout.splitlines()
        line = next(line for line in table if DRAFT in line)
        self.assertTrue(line.startswith(CHINESE + "  "), line)
        self.assertIn("王伟", line)
        got = self.json("draft", "get", DRAFT)
        self.assertEqual(got["artifact"]["sqlArtifact"]["sqlScript"], SQL)
        self.assertEqual(got["lock"]["holderName"], "王伟")
        text = self.ok("draft", "get", DRAFT).stdout
        self.assertIn("artifact.sqlArtifact.sqlScript:\n    CREATE TABLE a (\n", text)
        self.assertIn("createdAt: 1714058507 (2024-04-25T15:21:47Z)\n", text)
        self.assertIn("990301", self.fails(1, "draft", "get", "nobody").stderr)

    def test_dry_run_sends_only_get(self):
        before = self.truth()
        done = self.update({"engineVersion": "vvr-9"}, "--dry-run")
        self.assertEqual(done.stdout, 'engineVersion: "vvr-8.0.7-flink-1.17" -> "vvr-9"\n')
        self.assertEqual(set(self.methods()), {"GET"})
        self.assertEqual(self.truth(), before)

    def test_update(self):
        for how in ("replace", "merge"):
            with self.subTest(how):
                self.sim.post(add_drafts=[draft()], patch=how)
                before = self.truth()
                new_sql = SQL.replace("id FROM", "id + 1 FROM")
                done = self.update({"engineVersion": "vvr-9", "labels": {"team": None, "n": 2},
                                    "artifact": {"sqlArtifact": {"sqlScript": new_sql}}}, "--yes")
                self.assertIn("-SELECT id FROM a;", done.stdout)
                self.assertIn("+SELECT id + 1 FROM a;", done.stdout)
                self.assertIn('labels.team: "orders" -> (none)\n', done.stdout)
                self.assertIn("as it should be", done.stderr)
                after = self.truth()
                self.assertEqual(after["artifact"]["sqlArtifact"]["sqlScript"], new_sql)
                self.assertEqual(after["engineVersion"], "vvr-9")
                self.assertEqual(after["labels"].get("team"), None)
                self.assertEqual(after["localVariables"], before["localVariables"])
                self.assertEqual(after["creator"], before["creator"])

    def test_a_change_that_the_server_ignores(self):
        """The simulator keeps names; nobody knows what the real one does."""
        done = self.update({"name": CHINESE + "2", "engineVersion": "v9"}, "--yes", code=1)
        self.assertIn("1 of the changes did not take, 0 other fields changed", done.stderr)
        self.assertIn(f'did not take (wanted -> is): name: "{CHINESE}2" -> "{CHINESE}"', done.stderr)

    def test_nothing_to_change(self):
        done = self.update({"engineVersion": "vvr-8.0.7-flink-1.17", "labels": {"n": 1}, "nothing": None})
        self.assertEqual(done.stdout, "nothing to change\n")
        # A whole draft, as 'draft get' prints it, is a change of nothing, too.
        whole = self.ok("draft", "get", DRAFT, "--output=json").stdout
        done = self.fails(0, "draft", "update", DRAFT, "--file=-", stdin=whole)
        self.assertEqual(done.stdout, "nothing to change\n")
        self.assertEqual(set(self.methods()), {"GET"})

    def test_json_output(self):
        done = self.update({"engineVersion": "vvr-9"}, "--yes", "--output=json")
        self.assertEqual(json.loads(done.stdout), {
            "draft_id": DRAFT, "result": "updated",
            "changes": [{"path": "engineVersion", "before": "vvr-8.0.7-flink-1.17", "after": "vvr-9"}]})
        self.assertEqual(json.loads(self.update({"engineVersion": "vvr-9"}, "--output=json").stdout)["result"],
                         "unchanged")
        self.assertEqual(json.loads(self.update({"name": "x"}, "--dry-run", "--output=json").stdout)["result"],
                         "dry_run")

    def test_what_belongs_to_the_server(self):
        for name in ("deploymentDraftId", "workspace", "namespace", "creator", "creatorName", "modifier",
                     "modifierName", "createdAt", "modifiedAt"):
            done = self.update({name: "other", "engineVersion": "x"}, "--yes", code=1)
            self.assertIn(f"{name} belongs to the control plane", done.stderr)
        done = self.update({"lock": {"holderId": "1"}}, "--yes", code=1)
        self.assertIn("lock.holderId belongs", done.stderr)
        self.assertEqual(set(self.methods()), {"GET"})

    def test_bad_patches(self):
        for text, message in (("", "empty"), ("[]", "must be a JSON object"), ("{", "not JSON at byte"),
                              ('{"a":1,"a":2}', "a key that came before"),
                              ('{"a":12345678901234567890}', "more digits"),
                              ('{"a":"\\ud800"}', "surrogate")):
            done = self.update(text, "--yes", code=1)
            self.assertIn("patch.json: ", done.stderr)
            self.assertIn(message, done.stderr)
        done = self.fails(1, "draft", "update", DRAFT, "--file=/nonexistent", "--yes")
        self.assertIn("/nonexistent: No such file", done.stderr)
        self.assertEqual(self.methods(), [])

    def test_without_a_terminal(self):
        done = self.update({"engineVersion": "vvr-9"}, code=2)
        self.assertIn("--yes", done.stderr)
        self.assertEqual(set(self.methods()), {"GET"})

    def test_lock(self):
        self.sim.post(lock_drafts={DRAFT: {"holderId": "7", "holderName": "王伟"}})
        done = self.update({"engineVersion": "vvr-9"}, "--yes", code=1)
        self.assertIn("locked by 王伟", done.stderr)
        self.assertIn("--force", done.stderr)
        self.assertEqual(set(self.methods()), {"GET"})
        # The control plane may refuse all the same: then nothing has changed, and that is said.
        done = self.update({"engineVersion": "vvr-9"}, "--yes", "--force", code=1)
        self.assertIn("the draft is as it was before", done.stderr)
        self.sim.post(ignore_locks=True)
        done = self.update({"engineVersion": "vvr-9"}, "--yes", "--force")
        self.assertEqual(self.truth()["engineVersion"], "vvr-9")

    def test_lost_answers(self):
        """The update is sent, its answer is not seen: reading back tells which of the two it is."""
        self.sim.faults("reset:bytes=1,operation=UpdateDeploymentDraft")
        done = self.run_tool("draft", "update", DRAFT, "--yes", f"--file={self.patch({'engineVersion': 'v9'})}")
        took = self.truth()["engineVersion"] == "v9"
        self.assertEqual(done.returncode, 0 if took else 1, done.stderr)
        self.assertIn("only the answer was lost" if took else "as it was before", done.stderr)
        self.sim.faults("status:code=500,operation=UpdateDeploymentDraft")
        done = self.update({"engineVersion": "v10"}, "--yes", code=1)
        self.assertIn("as it was before", done.stderr)
        self.assertIn("may have been changed", done.stderr)

    def test_unreadable_afterwards(self):
        self.sim.faults("status:code=500,operation=UpdateDeploymentDraft",
                        "status:code=500,operation=GetDeploymentDraft,after=2")
        done = self.update({"engineVersion": "v10"}, "--yes", code=1)
        self.assertIn("not known", done.stderr)

    def test_wrong_after_update(self):
        """A control plane that drops fields is found out."""
        proxy = MeddlingProxy(self.sim.port)
        self.stack.callback(proxy.stop)
        cfg = self.config(f"http://127.0.0.1:{proxy.port}")
        for meddle, message in ((lambda d: d.pop("localVariables"), "localVariables"),
                                (lambda d: d.update(engineVersion="v8"), "engineVersion"),
                                (lambda d: d["labels"].update(n=17), "labels.n")):
            self.sim.post(add_drafts=[draft()])
            proxy.meddle = meddle
            done = self.update({"engineVersion": "v9"}, "--yes", code=1, cfg=cfg)
            self.assertIn("NOT AS IT SHOULD BE", done.stderr)
            self.assertIn(message, done.stderr)
            proxy.meddle = None

    def test_not_this_draft(self):
        """What is sent back is the draft that was asked for, whole, or nothing."""
        proxy = MeddlingProxy(self.sim.port)
        self.stack.callback(proxy.stop)
        cfg = self.config(f"http://127.0.0.1:{proxy.port}")
        self.sim.post(add_drafts=[draft()])
        before = self.truth()
        for old, new, message in ((DRAFT, OTHER_DRAFT, f"another draft, '{OTHER_DRAFT}'"),
                                  ("deploymentDraftId", "deploymentDraftNo", "is no draft")):
            proxy.replace = (old.encode(), new.encode())
            done = self.update({"engineVersion": "v9"}, "--yes", code=1, cfg=cfg)
            self.assertIn(message, done.stderr)
        self.assertEqual(self.truth(), before)
        self.assertEqual(set(self.methods()), {"GET"})

    def test_asking_with_json(self):
        """The question comes with what it is about."""
        terminal = Terminal(["/bin/sh", "-c", 'exec "$@" >/dev/null', "sh", afe.program(TOOL),
                             f"--config.file={self.cfg}", "--output=json", "draft", "update", DRAFT,
                             f"--file={self.patch({'engineVersion': 'v9'})}"])
        self.stack.callback(terminal.close)
        terminal.wait_for("[y/N]")
        self.assertIn('engineVersion: "vvr-8.0.7-flink-1.17" -> "v9"', terminal.text)
        terminal.send("n\n")
        self.assertEqual(terminal.wait(), 1)

    def test_changed_meanwhile(self):
        """While the question stands on the terminal, somebody else saves."""
        terminal = Terminal([afe.program(TOOL), f"--config.file={self.cfg}", "draft", "update", DRAFT,
                             f"--file={self.patch({'engineVersion': 'v9'})}"])
        self.stack.callback(terminal.close)
        terminal.wait_for("[y/N]")
        self.sim.post(edit_drafts={DRAFT: {"labels": {"team": "others"}}})
        terminal.send("y\n")
        self.assertEqual(terminal.wait(), 1)
        self.assertIn("changed meanwhile", terminal.text)
        self.assertIn("labels.team", terminal.text)
        self.assertEqual(set(self.methods()), {"GET"})

    def test_asking(self):
        for answer, code in (("y\n", 0), ("n\n", 1), ("\n", 1), ("\x04", 1), ("\x03", 1)):
            with self.subTest(repr(answer)):
                self.sim.post(add_drafts=[draft()])
                terminal = Terminal([afe.program(TOOL), f"--config.file={self.cfg}", "draft", "update",
                                     DRAFT, f"--file={self.patch({'engineVersion': 'v9'})}"])
                self.stack.callback(terminal.close)
                terminal.wait_for("[y/N]")
                terminal.send(answer)
                self.assertEqual(terminal.wait(), code, terminal.text)
                self.assertEqual(self.truth()["engineVersion"],
                                 "v9" if code == 0 else "vvr-8.0.7-flink-1.17")


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, argv):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(argv[0], argv)
        self.text = ""

    def _read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.text += data.decode("utf-8", "replace")
        return bool(data)

    def wait_for(self, what):
        deadline = time.monotonic() + afe.PATIENCE
        while what not in self.text:
            if not self._read(0.1) or time.monotonic() > deadline:
                raise AssertionError(f"no {what!r} in\n{self.text}")

    def send(self, text):
        os.write(self.fd, text.encode())

    def wait(self):
        deadline = time.monotonic() + afe.PATIENCE
        while self._read(0.1):
            if time.monotonic() > deadline:
                raise AssertionError(f"does not end:\n{self.text}")
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def close(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


class MeddlingProxy:
    """Passes requests on, changes drafts in the simulator behind each PATCH, and words of replies."""

    def __init__(self, port):
        self.sim_port = port
        self.meddle = None
        self.replace = (b"", b"")  # of one length
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen()
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            with client:
                self._exchange(client)

    def _exchange(self, client):
        data = b""
        while b"\r\n\r\n" not in data:
            more = client.recv(65536)
            if not more:
                return
            data += more
        head, body = data.split(b"\r\n\r\n", 1)
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        if b"expect: 100-continue" in head.lower():
            client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(body) < length:
            body += client.recv(65536)
        reply = self._forward(head, body)
        client.sendall(reply)

    def _forward(self, head, body):
        method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
        headers = {}
        for line in head.split(b"\r\n")[1:]:
            name, value = line.decode().split(":", 1)
            headers[name] = value.strip()
        with socket.create_connection(("127.0.0.1", self.sim_port)) as upstream:
            lines = [f"{method} {path} HTTP/1.1"] + [f"{k}: {v}" for k, v in headers.items()
                                                     if k.lower() not in ("connection", "expect", "accept-encoding")]
            upstream.sendall("\r\n".join(lines + ["Connection: close", "", ""]).encode() + body)
            reply = b""
            while True:
                more = upstream.recv(65536)
                if not more:
                    break
                reply += more
        if method == "PATCH" and self.meddle:
            drafts = json.loads(afe.request(self.sim_port, "/_sim/drafts/default-namespace").body)
            found = next(d for d in drafts if d["deploymentDraftId"] == DRAFT)
            found.pop("_sim", None)
            self.meddle(found)
            answer = afe.request(self.sim_port, "/_sim", "POST", {"Content-Type": "application/json"},
                                 json.dumps({"add_drafts": [found]}).encode())
            assert answer.status == 200, answer.body
        return reply.replace(*self.replace) if self.replace[0] else reply


class Tickets(Tool):
    TICKET = "9d0e0000-0000-4000-8000-000000000007"

    def ticket(self, **course):
        self.sim.post(tickets=[dict({"id": self.TICKET}, **course)])

    def test_success(self):
        self.ticket(polls=2, end="FINISHED", success=True)
        got = self.json("ticket", "get", self.TICKET)
        self.assertEqual((got["status"], got["ended"]), ("EXECUTING", False))
        done = self.ok("ticket", "wait", self.TICKET)
        self.assertIn("EXECUTING", done.stderr)
        self.assertRegex(done.stdout, r"(?m)^status: +FINISHED$")
        self.assertTrue(self.json("ticket", "wait", self.TICKET)["success"])

    def test_validation_failure(self):
        self.ticket(polls=0, end="FINISHED", success=False, message="Validation \x1b[31mfailed",
                    errors=[{"line": 3, "column": 10, "message": "Object 'x' not found\nin catalog"},
                            {"line": 7, "column": 1, "message": "订单"}])
        done = self.fails(1, "ticket", "wait", self.TICKET)
        self.assertIn("\n3:10: Object 'x' not found\\nin catalog\n7:1: 订单\n", done.stdout)
        answer = json.loads(self.fails(1, "--output=json", "ticket", "wait", self.TICKET).stdout)
        self.assertEqual(answer["errors"][0]["line"], 3)
        self.assertEqual(answer["success"], False)
        self.ok("ticket", "get", self.TICKET)

    def test_failed(self):
        self.ticket(polls=0, end="FAILED", message="no quota")
        self.assertIn("no quota", self.fails(1, "ticket", "wait", self.TICKET).stdout)

    def test_timeout(self):
        self.ticket(polls=1000)
        began = time.monotonic()
        done = self.fails(3, "ticket", "wait", self.TICKET, "--timeout=3s")
        self.assertLess(time.monotonic() - began, 20)
        self.assertIn("did not end within 3 s, last heard: EXECUTING", done.stderr)
        self.sim.faults("hang")
        began = time.monotonic()
        self.fails(3, "ticket", "wait", self.TICKET, "--timeout=2s")
        self.assertLess(time.monotonic() - began, 20)

    def test_a_failing_api_is_waited_out(self):
        self.ticket(polls=0, end="FINISHED", success=True)
        self.sim.faults("status:code=503,count=4")
        done = self.ok("ticket", "wait", self.TICKET, "--timeout=1m")
        self.assertIn("503", done.stderr)

    def test_a_ticket_that_is_not_known_yet(self):
        tool = afe.Process([afe.program(TOOL), f"--config.file={self.cfg}", "ticket", "wait", self.TICKET])
        tool.wait_log("not known yet")
        self.ticket(polls=0, end="FINISHED", success=True)
        self.assertEqual(tool.join(), 0, tool.log())

    def test_no_permission_is_not_waited_out(self):
        self.sim.faults("status:code=403,error=NoPermission")
        began = time.monotonic()
        done = self.fails(1, "ticket", "wait", self.TICKET)
        self.assertLess(time.monotonic() - began, 20)
        self.assertIn("RAM policy", done.stderr)

    def test_ctrl_c(self):
        self.ticket(polls=1000)
        tool = afe.Process([afe.program(TOOL), f"--config.file={self.cfg}", "ticket", "wait", self.TICKET])
        tool.wait_log("EXECUTING")
        began = time.monotonic()
        tool.send(signal.SIGINT)
        self.assertEqual(tool.join(), 1)
        self.assertLess(time.monotonic() - began, 5)
        self.assertIn("goes on by itself", tool.log())

    def test_on_a_terminal(self):
        self.ticket(polls=2, end="FINISHED", success=True)
        terminal = Terminal([afe.program(TOOL), f"--config.file={self.cfg}", "ticket", "wait", self.TICKET])
        self.stack.callback(terminal.close)
        terminal.wait_for("EXECUTING, 1 s")
        self.assertEqual(terminal.wait(), 0)
        self.assertIn("\r", terminal.text)


class Track(Tool):
    TICKET = "9d0e0000-0000-4000-8000-000000000007"

    def setUp(self):
        super().setUp()
        self.spool = os.path.join(self.dir, "tickets")
        os.mkdir(self.spool)
        self.cfg = self.config(self.sim.url, extra=f'collectors = [ "deployments", "tickets" ]; '
                               f'ticket_dir = "{self.spool}";')

    def read(self, name):
        with open(os.path.join(self.spool, name), encoding="utf-8") as f:
            return f.read()

    def test_track(self):
        self.ok("ticket", "track", self.TICKET)
        self.assertEqual(self.read(self.TICKET), "default-namespace\n")
        done = self.fails(1, "ticket", "track", self.TICKET, "--draft=d")
        self.assertIn("it is there already", done.stderr)
        self.ok("ticket", "track", "other", "--draft", DRAFT)
        self.assertEqual(self.read("other"), f"default-namespace\n{DRAFT}\n")
        self.assertEqual(sorted(os.listdir(self.spool)), [self.TICKET, "other"])
        self.assertEqual(self.sim.log_of_requests(), [])

    def test_the_exporter_follows(self):
        self.sim.post(tickets=[{"id": self.TICKET, "polls": 2, "end": "FINISHED", "success": True}])
        self.ok("ticket", "track", self.TICKET, "--draft=d")
        exporter = self.exporter(self.cfg).wait_ready()
        afe.wait_for("the ticket to succeed", lambda: exporter.metrics().get(
            "aliyun_flink_deploy_ticket_success", ticket_id=self.TICKET) == 1)
        info, _ = exporter.metrics().all("aliyun_flink_deploy_ticket_info", ticket_id=self.TICKET)[0]
        self.assertEqual(info["deployment_draft_id"], "d")

    def test_refused(self):
        for bad in ("../x", ".hidden", "a/b", "a b", "-x", "x" * 129):
            self.assertIn("is no ticket id", self.fails(2, "ticket", "track", "--", bad).stderr)
        self.fails(2, "ticket", "track", "x", "--draft=a\nb")
        self.assertEqual(os.listdir(self.spool), [])
        os.rmdir(self.spool)
        self.assertIn("cannot open the directory: No such file", self.fails(1, "ticket", "track", "x").stderr)
        done = self.fails(1, "ticket", "track", "x", cfg=self.config(self.sim.url))
        self.assertIn("has no ticket_dir", done.stderr)

    def test_killed_at_any_time(self):
        """Whatever happens, a file is whole or not there."""
        began = time.monotonic()
        self.ok("ticket", "track", "first", "--draft=d")
        takes = time.monotonic() - began
        for i in range(60):
            with subprocess.Popen([afe.program(TOOL), f"--config.file={self.cfg}", "ticket", "track",
                                   f"t{i}", "--draft=d"], stderr=subprocess.DEVNULL) as tool:
                time.sleep(1.5 * takes * (i % 30) / 30)
                tool.kill()
        whole = [name for name in os.listdir(self.spool) if not name.startswith(".")]
        self.assertIn("first", whole)
        for name in whole:
            self.assertEqual(self.read(name), "default-namespace\nd\n", name)


class Diagnose(Tool):
    sim_flags = ("--deployments=150", "--drafts=5", "--namespaces=default-namespace,second")

    def setUp(self):
        super().setUp()
        self.cfg = self.config(self.sim.url, namespaces=("default-namespace", "second"),
                               defaults='interval = "60s"; max_retries = 0;')

    def steps(self, code, *words, **kwargs):
        done = self.fails(code, "--output=json", "diagnose", *words, **kwargs)
        answer = json.loads(done.stdout)
        return {(s["namespace"], s["step"]): s for s in answer["steps"]}, answer

    def test_good(self):
        steps, answer = self.steps(0)
        self.assertEqual({s["result"] for s in steps.values()}, {"ok", "warning"})
        self.assertEqual([k for k, s in steps.items() if s["result"] == "warning"], [(None, "tls")])
        self.assertIn(("second", "GetDeploymentDraft"), steps)
        self.assertIn("150 deployments, 2 pages", steps["default-namespace", "ListDeployments"]["detail"])
        self.assertEqual(answer["calls_per_refresh"], 4)
        self.assertEqual(answer["calls_per_hour"], 240)
        self.assertEqual(answer["policy_of_exporter"], {"Version": "1", "Statement": [
            {"Effect": "Allow", "Action": ["stream:ListDeployments"], "Resource": "*"}]})
        self.assertEqual(set(self.methods()), {"GET"})
        one, _ = self.steps(0, "--namespace=second")
        self.assertNotIn(("default-namespace", "ListDeployments"), one)
        text = self.ok("diagnose").stdout
        self.assertIn('"stream:UpdateDeploymentDraft"', text)
        self.assertNotIn(afe.KEY_ID, text)

    def test_jobs(self):
        """Only where the exporter would ask; a right that is missing is named."""
        cfg = self.config(self.sim.url, namespaces=("default-namespace", "second"),
                          extra='collectors = [ "deployments", "jobs" ];', defaults="max_retries = 0;")
        steps, answer = self.steps(0, cfg=cfg)
        self.assertEqual(steps["second", "ListJobs"]["result"], "ok")
        self.assertEqual(answer["calls_per_refresh"], 4 + 2 * 100)  # max_job_requests
        self.assertEqual(answer["policy_of_exporter"]["Statement"][0]["Action"],
                         ["stream:ListDeployments", "stream:ListJobs"])
        self.assertIn("stream:ListJobs", answer["policy_of_tool"]["Statement"][0]["Action"])
        self.sim.faults("status:code=403,error=NoPermission,operation=ListJobs")
        steps, _ = self.steps(1, cfg=cfg)
        self.assertIn("stream:ListJobs", steps["default-namespace", "ListJobs"]["advice"])
        steps, answer = self.steps(0, cfg=self.config(self.sim.url, defaults="max_retries = 0;"))
        self.assertNotIn(("default-namespace", "ListJobs"), steps)
        self.assertNotIn("stream:ListJobs", answer["policy_of_tool"]["Statement"][0]["Action"])

    def test_wrong_secret(self):
        self.sim.post(credentials={"access_key_secret": "another-secret"})
        steps, _ = self.steps(1)
        failed = steps["default-namespace", "ListDeployments"]
        self.assertEqual(failed["result"], "failed")
        self.assertIn("secret", failed["advice"])
        self.assertEqual(steps[None, "clock"]["result"], "ok")

    def test_no_secret(self):
        with open(self.cfg, encoding="utf-8") as f:
            text = f.read()
        start, end = text.index("credentials ="), text.index("targets =")
        cfg = self.write("env.cfg", text[:start] +
                         'credentials = ( { name = "default"; provider = "env"; } );\n' + text[end:])
        steps, _ = self.steps(1, cfg=cfg)
        self.assertIn("ALIBABA_CLOUD_ACCESS_KEY_ID", steps[None, "credentials"]["detail"])
        self.assertEqual(steps[None, "credentials"]["result"], "failed")
        self.assertEqual(steps[None, "connection"]["result"], "ok")
        self.assertEqual(steps[None, "operations"]["result"], "skipped")

    def test_closed_port(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            cfg = self.config(f"http://127.0.0.1:{taken.getsockname()[1]}", defaults="max_retries = 0;")
            steps, _ = self.steps(1, cfg=cfg)
        self.assertEqual(steps[None, "dns"]["result"], "ok")
        self.assertIn("Connection refused", steps[None, "connection"]["detail"])
        self.assertEqual(steps["default-namespace", "ListDeployments"]["result"], "failed")

    def test_silent_peer(self):
        """Nobody waits for each operation of each namespace."""
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            cfg = self.config(f"http://127.0.0.1:{silent.getsockname()[1]}",
                              namespaces=("default-namespace", "second"),
                              defaults='max_retries = 0; timeout = "500ms";')
            steps, _ = self.steps(1, cfg=cfg)
        self.assertEqual(steps[None, "connection"]["result"], "ok")
        self.assertEqual(steps["default-namespace", "ListDeployments"]["result"], "failed")
        self.assertEqual(steps["default-namespace", "other operations"]["result"], "skipped")
        self.assertEqual([k for k in steps if k[1].startswith("List")], [("default-namespace", "ListDeployments")])

    def test_wrong_host(self):
        cfg = self.config("https://does-not-exist.invalid", defaults="max_retries = 0;")
        steps, _ = self.steps(1, cfg=cfg)
        self.assertEqual(steps[None, "dns"]["result"], "failed")
        self.assertIn("region_id", steps[None, "dns"]["advice"])

    def test_no_permission_for_one_operation(self):
        self.sim.faults("status:code=403,error=NoPermission,operation=ListDeploymentDrafts")
        steps, _ = self.steps(1)
        failed = [k for k, s in steps.items() if s["result"] == "failed"]
        self.assertEqual(failed, [("default-namespace", "ListDeploymentDrafts"),
                                  ("second", "ListDeploymentDrafts")])
        self.assertIn("stream:ListDeploymentDrafts", steps[failed[0]]["advice"])

    def test_clock(self):
        self.sim.post(clock_offset="2m")
        steps, _ = self.steps(0)
        self.assertEqual(steps[None, "clock"]["result"], "warning")
        self.sim.post(clock_offset="20m")
        steps, _ = self.steps(1)
        self.assertEqual(steps[None, "clock"]["result"], "failed")
        self.assertIn("15 minutes", steps[None, "clock"]["advice"])

    def test_proxy(self):
        cfg = self.config(self.sim.url)
        with open(cfg, encoding="utf-8") as f:
            text = f.read().replace('proxy_url = "none"',
                                    f'proxy_url = "http://user:hunter2@127.0.0.1:{self.sim.port}"')
        cfg = self.write("proxy.cfg", text)
        done = self.run_tool("diagnose", cfg=cfg)
        self.assertIn("dns: of the proxy (proxy_url) 127.0.0.1", done.stdout)
        self.assertIn("connection: to the proxy", done.stdout)
        self.assertNotIn("hunter2", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
