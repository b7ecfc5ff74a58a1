"""The refresh as one would write it in Python with prometheus_client. A peer in the comparison.

    refresh.py URL CA WORKSPACE NAMESPACE FILE

For every line on standard input lists all deployments and sets their series. Writes the exposition
to FILE when the input ends.
"""

import http.client
import json
import ssl
import sys
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, Gauge, generate_latest

PAGE_SIZE = 100
UNITS = {"K": 2 ** 10, "M": 2 ** 20, "G": 2 ** 30, "T": 2 ** 40}


class Lister:
    def __init__(self, url, ca):
        parts = urlsplit(url)
        self.path = parts.path
        self.connection = http.client.HTTPSConnection(
            parts.hostname, parts.port, context=ssl.create_default_context(cafile=ca))

    def page(self, number):
        self.connection.request("GET", f"{self.path}?pageIndex={number}&pageSize={PAGE_SIZE}")
        page = json.loads(self.connection.getresponse().read())
        if not page["success"]:
            raise ValueError(f"page {number}: refused")
        return page

    def list(self):
        first = self.page(1)
        deployments = first["data"]
        for number in range(2, -(-first["totalSize"] // PAGE_SIZE) + 1):
            deployments += self.page(number)["data"]
        return deployments


def memory(text):
    """'1Gi', '4 GiB', '2048Mi'"""
    digits = text.rstrip(" KMGTiB")
    return float(digits) * UNITS[text[len(digits):].strip()[0]]


class Families:
    def __init__(self, registry, workspace, namespace):
        self.first = (workspace, namespace)

        def gauge(name, *more):
            return Gauge("aliyun_flink_deployment_" + name, "As the control plane tells it.",
                         ("workspace", "flink_namespace", "deployment_id", "deployment_name", *more),
                         registry=registry)

        self.jobs = gauge("jobs", "state")
        self.info = gauge("info", "execution_mode", "engine_version", "artifact_kind",
                          "deployment_target", "deployment_target_mode", "resource_setting_mode",
                          "deployment_draft_id")
        self.created = gauge("created_timestamp_seconds")
        self.modified = gauge("modified_timestamp_seconds")
        self.changed = gauge("pending_changes")
        self.parallelism = gauge("parallelism")
        self.cpu = {"jobmanager": gauge("jobmanager_cpu_cores"),
                    "taskmanager": gauge("taskmanager_cpu_cores")}
        self.memory = {"jobmanager": gauge("jobmanager_memory_bytes"),
                       "taskmanager": gauge("taskmanager_memory_bytes")}
        self.max_slots = gauge("max_slots")

    def set(self, d):
        labels = (*self.first, d["deploymentId"], d["name"])
        for state, count in d["jobSummary"].items():
            self.jobs.labels(*labels, state).set(count)
        setting = d.get("batchResourceSetting") or d.get("streamingResourceSetting") or {}
        self.info.labels(*labels, d["executionMode"].lower(), d["engineVersion"],
                         d["artifact"]["kind"].lower(), d["deploymentTarget"]["name"],
                         d["deploymentTarget"]["mode"].lower(),
                         setting.get("resourceSettingMode", "").lower(),
                         d["referencedDeploymentDraftId"]).set(1)
        self.created.labels(*labels).set(d["createdAt"])
        self.modified.labels(*labels).set(d["modifiedAt"])
        self.changed.labels(*labels).set(d["deploymentHasChanged"])
        resources = setting.get("expertResourceSetting") or setting.get("basicResourceSetting") or {}
        for manager in ("jobmanager", "taskmanager"):
            spec = resources.get(manager + "ResourceSettingSpec")
            if spec:
                self.cpu[manager].labels(*labels).set(spec["cpu"])
                self.memory[manager].labels(*labels).set(memory(spec["memory"]))
        if "parallelism" in resources:
            self.parallelism.labels(*labels).set(resources["parallelism"])
        if setting.get("maxSlot") is not None:
            self.max_slots.labels(*labels).set(setting["maxSlot"])


def main():
    url, ca, workspace, namespace, path = sys.argv[1:]
    registry = CollectorRegistry()
    lister, families = Lister(url, ca), Families(registry, workspace, namespace)
    for _ in sys.stdin:
        deployments = lister.list()
        for deployment in deployments:
            families.set(deployment)
        print("done", len(deployments), flush=True)
    with open(path, "wb") as f:
        f.write(generate_latest(registry))


main()
