"""The program as a user meets it: flags, configuration check, reload, signals, --once, secrets."""

import json
import os
import signal
import socket
import subprocess
import time
import unittest

import afe

EXPORTER = "aliyun_flink_exporter"


class CommandLine(afe.Case):
    def run_program(self, *flags, env=None, name=EXPORTER):
        return subprocess.run([afe.program(name), *flags], capture_output=True, text=True,
                              check=False, timeout=afe.PATIENCE, env=dict(os.environ, **(env or {})))

    def test_version_and_help(self):
        for name in (EXPORTER, "aliyun_flink_simulator", "aliyun_flinkctl"):
            done = self.run_program("--version", name=name)
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stdout.splitlines()[0],
                             rf"^{name}, version \d+\.\d+\.\d+ \(revision: \S+\)$")
            self.assertEqual(self.run_program("--help", name=name).returncode, 0)
            for bad in ("--nonsense", "--vers", "stray"):
                done = self.run_program(bad, name=name)
                self.assertEqual((done.returncode, done.stdout), (2, ""), f"{name} {bad}")
                self.assertIn("--help", done.stderr)

    def test_later_flags_are_refused(self):
        for flag in ("--web.config.file=x", "--shard=1", "--web.enable-lifecycle", "--web.systemd-socket"):
            done = self.run_program(flag)
            self.assertEqual(done.returncode, 2)
            self.assertIn("not supported yet", done.stderr)

    def test_a_bad_address_is_a_usage_error(self):
        """The unit does not start again after exit 2, and nothing was asked of the API."""
        for bad in ("foo", ":99999", "localhost:", "http://127.0.0.1:10058", "::1:10058"):
            done = self.run_program(f"--web.listen-address={bad}")
            self.assertEqual((done.returncode, done.stdout), (2, ""), bad)
            self.assertIn("listen", done.stderr)

    def test_config_check(self):
        good = self.config("http://127.0.0.1:1")
        done = self.run_program(f"--config.file={good}", "--config.check")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        bad = self.write("bad.cfg", 'targets = ( {\n  name = "a";\n  intervall = "5s";\n'
                         '  concurrency = 900;\n} );\n')
        done = self.run_program(f"--config.file={bad}", "--config.check")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{bad}:3: ", done.stderr)
        self.assertIn("did you mean 'interval'", done.stderr)
        self.assertIn(f"{bad}:4: ", done.stderr)

    def test_shipped_files_are_valid(self):
        for name in ("exporter.cfg", "exporter-minimal.cfg"):
            done = self.run_program(
                f"--config.file={os.path.join(afe.SOURCE_DIR, 'etc', name)}", "--config.check")
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)

    def test_start_with_a_bad_file(self):
        done = self.run_program("--config.file=/nonexistent/exporter.cfg")
        self.assertEqual(done.returncode, 1)
        self.assertIn("No such file or directory", done.stderr)

    def test_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            cfg = self.config("http://127.0.0.1:1")
            done = self.run_program(f"--config.file={cfg}", f"--web.listen-address=127.0.0.1:{port}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("Address already in use", done.stderr)

    def test_once(self):
        sim = self.simulator("--deployments=120", "--profile=small")
        cfg = self.config(sim.url)
        done = self.run_program(f"--config.file={cfg}", "--once")
        self.assertEqual(done.returncode, 0, done.stderr)
        exposition = afe.Exposition(done.stdout)
        self.assertEqual(exposition.get("aliyun_flink_up"), 1)
        self.assertEqual(len(exposition.all("aliyun_flink_deployment_info")), 120)
        self.assertFalse([n for n in exposition.names() if n.startswith("process_")])
        self.assertIn("aliyun_flink_exporter_build_info", exposition.names())

    def test_once_fails_if_a_target_fails(self):
        sim = self.simulator("--deployments=1", "--profile=small", "--fault=status:code=403")
        done = self.run_program(f"--config.file={self.config(sim.url)}", "--once")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(afe.Exposition(done.stdout).get("aliyun_flink_up"), 0)

    def test_once_into_a_full_disk(self):
        sim = self.simulator("--deployments=1", "--profile=small")
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([afe.program(EXPORTER), f"--config.file={self.config(sim.url)}",
                                   "--once"], stdout=full, stderr=subprocess.PIPE, text=True,
                                  check=False, timeout=afe.PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("stdout", done.stderr)


    def test_closed_descriptors(self):
        """A closed stdout is an error of --once, and no socket ever takes a descriptor below 3."""
        sim = self.simulator("--deployments=1", "--profile=small")
        cfg = self.config(sim.url)
        done = subprocess.run(["sh", "-c", 'exec "$0" "$@" >&-', afe.program(EXPORTER),
                               f"--config.file={cfg}", "--once"], stderr=subprocess.PIPE, text=True,
                              check=False, timeout=afe.PATIENCE)
        self.assertEqual(done.returncode, 1, done.stderr)
        port = free_port()
        with subprocess.Popen(["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', afe.program(EXPORTER),
                               f"--config.file={cfg}",
                               f"--web.listen-address=127.0.0.1:{port}"]) as process:
            def ready():
                try:
                    return afe.request(port, "/-/ready").status == 200
                except OSError:
                    return False
            try:
                afe.wait_for("the exporter", ready)
                for fd in range(3):
                    self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/{fd}"), "/dev/null")
            finally:
                process.terminate()
            self.assertEqual(process.wait(10), 0)


class Daemon(afe.Case):
    def test_before_the_first_refresh(self):
        sim = self.simulator("--deployments=5", "--profile=small", "--fault=hang")
        exporter = self.exporter(self.config(sim.url)).wait_listening()
        exposition = exporter.metrics()
        self.assertIsNone(exposition.get("aliyun_flink_up"))
        self.assertEqual(exposition.get("aliyun_flink_target_info"), 1)
        self.assertEqual(exposition.get("aliyun_flink_refresh_last_success_timestamp_seconds"), 0)
        self.assertEqual(exposition.get("aliyun_flink_data_withheld"), 0)
        self.assertEqual(exposition.get("aliyun_flink_exporter_config_last_reload_successful"), 1)
        self.assertEqual(exporter.get("/-/healthy").status, 200)
        self.assertEqual(exporter.get("/-/ready").status, 503)

    def test_stop_during_a_hung_refresh(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            sim = self.simulator("--deployments=5", "--profile=small", "--fault=hang")
            exporter = self.exporter(self.config(sim.url)).wait_listening()
            afe.wait_for("the refresh to hang", lambda: sim.log_of_requests())
            self.assertEqual(exporter.stop(number, seconds=5), 0)

    def test_reload_keeps_what_stays(self):
        sim = self.simulator("--namespaces=one,two,three", "--deployments=5", "--profile=small")
        defaults = 'interval = "1h";'
        cfg = self.config(sim.url, namespaces=("one", "two"), defaults=defaults)
        exporter = self.exporter(cfg).wait_ready()
        before = exporter.metrics()
        self.config(sim.url, namespaces=("two", "three"), defaults=defaults)
        exporter.send(signal.SIGHUP)
        exporter.wait_log("configuration was reloaded")
        first = exporter.metrics()
        self.assertFalse(first.all("aliyun_flink_deployment_info", flink_namespace="one"))
        self.assertEqual(len(first.all("aliyun_flink_deployment_info", flink_namespace="two")), 5)
        afe.wait_for("the new namespace", lambda: len(exporter.metrics().all(
            "aliyun_flink_deployment_info", flink_namespace="three")) == 5)
        after = exporter.metrics()
        for name in ("aliyun_flink_refreshes_total",
                     "aliyun_flink_refresh_last_success_timestamp_seconds",
                     "aliyun_flink_api_requests_total"):
            self.assertEqual(before.get(name, flink_namespace="two"),
                             after.get(name, flink_namespace="two"), name)

    def test_a_reload_ends_a_refresh_that_hangs(self):
        """Whoever puts a wrong endpoint right does not wait for the old one's deadline."""
        dead = self.simulator("--deployments=5", "--profile=small", "--fault=hang")
        good = self.simulator("--deployments=5", "--profile=small")
        defaults = 'timeout = "9m"; deadline = "10m";'
        exporter = self.exporter(self.config(dead.url, defaults=defaults)).wait_listening()
        afe.wait_for("the refresh to hang", lambda: dead.log_of_requests())
        self.config(good.url, defaults=defaults)
        exporter.send(signal.SIGHUP)
        afe.wait_for("data", lambda: exporter.metrics().get("aliyun_flink_up") == 1)

    def test_a_refused_reload_changes_nothing(self):
        sim, exporter = self.pair("--deployments=5", "--profile=small",
                                  defaults='interval = "1h";')
        with open(exporter.config_file, "a", encoding="ascii") as f:
            f.write('nonsense = 1;\n')
        exporter.send(signal.SIGHUP)
        exporter.wait_log("was refused")
        exposition = exporter.metrics()
        self.assertEqual(exposition.get("aliyun_flink_exporter_config_last_reload_successful"), 0)
        self.assertEqual(len(exposition.all("aliyun_flink_deployment_info")), 5)
        self.assertRegex(exporter.log(), r"exporter\.cfg:\d+: .*nonsense")

    def test_deny_and_aggregation(self):
        sim, exporter = self.pair("--deployments=5", "--profile=small",
                                  metrics='deny = [ "aliyun_flink_deployment_*_cores", "process_*" ];')
        names = exporter.metrics().names()
        self.assertIn("aliyun_flink_deployment_jobs", names)
        self.assertFalse([n for n in names if n.endswith("_cores") or n.startswith("process_")])
        self.config(sim.url, metrics='aggregation = "namespace";')
        exporter.send(signal.SIGHUP)
        exporter.wait_log("configuration was reloaded")
        exposition = exporter.metrics()
        self.assertFalse(exposition.all("aliyun_flink_deployment_info"))
        self.assertEqual(exposition.get("aliyun_flink_namespace_deployments"), 5)
        self.assertIn("process_cpu_seconds_total", exposition.names())

    def test_select_is_asked_of_the_server(self):
        sim, exporter = self.pair("--deployments=40", "--profile=small",
                                  extra='select = { execution_mode = "BATCH"; };')
        infos = exporter.metrics().all("aliyun_flink_deployment_info")
        self.assertEqual({labels["execution_mode"] for labels, _ in infos}, {"batch"})
        self.assertTrue(0 < len(infos) < 40)

    def test_concurrency_is_reached_and_kept(self):
        sim, exporter = self.pair("--deployments=400", "--profile=small", "--latency=30ms",
                                  defaults='page_size = 10; concurrency = 4;')
        state = sim.state()
        self.assertEqual(state["in_flight_max"], 4, state)
        self.assertLessEqual(state["connections_opened"], 8, state)

    def test_credentials_from_the_environment(self):
        sim = self.simulator("--deployments=5", "--profile=small")
        text = f'''
credentials = ( {{ name = "default"; provider = "env"; }} );
targets = ( {{ name = "t"; endpoint = "{sim.url}"; workspace = "{afe.WORKSPACE}";
              namespaces = [ "default-namespace" ]; proxy_url = "none"; }} );
'''
        cfg = self.write("env.cfg", text)
        exporter = self.exporter(cfg, env={"ALIBABA_CLOUD_ACCESS_KEY_ID": afe.KEY_ID,
                                           "ALIBABA_CLOUD_ACCESS_KEY_SECRET": afe.SECRET})
        exporter.wait_ready()
        self.assertEqual(exporter.metrics().get("aliyun_flink_up"), 1)
        with open(f"/proc/{exporter.popen.pid}/environ", "rb") as f:
            self.assertNotIn(afe.SECRET.encode(), f.read())
        without = self.exporter(cfg).wait_ready()
        self.assertIn("ALIBABA_CLOUD_ACCESS_KEY_ID", without.wait_log("refresh failed"))

    def test_secrets_are_nowhere(self):
        """At the most talkative level, through failures of every kind, on every page."""
        sim, exporter = self.pair("--deployments=5", "--profile=small",
                                  defaults='interval = "1s"; max_backoff = "1s"; max_retries = 1;',
                                  exporter_flags=("--log.level=debug",))
        for fault in ("status:code=500", "html", "reset", "throttle:ms=1", "business"):
            before = exporter.metrics().get("aliyun_flink_refreshes_total")
            sim.faults(fault)
            afe.wait_for("a refresh", lambda b=before: exporter.metrics().get(
                "aliyun_flink_refreshes_total") >= b + 2)
        pages = exporter.get("/").text + exporter.get("/metrics").text
        with open(f"/proc/{exporter.popen.pid}/cmdline", "rb") as f:
            pages += f.read().decode()
        self.assertNotIn(afe.SECRET, pages)
        self.assertNotIn(afe.SECRET, exporter.log())
        self.assertNotIn("Signature=", exporter.log())

    def test_json_log(self):
        sim, exporter = self.pair("--deployments=1", "--profile=small",
                                  exporter_flags=("--log.format=json",))
        exporter.stop()
        for line in exporter.err:
            self.assertLessEqual({"ts", "level", "msg"}, set(json.loads(line)))

    def test_an_unread_log_never_blocks(self):
        """stderr is a pipe that nobody empties, and the log is at its most talkative."""
        sim = self.simulator("--deployments=500", "--profile=small")
        read_end, write_end = os.pipe()
        cfg = self.config(sim.url, defaults='interval = "1s"; page_size = 1; concurrency = 8;')
        port = free_port()
        process = subprocess.Popen([afe.program(EXPORTER), f"--config.file={cfg}",
                                    f"--web.listen-address=127.0.0.1:{port}", "--log.level=debug"],
                                   stderr=write_end, stdout=subprocess.DEVNULL)
        os.close(write_end)
        try:
            def dropped():
                try:
                    exposition = afe.Exposition(afe.request(port, "/metrics").text)
                except OSError:
                    return False
                return exposition.get("aliyun_flink_exporter_log_messages_dropped_total") > 0
            afe.wait_for("dropped lines", dropped, 2 * afe.PATIENCE)
            self.assertEqual(afe.request(port, "/metrics").status, 200)
            process.terminate()
            self.assertEqual(process.wait(5), 0)
        finally:
            process.kill()
            process.wait()
            os.close(read_end)

    def test_kill_and_start_again(self):
        sim = self.simulator("--deployments=5", "--profile=small")
        cfg = self.config(sim.url)
        for _ in range(5):
            exporter = afe.Exporter(cfg).wait_ready()
            exporter.popen.kill()
            exporter.join()
        exporter = self.exporter(cfg).wait_ready()
        self.assertEqual(exporter.metrics().get("aliyun_flink_up"), 1)

    def test_second_sigterm_kills(self):
        """A reply that nobody reads holds the drain; the second signal does not wait for it."""
        sim, exporter = self.pair("--deployments=3000", "--profile=small")
        with socket.create_connection(("127.0.0.1", exporter.port)) as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            slow.recv(100)
            exporter.send(signal.SIGTERM)
            exporter.wait_log("stopping on SIGTERM")
            time.sleep(0.1)
            exporter.send(signal.SIGTERM)
            code = exporter.join(5)
        self.assertIn(code, (-signal.SIGTERM, 0))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


if __name__ == "__main__":
    unittest.main(verbosity=2)
