"""A server that does everything a server can do wrong, for the tests of the HTTP transport.

Listens on loopback ports of the kernel's choice, prints one "name value" pair a line, then "ready",
and serves until its standard input ends. The path of a request names the fault, see FAULTS.

    http        the faults, in plain HTTP
    other       a second host: counts requests, for redirects that must not be followed
    proxy       answers every request with 407
    refused     nothing listens here
    backlog     connections are never accepted and the queue is full
    plain       says "400 Bad Request" to whoever connects, without waiting for a request
    mute        connections are accepted and never answered, not even a TLS handshake
    tls_*       /ok over TLS, with a certificate that is good, expired, future, other (host),
                self (unknown authority), or a server that stops at TLS 1.1 (old)
    ca          file with the authority of all certificates but tls_self
"""

import contextlib
import gzip
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import warnings
import zlib
from email.utils import formatdate

COUNTS = {"connections": 0, "requests": 0, "other": 0, "swallowed": 0}
LOCK = threading.Lock()
BODY = b'{"success": true, "text": "' + b"abcdefgh" * 1000 + b'"}'
CHUNK = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"


def count(name):
    with LOCK:
        COUNTS[name] += 1


def reply(body=BODY, status="200 OK", headers=()):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", f"Date: {formatdate(usegmt=True)}"]
    lines += headers
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def listener(backlog=64):
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen(backlog)
    return sock


# ---- faults: each gets the connection and the request's head; True keeps the connection open ----


def ok(conn, head):
    headers = ["Content-Type: application/json", "x-acs-request-id: REQUEST-1"]
    conn.sendall(reply(headers=headers))
    return True


def echo(conn, head):
    conn.sendall(reply(head))
    return True


def read_body(conn, head):
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    body = b""
    while len(body) < length:
        body += conn.recv(65536)
    return body


def echo_body(conn, head):
    conn.sendall(reply(head + read_body(conn, head)))
    return True


def swallow(conn, head):
    """Takes the request and hangs up, as who died while working on it."""
    read_body(conn, head)
    count("swallowed")


def counts(conn, head):
    text = " ".join(f"{name}={value}" for name, value in COUNTS.items())
    conn.sendall(reply(text.encode()))
    return True


def status(conn, head):
    code = head.split()[1].decode().rsplit("/", 1)[1]
    conn.sendall(reply(b"{}", f"{code} Because"))
    return True


def retry_ms(conn, head):
    conn.sendall(reply(b"", "429 Slow", ["x-acs-retry-after: 7000", "Retry-After: 9"]))
    return True


def retry_s(conn, head):
    conn.sendall(reply(b"", "503 Later", ["x-acs-retry-after: -5", "Retry-After: 7"]))
    return True


def retry_date(conn, head):
    # A server in another year: its own clock is what counts.
    conn.sendall(
        b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\nDate: Tue, 01 Jan 2030 00:00:00 GMT\r\n"
        b"Retry-After: Tue, 01 Jan 2030 00:00:30 GMT\r\n\r\n"
    )
    return True


def retry_nonsense(conn, head):
    conn.sendall(reply(b"", "503 Later", ["x-acs-retry-after: 0", "Retry-After: soon"]))
    return True


def retry_far(conn, head):
    conn.sendall(reply(b"", "503 Later", ["Retry-After: 99999999999999999999999999"]))
    return True


def zipped(conn, head):
    conn.sendall(reply(gzip.compress(BODY), headers=["Content-Encoding: gzip"]))
    return True


def zipped_badly(conn, head):
    conn.sendall(reply(b"this is no gzip", headers=["Content-Encoding: gzip"]))
    return True


def silent(conn, head):
    conn.settimeout(60)
    conn.recv(1)


def no_reply(conn, head):
    pass


def reset(conn, head):
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"dat")
    time.sleep(0.05)
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def short(conn, head):
    conn.sendall(
        b"HTTP/1.1 200 OK\r\nx-acs-request-id: CUT-1\r\nContent-Length: 1000\r\n\r\n{\"dat"
    )


def chunk_cut(conn, head):
    conn.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\n{\"dat")


def to_the_end(conn, head):
    conn.sendall(b"HTTP/1.1 200 OK\r\n\r\n{\"dat")


def huge_chunked(conn, head):
    conn.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(16384):
        conn.sendall(CHUNK)


def huge_length(conn, head):
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n{")
    silent(conn, head)


def bomb(conn, head):
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
    pack = zlib.compressobj(wbits=31)
    zeros = bytes(1 << 20)
    for _ in range(300):
        conn.sendall(pack.compress(zeros))
    conn.sendall(pack.flush())


def drip(conn, head):
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        conn.sendall(b"x")
        time.sleep(0.05)


def many_headers(conn, head):
    conn.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(40000):
        conn.sendall(b"X-Header-%d: %s\r\n" % (number, b"y" * 80))


def large_header(conn, head):
    conn.sendall(b"HTTP/1.1 200 OK\r\nX-Header: " + b"y" * 400000 + b"\r\n\r\n")


def continues(conn, head):
    for _ in range(5000):
        conn.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def redirect(conn, head):
    conn.sendall(reply(b"", "302 Found", [f"Location: http://127.0.0.1:{PORTS['other']}/stolen"]))
    return True


def garbage(conn, head):
    conn.sendall(bytes(range(256)) * 16)


def http09(conn, head):
    conn.sendall(b"<html>hello</html>")


FAULTS = {
    "ok": ok,
    "echo": echo,
    "echo-body": echo_body,
    "swallow": swallow,
    "counts": counts,
    "status": status,
    "retry-ms": retry_ms,
    "retry-s": retry_s,
    "retry-date": retry_date,
    "retry-nonsense": retry_nonsense,
    "retry-far": retry_far,
    "gzip": zipped,
    "bad-gzip": zipped_badly,
    "silent": silent,
    "no-reply": no_reply,
    "reset": reset,
    "short": short,
    "chunk-cut": chunk_cut,
    "to-the-end": to_the_end,
    "huge-chunked": huge_chunked,
    "huge-length": huge_length,
    "bomb": bomb,
    "drip": drip,
    "many-headers": many_headers,
    "large-header": large_header,
    "continues": continues,
    "redirect": redirect,
    "garbage": garbage,
    "http09": http09,
}


# ---- the server ----


def read_head(conn):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = conn.recv(1)
        if not byte:
            return None
        head += byte
    return head


def serve(conn, choose):
    count("connections")
    # OSError: the client has gone, as it should in most of these.
    with conn, contextlib.suppress(OSError):
        while (head := read_head(conn)) is not None:
            if not choose(head)(conn, head):
                break


def fault_of(head):
    path = head.split()[1].decode()
    if path.startswith("http://"):
        path = "/" + path.split("/", 3)[3]
    count("requests")
    return FAULTS.get(path.split("/")[1].split("?")[0], no_reply)


def talk_first(sock):
    while True:
        conn, _ = sock.accept()
        with conn, contextlib.suppress(OSError):
            conn.sendall(reply(b"", "400 Bad Request"))
            conn.shutdown(socket.SHUT_WR)
            conn.settimeout(5)
            while conn.recv(4096):
                pass


def stolen(head):
    count("other")
    return ok


def refuse(head):
    return lambda conn, head: conn.sendall(reply(b"", "407 Proxy Authentication Required"))


def accept(sock, choose, context=None):
    def handle(conn):
        try:
            if context:
                conn = context.wrap_socket(conn, server_side=True)
        except (OSError, ssl.SSLError):
            conn.close()
            return
        serve(conn, choose)

    while True:
        conn, _ = sock.accept()
        threading.Thread(target=handle, args=(conn,), daemon=True).start()


def start(choose, context=None):
    sock = listener()
    threading.Thread(target=accept, args=(sock, choose, context), daemon=True).start()
    return sock.getsockname()[1]


# ---- certificates, made anew for every run ----

CA_CONFIG = """
[ca]
default_ca = me
[me]
database = {dir}/index.txt
new_certs_dir = {dir}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
commonName = test
[leaf]
subjectAltName = {names}
"""


def openssl(directory, *args):
    subprocess.run(["openssl", *args], cwd=directory, check=True, capture_output=True)


def write_config(directory, names):
    with open(os.path.join(directory, "ca.cnf"), "w", encoding="ascii") as file:
        file.write(CA_CONFIG.format(dir=directory, names=names))


def make_ca(directory, name):
    openssl(directory, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")
    openssl(
        directory, "req", "-x509", "-new", "-config", "ca.cnf", "-key", f"{name}.key",
        "-subj", f"/CN={name}", "-days", "30", "-addext", "basicConstraints=critical,CA:TRUE",
        "-out", f"{name}.pem",
    )  # fmt: skip


def make_leaf(directory, name, ca, start_s, end_s, names="IP:127.0.0.1,DNS:flink.example"):
    write_config(directory, names)
    times = [time.strftime("%y%m%d%H%M%SZ", time.gmtime(time.time() + s)) for s in (start_s, end_s)]
    openssl(directory, "req", "-new", "-config", "ca.cnf", "-key", "key.key", "-out", "req.pem")
    openssl(
        directory, "ca", "-batch", "-notext", "-config", "ca.cnf", "-extensions", "leaf",
        "-cert", f"{ca}.pem", "-keyfile", f"{ca}.key", "-startdate", times[0], "-enddate", times[1],
        "-in", "req.pem", "-out", f"{name}.pem",
    )  # fmt: skip


def tls_context(directory, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(
        os.path.join(directory, f"{name}.pem"), os.path.join(directory, "key.key")
    )
    return context


def old_tls_context(directory):
    context = tls_context(directory, "good")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def start_tls(directory):
    day = 86400
    write_config(directory, "DNS:none")
    with open(os.path.join(directory, "index.txt"), "w", encoding="ascii"):
        pass
    make_ca(directory, "ca")
    make_ca(directory, "stranger")
    openssl(directory, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key.key")
    make_leaf(directory, "good", "ca", -day, day)
    make_leaf(directory, "expired", "ca", -2 * day, -day)
    make_leaf(directory, "future", "ca", day, 2 * day)
    make_leaf(directory, "other", "ca", -day, day, "DNS:somebody.else")
    make_leaf(directory, "self", "stranger", -day, day)
    ports = {}
    for name in ("good", "expired", "future", "other", "self"):
        ports[f"tls_{name}"] = start(fault_of, tls_context(directory, name))
    ports["tls_old"] = start(fault_of, old_tls_context(directory))
    return ports


def closed_port():
    with listener() as sock:
        return sock.getsockname()[1]


def full_backlog(keep):
    """A port whose queue of connections nobody accepts is full: the kernel drops what comes."""
    sock = listener(0)
    keep.append(sock)
    for _ in range(4):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(sock.getsockname())
        keep.append(client)
    return sock.getsockname()[1]


PORTS = {}


def main():
    keep = []
    directory = tempfile.mkdtemp(prefix="fault_server.")
    try:
        mute, plain = listener(), listener()
        keep.append(mute)
        threading.Thread(target=talk_first, args=(plain,), daemon=True).start()
        PORTS.update(
            http=start(fault_of),
            other=start(stolen),
            proxy=start(refuse),
            refused=closed_port(),
            backlog=full_backlog(keep),
            mute=mute.getsockname()[1],
            plain=plain.getsockname()[1],
        )
        PORTS.update(start_tls(directory))
        for name, port in PORTS.items():
            print(name, port)
        print("ca", os.path.join(directory, "ca.pem"))
        print("ready", flush=True)
        sys.stdin.buffer.read()
    finally:
        shutil.rmtree(directory)


main()
