"""What the control plane would say, as files: pages of listings, and an nginx with TLS before them.

The pages come from the simulator, once. nginx then serves them without knowing a signature, so that
its share of the processor is small and the same for every peer. Each set of pages has a twin in
which one deployment of twenty has another count of failed jobs; swap() turns from one to the other.
"""

import gzip
import http.client
import json
import os
import re
import subprocess

import afe
from harness import Broken, Nginx, free_port, need

PAGE_SIZE = 100
SUMMARY = re.compile(rb'("jobSummary":\{[^}]*"failed":)(\d+)')
ONE_OF = 20


def fetch(directory, count, profile):
    """The simulator's pages as directory/1.json, 2.json, ...; how many."""
    sim = afe.Simulator(f"--deployments={count}", f"--profile={profile}", "--rate-limit=0",
                        "--no-verify")
    pages = -(-count // PAGE_SIZE)
    try:
        connection = http.client.HTTPConnection("127.0.0.1", sim.port)
        for number in range(1, pages + 1):
            connection.request(
                "GET", "/api/v2/namespaces/default-namespace/deployments"
                f"?pageIndex={number}&pageSize={PAGE_SIZE}",
                headers={"workspace": afe.WORKSPACE, "Accept": "application/json"})
            reply = connection.getresponse()
            body = reply.read()
            if reply.status != 200:
                raise Broken(f"the simulator says {reply.status} to page {number}")
            with open(os.path.join(directory, f"{number}.json"), "wb") as f:
                f.write(body)
        connection.close()
    finally:
        sim.stop()
    return pages


def write_twin(page, twin, number):
    """Every twentieth deployment has one more failed job."""
    with open(page, "rb") as f:
        body = f.read()
    seen = 0

    def change(match):
        nonlocal seen
        seen += 1
        if seen % ONE_OF != number % ONE_OF:
            return match.group(0)
        return match.group(1) + str(int(match.group(2)) + 1).encode()

    changed = SUMMARY.sub(change, body)
    if number == 1 and seen != len(json.loads(body)["data"]):
        raise Broken("the pages are not what was expected: a job summary for each deployment")
    with open(twin, "wb") as f:
        f.write(changed)


class PageSet:
    def __init__(self, bench, count, profile):
        self.name = f"{profile}-{count}"
        self.count = count
        self.dir = os.path.join(bench.subdir("sets"), self.name)
        for variant in ("a", "b"):
            os.makedirs(os.path.join(self.dir, variant))
        self.first = os.path.join(self.dir, "a")
        self.pages = fetch(self.first, count, profile)
        self.bytes = 0
        for number in range(1, self.pages + 1):
            names = [os.path.join(self.dir, variant, f"{number}.json") for variant in ("a", "b")]
            write_twin(*names, number)
            self.bytes += os.path.getsize(names[0])
            if count <= 10000:
                for name in names:
                    compress(name)
        self.variant = "b"
        self.reset()

    def _turn(self, variant):
        temporary = os.path.join(self.dir, "turning")
        os.symlink(variant, temporary)
        os.replace(temporary, os.path.join(self.dir, "now"))
        self.variant = variant

    def reset(self):
        self._turn("a")

    def swap(self):
        self._turn("a" if self.variant == "b" else "b")


def compress(path):
    with open(path, "rb") as f, open(path + ".gz", "wb") as out:
        out.write(gzip.compress(f.read(), 6))


def page_set(bench, count, profile="small"):
    return bench.once(("set", count, profile), lambda: PageSet(bench, count, profile))


CONFIG = """
    log_format pages '$body_bytes_sent';
    ssl_certificate {dir}/server.pem;
    ssl_certificate_key {dir}/server.key;
    map $arg_pageIndex $page {{ default $arg_pageIndex; '' 1; }}
"""

SERVER = """
    server {{
        listen 127.0.0.1:{port} ssl;
        access_log {log} pages;
        location ~ ^/api/v2/namespaces/(?<set>[^/]+?)(_copy\\d+)?/deployments$ {{
            root {sets};
            default_type application/json;
            gzip_static {gzip_static};
            try_files /$set/now/$page.json =404;
        }}
    }}
"""


class ApiServer:
    """https://127.0.0.1:PORT with the pages of every set, named by the namespace that is asked for.

    NAME_copy7 is NAME once more, for a second namespace with the same deployments.
    """

    def __init__(self, bench):
        directory = bench.subdir("api")
        make_certificates(directory)
        self.ca = os.path.join(directory, "ca.pem")
        self.log = os.path.join(directory, "pages.log")
        self.read = self.lines = 0
        self.ports = {"identity": free_port(), "gzip": free_port()}
        config = CONFIG.format(dir=directory)
        for coding, port in self.ports.items():
            config += SERVER.format(port=port, log=self.log, sets=bench.subdir("sets"),
                                    gzip_static="on" if coding == "gzip" else "off")
        self.nginx = Nginx(directory, config, workers=1).wait(self.ports["gzip"])
        bench.stack.callback(self.nginx.stop)

    def origin(self, coding):
        return f"https://127.0.0.1:{self.ports[coding]}"

    def url(self, coding, name):
        return f"{self.origin(coding)}/api/v2/namespaces/{name}/deployments"

    def served(self):
        """How many pages were asked for and sent so far."""
        with open(self.log, "rb") as f:
            f.seek(self.read)
            more = f.read()
        self.read += len(more)
        self.lines += more.count(b"\n")
        return self.lines


def api_server(bench):
    need("nginx", "nginx")
    return bench.once("api", lambda: ApiServer(bench))


def make_certificates(directory):
    def openssl(*args):
        done = subprocess.run([need("openssl", "openssl"), *args], cwd=directory,
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise Broken(f"openssl {args[0]}: {done.stderr[-500:]}")

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=bench CA",
            "-days", "2")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=server")
    with open(os.path.join(directory, "server.ext"), "w", encoding="ascii") as f:
        f.write("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-out", "server.pem", "-days", "2", "-extfile", "server.ext")
