"""The simulator's STS, metadata service and credentials URI, and the keys they issue."""
import calendar
import email.utils
import json
import time
import unittest
import urllib.parse

from simulator_client import Case, Simulator, code_of, encode

ROLE = 'acs:ram::1234567890123456:role/flinkmon'
FORM = 'application/x-www-form-urlencoded'
ROLE_PATH = '/latest/meta-data/ram/security-credentials/'
OK = {'mode': 'ok', 'lifetime_s': None}


class Credentials(Case):
    flags = ('--deployments', '1', '--rate-limit', '0')

    def tearDown(self):
        self.sim.control({'sts': {**OK, 'oidc_token': ''}, 'credentials_uri': OK,
                          'metadata': {**OK, 'role': 'FlinkMonRole'}, 'clock_offset': '0s',
                          'reset_counters': True})
        super().tearDown()

    # --- clients ---------------------------------------------------------------------------------

    def assume(self, key=None, **changes):
        signing = {k: changes.pop(k) for k in ('secret', 'when', 'nonce', 'token', 'version')
                   if k in changes}
        query = {'RoleArn': ROLE, 'RoleSessionName': 'flink-exporter', 'DurationSeconds': '3600',
                 **changes}
        pairs = sorted((k, v) for k, v in query.items() if v is not None)
        headers = self.sim.headers('POST', '/', pairs, action='AssumeRole', key=key,
                                   **{'version': '2015-04-01', **signing})
        target = '/?' + '&'.join('%s=%s' % (encode(k), encode(v)) for k, v in pairs)
        return self.sim.send('POST', target, headers)

    def oidc(self, query=(), content_type=FORM, **changes):
        query = {'Version': '2015-04-01', 'Action': 'AssumeRoleWithOIDC', 'Format': 'JSON',
                 'Timestamp': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime()), **dict(query)}
        form = {'OIDCProviderArn': 'acs:ram::1:oidc-provider/ack-rrsa', 'OIDCToken': 'ey.ab.c',
                'RoleArn': ROLE, 'RoleSessionName': 'exporter', 'DurationSeconds': '3600', **changes}
        body = urllib.parse.urlencode({k: v for k, v in form.items() if v is not None})
        return self.sim.send('POST', '/?' + urllib.parse.urlencode(query),
                             {'host': self.sim.authority, 'content-type': content_type},
                             body.encode())

    def plain(self, method, path, **headers):
        return self.sim.send(method, path, {'host': self.sim.authority, **headers})

    def metadata_token(self, ttl='21600'):
        return self.plain('PUT', '/latest/api/token',
                          **{'X-aliyun-ecs-metadata-token-ttl-seconds': ttl})

    def metadata(self, path='', token=None):
        return self.plain('GET', ROLE_PATH + path,
                          **({'X-aliyun-ecs-metadata-token': token} if token else {}))

    def good(self, reply):
        self.assertEqual(reply.status, 200, reply.body)
        body = json.loads(reply.body)
        return body.get('Credentials', body)

    def list_with(self, key, **changes):
        signing = {'key': key['AccessKeyId'], 'secret': key['AccessKeySecret'],
                   'token': key['SecurityToken'], **changes}
        reply = self.sim.call(**signing)
        return 200 if reply.status == 200 else code_of(reply)[1]

    def expires_in(self, reply):
        expiry = calendar.timegm(time.strptime(self.good(reply)['Expiration'],
                                               '%Y-%m-%dT%H:%M:%SZ'))
        return expiry - email.utils.parsedate_to_datetime(reply.headers['Date']).timestamp()

    # --- the keys --------------------------------------------------------------------------------

    def every_source(self):
        token = self.metadata_token().body.decode()
        return {'assume': self.assume(), 'oidc': self.oidc(),
                'metadata': self.metadata('FlinkMonRole', token),
                'uri': self.plain('GET', '/credentials')}

    def test_every_source_issues_fresh_keys_that_work(self):
        seen = set()
        for name, reply in [*self.every_source().items(), *self.every_source().items()]:
            with self.subTest(name):
                key = self.good(reply)
                seen.add(key['AccessKeyId'])
                self.assertTrue(key['AccessKeyId'].startswith('STS.'))
                self.assertEqual(self.list_with(key), 200)
                self.assertIn(self.expires_in(reply), (3599, 3600))
                self.assertEqual(self.list_with(key, token='CAISnobody'),
                                 'InvalidSecurityToken.MismatchWithAccessKey')
                self.assertEqual(self.list_with(key, token=None),
                                 'InvalidSecurityToken.Malformed')
                self.assertEqual(self.list_with(key, secret='wrong'), 'SignatureDoesNotMatch')
        self.assertEqual(len(seen), 8)
        self.assertEqual(self.sim.call().status, 200)  # the account's own key goes on

    def test_keys_expire(self):
        self.sim.control({'sts': {'lifetime_s': 2}})
        reply = self.assume()
        self.assertIn(self.expires_in(reply), (1, 2))
        key = self.good(reply)
        self.assertEqual(self.list_with(key), 200)
        self.sim.control({'clock_offset': '5s'})
        self.assertEqual(self.list_with(key), 'InvalidSecurityToken.Expired')
        self.assertEqual(self.list_with(key, token='other'),
                         'InvalidSecurityToken.MismatchWithAccessKey')
        self.sim.control({'clock_offset': '0s', 'sts': {'lifetime_s': None}})
        keys = [self.good(r) for r in self.every_source().values()]
        self.sim.control({'expire_issued': True})
        self.assertEqual({self.list_with(k) for k in keys}, {'InvalidSecurityToken.Expired'})
        self.assertEqual(self.list_with(self.good(self.assume())), 200)

    def test_times_follow_the_simulators_clock(self):
        self.sim.control({'clock_offset': '20m'})
        when = time.time() + 1200
        reply = self.assume(when=when)
        self.assertIn(self.expires_in(reply), (3599, 3600))
        self.assertEqual(self.list_with(self.good(reply), when=when), 200)
        self.assertEqual(code_of(self.assume()), (400, 'InvalidTimeStamp.Expired'))

    def test_a_thousand_are_kept(self):
        first = self.good(self.plain('GET', '/credentials'))
        for _ in range(999):
            self.plain('GET', '/credentials')
        self.assertEqual(self.list_with(first), 200)
        last = self.good(self.plain('GET', '/credentials'))
        self.assertEqual(self.list_with(first), 'InvalidAccessKeyId.NotFound')
        self.assertEqual(self.list_with(last), 200)

    # --- STS -------------------------------------------------------------------------------------

    def test_assume_role_shape(self):
        body = json.loads(self.assume().body)
        self.assertEqual(set(body), {'RequestId', 'AssumedRoleUser', 'Credentials'})
        self.assertEqual(body['AssumedRoleUser'], {
            'Arn': ROLE + '/flink-exporter', 'AssumedRoleId': '300000000000000:flink-exporter'})
        self.assertEqual(set(body['Credentials']),
                         {'AccessKeyId', 'AccessKeySecret', 'SecurityToken', 'Expiration'})
        self.assertIn(self.expires_in(self.assume(DurationSeconds='900')), (899, 900))

    def test_assume_role_is_verified(self):
        self.assertEqual(code_of(self.assume(secret='wrong')), (400, 'SignatureDoesNotMatch'))
        self.assertEqual(code_of(self.assume(key='LTAInobody')),
                         (404, 'InvalidAccessKeyId.NotFound'))
        self.assertEqual(code_of(self.assume(when=time.time() - 1000)),
                         (400, 'InvalidTimeStamp.Expired'))
        self.assertEqual(self.assume(nonce='same').status, 200)
        self.assertEqual(code_of(self.assume(nonce='same')), (400, 'SignatureNonceUsed'))
        self.assertEqual(code_of(self.assume(version='2022-07-18')), (404, 'InvalidVersion'))
        for change, code in (({'RoleArn': None}, 'MissingRoleArn'),
                             ({'RoleSessionName': None}, 'MissingRoleSessionName'),
                             ({'RoleArn': 'flinkmon'}, 'InvalidParameter.RoleArn'),
                             ({'RoleArn': 'acs:ram::1:role/'}, 'InvalidParameter.RoleArn'),
                             ({'RoleSessionName': 'a b'}, 'InvalidParameter.RoleSessionName'),
                             ({'RoleSessionName': 'x' * 65}, 'InvalidParameter.RoleSessionName'),
                             ({'DurationSeconds': '899'}, 'InvalidParameter.DurationSeconds')):
            self.assertEqual(code_of(self.assume(**change)), (400, code), change)

    def test_roles_chain(self):
        first = self.good(self.plain('GET', '/credentials'))
        second = self.good(self.assume(key=first['AccessKeyId'], secret=first['AccessKeySecret'],
                                       token=first['SecurityToken']))
        self.assertEqual(self.list_with(second), 200)
        self.sim.control({'expire_issued': True})
        self.assertEqual(code_of(self.assume(
            key=first['AccessKeyId'], secret=first['AccessKeySecret'],
            token=first['SecurityToken'])), (400, 'InvalidSecurityToken.Expired'))

    def test_oidc(self):
        body = json.loads(self.oidc().body)
        self.assertEqual(set(body['OIDCTokenInfo']), {'Subject', 'Issuer', 'ClientIds'})
        for change, want in (({'OIDCToken': None}, (400, 'MissingOIDCToken')),
                             ({'OIDCProviderArn': None}, (400, 'MissingOIDCProviderArn')),
                             ({'RoleArn': None}, (400, 'MissingRoleArn')),
                             ({'OIDCToken': 'abc'}, (400, 'InvalidParameter.OIDCToken')),
                             ({'OIDCToken': 'x' * 20001}, (400, 'InvalidParameter.OIDCToken')),
                             ({'query': {'Version': '1'}}, (404, 'InvalidVersion')),
                             ({'query': {'Action': 'GetIt'}}, (404, 'InvalidAction.NotFound')),
                             ({'content_type': 'text/plain'}, (415, 'UnsupportedContentType'))):
            self.assertEqual(code_of(self.oidc(**change)), want, change)
        self.assertEqual(self.oidc(OIDCToken='x' * 20000).status, 200)
        self.sim.control({'sts': {'oidc_token': 'the.right.one'}})
        self.assertEqual(self.oidc(OIDCToken='the.right.one').status, 200)
        for token in ('the.right.one\n', 'ey.ab.c'):
            reply = self.oidc(OIDCToken=token)
            self.assertEqual(code_of(reply), (401, 'AuthenticationFail.OIDCToken.Invalid'))
            self.assertEqual(set(json.loads(reply.body)),
                             {'RequestId', 'HostId', 'Code', 'Message', 'Recommend'})
        self.assertEqual(self.plain('GET', '/').status, 404)

    # --- the switches ----------------------------------------------------------------------------

    def test_sts_modes(self):
        for mode, assume, oidc in (
                ('fail', (503, 'ServiceUnavailable'), (503, 'ServiceUnavailable')),
                ('deny', (403, 'NoPermission'), (401, 'AuthenticationFail.NoPermission'))):
            self.sim.control({'sts': {'mode': mode}})
            self.assertEqual(code_of(self.assume()), assume)
            self.assertEqual(code_of(self.oidc()), oidc)
        self.sim.control({'sts': {'mode': 'malformed'}})
        for reply in (self.assume(), self.oidc()):
            self.assertEqual(reply.status, 200)
            self.assertRaises(ValueError, json.loads, reply.body)
        self.sim.control({'sts': {'mode': 'ok'}})
        self.assertEqual(self.assume().status, 200)

    def test_hang(self):
        for source, get in (('sts', self.assume),
                            ('metadata', lambda: self.metadata_token()),
                            ('credentials_uri', lambda: self.plain('GET', '/credentials'))):
            self.sim.control({source: {'mode': 'hang'}})
            send = self.sim.send
            self.sim.send = lambda *a, **k: send(*a, **{**k, 'timeout': 0.2})
            try:
                self.assertRaises(TimeoutError, get)
            finally:
                self.sim.send = send
            self.sim.control({source: {'mode': 'ok'}})
            self.assertEqual(get().status, 200)

    def test_metadata(self):
        self.assertEqual(self.metadata().status, 403)
        self.assertEqual(self.metadata('FlinkMonRole', 'nonsense').status, 403)
        for ttl in ('0', '21601', 'x'):
            self.assertEqual(self.metadata_token(ttl).status, 400)
        self.assertEqual(self.plain('GET', '/latest/api/token').status, 405)
        reply = self.metadata_token()
        token = reply.body.decode()
        self.assertEqual((reply.status, reply.headers['Content-Type']), (200, 'text/plain'))
        self.assertEqual(self.metadata('', token).body, b'FlinkMonRole')
        self.assertEqual(self.metadata('Another', token).status, 404)
        key = self.good(self.metadata('FlinkMonRole', token))
        self.assertEqual(key['Code'], 'Success')
        self.assertRegex(key['LastUpdated'], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$')
        self.sim.control({'metadata': {'role': 'Another'}})
        self.assertEqual(self.metadata('', token).body, b'Another')
        self.sim.control({'clock_offset': '7h'})
        self.assertEqual(self.metadata('', token).status, 403)

    def test_metadata_modes(self):
        token = self.metadata_token().body.decode()
        self.sim.control({'metadata': {'mode': 'v1-only'}})
        self.assertEqual(self.metadata_token().status, 404)
        self.assertEqual(self.metadata().body, b'FlinkMonRole')
        self.assertEqual(self.list_with(self.good(self.metadata('FlinkMonRole'))), 200)
        self.sim.control({'metadata': {'mode': 'no-role'}})
        self.assertEqual(self.metadata_token().status, 200)
        self.assertEqual((self.metadata('', token).status,
                          self.metadata('FlinkMonRole', token).status), (404, 404))
        self.sim.control({'metadata': {'mode': 'fail'}})
        self.assertEqual((self.metadata_token().status, self.metadata('', token).status),
                         (503, 503))
        self.sim.control({'metadata': {'mode': 'malformed'}})
        self.assertEqual(self.metadata('', token).body, b'FlinkMonRole')
        self.assertRaises(ValueError, json.loads, self.metadata('FlinkMonRole', token).body)
        self.sim.control({'metadata': {'mode': 'deny'}})
        self.assertEqual(self.good(self.metadata('FlinkMonRole', token))['Code'], 'Failed')

    def test_credentials_uri_modes(self):
        self.assertEqual(set(self.good(self.plain('GET', '/credentials'))), {
            'Code', 'AccessKeyId', 'AccessKeySecret', 'SecurityToken', 'Expiration'})
        self.sim.control({'credentials_uri': {'mode': 'fail', 'lifetime_s': 60}})
        self.assertEqual(self.plain('GET', '/credentials').status, 503)
        self.sim.control({'credentials_uri': {'mode': 'malformed'}})
        self.assertRaises(ValueError, json.loads, self.plain('GET', '/credentials').body)
        self.sim.control({'credentials_uri': {'mode': 'ok'}})
        self.assertIn(self.expires_in(self.plain('GET', '/credentials')), (59, 60))

    def test_bad_switches(self):
        before = self.sim.control()
        for change in ({'sts': {'mode': 'v1-only'}}, {'sts': {'lifetime_s': -1}}, {'sts': 'fail'},
                       {'metadata': {'mode': 'x'}}, {'metadata': {'role': ''}},
                       {'credentials_uri': {'role': 'x'}}, {'expire_issued': 1},
                       {'sts': {'mode': 'fail'}, 'nonsense': 1}):
            self.assertRaises(ValueError, self.sim.control, change)
        after = self.sim.control()
        for key in ('sts', 'metadata', 'credentials_uri'):
            self.assertEqual(after[key], before[key])

    # --- what is counted -------------------------------------------------------------------------

    def test_counts_and_log(self):
        self.sim.control({'reset_counters': True})
        self.every_source()
        self.metadata()
        self.oidc(OIDCToken='x')
        state = self.sim.control()
        self.assertEqual((state['requests'], state['calls'], state['rejections'],
                          state['in_flight_max']), (0, {}, {}, 0))
        self.assertEqual(state['exchanges'], {
            'AssumeRole': {'ok': 1}, 'AssumeRoleWithOIDC': {'ok': 1, 'failed': 1},
            'MetadataToken': {'ok': 1}, 'MetadataCredentials': {'ok': 1},
            'MetadataRole': {'failed': 1}, 'CredentialsURI': {'ok': 1}})
        text = self.plain('GET', '/_sim/log').body
        self.assertEqual([(e['kind'], e['operation']) for e in json.loads(text)], [
            ('metadata', 'MetadataToken'), ('sts', 'AssumeRole'), ('sts', 'AssumeRoleWithOIDC'),
            ('metadata', 'MetadataCredentials'), ('credentials_uri', 'CredentialsURI'),
            ('metadata', 'MetadataRole'), ('sts', 'AssumeRoleWithOIDC')])
        self.sim.call()
        self.assertEqual(self.sim.get('/_sim/log')[-1]['kind'], 'api')


class Unverified(unittest.TestCase):
    def test_sts_takes_anybody(self):
        sim = Simulator('--no-verify', '--deployments', '1')
        try:
            reply = sim.send('POST', '/?Action=AssumeRole&Version=2015-04-01&RoleSessionName=me&'
                             'RoleArn=' + encode(ROLE), {'host': sim.authority})
            self.assertEqual(reply.status, 200)
        finally:
            self.assertEqual(sim.stop(), (0, ''))


if __name__ == '__main__':
    unittest.main()
