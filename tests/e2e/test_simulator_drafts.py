"""The simulator's drafts, deploy tickets, deployments by name, and jobs.

The published sample answers are in tests/fixtures/simulator; that of the ticket was no JSON (four
quotes in a row), so one message in it is corrected.
"""
import collections
import gzip
import json
import os
import re
import tempfile
import time
import unittest

from simulator_client import Case, Simulator, code_of, encode

FIXTURES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                        'fixtures', 'simulator')
NS = '/api/v2/namespaces/default-namespace'
CONTENT = ('artifact', 'engineVersion', 'executionMode', 'labels', 'localVariables')
UUID = r'^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
NOWHERE = '00000000-0000-0000-0000-000000000000'
SETTINGS = {'faults': [], 'patch': 'replace', 'ignore_locks': False, 'missing_name': 'empty',
            'ticket_polls': 2, 'ticket_time': None, 'ticket_course': None, 'churn': 0}


def sample(name):
    with open(os.path.join(FIXTURES, name + '.json'), encoding='utf-8') as f:
        return json.load(f)


class DraftCase(Case):
    flags = ('--deployments', '20', '--drafts', '20', '--rate-limit', '0', '--profile', 'small')

    def tearDown(self):
        self.sim.control(SETTINGS)

    # --- clients ---------------------------------------------------------------------------------

    def ask(self, action, path, body=None, method='GET', **query):
        raw = b'' if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.sim.call(query, path=NS + path, method=method, action=action, body=raw)

    def data(self, reply):
        self.assertEqual(reply.status, 200, reply.body)
        body = json.loads(reply.body)
        self.assertTrue(body['success'], body)
        return body['data']

    def draft(self, draft_id):
        return self.data(self.ask('GetDeploymentDraft', '/deployment-drafts/' + draft_id))

    def patch(self, draft_id, body):
        return self.ask('UpdateDeploymentDraft', '/deployment-drafts/' + draft_id, body, 'PATCH')

    def deploy(self, draft_id, **more):
        body = {'deploymentDraftId': draft_id, 'skipValidate': False, **more}
        reply = self.ask('DeployDeploymentDraftAsync', '/deployment-drafts/async-deploy', body,
                         'POST')
        return self.data(reply)['ticketId']

    def poll(self, ticket):
        return self.data(self.ask('GetDeployDeploymentDraftResult',
                                  '/deployment-drafts/tickets/%s/async-deploy' % ticket))

    def deployment(self, deployment_id):
        return self.data(self.ask('GetDeployment', '/deployments/' + deployment_id))

    def named(self, name, **query):
        return self.ask('GetDeploymentsByName', '/deployments/name/' + encode(name), **query)

    def drafts(self):
        return self.sim.get('/_sim/drafts/default-namespace')

    def one(self, **want):
        """The id of a draft whose truth is that."""
        for d in self.drafts():
            if all(d['_sim'][k] == v for k, v in want.items()):
                return d['deploymentDraftId']
        raise AssertionError('no draft with %r' % want)


class Drafts(DraftCase):
    def test_generated_world(self):
        truth = self.drafts()
        self.assertEqual(self.sim.control()['drafts'], {'default-namespace': 20})
        counts = collections.Counter(
            (d['_sim']['deployed'], d['_sim']['differs'], d['_sim']['locked']) for d in truth)
        self.assertEqual(counts, {(True, False, False): 10, (True, False, True): 2,
                                  (True, True, False): 2, (True, True, True): 2,
                                  (False, None, False): 4})
        of_deployment = {d['deploymentId']: d for d in self.sim.list_all()}
        refer = {d['referencedDeploymentDraftId']: d['deploymentId']
                 for d in of_deployment.values() if d['referencedDeploymentDraftId']}
        self.assertEqual(refer, {d['deploymentDraftId']: d['referencedDeploymentId'] for d in truth
                                 if d.get('referencedDeploymentId')})
        for d in truth:
            self.assertRegex(d['deploymentDraftId'], UUID)
            self.assertIs(type(d['createdAt']), int)
            self.assertLess(d['createdAt'], d['modifiedAt'])
            kinds = {'SQLSCRIPT': 'sqlArtifact', 'JAR': 'jarArtifact', 'PYTHON': 'pythonArtifact',
                     'CDCYAML': 'cdcYamlArtifact'}
            self.assertEqual(set(d['artifact']), {'kind', kinds[d['artifact']['kind']]})
            if d['_sim']['locked']:
                self.assertEqual(set(d['lock']), {'id', 'workspace', 'namespace', 'holderId',
                                                  'holderName'})
            if not d['_sim']['deployed']:
                self.assertIn(d.get('referencedDeploymentId', ''), ('',))
                continue
            other = of_deployment[d['referencedDeploymentId']]
            same = all(d.get(k) == other.get(k) for k in CONTENT)
            self.assertEqual(same, not d['_sim']['differs'])
            if d['_sim']['differs']:
                self.assertGreater(d['modifiedAt'], int(other['modifiedAt']))
            else:
                self.assertLessEqual(d['modifiedAt'], int(other['modifiedAt']))

    def shape(self, got, want, path=''):
        """Nothing that the sample does not have, and of the same types."""
        if isinstance(want, dict):
            self.assertLessEqual(set(got), set(want), path)
            for key in got:
                self.shape(got[key], want[key], path + '.' + key)
        elif isinstance(want, list):
            for item in got:
                self.shape(item, want[0], path + '[]')
        else:
            self.assertIs(type(got), type(want), (path, got))

    def test_shapes_of_the_samples(self):
        def without_free_maps(data):
            for key in ('labels', 'flinkConf', 'streamingResourceSetting', 'batchResourceSetting'):
                data.pop(key, None)
            if 'cdcYamlArtifact' in data['artifact']:
                data['artifact'].pop('cdcYamlArtifact')
            return data
        for d in self.drafts():
            reply = self.ask('GetDeploymentDraft', '/deployment-drafts/' + d['deploymentDraftId'])
            for name in ('get-deployment-draft', 'update-deployment-draft'):
                body = json.loads(reply.body)
                without_free_maps(body['data'])
                self.shape(body, sample(name))
                self.assertEqual(set(body), set(sample(name)))
        for name in {t['name'] for t in self.sim.truth()}:
            body = json.loads(self.named(name).body)
            want = sample('get-deployments-by-name')
            for d in body['data']:
                d['createdAt'] = str(d['createdAt'])  # the sample is alone in quoting it
                d['modifiedAt'] = str(d['modifiedAt'])
                without_free_maps(d)
            self.shape(body, want)
        self.sim.control({'tickets': [{'id': 'shape', 'polls': 0, 'end': 'FINISHED',
                                       'success': False, 'errors': [
                                           {'line': 3, 'column': 10, 'end_line': 4,
                                            'end_column': 5, 'message': 'no such table'}]}]})
        want = sample('deploy-draft-result')
        body = json.loads(self.ask('GetDeployDeploymentDraftResult',
                                   '/deployment-drafts/tickets/shape/async-deploy').body)
        self.shape(body, want)
        self.assertEqual(set(body['data']), set(want['data']))
        details = body['data']['artifactValidationDetail']['errorDetails']
        self.assertEqual(details, {'lineNumber': '3', 'columnNumber': '10', 'endLineNumber': '4',
                                   'endColumnNumber': '5', 'message': 'no such table'})

    def test_listing(self):
        truth = self.drafts()
        got, page = [], 1
        while True:
            body = json.loads(self.ask('ListDeploymentDrafts', '/deployment-drafts', pageIndex=page,
                                       pageSize=7).body)
            self.assertEqual((body['pageIndex'], body['pageSize'], body['totalSize']),
                             (page, 7, len(truth)))
            got += body['data']
            page += 1
            if len(body['data']) < 7:
                break
        for d in truth:
            d.pop('_sim')
        self.assertEqual(got, truth)
        self.assertEqual(got[3], self.draft(got[3]['deploymentDraftId']))
        self.assertEqual(len(self.data(self.ask('ListDeploymentDrafts', '/deployment-drafts'))), 10)
        for query in ({'pageSize': 101}, {'pageIndex': 0}, {'pageSize': 'x'}):
            self.assertEqual(code_of(self.ask('ListDeploymentDrafts', '/deployment-drafts',
                                              **query)), (400, 'InvalidParameter'))
        reply = self.sim.call({'pageSize': '5'}, path=NS + '/deployment-drafts',
                              action='ListDeploymentDrafts', extra={'accept-encoding': 'gzip'},
                              unsigned=('workspace', 'accept', 'accept-encoding'))
        self.assertEqual(json.loads(gzip.decompress(reply.body))['data'], got[:5])

    def test_unknown_ids(self):
        for action, path, method, body in (
                ('GetDeploymentDraft', '/deployment-drafts/' + NOWHERE, 'GET', None),
                ('UpdateDeploymentDraft', '/deployment-drafts/' + NOWHERE, 'PATCH', {}),
                ('GetDeployment', '/deployments/' + NOWHERE, 'GET', None),
                ('DeployDeploymentDraftAsync', '/deployment-drafts/async-deploy', 'POST',
                 {'deploymentDraftId': NOWHERE}),
                ('GetDeployDeploymentDraftResult',
                 '/deployment-drafts/tickets/%s/async-deploy' % NOWHERE, 'GET', None)):
            reply = self.ask(action, path, body, method)
            body = json.loads(reply.body)
            self.assertEqual((reply.status, body['success'], body['errorCode'], body['data']),
                             (200, False, '990301', None), action)
            self.assertIn('not found', body['errorMessage'])

    def test_gateway_rules_hold(self):
        path = NS + '/deployment-drafts/' + self.one(deployed=True)
        for signing, want in (({'secret': 'x'}, (400, 'SignatureDoesNotMatch')),
                              ({'extra': {'workspace': None}}, (400, 'MissingWorkspace')),
                              ({'action': 'GetDeployment'}, (404, 'InvalidApi.NotFound'))):
            signing = {'action': 'GetDeploymentDraft', **signing}
            self.assertEqual(code_of(self.sim.call(path=path, **signing)), want)
        reply = self.sim.call(path=path, method='DELETE', action='GetDeploymentDraft')
        self.assertEqual((reply.status, reply.headers['Allow']), (405, 'GET, PATCH'))
        body = json.loads(self.sim.call(path=NS.replace('default', 'other') + '/deployment-drafts',
                                        action='ListDeploymentDrafts').body)
        self.assertEqual(body['AccessDeniedDetail']['AuthAction'], 'stream:ListDeploymentDrafts')


class Updating(DraftCase):
    KEPT = ('deploymentDraftId', 'name', 'workspace', 'namespace', 'creator', 'creatorName',
            'createdAt', 'referencedDeploymentId')

    def test_replace_clears_what_is_left_out(self):
        draft_id = self.one(deployed=True, differs=False, locked=False)
        before = self.draft(draft_id)
        body = {'artifact': {'kind': 'SQLSCRIPT', 'sqlArtifact': {'sqlScript': 'SELECT 1 -- ü'}},
                'labels': {'big': 12345678901234567890, 'n': 1.0}, 'name': 'another',
                'deploymentDraftId': NOWHERE, 'creator': 'me', 'createdAt': 1,
                'referencedDeploymentId': '', 'modifiedAt': 5}
        raw = json.dumps(body, ensure_ascii=False).encode()
        reply = self.patch(draft_id, raw)
        after = self.data(reply)
        self.assertIn(b'12345678901234567890', reply.body)
        self.assertIn(b'"n": 1.0', reply.body)  # not a byte is lost
        self.assertEqual(after, self.draft(draft_id))
        self.assertEqual({k: after[k] for k in self.KEPT}, {k: before[k] for k in self.KEPT})
        self.assertEqual((after['artifact'], after['labels']), (body['artifact'], body['labels']))
        self.assertFalse({'engineVersion', 'executionMode', 'localVariables', 'parentId'} &
                         set(after))
        self.assertAlmostEqual(after['modifiedAt'], time.time(), delta=30)

    def test_merge_keeps_what_is_left_out(self):
        draft_id = self.one(deployed=True, differs=False, locked=False)
        before = self.draft(draft_id)
        self.sim.control({'patch': 'merge'})
        after = self.data(self.patch(draft_id, {'engineVersion': 'vvr-99'}))
        changed = {k for k in set(after) | set(before) if after.get(k) != before.get(k)}
        self.assertEqual(changed, {'engineVersion', 'modifiedAt'})

    def test_whole_draft_back_changes_nothing_else(self):
        draft_id = self.one(locked=False)
        before = self.draft(draft_id)
        after = self.data(self.patch(draft_id, {**before, 'engineVersion': 'vvr-98'}))
        self.assertEqual({k for k in set(after) | set(before) if after.get(k) != before.get(k)},
                         {'engineVersion', 'modifiedAt'})
        again = self.data(self.patch(draft_id, after))
        self.assertGreater(again['modifiedAt'], after['modifiedAt'])

    def test_locks(self):
        draft_id = self.one(locked=True)
        before = self.draft(draft_id)
        body = json.loads(self.patch(draft_id, before).body)
        self.assertEqual((body['success'], body['errorCode'], body['data']),
                         (False, '990423', None))
        self.assertIn(before['lock']['holderName'], body['errorMessage'])
        self.assertEqual(self.draft(draft_id), before)
        self.sim.control({'ignore_locks': True})
        self.assertEqual(self.data(self.patch(draft_id, {}))['lock'], before['lock'])
        self.sim.control({'ignore_locks': False, 'lock_drafts': {draft_id: None}})
        self.assertNotIn('lock', self.data(self.patch(draft_id, before)))
        self.sim.control({'lock_drafts': {draft_id: {'holderId': '42', 'holderName': '李雷'}}})
        self.assertIn('李雷 (42)', json.loads(self.patch(draft_id, {}).body)['errorMessage'])
        self.sim.control({'lock_drafts': {draft_id: 'userB'}})
        self.assertEqual(self.draft(draft_id)['lock']['holderName'], 'userB')

    def test_bad_bodies(self):
        draft_id = self.one(locked=False)
        before = self.draft(draft_id)
        for body in (b'{', b'[]', b'{} x', b'null', {'artifact': 'x'}, {'labels': []},
                     {'executionMode': 1}, {'localVariables': {}}):
            self.assertEqual(code_of(self.patch(draft_id, body)), (400, 'InvalidParameter'), body)
        self.assertEqual(code_of(self.patch(draft_id, None)), (400, 'InvalidParameter'))
        self.assertEqual(self.draft(draft_id), before)

    def test_fault_before_and_after(self):
        """A gateway's error comes before the change; a reply that is lost comes after it."""
        draft_id = self.one(locked=False)
        before = self.draft(draft_id)
        for fault in ('status:code=503', 'throttle', 'business', 'html'):
            self.sim.control({'faults': [fault + ':operation=UpdateDeploymentDraft'
                                         if ':' not in fault
                                         else fault + ',operation=UpdateDeploymentDraft']})
            self.patch(draft_id, {'engineVersion': 'lost'})
            self.assertEqual(self.draft(draft_id), before)
        self.sim.control({'faults': ['empty:operation=UpdateDeploymentDraft']})
        self.assertEqual(self.patch(draft_id, {'engineVersion': 'kept'}).body, b'')
        self.assertEqual(self.draft(draft_id)['engineVersion'], 'kept')


class Tickets(DraftCase):
    def run_to_end(self, ticket, executing=2):
        for _ in range(executing):
            got = self.poll(ticket)
            self.assertEqual((got['ticketStatus'], got['success'], got['deploymentId'],
                              got['artifactValidationDetail']), ('EXECUTING', False, '', None))
        return self.poll(ticket)

    def test_release(self):
        draft_id = self.one(deployed=True, differs=True)
        draft = self.draft(draft_id)
        before = self.deployment(draft['referencedDeploymentId'])
        truth = {t['deploymentId']: t for t in self.sim.truth()}[before['deploymentId']]
        ticket = self.deploy(draft_id)
        self.assertRegex(ticket, UUID)
        self.assertEqual(self.deployment(before['deploymentId']), before)
        got = self.run_to_end(ticket)
        self.assertEqual((got['ticketStatus'], got['success'], got['deploymentId'],
                          got['message']), ('FINISHED', True, before['deploymentId'], ''))
        self.assertEqual(self.poll(ticket), got)
        after = self.deployment(before['deploymentId'])
        self.assertEqual({k: after.get(k) for k in CONTENT}, {k: draft.get(k) for k in CONTENT})
        self.assertAlmostEqual(after['modifiedAt'], time.time(), delta=30)
        changed = {k for k in set(after) | set(before) if after.get(k) != before.get(k)}
        self.assertLessEqual(changed, {*CONTENT, 'modifiedAt', 'modifier', 'deploymentHasChanged'})
        now = {t['deploymentId']: t for t in self.sim.truth()}[before['deploymentId']]
        for key in ('jobs', 'status', 'ledger', 'name', 'createdAt'):
            self.assertEqual(now[key], truth[key])
        live = sum(truth['jobs'][s] for s in ('starting', 'running', 'cancelling'))
        self.assertEqual(after['deploymentHasChanged'], live > 0)
        self.assertIs({d['deploymentDraftId']: d for d in self.drafts()}[draft_id]['_sim']
                      ['differs'], False)
        listed = [d for d in self.sim.list_all() if d['deploymentId'] == before['deploymentId']]
        self.assertEqual(listed, [after])
        newest = self.sim.list(sortName='gmt_modified', pageSize=1)['data'][0]
        self.assertEqual(newest['deploymentId'], before['deploymentId'])

    def test_first_release_makes_a_deployment(self):
        draft_id = self.one(deployed=False)
        draft = self.draft(draft_id)
        ticket = self.deploy(draft_id, deploymentTarget={'mode': 'SESSION', 'name': 'dev'})
        got = self.run_to_end(ticket)
        made = self.deployment(got['deploymentId'])
        self.assertEqual({k: made.get(k) for k in CONTENT}, {k: draft.get(k) for k in CONTENT})
        self.assertEqual((made['name'], made['referencedDeploymentDraftId'],
                          made['deploymentTarget'], made['createdAt']),
                         (draft['name'], draft_id, {'mode': 'SESSION', 'name': 'dev'},
                          made['modifiedAt']))
        self.assertEqual(set(made['jobSummary'].values()), {0})
        self.assertEqual(self.draft(draft_id)['referencedDeploymentId'], got['deploymentId'])
        self.assertEqual(self.data(self.named(draft['name'])), [made])
        self.assertEqual(self.sim.control()['ledger']['default-namespace']['added'], 1)
        # The next one changes that deployment.
        self.assertEqual(self.run_to_end(self.deploy(draft_id))['deploymentId'],
                         got['deploymentId'])
        self.sim.control({'remove': [got['deploymentId']]})
        self.assertNotEqual(self.run_to_end(self.deploy(draft_id))['deploymentId'],
                            got['deploymentId'])

    def test_time_ends_it_unpolled(self):
        draft_id = self.one(deployed=True)
        self.sim.control({'ticket_polls': None, 'ticket_time': '300ms'})
        deployment_id = self.draft(draft_id)['referencedDeploymentId']
        before = self.deployment(deployment_id)['modifiedAt']
        ticket = self.deploy(draft_id)
        self.assertEqual(self.poll(ticket)['ticketStatus'], 'EXECUTING')
        deadline = time.monotonic() + 20
        while self.deployment(deployment_id)['modifiedAt'] == before:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        self.assertEqual(self.poll(ticket)['ticketStatus'], 'FINISHED')

    def test_scripted_ends(self):
        draft_id = self.one(deployed=True)
        deployment_id = self.draft(draft_id)['referencedDeploymentId']
        before = self.deployment(deployment_id)
        errors = [{'line': 3, 'column': 10, 'message': 'a'}, {'line': 4, 'column': 1}]
        self.sim.control({'tickets': [
            {'id': 'refused', 'draft': draft_id, 'polls': 1, 'success': False, 'errors': errors},
            {'id': 'failed', 'draft': draft_id, 'polls': 0, 'end': 'FAILED', 'success': False,
             'message': 'no quota'},
            {'id': 'valid', 'polls': 0, 'end': 'FAILED', 'validation_success': True},
            {'id': 'words', 'polls': 0, 'success': False, 'validation_result': 'INVALID'},
            {'id': 'fine', 'polls': 0, 'deployment': 'elsewhere'}]})
        got = self.run_to_end('refused', 1)
        self.assertEqual((got['ticketStatus'], got['success'], got['message']),
                         ('FINISHED', False, 'Validation error: SQL validate failed'))
        detail = got['artifactValidationDetail']
        self.assertEqual(detail['validationResult'], 'there have some errors')
        self.assertEqual([(e['lineNumber'], e['columnNumber'], e['endLineNumber'], e['message'])
                          for e in detail['errorDetails']],
                         [('3', '10', None, 'a'), ('4', '1', None, '')])
        got = self.poll('failed')
        self.assertEqual((got['ticketStatus'], got['success'], got['message'],
                          got['artifactValidationDetail']), ('FAILED', False, 'no quota', None))
        self.assertEqual(self.poll('valid')['artifactValidationDetail'],
                         {'validationResult': 'there are no errors', 'errorDetails': None})
        self.assertEqual(self.poll('words')['artifactValidationDetail']['validationResult'],
                         'INVALID')
        got = self.poll('fine')
        self.assertEqual((got['success'], got['deploymentId']), (True, 'elsewhere'))
        self.assertEqual(self.deployment(deployment_id), before)

    def test_course_of_tickets_to_come(self):
        draft_id = self.one(deployed=True)
        self.sim.control({'ticket_course': {'end': 'FAILED', 'message': 'no quota', 'polls': 0}})
        for _ in range(2):
            self.assertEqual(self.poll(self.deploy(draft_id))['message'], 'no quota')
        self.sim.control({'ticket_course': {'success': False}})
        self.assertIs(self.run_to_end(self.deploy(draft_id))['success'], False)
        self.sim.control({'ticket_course': None, 'ticket_polls': 0})
        self.assertIs(self.poll(self.deploy(draft_id))['success'], True)

    def test_draft_gone_before_the_end(self):
        self.sim.control({'add_drafts': [{'deploymentDraftId': 'short', 'name': 'x'}]})
        ticket = self.deploy('short')
        self.sim.control({'remove_drafts': ['short']})
        got = self.run_to_end(ticket)
        self.assertEqual((got['ticketStatus'], got['success']), ('FAILED', False))
        self.assertIn('short', got['message'])

    def test_truth(self):
        draft_id = self.one(deployed=True)
        ticket = self.deploy(draft_id, skipValidate=True)
        self.poll(ticket)
        last = self.sim.get('/_sim/tickets/default-namespace')[-1]
        self.assertEqual(last, {'ticketId': ticket, 'deploymentDraftId': draft_id,
                                'deploymentId': None, 'ticketStatus': 'EXECUTING', 'message': '',
                                'success': False, 'polls': 1, 'skipValidate': True})
        self.assertEqual(self.sim.control()['tickets']['default-namespace'],
                         len(self.sim.get('/_sim/tickets/default-namespace')))

    def test_bad_requests(self):
        for body in ({}, {'deploymentDraftId': ''}, {'deploymentDraftId': 5}, [], b'x',
                     {'deploymentDraftId': self.one(), 'deploymentTarget': 'x'}):
            reply = self.ask('DeployDeploymentDraftAsync', '/deployment-drafts/async-deploy', body,
                             'POST')
            self.assertEqual(code_of(reply), (400, 'InvalidParameter'), body)


class Names(DraftCase):
    ODD = ['..', '.', 'a b/c+d~e*f', '订单-实时宽表', '%2E%2E', 'x?y=1&z#', 'async-deploy', "!'()"]

    def test_names_that_need_care(self):
        self.sim.control({'reset_counters': True, 'add': [
            {'deploymentId': 'odd-%d' % i, 'name': name} for i, name in enumerate(self.ODD)]})
        for i, name in enumerate(self.ODD):
            self.assertEqual([d['deploymentId'] for d in self.data(self.named(name))],
                             ['odd-%d' % i], name)
        reply = self.ask('GetDeploymentsByName', '/deployments/name/%2E%2E')
        self.assertEqual(self.data(reply)[0]['deploymentId'], 'odd-0')
        paths = [e['path'].rsplit('/name/', 1)[1] for e in self.sim.get('/_sim/log')]
        self.assertEqual(paths, [encode(n) for n in self.ODD] + ['%2E%2E'])
        self.assertIn('a%20b%2Fc%2Bd~e%2Af', paths)
        self.assertEqual(self.sim.control()['calls'],
                         {'GetDeploymentsByName': {'GET': len(paths)}})
        self.sim.control({'remove': ['odd-%d' % i for i in range(len(self.ODD))]})

    def test_exact_and_newest_first(self):
        self.sim.control({'add': [{'deploymentId': 'n1', 'name': 'twin', 'createdAt': 100},
                                  {'deploymentId': 'n2', 'name': 'twin', 'createdAt': '300\n'},
                                  {'deploymentId': 'n3', 'name': 'twin', 'createdAt': 200},
                                  {'deploymentId': 'n4', 'name': 'twins', 'createdAt': 400}]})
        body = json.loads(self.named('twin').body)
        self.assertEqual([d['deploymentId'] for d in body['data']], ['n2', 'n3', 'n1'])
        self.assertNotIn('totalSize', body)
        self.assertEqual(self.data(self.named('win')), [])
        self.sim.control({'remove': ['n1', 'n2', 'n3', 'n4']})

    def test_missing_name(self):
        self.assertEqual(self.data(self.named('nobody')), [])
        self.sim.control({'missing_name': 'error'})
        body = json.loads(self.named('nobody').body)
        self.assertEqual((body['success'], body['errorCode'], body['data']),
                         (False, '990301', None))

    def test_leaving_out(self):
        settings = {'streamingResourceSetting', 'batchResourceSetting'}
        for truth in self.sim.truth()[:8]:
            def only(**query):
                return {d['deploymentId']: d for d in self.data(self.named(truth['name'], **query))}[
                    truth['deploymentId']]
            whole = only()
            self.assertIn('jobSummary', whole)
            self.assertTrue(settings & set(whole))
            self.assertEqual(whole, self.deployment(truth['deploymentId']))
            self.assertEqual(only(ignoreJobSummary='false', ignoreResourceSetting='false'), whole)
            self.assertEqual(set(whole) - set(only(ignoreJobSummary='true')), {'jobSummary'})
            self.assertEqual(set(whole) - set(only(ignoreResourceSetting='true')),
                             settings & set(whole))
        self.assertEqual(code_of(self.named('x', ignoreJobSummary='yes')),
                         (400, 'InvalidParameter'))


class Jobs(DraftCase):
    STATES = ('starting', 'running', 'cancelling', 'cancelled', 'finished', 'failed')

    def jobs(self, deployment_id, **query):
        got, page = [], 1
        while True:
            body = json.loads(self.ask('ListJobs', '/jobs', deploymentId=deployment_id,
                                       pageSize=100, pageIndex=page, **query).body)
            got += body['data']
            if len(got) >= body['totalSize']:
                return got
            page += 1

    def states(self, jobs):
        counts = collections.Counter(j['status']['currentJobStatus'].lower() for j in jobs)
        return {s: counts[s] for s in self.STATES}

    def test_every_instance(self):
        for truth in self.sim.truth():
            jobs = self.jobs(truth['deploymentId'])
            self.assertEqual(self.states(jobs), truth['jobs'])
            if truth['status']:
                self.assertEqual(jobs[0]['status']['currentJobStatus'], truth['status'])
            self.assertEqual(len({j['jobId'] for j in jobs}), len(jobs))
            self.assertEqual(jobs, self.jobs(truth['deploymentId']))
            self.assertEqual(jobs[::-1], self.jobs(truth['deploymentId'], sortOrder='asc'))
            for job in jobs:
                self.assertEqual((job['deploymentId'], job['deploymentName']),
                                 (truth['deploymentId'], truth['name']))
                live = job['status']['currentJobStatus'] in ('STARTING', 'RUNNING', 'CANCELLING')
                self.assertEqual(job['endTime'] == 0, live)
                self.assertTrue(live or job['endTime'] >= job['startTime'])
                self.assertEqual('failure' in job['status'],
                                 job['status']['currentJobStatus'] == 'FAILED')
            for job in jobs[:2]:
                self.assertEqual(self.data(self.ask('GetJob', '/jobs/' + job['jobId'])), job)

    def test_an_instance_keeps_its_id(self):
        self.sim.control({'add': [{'deploymentId': 'j', 'name': 'j', 'jobSummary': {
            'running': 1, 'failed': 2}, 'deploymentTarget': {'mode': 'SESSION', 'name': 's1'}}]})
        running = self.jobs('j')[0]
        self.assertEqual((running['status']['currentJobStatus'], running['sessionClusterName']),
                         ('RUNNING', 's1'))
        self.sim.control({'set_restarts': {'j': 4}})
        job = self.data(self.ask('GetJob', '/jobs/' + running['jobId']))
        self.assertEqual(job['status']['running']['observedFlinkJobRestarts'], 4)
        self.sim.control({'event': {'deploymentId': 'j', 'kind': 'fail'}})
        job = self.data(self.ask('GetJob', '/jobs/' + running['jobId']))
        self.assertEqual((job['status']['currentJobStatus'], job['startTime']),
                         ('FAILED', running['startTime']))
        self.assertAlmostEqual(job['status']['failure']['failedAt'], time.time(), delta=30)
        self.sim.control({'event': [{'deploymentId': 'j', 'kind': 'start'},
                                    {'deploymentId': 'j', 'kind': 'purge', 'state': 'failed'}]})
        jobs = self.jobs('j')
        self.assertEqual(self.states(jobs), {**dict.fromkeys(self.STATES, 0), 'running': 1,
                                             'failed': 2})
        self.assertEqual(jobs[0]['status']['running']['observedFlinkJobRestarts'], 0)
        self.assertIn(running['jobId'], [j['jobId'] for j in jobs])
        self.sim.control({'set_summary': {'j': {'failed': 1000000000}}})
        body = json.loads(self.ask('ListJobs', '/jobs', deploymentId='j', pageSize=1).body)
        self.assertEqual((body['totalSize'], len(body['data'])), (10000, 1))
        self.assertRaises(ValueError, self.sim.control, {'set_restarts': {'j': 1}})
        self.sim.control({'remove': ['j']})

    def test_refusals(self):
        for query in ({}, {'deploymentId': ''}, {'deploymentId': 'x', 'sortOrder': 'up'},
                      {'deploymentId': 'x', 'sortName': 'name'},
                      {'deploymentId': 'x', 'pageSize': 0}):
            self.assertEqual(code_of(self.ask('ListJobs', '/jobs', **query)),
                             (400, 'InvalidParameter'), query)
        self.assertEqual(code_of(self.ask('ListJobs', '/jobs', deploymentId='x')), (200, '990301'))
        self.assertEqual(code_of(self.ask('GetJob', '/jobs/' + NOWHERE)), (200, '990301'))


class FaultsOfDrafts(DraftCase):
    def listing(self, **query):
        return json.loads(self.ask('ListDeploymentDrafts', '/deployment-drafts', **query).body)

    def test_one_operation_alone(self):
        self.faults('status:code=500,operation=ListDeploymentDrafts')
        self.assertEqual(self.ask('ListDeploymentDrafts', '/deployment-drafts').status, 500)
        self.assertEqual(self.sim.call().status, 200)

    def test_faults_of_listings(self):
        self.faults('total-size:value=7,operation=ListDeploymentDrafts')
        self.assertEqual(self.listing()['totalSize'], 7)
        self.faults('endless')
        got = self.listing(pageIndex=50, pageSize=30)
        self.assertEqual(len(got['data']), 30)
        self.assertGreater(got['totalSize'], 1500)
        known = {d['deploymentDraftId'] for d in self.drafts()}
        self.faults('endless:fresh')
        got = [d['deploymentDraftId'] for d in self.listing(pageSize=30)['data']]
        self.assertEqual((len(set(got)), len(set(got) - known)), (30, 30 - len(known)))
        self.faults('invalid-utf8')
        reply = self.ask('ListDeploymentDrafts', '/deployment-drafts')
        self.assertRaises(UnicodeDecodeError, reply.body.decode)

    def test_shift(self):
        before = [d['deploymentDraftId'] for d in self.drafts()]
        self.faults('shift:move,count=1')
        self.listing(pageIndex=2)
        self.assertEqual([d['deploymentDraftId'] for d in self.drafts()], before[1:] + before[:1])
        self.faults('shift:insert,count=1')
        self.listing(pageIndex=2)
        self.assertEqual([d['deploymentDraftId'] for d in self.drafts()][1:],
                         before[1:] + before[:1])
        self.faults('shift:remove,count=1')
        self.listing(pageIndex=2)
        self.assertEqual([d['deploymentDraftId'] for d in self.drafts()], before[1:] + before[:1])


class ControlOfDrafts(DraftCase):
    def test_add_edit_remove(self):
        raw = '{"deploymentDraftId": "d1", "name": "one", "labels": {"n": 12345678901234567890}}'
        body = ('{"add_drafts": [%s, {"name": "no id"}]}' % raw).encode()
        self.assertEqual(self.sim.send('POST', '/_sim', {'host': self.sim.authority},
                                       body).status, 200)
        self.assertEqual(self.draft('d1'), json.loads(raw))
        self.assertRegex(self.drafts()[-1]['deploymentDraftId'], UUID)
        self.sim.control({'add_drafts': [{'deploymentDraftId': 'd1', 'name': 'two'}]})
        self.assertEqual(self.draft('d1'), {'deploymentDraftId': 'd1', 'name': 'two'})
        self.sim.control({'edit_drafts': {'d1': {'engineVersion': 'vvr-1'}}})
        self.assertEqual(self.draft('d1')['engineVersion'], 'vvr-1')
        self.sim.control({'remove_drafts': ['d1', self.drafts()[-1]['deploymentDraftId']]})
        self.assertEqual(len(self.drafts()), 20)

    def test_refused_changes_nothing(self):
        before = self.drafts(), self.sim.control()['tickets']
        known = before[0][0]['deploymentDraftId']
        for change in ({'remove_drafts': [known, 'nobody']}, {'remove_drafts': 'x'},
                       {'lock_drafts': {'nobody': None}}, {'lock_drafts': {known: 5}},
                       {'edit_drafts': {known: 5}}, {'add_drafts': [5]}, {'patch': 'x'},
                       {'add_drafts': [{'namespace': 'nowhere'}]}, {'ticket_polls': -1},
                       {'ticket_time': 5}, {'ignore_locks': 1}, {'missing_name': 'x'},
                       {'tickets': [{'polls': 1}, {'end': 'DONE'}]}, {'tickets': [{'odd': 1}]},
                       {'tickets': [{'end': 'FAILED', 'success': True}]},
                       {'tickets': [{'errors': [{'line': 'x'}]}]}, {'tickets': [{'id': 'x' * 37}]},
                       {'tickets': [{'id': 'twice'}, {'id': 'twice'}]},
                       {'ticket_course': {'id': 'x'}}, {'ticket_course': 'x'},
                       {'lock_drafts': {known: 'me'}, 'remove': ['nobody']}):
            with self.assertRaises(ValueError) as caught:
                self.sim.control(change)
            self.assertTrue(str(caught.exception).strip())
            self.assertEqual((self.drafts(), self.sim.control()['tickets']), before, change)


class ChurnOfDrafts(unittest.TestCase):
    """Drafts are edited and released while jobs come and go; the links between the two hold."""

    def test_links_hold(self):
        sim = Simulator('--deployments', '20', '--drafts', '20', '--rate-limit', '0', '--profile',
                        'small')
        try:
            before = {d['deploymentDraftId']: d for d in
                      sim.get('/_sim/drafts/default-namespace')}
            sim.control({'churn': 3000})
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                truth = {d['deploymentDraftId']: d for d in
                         sim.get('/_sim/drafts/default-namespace')}
                edited = [i for i in truth if truth[i]['modifiedAt'] > before[i]['modifiedAt']]
                released = [i for i in truth if before[i]['_sim']['differs'] is None and
                            truth[i]['_sim']['deployed']]
                if len(edited) > 10 and len(released) > 2:
                    break
                sim.call({'pageSize': 50}, path=NS + '/deployment-drafts',
                         action='ListDeploymentDrafts')
            sim.control({'churn': 0})
            self.assertGreater(len(edited), 10)
            self.assertGreater(len(released), 2)
            for d in sim.get('/_sim/drafts/default-namespace'):
                if d['_sim']['locked']:
                    self.assertEqual(d['modifiedAt'],
                                     before[d['deploymentDraftId']]['modifiedAt'])
            drafts = {d['deploymentDraftId']: d for d in
                      sim.get('/_sim/drafts/default-namespace')}
            for d in sim.list_all():
                if d['referencedDeploymentDraftId']:
                    self.assertEqual(drafts[d['referencedDeploymentDraftId']]
                                     ['referencedDeploymentId'], d['deploymentId'])
        finally:
            self.assertEqual(sim.stop(), (0, ''))


class OddWorld(unittest.TestCase):
    """With quirks: the texts of tickets are quoted once more, as in the published sample."""

    def test_texts(self):
        sim = Simulator('--deployments', '20', '--drafts', '10', '--rate-limit', '0', '--quirks', '1',
                        '--profile', 'small')
        try:
            sim.control({'tickets': [{'id': 't', 'polls': 0, 'success': False}]})
            reply = sim.call(path=NS + '/deployment-drafts/tickets/t/async-deploy',
                             action='GetDeployDeploymentDraftResult')
            data = json.loads(reply.body)['data']
            want = sample('deploy-draft-result')['data']
            self.assertEqual(data['message'], want['message'])
            self.assertTrue(re.fullmatch(r'".*"+', data['artifactValidationDetail']
                                         ['validationResult']))
            self.assertEqual(len(json.loads(sim.call(
                path=NS + '/deployment-drafts', action='ListDeploymentDrafts').body)['data']), 10)
        finally:
            self.assertEqual(sim.stop(), (0, ''))

    def test_more_drafts_than_deployments_and_loaded_ones(self):

        with tempfile.NamedTemporaryFile('w', suffix='.json') as f:
            json.dump([{'deploymentId': 'a', 'referencedDeploymentDraftId': 'da'},
                       {'deploymentId': 'b', 'referencedDeploymentDraftId': None},
                       {'deploymentId': 'c', 'namespace': 'other'},
                       {'deploymentId': 'd', 'referencedDeploymentDraftId': 'da'}], f)
            f.flush()
            sim = Simulator('--load', f.name, '--drafts', '6')
        try:
            self.assertEqual(sim.control()['drafts'], {'default-namespace': 6, 'other': 6})
            drafts = sim.get('/_sim/drafts/default-namespace')
            self.assertEqual(drafts[0]['deploymentDraftId'], 'da')
            got = {d['deploymentId']: d['referencedDeploymentDraftId'] for d in sim.list()['data']}
            self.assertEqual((got['a'], got['b']), ('da', drafts[1]['deploymentDraftId']))
            self.assertEqual(len({d['deploymentDraftId'] for d in drafts}), 6)
        finally:
            self.assertEqual(sim.stop(), (0, ''))

    def test_without_the_flag_loaded_ones_stay(self):

        objects = [{'deploymentId': 'b', 'referencedDeploymentDraftId': None}, {'deploymentId': 'c'}]
        with tempfile.NamedTemporaryFile('w', suffix='.json') as f:
            json.dump(objects, f)
            f.flush()
            sim = Simulator('--load', f.name)
        try:
            self.assertEqual(sim.list()['data'], objects)
        finally:
            self.assertEqual(sim.stop(), (0, ''))


if __name__ == '__main__':
    unittest.main()
