"""http_fixture as a context, and what the tests of the HTTP server share."""

import http.client
import re
import select
import socket
import subprocess
import time
import zlib

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
# What Prometheus 2.42 sends.
PROMETHEUS_ACCEPT = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
    "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
# Larger than all the kernel buffers between two sockets.
BIG = {"pieces": 130, "piece_bytes": 64000}
# For the slow machine, and the sanitizer on it.
SLACK_S = 3.0


class Fixture:
    """http_fixture with options, as a context."""

    program = ""  # the path of http_fixture

    def __init__(self, max_files=None, **options):
        arguments = [f"--{k.replace('_', '-')}={v}" for k, v in options.items()]
        prefix = ["sh", "-c", f'ulimit -n {max_files} && exec "$0" "$@"'] if max_files else []
        self.process = subprocess.Popen(
            [*prefix, self.program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        if not line.startswith("port "):
            raise RuntimeError(f"{line!r} {self.process.stderr.read()}")
        self.port = int(line.split()[1])
        self.address = line.split()[2]
        self.stderr = None

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.quit()
        code = self.process.wait(timeout=20)
        if kind is None and (code != 0 or "ERROR" in self.stderr or "WARNING" in self.stderr):
            raise AssertionError(f"the fixture ended with {code}:\n{self.stderr}")

    def say(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def quit(self):
        """Stops it; returns how many milliseconds the server took to stop."""
        if self.stderr is not None:
            return None
        out, self.stderr = self.process.communicate("quit\n", timeout=30)
        return int(out.split()[-1]) if out else None

    def connect(self, source=None, receive_buffer=None):
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        s.settimeout(20)
        if receive_buffer:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            s.bind((source, 0))
        s.connect(("127.0.0.1", self.port))
        return s

    def get(self, path="/metrics", method="GET", headers=None, source=None):
        connection = http.client.HTTPConnection(
            "127.0.0.1",
            self.port,
            timeout=20,
            source_address=(source, 0) if source else None,
        )
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders()
        reply = connection.getresponse()
        reply.body = reply.read()
        connection.close()
        return reply

    def raw(self, request, wait_s=20):
        """Sends bytes, returns all that comes until the server closes."""
        with self.connect() as s:
            s.settimeout(wait_s)
            s.sendall(request)
            return read_to_end(s)

    def metric(self, name):
        for line in self.get("/metrics").body.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        raise AssertionError(f"no {name}")


def read_to_end(s):
    parts = []
    while True:
        try:
            part = s.recv(65536)
        except ConnectionResetError:
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts)


def request(path="/metrics", *headers, method="GET", host=True):
    lines = [f"{method} {path} HTTP/1.1"]
    if host:
        lines.append("Host: test")
    return ("\r\n".join([*lines, *headers]) + "\r\n\r\n").encode()


def status_of(reply):
    match = re.match(rb"HTTP/1\.1 (\d+) ", reply)
    return int(match.group(1)) if match else 0


def closed_after_s(s, limit_s):
    """How long until the other side closes; reads and drops what comes."""
    began = time.monotonic()
    while time.monotonic() - began < limit_s:
        if not select.select([s], [], [], 0.05)[0]:
            continue
        try:
            if not s.recv(65536):
                return time.monotonic() - began
        except ConnectionError:
            return time.monotonic() - began
    raise AssertionError(f"still open after {limit_s} s")


def without_live(body):
    """The generation's own text: what stands before the live metrics."""
    text = body.decode()
    return text[: text.index("# HELP process_")]


def gunzip_one_member(body):
    unpacker = zlib.decompressobj(31)
    text = unpacker.decompress(body) + unpacker.flush()
    assert unpacker.eof and not unpacker.unused_data, "not exactly one gzip member"
    return text
