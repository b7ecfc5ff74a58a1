"""Credentials that are fetched: the daemon against the simulator's STS, metadata service and URI.

What goes wrong there must be seen in a metric and one log line, and end without a restart.
"""

import json
import os
import re
import signal
import time
import unittest

import afe

REFRESHES = "aliyun_flink_credentials_refreshes_total"
FAILURES = "aliyun_flink_credentials_refresh_failures_total"
EXPIRY = "aliyun_flink_credentials_expiry_timestamp_seconds"
TARGET_FAILURES = "aliyun_flink_refresh_failures_total"
ROLE = "acs:ram::1234567890123456:role/flinkmon"
PROVIDER_ARN = "acs:ram::1234567890123456:oidc-provider/ack"
WARNING = "cannot refresh the credentials, those in use are good for another"
AGAIN = "the credentials are refreshed again"
TOKEN = "eyTokenThatMustNeverBeShown.one"
CLEAN = {name: "" for name in os.environ if name.startswith("ALIBABA_CLOUD_")}


class Credentials(afe.Case):
    def setUp(self):
        super().setUp()
        self.sim = self.simulator("--deployments=3", "--profile=small", "--rate-limit=0")
        self.token_file = self.write("token", TOKEN + "\n", 0o644)

    # --- pieces of configuration ---

    def key(self, name="key"):
        return (f'{{ name = "{name}"; provider = "static"; access_key_id = "{afe.KEY_ID}"; '
                f'access_key_secret_file = "{self.secret_file}"; }}')

    def hop(self, name="default", source="key"):
        return (f'{{ name = "{name}"; provider = "ram_role_arn"; source = "{source}"; '
                f'role_arn = "{ROLE}"; sts_endpoint = "{self.sim.url}"; }}')

    def oidc(self, name="default"):
        return (f'{{ name = "{name}"; provider = "oidc_role_arn"; role_arn = "{ROLE}"; '
                f'oidc_provider_arn = "{PROVIDER_ARN}"; oidc_token_file = "{self.token_file}"; '
                f'sts_endpoint = "{self.sim.url}"; }}')

    def ecs(self, role=""):
        return (f'{{ name = "default"; provider = "ecs_ram_role"; role_name = "{role}"; '
                f'endpoint = "{self.sim.url}"; }}')

    def uri(self):
        return (f'{{ name = "default"; provider = "credentials_uri"; '
                f'uri = "{self.sim.url}/credentials"; }}')

    def config_with(self, *credentials, used="default", interval="1s"):
        text = afe.config(self.sim.url, secret_file=self.secret_file,
                          defaults=f'interval = "{interval}"; max_backoff = "1s"; max_retries = 2;',
                          extra=f'credentials = "{used}";')
        listed = f"credentials = ( {', '.join(credentials)} );" if credentials else ""
        text = re.sub(r"credentials = \( .*? \);", lambda m: listed, text, count=1, flags=re.S)
        return self.write("exporter.cfg", text)

    def start(self, *credentials, env=None, **kwargs):
        self.daemon = self.exporter(self.config_with(*credentials, **kwargs),
                                    "--log.level=debug", env={**CLEAN, **(env or {})})
        return self.daemon.wait_ready()

    def value(self, name, **labels):
        return self.daemon.metrics().get(name, **labels)

    def lines(self, text):
        return [line for line in self.daemon.err if text in line]

    def tearDown(self):
        if hasattr(self, "daemon"):
            self.daemon.stop()
            log = self.daemon.log()
            self.assertNotIn(TOKEN, log)
            self.assertNotIn("SecurityToken\":", log)
            # All security tokens of the simulator begin like this, all secrets are as long as this.
            self.assertNotIn("CAIS", log)
            self.assertNotRegex(log, r"(?<![0-9A-Za-z])[0-9A-Za-z]{44}(?![0-9A-Za-z])")
        super().tearDown()

    # --- every provider works ---

    def works(self, provider, *credentials, env=None, expires=True, name="default", **kwargs):
        self.start(*credentials, env=env, **kwargs)
        exposition = self.daemon.metrics()
        self.assertEqual(exposition.get("aliyun_flink_up"), 1, self.daemon.log())
        labels = {"credentials": name, "provider": provider}
        self.assertEqual(exposition.get(FAILURES, **labels), 0)
        if expires:
            self.assertAlmostEqual(exposition.get(EXPIRY, **labels), time.time() + 3600, delta=60)
        else:
            self.assertIsNone(exposition.get(EXPIRY, **labels))
        return exposition.get(REFRESHES, **labels)

    def test_static(self):
        self.assertEqual(self.works("static", self.key("default"), expires=False), 0)

    def test_oidc(self):
        self.assertEqual(self.works("oidc_role_arn", self.oidc()), 1)

    def test_oidc_from_the_environment(self):
        env = {"ALIBABA_CLOUD_ROLE_ARN": ROLE, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": PROVIDER_ARN,
               "ALIBABA_CLOUD_OIDC_TOKEN_FILE": self.token_file}
        self.works("oidc_role_arn", '{ name = "default"; provider = "oidc_role_arn"; '
                   f'sts_endpoint = "{self.sim.url}"; }}', env=env)

    def test_ecs(self):
        self.assertEqual(self.works("ecs_ram_role", self.ecs()), 1)

    def test_ecs_version_1(self):
        self.sim.post(metadata={"mode": "v1-only"})
        self.works("ecs_ram_role", self.ecs("FlinkMonRole"))

    def test_uri(self):
        self.assertEqual(self.works("credentials_uri", self.uri()), 1)

    def test_roles_behind_each_other(self):
        self.works("ram_role_arn", self.key(), self.hop("middle"), self.hop("default", "middle"))
        exposition = self.daemon.metrics()
        names = {labels["credentials"]: value for labels, value in exposition.all(REFRESHES)}
        self.assertEqual(names, {"key": 0, "middle": 1, "default": 1})

    def test_profile(self):
        path = self.write("config.json", json.dumps({"current": "x", "profiles": [
            {"name": "x", "mode": "AK", "access_key_id": afe.KEY_ID,
             "access_key_secret": afe.SECRET}]}))
        self.works("profile", f'{{ name = "default"; provider = "profile"; file = "{path}"; }}',
                   expires=False)

    def test_auto_is_the_default_and_takes_the_environment(self):
        env = {"ALIBABA_CLOUD_ACCESS_KEY_ID": afe.KEY_ID,
               "ALIBABA_CLOUD_ACCESS_KEY_SECRET": afe.SECRET}
        self.works("auto", env=env, expires=False)
        with open(f"/proc/{self.daemon.popen.pid}/environ", "rb") as f:
            environ = f.read()
        self.assertIn(b"ALIBABA_CLOUD_ACCESS_KEY_SECRET=\0", environ)
        self.assertNotIn(afe.SECRET.encode(), environ)

    def test_auto_takes_the_uri(self):
        env = {"HOME": self.dir, "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
               "ALIBABA_CLOUD_CREDENTIALS_URI": f"{self.sim.url}/credentials?key=hunter2"}
        self.works("auto", '{ name = "default"; provider = "auto"; }', env=env)
        with open(f"/proc/{self.daemon.popen.pid}/environ", "rb") as f:
            self.assertNotIn(b"hunter2", f.read())
        self.assertNotIn("hunter2", self.daemon.log())

    def test_auto_says_why_nothing_works(self):
        env = {"HOME": self.dir, "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
               "ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "true"}
        self.start(env=env)
        self.assertEqual(self.value("aliyun_flink_up"), 0)
        self.assertGreaterEqual(self.value(TARGET_FAILURES, reason="authentication"), 1)
        self.assertGreaterEqual(self.value(FAILURES, credentials="default", provider="auto"), 1)
        line, = self.lines("refresh failed")
        self.assertIn("credentials 'default': no provider of the chain works: env: not set; "
                      "oidc_role_arn: not set; CLI profile: off; SDK profile: no file; "
                      "ecs_ram_role: off; credentials_uri: not set", line)

    def test_once(self):
        exporter = afe.Process([afe.program("aliyun_flink_exporter"), "--once",
                                f"--config.file={self.config_with(self.key(), self.hop())}"])
        self.assertEqual(exporter.join(), 0, exporter.log())
        out = "\n".join(exporter.out)
        self.assertIn(f'{REFRESHES}{{credentials="default",provider="ram_role_arn"}} 1\n', out)
        self.assertIn("aliyun_flink_up{", out)

    # --- what goes wrong ---

    def expect_no_outage(self):
        failures = {labels["reason"]: value
                    for labels, value in self.daemon.metrics().all(TARGET_FAILURES) if value}
        self.assertEqual(failures, {}, self.daemon.log())
        self.assertEqual(self.value("aliyun_flink_up"), 1)

    def test_expiry_without_an_outage(self):
        self.sim.post(sts={"lifetime_s": 6})
        self.start(self.key(), self.hop())
        afe.wait_for("keys to be renewed", lambda: self.value(
            REFRESHES, credentials="default", provider="ram_role_arn") >= 4)
        self.expect_no_outage()
        self.assertEqual(self.lines("level=warn"), [])

    def test_token_file_replaced(self):
        self.sim.post(sts={"lifetime_s": 8, "oidc_token": TOKEN})
        self.start(self.oidc())
        self.sim.post(sts={"oidc_token": "eyAnother.token"})
        line = self.daemon.wait_log(WARNING)
        self.assertIn("credentials=default", line)
        self.assertIn("provider=oidc_role_arn", line)
        self.assertIn("RequestId", line)
        self.assertGreaterEqual(self.value(FAILURES, credentials="default"), 1)
        # As the kubelet does it.
        new = self.write("token.new", "eyAnother.token", 0o644)
        os.rename(new, self.token_file)
        self.daemon.wait_log(AGAIN)
        afe.wait_for("the target", lambda: self.value("aliyun_flink_up") == 1)
        self.assertEqual(len(self.lines(WARNING)), 1, self.daemon.log())
        self.assertEqual(len(self.lines(AGAIN)), 1, self.daemon.log())
        self.assertNotIn("eyAnother", self.daemon.log())

    def test_metadata_service_down_and_back(self):
        self.sim.post(metadata={"lifetime_s": 30})
        self.start(self.ecs())
        before = self.value(EXPIRY, credentials="default")
        self.sim.post(metadata={"mode": "fail"})
        line = self.daemon.wait_log(WARNING)
        self.assertIn("provider=ecs_ram_role", line)
        afe.wait_for("another attempt", lambda: self.value(FAILURES, credentials="default") >= 2)
        self.sim.post(metadata={"mode": "ok", "lifetime_s": 600})
        self.daemon.wait_log(AGAIN)
        self.expect_no_outage()
        self.assertGreater(self.value(EXPIRY, credentials="default"), before)
        self.assertEqual(len(self.lines(WARNING)), 1, self.daemon.log())

    def test_an_outage_that_outlives_the_keys(self):
        self.sim.post(credentials_uri={"lifetime_s": 6})
        self.start(self.uri())
        self.sim.post(credentials_uri={"mode": "fail"})
        line = self.daemon.wait_log("refresh failed")
        self.assertIn("credentials 'default': credentials URI: HTTP", line)
        self.assertGreaterEqual(self.value(FAILURES, credentials="default"), 1)
        afe.wait_for("up 0", lambda: self.value("aliyun_flink_up") == 0)
        self.sim.post(credentials_uri={"mode": "ok", "lifetime_s": 600})
        afe.wait_for("the target", lambda: self.value("aliyun_flink_up") == 1)
        self.daemon.wait_log("refresh works again")

    def test_malformed_and_denied(self):
        self.sim.post(sts={"mode": "malformed"}, metadata={"mode": "no-role"})
        self.start(self.key(), self.hop())
        self.assertIn("AssumeRole at", self.daemon.wait_log("refresh failed"))
        self.sim.post(sts={"mode": "deny"})
        line = self.daemon.wait_log("refresh failed.*RequestId")
        self.assertIn("reason=authentication", line)
        self.daemon.stop()
        self.start(self.ecs())
        self.assertIn("no RAM role is attached to this instance",
                      self.daemon.wait_log("refresh failed"))

    def test_keys_refused_are_replaced_at_once(self):
        self.start(self.oidc())
        self.sim.post(expire_issued=True)
        afe.wait_for("new keys", lambda: self.value(REFRESHES, credentials="default") == 2)
        afe.wait_for("refreshes", lambda: self.sim.log_of_requests()[-1].get("status") == 200)
        self.expect_no_outage()

    def stop_within(self, seconds):
        began = time.monotonic()
        self.assertEqual(self.daemon.stop(), 0, self.daemon.log())
        self.assertLess(time.monotonic() - began, seconds)

    def test_stop_while_sts_hangs(self):
        self.sim.post(sts={"mode": "hang"})
        self.daemon = self.exporter(self.config_with(self.key(), self.hop()), env=CLEAN)
        self.daemon.wait_listening()
        afe.wait_for("the fetch", lambda: self.value(REFRESHES, credentials="default") == 1)
        self.stop_within(5)

    def test_stop_while_a_source_hangs(self):
        self.sim.post(metadata={"mode": "hang"}, sts={"mode": "hang"})
        self.daemon = self.exporter(
            self.config_with(self.oidc("token"), self.hop("default", "token")), env=CLEAN)
        self.daemon.wait_listening()
        afe.wait_for("the fetch", lambda: self.value(REFRESHES, credentials="token") == 1)
        self.stop_within(5)

    def test_reload_while_sts_hangs(self):
        self.sim.post(sts={"mode": "hang"})
        self.daemon = self.exporter(self.config_with(self.key(), self.hop()), env=CLEAN)
        self.daemon.wait_listening()
        afe.wait_for("the fetch", lambda: self.value(REFRESHES, credentials="default") == 1)
        self.config_with(self.uri())
        began = time.monotonic()
        self.daemon.send(signal.SIGHUP)
        self.daemon.wait_log("the configuration was reloaded")
        afe.wait_for("the target", lambda: self.value("aliyun_flink_up") == 1)
        self.assertLess(time.monotonic() - began, 8)

    def test_a_wrong_clock(self):
        for offset, seconds in (("20m", 1200), ("-20m", -1200)):
            with self.subTest(offset=offset):
                self.sim.post(clock_offset=offset)
                self.start(self.key(), self.hop())
                afe.wait_for("the target", lambda: self.value("aliyun_flink_up") == 1)
                self.assertAlmostEqual(self.value(EXPIRY, credentials="default"),
                                       time.time() + seconds + 3600, delta=60)
                self.assertAlmostEqual(self.value("aliyun_flink_api_clock_skew_seconds"), seconds,
                                       delta=5)
                self.expect_no_outage()
                # Not taken for stale, nor fetched over and over.
                self.assertEqual(self.value(REFRESHES, credentials="default"), 1)
                self.daemon.stop()

    # --- reloads ---

    def test_counters_over_reloads(self):
        self.start(self.oidc())
        self.sim.post(expire_issued=True)
        afe.wait_for("new keys", lambda: self.value(REFRESHES, credentials="default") == 2)
        # The same credentials: kept, with what they hold. Others that nobody uses: not there.
        self.config_with(self.oidc(), self.hop("unused", "key"), self.key(), interval="2s")
        self.reload(1)
        self.assertEqual(self.value(REFRESHES, credentials="default"), 2)
        self.assertIsNone(self.value(REFRESHES, credentials="unused"))
        self.assertIsNone(self.value(REFRESHES, credentials="key"))
        # Other settings under the same name: it fetches anew, the counter goes on.
        self.token_file = self.write("token2", TOKEN, 0o644)
        self.config_with(self.oidc())
        self.reload(2)
        afe.wait_for("new keys", lambda: self.value(REFRESHES, credentials="default") == 3)
        afe.wait_for("their expiry", lambda: self.value(EXPIRY, credentials="default"))
        # Another provider is another series; the old one is gone.
        self.config_with(self.uri())
        self.reload(3)
        afe.wait_for("the old one to go", lambda: self.value(
            REFRESHES, credentials="default", provider="oidc_role_arn") is None)
        # Back again: it goes on where it was.
        self.config_with(self.oidc())
        self.reload(4)
        afe.wait_for("new keys", lambda: self.value(REFRESHES, credentials="default",
                                                    provider="oidc_role_arn") == 4)

    def reload(self, n):
        self.daemon.send(signal.SIGHUP)
        afe.wait_for("the reload",
                     lambda: len(self.lines("the configuration was reloaded")) == n)

    def test_a_loop_is_refused(self):
        config = self.config_with(self.hop("default", "b"), self.hop("b", "default"))
        check = afe.Process([afe.program("aliyun_flink_exporter"), "--config.check",
                             f"--config.file={config}"])
        self.assertEqual(check.join(), 1)
        self.assertRegex(check.log(), r"exporter\.cfg:\d+: source: credentials \"default\" take "
                                      r"their keys from themselves: default -> b -> default")

    # --- the process ---

    def test_nothing_for_others_to_read(self):
        self.start(self.key("default"))
        with open(f"/proc/{self.daemon.popen.pid}/limits", encoding="ascii") as f:
            self.assertRegex(f.read(), r"Max core file size +0 +0 ")
        # What is not dumpable belongs to root in /proc, whoever runs it.
        self.assertEqual(os.stat(f"/proc/{self.daemon.popen.pid}/environ").st_uid, 0)


if __name__ == "__main__":
    unittest.main()
