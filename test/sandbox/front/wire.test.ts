import { describe, expect, test } from '@jest/globals';
import { errorAnswer } from '../../../sandbox/control/wire/answer.ts';
import { restOperation } from '../../../sandbox/control/wire/rest-operations.ts';
import { treeOfForm, treeOfXml, xmlOfTree } from '../../../sandbox/control/wire/tree.ts';

describe('the Query protocol', () => {
  test('reads lists in the order of their numbers, not of their texts', () => {
    const fields = Array.from({ length: 11 }, (_, index) => `Names.member.${11 - index}=n${11 - index}`);
    expect(treeOfForm(fields.join('&'))).toEqual({ Names: Array.from({ length: 11 }, (_, index) => `n${index + 1}`) });
  });

  test('reads lists of objects that hold lists', () => {
    const form =
      'Action=ModifyRule&Actions.member.1.Type=forward&Actions.member.1.ForwardConfig.TargetGroups.member.1.Weight=0&Empty=';
    expect(treeOfForm(form)).toEqual({
      Action: 'ModifyRule',
      Actions: [{ Type: 'forward', ForwardConfig: { TargetGroups: [{ Weight: '0' }] } }],
      Empty: '',
    });
  });

  test('does not reach the prototype of an object', () => {
    treeOfForm('__proto__.polluted=1&constructor.prototype.polluted=1');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('reads back what it writes, whatever the text', () => {
    const tree = { A: [{ B: 'a & b < c > "d" \'e\' ü', C: '' }, { B: 'x' }], D: { E: 'f' } };
    expect(treeOfXml(`<?xml version="1.0"?>${xmlOfTree(tree)}`)).toEqual(tree);
  });

  test('reads attributes, closed elements, entities and white space as XML has them', () => {
    const xml = '<R xmlns="u">\n  <Empty/>\n  <T>&#x41;&#66;&amp;amp;</T>\n  <L>\n <member> a </member></L>\n</R>';
    expect(treeOfXml(xml)).toEqual({ R: { Empty: '', T: 'AB&amp;', L: [' a '] } });
  });
});

describe('the name of a REST operation', () => {
  test.each([
    ['route53', 'POST', '/2013-04-01/hostedzone/Z1/rrset/', 'ChangeResourceRecordSets'],
    ['route53', 'GET', '/2013-04-01/hostedzone/Z1/rrset?name=a', 'ListResourceRecordSets'],
    ['route53', 'GET', '/2013-04-01/change/C1', 'GetChange'],
    ['s3', 'PUT', '/bucket/key?x-id=PutObject', 'PutObject'],
    ['s3', 'HEAD', '/bucket/a/long/key', 'HEAD /bucket'],
    ['cloudwatch', 'POST', '/service/GraniteServiceVersion20100801/operation/GetMetricData', 'GetMetricData'],
  ])('of %s %s %s is %s', (service, method, url, operation) => {
    expect(restOperation({ service, method, url })).toBe(operation);
  });
});

describe('an error', () => {
  test('of a CBOR service is a map of two texts', () => {
    const { body } = errorAnswer({ protocol: 'cbor' }, { kind: 'error', code: 'E', message: 'm', status: 400 });
    expect([...(body as Buffer)]).toEqual([
      0xa2,
      ...[0x79, 0, 6, ...Buffer.from('__type')],
      ...[0x79, 0, 1, ...Buffer.from('E')],
      ...[0x79, 0, 7, ...Buffer.from('message')],
      ...[0x79, 0, 1, ...Buffer.from('m')],
    ]);
  });

  test('of an XML service cannot be broken out of', () => {
    const { body } = errorAnswer(
      { protocol: 'query' },
      { kind: 'error', code: 'E', message: '</Message><x>', status: 400 },
    );
    expect(String(body)).toContain('<Message>&lt;/Message&gt;&lt;x&gt;</Message>');
  });
});
