"""A client of the simulator that shares nothing with the program's: it signs by itself.

The program is AFE_BIN_DIR/aliyun_flink_simulator. Python standard library only.
"""
import collections
import hashlib
import hmac
import http.client
import json
import os
import re
import signal
import subprocess
import time
import unittest
import urllib.parse
import uuid


WORKSPACE = 'a14bd5d90a4f4e'
STATES = ('starting', 'running', 'cancelling', 'cancelled', 'finished', 'failed')
Reply = collections.namedtuple('Reply', 'status headers body')


def program():
    directory = os.environ.get('AFE_BIN_DIR')
    if not directory:
        raise RuntimeError('AFE_BIN_DIR must name the directory of the programs')
    for path in ('aliyun_flink_simulator', 'src/simulator/aliyun_flink_simulator'):
        path = os.path.join(directory, path)
        if os.path.isfile(path):
            return path
    raise RuntimeError('there is no aliyun_flink_simulator in ' + directory)


def encode(text):
    return urllib.parse.quote(text, safe='-_.~')


class Simulator:
    def __init__(self, *flags):
        self.process = subprocess.Popen([program(), '--listen', '127.0.0.1:0', *flags],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        first = self.process.stdout.readline()
        match = re.fullmatch(r'listening on http://(127\.0\.0\.1):(\d+)\n', first)
        if not match:
            self.process.kill()
            raise AssertionError('no address: %r %s' % (first, self.process.communicate()))
        self.host, self.port = match.group(1), int(match.group(2))
        self.key = self.process.stdout.readline().split(': ')[1].strip()
        self.secret = self.process.stdout.readline().split(': ')[1].strip()
        self.token = None

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, err

    @property
    def authority(self):
        return '%s:%d' % (self.host, self.port)

    # --- signing -----------------------------------------------------------------------------

    def headers(self, method, path, query=(), body=b'', action='ListDeployments', extra=None,
                secret=None, key=None, when=None, nonce=None, unsigned=('workspace', 'accept'),
                token=None, version='2022-07-18'):
        h = {
            'host': self.authority,
            'x-acs-action': action,
            'x-acs-version': version,
            'x-acs-date': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(when or time.time())),
            'x-acs-signature-nonce': nonce or uuid.uuid4().hex,
            'x-acs-content-sha256': hashlib.sha256(body).hexdigest(),
            'accept': 'application/json',
            'workspace': WORKSPACE,
        }
        if token or self.token:
            h['x-acs-security-token'] = token or self.token
        h.update(extra or {})
        h = {k: v for k, v in h.items() if v is not None}
        names = sorted(k for k in h if k not in unsigned)
        canonical = '\n'.join([
            method, path, '&'.join('%s=%s' % (encode(k), encode(v)) for k, v in sorted(query)),
            ''.join('%s:%s\n' % (k, h[k].strip()) for k in names), ';'.join(names),
            hashlib.sha256(body).hexdigest()])
        to_sign = 'ACS3-HMAC-SHA256\n' + hashlib.sha256(canonical.encode()).hexdigest()
        signature = hmac.new((secret or self.secret).encode(), to_sign.encode(),
                             hashlib.sha256).hexdigest()
        h['authorization'] = 'ACS3-HMAC-SHA256 Credential=%s,SignedHeaders=%s,Signature=%s' % (
            key or self.key, ';'.join(names), signature)
        return h

    def send(self, method, target, headers, body=b'', timeout=20):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            if body:
                connection.putheader('content-length', str(len(body)))
            connection.endheaders(body)
            reply = connection.getresponse()
            return Reply(reply.status, reply.headers, reply.read())
        finally:
            connection.close()

    def call(self, query=None, namespace='default-namespace', path=None, method='GET', body=b'',
             **signing):
        pairs = sorted((query or {}).items())
        timeout = signing.pop('timeout', 20)
        path = path or '/api/v2/namespaces/%s/deployments' % encode(namespace)
        pairs = [(k, str(v)) for k, v in pairs]
        target = path + ('?' + '&'.join('%s=%s' % (encode(k), encode(v)) for k, v in pairs)
                         if pairs else '')
        if body:
            signing['extra'] = {'content-type': 'application/json; charset=utf-8',
                                **signing.get('extra', {})}
        return self.send(method, target, self.headers(method, path, pairs, body, **signing), body,
                         timeout=timeout)

    def list(self, **query):
        reply = self.call(query)
        assert reply.status == 200, reply
        return json.loads(reply.body)

    def list_all(self, page_size=100, **query):
        items, page = [], 1
        while True:
            got = self.list(pageSize=page_size, pageIndex=page, **query)
            items += got['data']
            if page * page_size >= got['totalSize']:
                return items
            page += 1

    # --- the control path --------------------------------------------------------------------

    def control(self, change=None):
        body = json.dumps(change).encode() if change is not None else b''
        reply = self.send('POST' if body else 'GET', '/_sim', {'host': self.authority}, body)
        if reply.status != 200:
            raise ValueError(reply.body.decode())
        return json.loads(reply.body)

    def get(self, path):
        return json.loads(self.send('GET', path, {'host': self.authority}).body)

    def truth(self, namespace='default-namespace'):
        return self.get('/_sim/deployments/' + encode(namespace))


def code_of(reply):
    body = json.loads(reply.body)
    return reply.status, body.get('Code', body.get('errorCode'))


class Case(unittest.TestCase):
    flags = ()

    @classmethod
    def setUpClass(cls):
        cls.sim = Simulator(*cls.flags)

    @classmethod
    def tearDownClass(cls):
        status, err = cls.sim.stop()
        if status != 0 or 'Sanitizer' in err:
            raise AssertionError('the simulator ended with %d: %s' % (status, err))

    def tearDown(self):
        self.sim.control({'faults': []})

    def faults(self, *specs):
        self.sim.control({'faults': list(specs)})
