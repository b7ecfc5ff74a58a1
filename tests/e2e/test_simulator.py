"""The simulator from outside: a client of its own, with a signer of its own, over real sockets.

The program is AFE_BIN_DIR/aliyun_flink_simulator. Python standard library only.
"""
import collections
import concurrent.futures
import gzip
import http.client
import json
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import uuid
import xml.etree.ElementTree

from simulator_client import STATES, WORKSPACE, Case, Simulator, code_of, encode, program


class CommandLine(unittest.TestCase):
    def run_it(self, *flags):
        return subprocess.run([program(), *flags], capture_output=True, text=True, timeout=10)

    def test_version(self):
        done = self.run_it('--version')
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout.splitlines()[0],
                         r'^aliyun_flink_simulator, version \d+\.\d+\.\d+ \(revision: \S+\)$')

    def test_help_names_flags_and_faults(self):
        done = self.run_it('--help')
        self.assertEqual(done.returncode, 0)
        for word in ('--listen', '--churn', 'gzip-bomb', 'total-size', '/_sim'):
            self.assertIn(word, done.stdout)

    def test_usage(self):
        for flags in (['--nonsense'], ['--listen'], ['--deploy', '5'], ['--drafts', 'x'],
                      ['--seed=x'], ['--fault', 'nonsense'], ['stray']):
            done = self.run_it(*flags)
            self.assertEqual(done.returncode, 2, flags)
            self.assertIn('--help', done.stderr)

    def test_only_loopback(self):
        for address in ('0.0.0.0:0', '192.0.2.1:0', '[::]:0', 'example.org:80', '127.0.0.1'):
            done = self.run_it('--listen', address)
            self.assertEqual(done.returncode, 1, address)
            self.assertIn('--listen', done.stderr)

    def test_port_in_use(self):
        with socket.create_server(('127.0.0.1', 0)) as taken:
            done = self.run_it('--listen', '127.0.0.1:%d' % taken.getsockname()[1])
        self.assertEqual(done.returncode, 1)
        self.assertIn('Address already in use', done.stderr)

    def test_bad_load_file(self):
        with tempfile.NamedTemporaryFile('w', suffix='.json') as f:
            f.write('[{"deploymentId": "1"}, 5]')
            f.flush()
            done = self.run_it('--load', f.name)
        self.assertEqual(done.returncode, 1)
        self.assertIn('deployment 2', done.stderr)

    def test_stops_at_once(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            sim = Simulator('--fault', 'hang')
            thread = threading.Thread(target=lambda: self.assertRaises(Exception, sim.call))
            thread.start()
            while sim.control()['in_flight'] != 1:
                time.sleep(0.01)
            start = time.monotonic()
            sim.process.send_signal(number)
            status, err = sim.stop()
            self.assertEqual((status, err), (0, ''))
            self.assertLess(time.monotonic() - start, 2)
            thread.join()


class Listing(Case):
    flags = ('--deployments', '250', '--namespaces', 'default-namespace,空间 2', '--quirks', '0.1',
             '--rate-limit', '0', '--profile', 'small')

    def test_pages_cover_the_truth(self):
        for size in (100, 7, 1):
            if size == 1:
                got = [d for p in range(1, 21) for d in self.sim.list(pageSize=1, pageIndex=p)['data']]
                want = self.sim.truth()[:20]
            else:
                got, want = self.sim.list_all(page_size=size), self.sim.truth()
            self.assertEqual([d['deploymentId'] for d in got], [t['deploymentId'] for t in want])

    def test_objects_show_the_truth(self):
        truth = {t['deploymentId']: t for t in self.sim.truth()}
        kinds = collections.Counter()
        for d in self.sim.list_all():
            t = truth[d['deploymentId']]
            self.assertEqual(d.get('name'), t['name'])
            self.assertEqual(d.get('labels'), t['labels'])
            self.assertEqual(d.get('jobSummary'), t['jobSummary'])
            self.assertEqual(d['executionMode'], t['executionMode'])
            self.assertEqual('jobSummary' not in d, 'summary-missing' in t['quirks'])
            if d.get('jobSummary') and 'summary-partial' not in t['quirks']:
                self.assertEqual({s: d['jobSummary'][s] for s in STATES}, t['jobs'])
            kinds[d['artifact']['kind']] += 1
        self.assertGreater(kinds['SQLSCRIPT'], 100)
        self.assertGreater(kinds['JAR'], 10)

    def test_envelope(self):
        got = self.sim.list()
        self.assertEqual((got['success'], got['httpCode'], got['pageIndex'], got['pageSize'],
                          got['totalSize'], len(got['data'])), (True, 200, 1, 10, 250, 10))
        self.assertRegex(got['requestId'], r'^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$')
        self.assertEqual(self.sim.list(pageIndex=26)['data'], [])

    def test_response_headers(self):
        reply = self.sim.call()
        self.assertEqual(reply.headers['x-acs-request-id'], json.loads(reply.body)['requestId'])
        self.assertRegex(reply.headers['Date'], r'^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$')
        self.assertIn('application/json', reply.headers['Content-Type'])

    def test_another_namespace(self):
        reply = self.sim.call({'pageSize': 5}, namespace='空间 2')
        self.assertEqual(reply.status, 200)
        body = json.loads(reply.body)
        self.assertEqual({d['namespace'] for d in body['data']}, {'空间 2'})

    def test_gzip_is_the_same_text(self):
        plain = json.loads(self.sim.call({'pageSize': 100}).body)
        for _ in range(2):
            reply = self.sim.call({'pageSize': 100}, extra={'accept-encoding': 'gzip'},
                                  unsigned=('workspace', 'accept', 'accept-encoding'))
            self.assertEqual(reply.headers['Content-Encoding'], 'gzip')
            zipped = json.loads(gzip.decompress(reply.body))
            self.assertEqual(zipped['data'], plain['data'])

    def test_filters(self):
        everything = self.sim.list_all()
        truth = {t['deploymentId']: t for t in self.sim.truth()}

        def ids(items):
            return {d['deploymentId'] for d in items}

        for query, keep in (
                ({'name': 'orders'}, lambda d: 'orders' in d.get('name', '')),
                ({'name': '汇总'}, lambda d: '汇总' in d.get('name', '')),
                ({'executionMode': 'BATCH'}, lambda d: d['executionMode'] == 'BATCH'),
                ({'status': 'RUNNING'}, lambda d: truth[d['deploymentId']]['status'] == 'RUNNING'),
                ({'status': 'FAILED'}, lambda d: truth[d['deploymentId']]['status'] == 'FAILED'),
                ({'status': 'TRANSITIONING'},
                 lambda d: truth[d['deploymentId']]['status'] in ('STARTING', 'CANCELLING')),
                ({'creator': '278463638774560003'}, lambda d: d['creator'] == '278463638774560003'),
                ({'labelKey': 'team'}, lambda d: 'team' in (d.get('labels') or {})),
                ({'labelKey': 'tier', 'labelValueArray': '1;3'},
                 lambda d: (d.get('labels') or {}).get('tier') in (1, 3)),
                ({'labelKey': 'critical', 'labelValueArray': 'true'},
                 lambda d: (d.get('labels') or {}).get('critical') is True)):
            got = self.sim.list_all(**query)
            self.assertEqual(ids(got), ids(filter(keep, everything)), query)
            self.assertTrue(got or query.get('name') == '汇总', query)

    def test_order(self):
        truth = {t['deploymentId']: t for t in self.sim.truth()}
        for name, key in (('gmt_create', 'createdAt'), ('gmt_modified', 'modifiedAt')):
            got = [truth[d['deploymentId']][key] for d in self.sim.list_all(sortName=name)]
            self.assertEqual(got, sorted(got, reverse=True))

    def test_same_seed_same_world(self):
        other = Simulator(*self.flags)
        try:
            self.assertEqual(other.truth(), self.sim.truth())
        finally:
            other.stop()


class Gateway(Case):
    flags = ('--deployments', '5', '--rate-limit', '0')

    def refused(self, status, code, **signing):
        self.assertEqual(code_of(self.sim.call(**signing)), (status, code))

    def test_signatures(self):
        now = time.time()
        self.assertEqual(self.sim.call().status, 200)
        self.assertEqual(self.sim.call(when=now - 800).status, 200)
        self.assertEqual(self.sim.call(unsigned=('accept',)).status, 200)  # workspace signed
        self.assertEqual(self.sim.call(unsigned=()).status, 200)           # all of them
        self.refused(404, 'InvalidAccessKeyId.NotFound', key='nobody')
        self.refused(400, 'SignatureDoesNotMatch', secret='wrong')
        self.refused(400, 'InvalidTimeStamp.Expired', when=now - 1000)
        self.refused(400, 'InvalidTimeStamp.Expired', when=now + 1000)
        self.refused(400, 'InvalidTimeStamp.Format', extra={'x-acs-date': '2026-01-01'})
        self.refused(400, 'MissingSignatureNonce', extra={'x-acs-signature-nonce': None})
        self.refused(400, 'IncompleteSignature', extra={'x-acs-extra': '1'},
                     unsigned=('workspace', 'accept', 'x-acs-extra'))
        self.refused(400, 'IncompleteSignature', extra={'content-type': 'text/plain'},
                     unsigned=('workspace', 'accept', 'content-type'))
        self.refused(400, 'SignatureDoesNotMatch', extra={'x-acs-content-sha256': '0' * 64})
        self.refused(400, 'InvalidSecurityToken.MismatchWithAccessKey',
                     extra={'x-acs-security-token': 'x'})
        self.refused(404, 'InvalidVersion', extra={'x-acs-version': '2020-01-01'})
        self.refused(404, 'InvalidApi.NotFound', action='GetDeployment')

    def test_signed_workspace_cannot_change(self):
        path = '/api/v2/namespaces/default-namespace/deployments'
        headers = self.sim.headers('GET', path, unsigned=('accept',))
        headers['workspace'] = 'another'
        self.assertEqual(code_of(self.sim.send('GET', path, headers)),
                         (400, 'SignatureDoesNotMatch'))

    def test_nonce(self):
        nonce = uuid.uuid4().hex
        self.assertEqual(self.sim.call(nonce=nonce, secret='wrong').status, 400)
        self.assertEqual(self.sim.call(nonce=nonce).status, 200)
        self.refused(400, 'SignatureNonceUsed', nonce=nonce)

    def test_mismatch_tells_the_string(self):
        reply = self.sim.call(secret='wrong')
        self.assertIn('ACS3-HMAC-SHA256\n', json.loads(reply.body)['Message'])
        self.assertIn('x-acs-signature-nonce:', json.loads(reply.body)['Message'])

    def test_raw_query_is_encoded_again(self):
        """Node sends ! ' ( ) * as they are and signs them encoded."""
        path = '/api/v2/namespaces/default-namespace/deployments'
        headers = self.sim.headers('GET', path, [('name', "a(1)!*'")])
        self.assertEqual(self.sim.send('GET', path + "?name=a(1)!*%27", headers).status, 200)

    def test_path_is_encoded_again(self):
        path = '/api/v2/namespaces/default%2Dnamespace/deployments'
        headers = self.sim.headers('GET', '/api/v2/namespaces/default-namespace/deployments')
        self.assertEqual(self.sim.send('GET', path, headers).status, 200)

    def test_workspace(self):
        self.refused(400, 'MissingWorkspace', extra={'workspace': None})
        self.refused(403, 'NoPermission', extra={'workspace': 'another'})
        self.refused(403, 'NoPermission', namespace='another')
        self.sim.control({'options': {'access_denied_as': 'business'}})
        reply = self.sim.call(namespace='another')
        self.sim.control({'options': {'access_denied_as': 'gateway'}})
        body = json.loads(reply.body)
        self.assertEqual((reply.status, body['success'], body['data']), (200, False, None))

    def test_parameters(self):
        for query in ({'pageSize': 0}, {'pageSize': 101}, {'pageSize': 'x'}, {'pageIndex': 0},
                      {'pageIndex': -1}, {'status': 'BROKEN'}):
            self.refused(400, 'InvalidParameter', query=query)
        self.sim.control({'options': {'bad_page_as': 'business'}})
        reply = self.sim.call({'pageSize': 101})
        self.sim.control({'options': {'bad_page_as': 'gateway'}})
        self.assertEqual((reply.status, json.loads(reply.body)['success']), (200, False))

    def test_unknown_paths_and_methods(self):
        for path in ('/', '/metrics', '/api/v2/namespaces/x', '/api/v2/namespaces//deployments',
                     '/api/v2/namespaces/a/b/deployments', '/_simulator'):
            self.refused(404, 'InvalidApi.NotFound', path=path)
        for method in ('POST', 'PUT', 'DELETE', 'PATCH'):
            self.refused(405, 'UnsupportedHTTPMethod', method=method)

    def test_xml_unless_json_is_accepted(self):
        for accept in (None, '*/*', 'text/xml'):
            reply = self.sim.call(secret='wrong', extra={'accept': accept})
            root = xml.etree.ElementTree.fromstring(reply.body)
            self.assertEqual((root.tag, root.findtext('Code')), ('Error', 'SignatureDoesNotMatch'))

    def test_security_token(self):
        try:
            self.sim.control({'credentials': {'security_token': 'STS.one'}})
            self.refused(400, 'InvalidSecurityToken.Malformed')
            self.sim.token = 'STS.one'
            self.assertEqual(self.sim.call().status, 200)
            self.sim.control({'credentials': {'security_token': 'STS.two'}})
            self.refused(400, 'InvalidSecurityToken.Expired')
            self.sim.token = 'STS.two'
            self.assertEqual(self.sim.call().status, 200)
        finally:
            self.sim.token = None
            self.sim.control({'credentials': {'security_token': ''}})

    def test_clock_offset(self):
        try:
            self.sim.control({'clock_offset': '20m'})
            reply = self.sim.call()
            self.assertEqual(code_of(reply), (400, 'InvalidTimeStamp.Expired'))
            there = time.mktime(time.strptime(reply.headers['Date'], '%a, %d %b %Y %H:%M:%S GMT'))
            self.assertAlmostEqual(there - time.timezone - time.time(), 1200, delta=3)
            self.assertEqual(self.sim.call(when=time.time() + 1200).status, 200)
        finally:
            self.sim.control({'clock_offset': '0ms'})

    def test_quota(self):
        self.sim.control({'rate_limit': 5})
        try:
            replies = [self.sim.call() for _ in range(8)]
        finally:
            self.sim.control({'rate_limit': 0})
        self.assertEqual([r.status for r in replies[:5]], [200] * 5)
        refused = [r for r in replies if r.status == 429]
        self.assertTrue(refused)
        self.assertEqual(code_of(refused[0])[1], 'Throttling.User')
        self.assertTrue(1 <= int(refused[0].headers['x-acs-retry-after']) <= 201)

    def test_garbage_does_no_harm(self):
        for raw in (b'\0\1\2\3\r\n\r\n', b'GET\r\n\r\n', b'GET / HTTP/9.9\r\n\r\n',
                    b'GET /_sim HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n',
                    b'POST /_sim HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n',
                    b'GET /%00%ff%zz?%&%%=%00 HTTP/1.1\r\nhost: x\r\n\r\n',
                    b'GET /' + b'a' * 100000 + b' HTTP/1.1\r\n\r\n',
                    b'GET / HTTP/1.1\r\nhost: x\r\n' + b'x-acs-a: b\r\n' * 500 + b'\r\n',
                    b'GET / HTTP/1.1\r\nhost: x\r\nauthorization: ACS3-HMAC-SHA256 Credential=,,,\r\n\r\n'):
            with socket.create_connection((self.sim.host, self.sim.port), timeout=5) as s:
                s.sendall(raw)
                s.shutdown(socket.SHUT_WR)
                try:
                    while s.recv(65536):
                        pass
                except ConnectionError:
                    pass
        path = '/api/v2/namespaces/default-namespace/deployments'
        reply = self.sim.send('POST', path, {'host': self.sim.authority}, b'x' * (2 << 20))
        self.assertIn(reply.status, (405, 413))
        self.assertEqual(self.sim.call().status, 200)


class Faults(Case):
    flags = ('--deployments', '30', '--rate-limit', '0', '--profile', 'small')

    def raw(self, timeout=5):
        """All bytes of one reply, and how the connection ended."""
        path = '/api/v2/namespaces/default-namespace/deployments'
        with socket.create_connection((self.sim.host, self.sim.port), timeout=timeout) as s:
            head = 'GET %s HTTP/1.1\r\n' % path
            for k, v in self.sim.headers('GET', path).items():
                head += '%s: %s\r\n' % (k, v)
            s.sendall((head + '\r\n').encode())
            data, end = b'', time.monotonic() + timeout
            while True:
                try:
                    s.settimeout(max(end - time.monotonic(), 0.001))
                    piece = s.recv(65536)
                except ConnectionResetError:
                    return data, 'reset'
                except socket.timeout:
                    return data, 'timeout'
                if not piece:
                    return data, 'closed'
                data += piece

    def test_status(self):
        self.faults('status:code=503,retry_after=7')
        reply = self.sim.call()
        self.assertEqual(code_of(reply), (503, 'ServiceUnavailable'))
        self.assertEqual(reply.headers['Retry-After'], '7')

    def test_throttle(self):
        self.faults('throttle:ms=7000,code=400')
        reply = self.sim.call()
        self.assertEqual(code_of(reply), (400, 'Throttling.User'))
        self.assertEqual(reply.headers['x-acs-retry-after'], '7000')

    def test_business(self):
        self.faults('business:code=990301')
        body = json.loads(self.sim.call().body)
        self.assertEqual((body['success'], body['errorCode']), (False, '990301'))
        self.faults('business:no-success')
        self.assertNotIn('success', json.loads(self.sim.call().body))
        self.faults('business:null-data')
        body = json.loads(self.sim.call().body)
        self.assertEqual((body['success'], body['data']), (True, None))

    def test_other_bodies(self):
        self.faults('html')
        reply = self.sim.call()
        self.assertEqual((reply.status, reply.headers['Content-Type']), (502, 'text/html'))
        self.faults('xml')
        reply = self.sim.call()
        root = xml.etree.ElementTree.fromstring(reply.body)
        self.assertEqual((reply.status, root.findtext('Code')), (503, 'ServiceUnavailable'))
        self.faults('empty')
        reply = self.sim.call()
        self.assertEqual((reply.status, reply.body), (200, b''))
        self.faults('malformed')
        self.assertRaises(ValueError, json.loads, self.sim.call().body)
        self.faults('deep:depth=100000')
        self.assertIn(b'[' * 100000, self.sim.call().body)
        self.faults('redirect:to=http://127.0.0.1:9/elsewhere')
        reply = self.sim.call()
        self.assertEqual((reply.status, reply.headers['Location']),
                         (307, 'http://127.0.0.1:9/elsewhere'))

    def test_truncate(self):
        self.faults('truncate:bytes=100,mode=length')
        self.assertRaises(http.client.IncompleteRead, self.sim.call)
        self.faults('truncate:bytes=100,mode=chunked')
        self.assertRaises(http.client.IncompleteRead, self.sim.call)
        self.faults('truncate:bytes=100,mode=eof')
        reply = self.sim.call()
        self.assertEqual((len(reply.body), reply.headers['Content-Length']), (100, None))
        self.faults('truncate')
        data, end = self.raw()
        length = int(re.search(rb'Content-Length: (\d+)', data).group(1))
        self.assertEqual((end, len(data.split(b'\r\n\r\n', 1)[1])), ('closed', length // 2))

    def test_reset(self):
        self.faults('reset:bytes=50')
        data, end = self.raw()
        self.assertEqual(end, 'reset')

    def test_hang(self):
        self.faults('hang:seconds=1')
        start = time.monotonic()
        self.assertEqual(self.raw(), (b'', 'closed'))
        self.assertGreater(time.monotonic() - start, 0.9)
        self.faults('hang')
        self.assertEqual(self.raw(timeout=0.3), (b'', 'timeout'))
        self.faults('hang:seconds=1,mode=reply')
        start = time.monotonic()
        self.assertEqual(self.sim.call().status, 200)
        self.assertGreater(time.monotonic() - start, 0.9)
        self.faults('hang:mode=body')
        data, end = self.raw(timeout=0.5)
        self.assertEqual(end, 'timeout')
        self.assertIn(b'"requestId"', data)

    def test_hanging_connection_ends_with_its_client(self):
        self.faults('hang')
        self.raw(timeout=0.1)
        deadline = time.monotonic() + 2
        while self.sim.control()['in_flight'] and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertEqual(self.sim.control()['in_flight'], 0)

    def test_drip(self):
        self.faults('drip:bytes=10,every_ms=20')
        data, end = self.raw(timeout=0.5)
        self.assertEqual(end, 'timeout')
        self.assertTrue(50 < len(data.split(b'\r\n\r\n', 1)[1]) <= 260, data)

    def test_huge(self):
        self.faults('huge:size=8MiB')
        reply = self.sim.call()
        self.assertGreater(len(reply.body), 8 << 20)
        self.assertGreater(len(json.loads(reply.body)['data']), 10000)

    def test_gzip_bomb(self):
        self.faults('gzip-bomb:size=20MiB')
        reply = self.sim.call()
        self.assertLess(len(reply.body), 100000)
        plain = gzip.decompress(reply.body)
        self.assertGreaterEqual(len(plain), 20 << 20)
        self.assertEqual(json.loads(plain)['data'], [])

    def test_total_size(self):
        for spec, want in (('value=7', 7), ('delta=-5', 25), ('negative', -1), ('string', '30'),
                           ('null', None)):
            self.faults('total-size:' + spec)
            self.assertEqual(self.sim.list()['totalSize'], want)
        self.faults('total-size:missing')
        self.assertNotIn('totalSize', self.sim.list())
        self.faults('total-size:varying')
        self.assertGreater(len({self.sim.list()['totalSize'] for _ in range(3)}), 1)

    def test_endless(self):
        self.faults('endless')
        for page in (1, 4, 1000):
            got = self.sim.list(pageIndex=page, pageSize=20)
            self.assertEqual(len(got['data']), 20)
            self.assertGreater(got['totalSize'], page * 20)
        known = {t['deploymentId'] for t in self.sim.truth()}
        self.faults('endless:fresh')
        got = self.sim.list(pageIndex=2, pageSize=20)
        fresh = [d['deploymentId'] for d in got['data'] if d['deploymentId'] not in known]
        self.assertEqual((len(got['data']), len(set(fresh))), (20, 10))

    def test_shift(self):
        before = [t['deploymentId'] for t in self.sim.truth()]
        self.faults('shift:move,count=1')
        first = self.sim.list(pageSize=10)['data']
        second = self.sim.list(pageSize=10, pageIndex=2)['data']
        self.assertEqual([d['deploymentId'] for d in first], before[:10])
        self.assertEqual([d['deploymentId'] for d in second], before[11:21])
        self.faults('shift:remove,count=1')
        self.sim.list(pageSize=10, pageIndex=2)
        self.assertEqual(len(self.sim.truth()), 29)
        self.faults('shift:insert,count=1')
        self.sim.list(pageSize=10, pageIndex=2)
        after = [t['deploymentId'] for t in self.sim.truth()]
        self.assertEqual((len(after), after[0] in before), (30, False))

    def test_invalid_utf8(self):
        self.faults('invalid-utf8')
        self.assertRaises(UnicodeDecodeError, self.sim.call().body.decode)

    def test_which_requests(self):
        self.faults('status:page=2,count=1', 'html:after=3')
        codes = [self.sim.call({'pageIndex': p}).status for p in (1, 2, 2, 1)]
        self.assertEqual(codes, [200, 503, 200, 502])
        faults = self.sim.control()['faults']
        self.assertEqual([f['applied'] for f in faults], [1, 1])

    def test_bad_signature_beats_the_fault(self):
        self.faults('html')
        self.assertEqual(code_of(self.sim.call(secret='wrong')), (400, 'SignatureDoesNotMatch'))


class Control(Case):
    flags = ('--deployments', '3', '--namespaces', 'a,b', '--rate-limit', '0', '--quirks', '0')

    def by_id(self, namespace='a'):
        return {t['deploymentId']: t for t in self.sim.truth(namespace)}

    def test_state(self):
        self.sim.control({'reset_counters': True})
        self.sim.call(namespace='a')
        self.sim.call(namespace='a', method='POST')
        self.sim.call(namespace='a', secret='wrong')
        state = self.sim.control()
        self.assertEqual(state['workspace'], WORKSPACE)
        self.assertEqual(state['namespaces'][:2], ['a', 'b'])
        self.assertEqual(state['deployments']['b'], 3)
        self.assertEqual(state['requests'], 3)
        self.assertEqual(state['calls'], {'ListDeployments': {'GET': 2}, 'unknown': {'POST': 1}})
        self.assertEqual(state['rejections'], {'UnsupportedHTTPMethod': 1, 'SignatureDoesNotMatch': 1})
        self.assertGreaterEqual(state['connections_opened'], 3)
        self.assertEqual(state['in_flight'], 0)

    def test_log(self):
        self.sim.control({'reset_counters': True})
        self.sim.call({'pageIndex': 7}, namespace='a')
        self.sim.call(namespace='a', secret='wrong')
        log = self.sim.get('/_sim/log')
        self.assertEqual([(e['method'], e['path'], e['query'], e['status'], e['code']) for e in log],
                         [('GET', '/api/v2/namespaces/a/deployments', 'pageIndex=7', 200, ''),
                          ('GET', '/api/v2/namespaces/a/deployments', '', 400,
                           'SignatureDoesNotMatch')])
        self.assertLessEqual(log[0]['ms'], log[1]['ms'])
        self.assertEqual(len(self.sim.get('/_sim/log?since=%d' % log[1]['seq'])), 1)

    def test_both_ways_to_the_truth(self):
        self.assertEqual(self.sim.get('/_sim?deployments=a'), self.sim.get('/_sim/deployments/a'))

    def test_events_and_ledger(self):
        self.sim.control({'add': [{'deploymentId': 'ev', 'name': 'x', 'jobSummary': {'running': 1}}],
                          'namespace': 'a'})
        self.sim.control({'event': {'deploymentId': 'ev', 'kind': 'fail', 'count': 2}})
        got = self.by_id()['ev']
        self.assertEqual((got['status'], got['jobs']['failed'], got['ledger']['failures'],
                          got['ledger']['starts']), ('FAILED', 2, 2, 1))
        self.sim.control({'event': [{'deploymentId': 'ev', 'kind': 'start'},
                                    {'deploymentId': 'ev', 'kind': 'cancel'},
                                    {'deploymentId': 'ev', 'kind': 'finish'},
                                    {'deploymentId': 'ev', 'kind': 'purge', 'state': 'failed'}]})
        got = self.by_id()['ev']
        self.assertEqual(got['ledger'], {
            'starts': 3, 'failures': 2, 'cancellations': 1, 'completions': 1,
            'purged': {'failed': 1, 'cancelled': 0, 'finished': 0}})
        shown = [d for d in json.loads(self.sim.call(namespace='a').body)['data']
                 if d['deploymentId'] == 'ev'][0]
        self.assertEqual(shown['jobSummary']['failed'], 1)
        self.sim.control({'remove': ['ev']})
        self.assertNotIn('ev', self.by_id())
        removed = {g['deploymentId']: g for g in self.sim.get('/_sim/removed/a')}
        self.assertEqual(removed['ev']['ledger']['failures'], 2)
        ledger = self.sim.control()['ledger']['a']
        self.assertEqual((ledger['failures'], ledger['added'], ledger['removed']), (2, 1, 1))

    def test_changes_show(self):
        self.sim.control({'add': [{'deploymentId': 'ch', 'name': 'old', 'n': 12345678901234567890}],
                          'namespace': 'b'})

        def shown():
            data = json.loads(self.sim.call(namespace='b').body)['data']
            return [d for d in data if d['deploymentId'] == 'ch'][0]
        self.assertEqual(shown()['n'], 12345678901234567890)
        self.assertNotIn('jobSummary', shown())
        for summary in ({'failed': 3}, None, {s: 1 for s in STATES}, {'odd': 'x'}):
            self.sim.control({'set_summary': {'ch': summary}})
            self.assertEqual(shown()['jobSummary'], summary)
        self.sim.control({'set_summary': {'ch': 'missing'}, 'rename': {'ch': '新 "name"'}})
        self.assertEqual(shown().get('name'), '新 "name"')
        self.assertNotIn('jobSummary', shown())
        self.sim.control({'set_status': {'ch': 'CANCELLED'}})
        self.assertIn('ch', [d['deploymentId'] for d in json.loads(
            self.sim.call({'status': 'CANCELLED'}, namespace='b').body)['data']])
        self.sim.control({'remove': ['ch']})

    def test_refused_changes_nothing(self):
        before = self.sim.truth('a')
        for change in ({'add': [{'deploymentId': 'n'}], 'remove': ['nobody']},
                       {'remove': [before[0]['deploymentId']], 'faults': ['nonsense']},
                       {'unknown': 1}, [], {'event': {'deploymentId': 'nobody', 'kind': 'fail'}}):
            with self.assertRaises(ValueError) as caught:
                self.sim.control(change)
            self.assertTrue(str(caught.exception).strip())
            self.assertEqual(self.sim.truth('a'), before)
        self.assertEqual(self.sim.control()['faults'], [])

    def test_latency_is_parallel(self):
        self.sim.control({'latency': '200ms', 'reset_counters': True})
        try:
            start = time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                replies = list(pool.map(lambda _: self.sim.call(namespace='a').status, range(32)))
            took = time.monotonic() - start
        finally:
            self.sim.control({'latency': '0ms'})
        self.assertEqual(replies, [200] * 32)
        self.assertTrue(0.39 < took < 2, took)
        self.assertGreater(self.sim.control()['in_flight_max'], 8)

    def test_names_of_any_bytes(self):
        """They are served as they came; the truth about them is JSON all the same."""
        body = b'{"namespace": "b", "add": [{"deploymentId": "any", "name": "a\xffb"}]}'
        reply = self.sim.send('POST', '/_sim', {'host': self.sim.authority}, body)
        self.assertEqual(reply.status, 200)
        self.assertIn(b'"a\xffb"', self.sim.call(namespace='b').body)
        self.assertEqual(self.by_id('b')['any']['name'], 'a\ufffdb')
        self.sim.control({'remove': ['any']})

    def test_unknown_control_paths(self):
        headers = {'host': self.sim.authority}
        self.assertEqual(self.sim.send('GET', '/_sim/nothing', headers).status, 404)
        self.assertEqual(self.sim.send('GET', '/_sim/deployments/nobody', headers).status, 404)
        self.assertEqual(self.sim.send('DELETE', '/_sim', headers).status, 405)


class Loading(unittest.TestCase):
    def test_load(self):
        objects = [{'deploymentId': '1', 'name': 'one', 'jobSummary': None, 'createdAt': '17\n'},
                   {'deploymentId': '2', 'namespace': 'other', 'labels': {'n': None}},
                   {'name': 'without id', 'jobSummary': {'failed': 1}}]
        for document in (objects, {'deployments': objects}, {'success': True, 'data': objects}):
            with tempfile.NamedTemporaryFile('w', suffix='.json') as f:
                json.dump(document, f)
                f.flush()
                sim = Simulator('--load', f.name, '--namespaces', 'first')
            try:
                self.assertEqual(sim.control()['deployments'], {'first': 2, 'other': 1})
                data = json.loads(sim.call(namespace='first').body)['data']
                self.assertEqual(data[0], objects[0])
                self.assertEqual(json.loads(sim.call(namespace='other').body)['data'], [objects[1]])
                self.assertEqual(sim.truth('first')[1]['status'], 'FAILED')
            finally:
                self.assertEqual(sim.stop(), (0, ''))


class Churn(unittest.TestCase):
    """Many threads list while jobs come and go; afterwards the books must balance."""

    def test_books_balance(self):
        sim = Simulator('--deployments', '40', '--namespaces', 'a,b', '--churn', '0',
                        '--rate-limit', '0', '--profile', 'small')
        try:
            before = {t['deploymentId']: t for n in 'ab' for t in sim.truth(n)}
            sim.control({'churn': 2000, 'faults': ['shift:rate=0.05,namespace=b']})
            with concurrent.futures.ThreadPoolExecutor(6) as pool:
                end = time.monotonic() + 3

                def lister(number):
                    calls = 0
                    while time.monotonic() < end:
                        reply = sim.call({'pageSize': 30, 'pageIndex': 1 + calls % 2},
                                         namespace='ab'[number % 2])
                        self.assertEqual(reply.status, 200)
                        for d in json.loads(reply.body)['data']:
                            self.assertTrue(all(v >= 0 for v in d['jobSummary'].values()))
                        calls += 1
                    return calls
                calls = sum(pool.map(lister, range(6)))
            sim.control({'churn': 0})
            self.assertGreater(calls, 20)
            ledger = sim.control()['ledger']
            self.assertGreater(sum(ledger[n]['failures'] for n in 'ab'), 50)
            for name in 'ab':
                self.check_namespace(sim, name, ledger[name], before)
        finally:
            self.assertEqual(sim.stop(), (0, ''))

    def check_namespace(self, sim, name, ledger, before):
        truth, gone = sim.truth(name), sim.get('/_sim/removed/' + name)
        self.assertEqual(len(truth), 40 + ledger['added'] - ledger['removed'])
        self.assertEqual(len(gone), ledger['removed'])
        for key in ('starts', 'failures', 'cancellations', 'completions'):
            self.assertEqual(ledger[key], sum(d['ledger'][key] for d in truth + gone))
        for t in truth:
            start = before.get(t['deploymentId'], {'jobs': dict.fromkeys(STATES, 0)})['jobs']
            book = t['ledger']
            for state, key in (('failed', 'failures'), ('cancelled', 'cancellations'),
                               ('finished', 'completions')):
                self.assertEqual(t['jobs'][state],
                                 start[state] + book[key] - book['purged'][state])
            live = sum(t['jobs'][s] for s in STATES[:3])
            ended = book['failures'] + book['cancellations'] + book['completions']
            self.assertEqual(live, sum(start[s] for s in STATES[:3]) + book['starts'] - ended)
            self.assertTrue(t['status'] is None or t['jobs'][t['status'].lower()] > 0)


if __name__ == '__main__':
    unittest.main()
