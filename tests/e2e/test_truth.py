"""Every deployment's six counts in /metrics equal what the simulator holds, at the sizes where
paging goes wrong, with and without the quirks of the real API."""

import os
import unittest

import afe

LARGE = int(os.environ.get("AFE_LARGE", "10000"))


class Truth(afe.Case):
    def check(self, sim, exporter, namespace="default-namespace"):
        def settled():
            exposition = exporter.metrics()
            return exposition if exposition.get("aliyun_flink_up", flink_namespace=namespace) == 1 \
                else None

        exposition = afe.wait_for("a whole listing", settled)
        truth = sim.deployments(namespace)
        wanted = {d["deploymentId"]: afe.expected_counts(d["jobSummary"]) for d in truth}
        found = afe.job_counts(exposition)
        self.assertEqual({k: v for k, v in wanted.items() if v}, found)

        self.assertEqual(len(truth), exposition.get("aliyun_flink_namespace_deployments"))
        self.assertEqual(len(truth), exposition.get("aliyun_flink_refresh_objects"))
        self.assertEqual(len(truth), exposition.get("aliyun_flink_refresh_objects_expected"))
        self.assertEqual(max(1, -(-len(truth) // 100)), exposition.get("aliyun_flink_refresh_pages"))
        for state in afe.STATES:
            total = sum(counts.get(state, 0) for counts in wanted.values())
            if wanted and not found:  # nobody tells: a sum of 0 would be made up
                total = None
            self.assertEqual(total, exposition.get("aliyun_flink_namespace_jobs", state=state))
        infos = exposition.all("aliyun_flink_deployment_info")
        self.assertEqual(set(wanted), {labels["deployment_id"] for labels, _ in infos})
        return exposition

    def run_size(self, count, profile, quirks=0.0):
        sim, exporter = self.pair(f"--deployments={count}", f"--profile={profile}",
                                  f"--quirks={quirks}", "--seed=7", defaults='concurrency = 4;')
        return self.check(sim, exporter)

    def test_sizes_small(self):
        for count in (0, 1, 99, 100, 101):
            with self.subTest(count=count):
                self.run_size(count, "small")

    def test_sizes_with_quirks(self):
        for count in (1, 100, 101, 350):
            with self.subTest(count=count):
                self.run_size(count, "typical", quirks=0.3)

    def test_large_small_profile(self):
        self.run_size(LARGE, "small", quirks=0.05)

    def test_large_typical_profile(self):
        self.run_size(LARGE, "typical", quirks=0.05)

    def test_two_namespaces_do_not_mix(self):
        sim = self.simulator("--namespaces=one,two", "--deployments=120", "--profile=small")
        exporter = self.exporter(self.config(sim.url, namespaces=("one", "two"))).wait_ready()
        exposition = exporter.metrics()
        for namespace in ("one", "two"):
            wanted = {d["deploymentId"] for d in sim.deployments(namespace)}
            found = {labels["deployment_id"] for labels, _ in exposition.all(
                "aliyun_flink_deployment_info", flink_namespace=namespace)}
            self.assertEqual(wanted, found)

    def test_changes_arrive(self):
        sim, exporter = self.pair("--deployments=5", "--profile=small")
        first, second = sim.deployments()[:2]
        sim.post(event={"deploymentId": first["deploymentId"], "kind": "start"})
        sim.post(event={"deploymentId": first["deploymentId"], "kind": "fail", "count": 1})
        sim.post(remove=[second["deploymentId"]])

        def arrived():
            exposition = exporter.metrics()
            counts = afe.job_counts(exposition)
            truth = {d["deploymentId"]: d for d in sim.deployments()}
            want = afe.expected_counts(truth[first["deploymentId"]]["jobSummary"])
            return counts.get(first["deploymentId"]) == want and second["deploymentId"] not in counts

        afe.wait_for("the changes in /metrics", arrived)

    def test_a_deployment_with_the_rarest_values(self):
        """Names and labels that break naive exporters arrive as they are, escaped or cut."""
        long_name = "订单" * 150  # 900 bytes of UTF-8
        path = self.write("load.json", """[
          {"deploymentId": "id-1", "name": "a\\"b\\\\c\\nd", "executionMode": "STREAMING",
           "jobSummary": {"running": 1}, "labels": {"team": "数据", "n": 3, "b": true, "z": null}},
          {"deploymentId": "id-2", "name": "%s", "executionMode": "BATCH",
           "jobSummary": {"failed": 2, "suspended": 9}, "createdAt": "1714058507\\n"},
          {"deploymentId": "id-3", "name": "", "jobSummary": null, "createdAt": 1714058507123},
          {"deploymentId": "id-4", "name": "twin", "jobSummary": {}},
          {"deploymentId": "id-5", "name": "twin", "jobSummary": {"failed": -1, "running": 1.5}}
        ]""" % long_name)
        sim = self.simulator(f"--load={path}")
        exporter = self.exporter(self.config(
            sim.url, metrics='deployment_labels = [ "*" ];')).wait_ready()
        exposition = exporter.metrics()
        infos = {labels["deployment_id"]: labels
                 for labels, _ in exposition.all("aliyun_flink_deployment_info")}
        self.assertEqual(infos["id-1"]["deployment_name"], 'a"b\\c\nd')
        self.assertEqual(infos["id-2"]["deployment_name"], "订单" * 85)  # 510 bytes, whole characters
        self.assertEqual(infos["id-2"]["execution_mode"], "batch")
        self.assertEqual(infos["id-3"]["deployment_name"], "")
        labels = exposition.all("aliyun_flink_deployment_labels", deployment_id="id-1")[0][0]
        self.assertEqual((labels["label_team"], labels["label_n"], labels["label_b"]),
                         ("数据", "3", "true"))
        self.assertNotIn("label_z", labels)
        counts = afe.job_counts(exposition)
        self.assertEqual(counts["id-1"], dict.fromkeys(afe.STATES, 0) | {"running": 1})
        self.assertEqual(counts["id-2"], dict.fromkeys(afe.STATES, 0) | {"failed": 2})
        self.assertNotIn("id-3", counts)
        self.assertNotIn("id-4", counts)
        self.assertNotIn("failed", counts.get("id-5", {}))
        created = "aliyun_flink_deployment_created_timestamp_seconds"
        self.assertEqual(exposition.get(created, deployment_id="id-2"), 1714058507)
        self.assertEqual(exposition.get(created, deployment_id="id-3"), 1714058507)
        self.assertGreaterEqual(exposition.get(
            "aliyun_flink_exporter_label_values_sanitized_total", reason="too_long"), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
