import { fakeProber } from '../../fakes/prober.ts';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type Change,
  type ResourceRecordSet,
  ChangeResourceRecordSetsCommand,
  CreateHealthCheckCommand,
  CreateHostedZoneCommand,
  ListResourceRecordSetsCommand,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { type Cloud, type World, startCloud } from '../../../sandbox/cloud.ts';
import { type NamesStack, namesStack } from '../../../sandbox/names-front.ts';
import { type Stack, stack } from '../../../sandbox/world.ts';
import { clientConfig } from '../../../src/adapters/aws/client-config.ts';
import { openRoute53 } from '../../../src/adapters/traffic/open-route53.ts';
import { instant } from '../../../src/domain/duration.ts';
import { splitGiving } from '../../../src/domain/traffic-split.ts';
import { trafficRouterContract } from '../../contract/traffic-router.ts';
import { placesOfBlue } from './places.ts';
import { recordOf } from '../../domain/shift/records.ts';

const signal = new AbortController().signal;
const ZONE = 'shop.example';
const NAME = `app.${ZONE}`;
const COLORS = { blue: 'blue', green: 'green' };

let cloud: Cloud;
let world: World;
let fixture: Route53Client;
let stacks: Readonly<Record<'blue' | 'green', Stack>>;
let named: NamesStack;

beforeAll(async () => {
  cloud = await startCloud({ clock: 'lock-step' });
  world = await cloud.createWorld();
  fixture = new Route53Client(world.client());
  const { reference: image } = await world.publishImage({ repository: 'shop/web', tag: '1' });
  const blue = await stack(world, { stage: 'blue', system: 'shop', desired: 2, image });
  const green = await stack(world, { stage: 'green', system: 'shop', desired: 0, image });
  stacks = { blue, green };
  const loadBalancers = { blue: { arn: blue.loadBalancerArn }, green: { arn: green.loadBalancerArn } };
  named = await namesStack(world, { zone: ZONE, record: NAME, loadBalancers, as: 'alias' });
}, 120_000);
afterAll(async () => {
  fixture?.destroy();
  await cloud?.stop();
});

const config = () => ({
  ...clientConfig(world.region, 'test', async () => ({
    accessKeyId: world.env['AWS_ACCESS_KEY_ID'] as string,
    secretAccessKey: world.env['AWS_SECRET_ACCESS_KEY'] as string,
    sessionToken: world.env['AWS_SESSION_TOKEN'] as string,
  })),
  endpoint: world.env['AWS_ENDPOINT_URL'] as string,
});
const prober = fakeProber(() => ({ status: 200 }));
const clock = { now: () => instant(world.now()) };
const open = (more: object = {}) =>
  openRoute53(
    config(),
    { zone: ZONE, record: NAME, colors: COLORS, targets: undefined, ...more },
    { clock, signal, prober },
  );

const change = (changes: readonly (readonly [Change['Action'], ResourceRecordSet])[], zoneId = named.zoneId) =>
  fixture.send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: zoneId,
      ChangeBatch: { Changes: changes.map(([Action, ResourceRecordSet]) => ({ Action, ResourceRecordSet })) },
    }),
  );
const recordsOf = async (name: string, zoneId = named.zoneId): Promise<readonly ResourceRecordSet[]> => {
  const listed = await fixture.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId, StartRecordName: name }));
  return (listed.ResourceRecordSets ?? []).filter(({ Name }) => Name === `${name}.`);
};
const setWeights = async (weights: Record<'blue' | 'green', number>, types = ['A', 'AAAA']): Promise<void> => {
  const records = (await recordsOf(NAME)).filter(({ Type }) => types.includes(Type ?? ''));
  await change(
    records.map((record) => ['UPSERT', { ...record, Weight: weights[record.SetIdentifier as 'blue' | 'green'] }]),
  );
};
const changes = () =>
  world.calls().filter(({ operation, run, result }) => operation.endsWith(':ChangeResourceRecordSets') && run === 'action' && result.kind === 'ok'); // prettier-ignore

trafficRouterContract(
  'two weighted records over the wire',
  async () => {
    await setWeights({ blue: 100, green: 0 });
    for (const record of await recordsOf(`_sluice.${NAME}`)) await change([['DELETE', record]]);
    const opened = await open();
    const again = (await open()).router;
    const before = changes().length;
    return {
      ...opened,
      places: await placesOfBlue(world, stacks.blue, 'service'),
      setWeights,
      writes: async () => changes().length - before,
      pass: (length) => world.advance(length * 1_000),
      again: () => again,
      denyWrite: async () => {
        const operation = 'route53:ChangeResourceRecordSets';
        world.faults.add({ operation, kind: 'access-denied', times: 1, run: 'action' });
        return {
          action:
            /^Could not set blue 50 \/ green 50 on Route 53 record app\.shop\.example: access denied for route53:ChangeResourceRecordSets\./,
        };
      },
      close: async () => undefined,
    };
  },
  { seats: 'from-the-start', liveAfter: 61 },
);

describe('a change of weights', () => {
  test('is one batch for IPv4 and IPv6, and leaves everything else of the records and of the name as it was', async () => {
    await setWeights({ blue: 100, green: 0 });
    const text: ResourceRecordSet = {
      Name: NAME,
      Type: 'TXT',
      TTL: 300,
      ResourceRecords: [{ Value: '"v=spf1 -all"' }],
    };
    await change([['CREATE', text]]);
    const before = await recordsOf(NAME);
    const opened = await open();
    const made = changes().length;
    await opened.router.apply(splitGiving('green', 10), signal);
    expect(changes().length - made).toBe(1);
    const weights: Record<string, number> = { blue: 90, green: 10 };
    expect(await recordsOf(NAME)).toEqual(
      before.map((record) => (record.Weight === undefined ? record : { ...record, Weight: weights[record.SetIdentifier ?? ''] })),
    ); // prettier-ignore
    await change([['DELETE', text]]);
  });

  test('is live when it is in sync everywhere and answers of before have expired, not before', async () => {
    await setWeights({ blue: 100, green: 0 });
    const { router } = await open();
    const wanted = splitGiving('green', 50);
    await router.apply(wanted, signal);
    await world.advance(29_000);
    expect(await router.confirm(wanted, signal)).toBe('propagating');
    await world.advance(2_000);
    expect(await router.confirm(wanted, signal)).toBe('propagating');
    await world.advance(58_000);
    expect(await router.confirm(wanted, signal)).toBe('propagating');
    await world.advance(3_000);
    expect(await router.confirm(wanted, signal)).toBe('live');
  });

  test('by an earlier process is taken for live only after the time in which every name server follows', async () => {
    await setWeights({ blue: 50, green: 50 });
    const { router } = await open();
    const wanted = splitGiving('green', 50);
    expect(await router.confirm(wanted, signal)).toBe('propagating');
    await world.advance(119_000);
    expect(await router.confirm(wanted, signal)).toBe('propagating');
    await world.advance(2_000);
    expect(await router.confirm(wanted, signal)).toBe('live');
  });

  test('that somebody made to one type only is seen as theirs', async () => {
    await setWeights({ blue: 90, green: 10 });
    const { router } = await open();
    await router.observe(signal);
    await setWeights({ blue: 0, green: 100 }, ['AAAA']);
    expect(await router.observe(signal)).toEqual(splitGiving('green', 100));
    const fresh = (await open()).router;
    await expect(fresh.observe(signal)).rejects.toThrow(
      /has no one split: its types disagree: A blue 90 \/ green 10, AAAA blue 0 \/ green 100/,
    );
  });

  test.each([
    { name: 'another change is not processed yet', fault: { kind: 'error', code: 'PriorRequestNotComplete', message: 'The request was rejected because Route 53 was still processing a prior request.', status: 400 } as const, kind: 'throttled' },
    { name: 'Route 53 throttles', fault: { kind: 'throttle' } as const, kind: 'throttled' },
    { name: 'Route 53 fails inside', fault: { kind: '5xx' } as const, kind: 'transient' },
  ])('fails for a moment when $name, is made once, and may be asked for again', async ({ fault, kind }) => {
    await setWeights({ blue: 100, green: 0 });
    const { router } = await open();
    const armed = world.faults.add({ operation: 'route53:ChangeResourceRecordSets', run: 'action', times: 1, ...fault });
    await expect(router.apply(splitGiving('green', 10), signal)).rejects.toMatchObject({ kind });
    expect(armed.hits()).toBe(1);
    await router.apply(splitGiving('green', 10), signal);
    expect(await router.observe(signal)).toEqual(splitGiving('green', 10));
  }); // prettier-ignore
});

describe('the record of the shift, in a TXT record', () => {
  test('is refused to the second of two runs that begin in the same moment', async () => {
    for (const record of await recordsOf(`_sluice.${NAME}`)) await change([['DELETE', record]]);
    const [one, two] = [(await open()).journal, (await open()).journal];
    expect([await one.read(signal), await two.read(signal)]).toEqual([undefined, undefined]);
    await one.write(recordOf({ id: 'one' }), signal);
    await expect(two.write(recordOf({ id: 'two' }), signal)).rejects.toMatchObject({ kind: 'transient' });
    expect(await two.read(signal)).toMatchObject({ id: 'one' });
    await two.write(recordOf({ id: 'two' }), signal);
    await expect(one.write(recordOf({ id: 'one' }), signal)).rejects.toThrow(
      /another run has changed it in the meantime/,
    );
  });

  test('holds the weights back when it is no longer the one that was read, in the same batch', async () => {
    await setWeights({ blue: 100, green: 0 });
    const zombie = await open();
    const other = await open();
    await zombie.journal.read(signal);
    const frozen = async (): Promise<void> => {
      // The fence has asked; then the process stands still, and another run takes over.
      await other.journal.read(signal);
      await other.journal.write(recordOf({ id: 'later' }), signal);
    };
    await expect(zombie.router.apply(splitGiving('green', 50), signal, frozen)).rejects.toThrow(/do not match the current values/);
    expect(await other.router.observe(signal)).toEqual(splitGiving('blue', 100));
  }); // prettier-ignore

  test('shows nobody why a shift went back, and the run that wrote it still knows', async () => {
    const { journal } = await open();
    await journal.read(signal);
    await journal.write(recordOf({ phase: 'rolling-back', reason: 'error-rate 31 % > 5 %' }), signal);
    const [text] = await recordsOf(`_sluice.${NAME}`);
    expect(text?.ResourceRecords?.[0]?.Value).toContain('"sluice:phase=rolling-back"');
    expect(text?.ResourceRecords?.[0]?.Value).not.toContain('error-rate');
    expect(await journal.read(signal)).toMatchObject({ reason: 'error-rate 31 % > 5 %' });
    expect(await (await open()).journal.read(signal)).toMatchObject({ phase: 'rolling-back', reason: '' });
  });
});

describe('what the records lead to', () => {
  test('tells its health: the targets of the load balancer behind an alias', async () => {
    const { targets } = await open();
    expect(targets.nameOf('blue')).toBe(stacks.blue.loadBalancerName);
    expect(await targets.health('blue', signal)).toMatchObject({ healthy: 2, total: 2 });
  });

  test('or the target groups that are named', async () => {
    const group = (color: 'blue' | 'green') => stacks[color].services['service']?.targetGroupName ?? '';
    const { targets } = await open({ targets: { blue: group('blue'), green: group('green') } });
    expect(targets.nameOf('green')).toBe(group('green'));
    expect(await targets.health('blue', signal)).toMatchObject({ healthy: 2, total: 2 });
  });

  test('or the health check of the record; without any of them the name is refused', async () => {
    const made = await fixture.send(
      new CreateHealthCheckCommand({
        CallerReference: 'green',
        HealthCheckConfig: { Type: 'HTTPS', FullyQualifiedDomainName: 'green.cdn.example', ResourcePath: '/health' },
      }),
    );
    const id = made.HealthCheck?.Id ?? '';
    const cname = (SetIdentifier: string, more: object): ResourceRecordSet => ({
      Name: `cdn.${ZONE}`,
      Type: 'CNAME',
      TTL: 30,
      SetIdentifier,
      Weight: SetIdentifier === 'blue' ? 100 : 0,
      ResourceRecords: [{ Value: `${SetIdentifier}.cdn.example` }],
      ...more,
    });
    await change([
      ['CREATE', cname('blue', {})],
      ['CREATE', cname('green', { HealthCheckId: id })],
    ]);
    await expect(open({ record: `cdn.${ZONE}` })).rejects.toThrow(
      /nothing tells whether blue \(blue, to blue\.cdn\.example\) serves.*Give the record a health check, or name target groups/s,
    );
    await change([['UPSERT', cname('blue', { HealthCheckId: id })]]);
    const named = await open({ record: `cdn.${ZONE}`, health: 'https://{color}.cdn.example/health' });
    expect(named.targets.nameOf('green')).toBe('https://green.cdn.example/health');
    const { targets } = await open({ record: `cdn.${ZONE}` });
    expect(await targets.health('green', signal)).toMatchObject({ healthy: 1, total: 1, counts: 'end-points' });
    world.names.setHealth(id, 'unhealthy');
    expect(await targets.health('green', signal)).toMatchObject({
      healthy: 0,
      total: 1,
      reasons: [expect.stringContaining('0 of 3 checkers'), expect.stringContaining('Connection refused')],
    });
  });
});

describe('a name that cannot be shifted is refused, with what to do', () => {
  const at = (Name: string, more: Partial<ResourceRecordSet>): ResourceRecordSet => ({
    Name: `${Name}.${ZONE}`,
    Type: 'A',
    TTL: 60,
    ResourceRecords: [{ Value: '192.0.2.1' }],
    ...more,
  });
  test.each([
    { name: 'simple', records: [{}], says: /its A record is simple, not weighted\. Nothing was touched\. Make two weighted records/ },
    { name: 'latency', records: [{ SetIdentifier: 'blue', Region: 'us-east-1' as const }, { SetIdentifier: 'green', Region: 'us-west-2' as const }], says: /its A record is latency-based, not weighted.*Let the latency records point to a name that has two weighted records/s },
    { name: 'failover', records: [{ SetIdentifier: 'blue', Failover: 'SECONDARY' as const }], says: /its A record is failover, not weighted/ },
    { name: 'geo', records: [{ SetIdentifier: 'blue', GeoLocation: { CountryCode: '*' } }], says: /its A record is by geolocation, not weighted/ },
    { name: 'multi', records: [{ SetIdentifier: 'blue', MultiValueAnswer: true }], says: /its A record is multivalue, not weighted/ },
    { name: 'one', records: [{ SetIdentifier: 'blue', Weight: 100 }], says: /it has no A record with the set identifier green \(green\); there are blue.*Correct router\.colors\.green/s },
    { name: 'third', records: [{ SetIdentifier: 'blue', Weight: 100 }, { SetIdentifier: 'green', Weight: 0 }, { SetIdentifier: 'old', Weight: 5 }], says: /the A record old has weight 5 beside the two colors.*Give old weight 0, or remove it/s },
    { name: 'half', records: [{ SetIdentifier: 'blue', Weight: 100 }, { SetIdentifier: 'green', Weight: 0 }, { Type: 'AAAA' as const, ResourceRecords: [{ Value: '::1' }] }], says: /its AAAA record is simple, not weighted/ },
    { name: 'nothing', records: [], says: /there is no A, AAAA or CNAME record of this name/ },
  ])('$name', async ({ name, records, says }) => {
    await change([['CREATE', at(`beside-${name}`, {})], ...records.map((more) => ['CREATE', at(name, more)] as const)]);
    await expect(open({ record: `${name}.${ZONE}` })).rejects.toThrow(says);
  }); // prettier-ignore

  test.each([
    { name: 'a zone that is not there', more: { zone: 'nobody.example' }, says: /Could not find hosted zone nobody\.example: there is none of this name/ },
    { name: 'a zone id that is not there', more: { zone: 'Z0000000000000' }, says: /Could not find hosted zone Z0000000000000/ },
    { name: 'a name outside the zone', more: { record: 'app.other.example' }, says: /lies outside the hosted zone shop\.example/ },
  ])('$name', async ({ more, says }) => {
    await expect(open(more)).rejects.toThrow(says);
  }); // prettier-ignore

  test('a zone name that a public and a private zone share, with their ids', async () => {
    const create = (reference: string) => fixture.send(new CreateHostedZoneCommand({ Name: 'twice.example', CallerReference: reference }));
    const [one, two] = [await create('1'), await create('2')];
    const id = (made: typeof one): string => (made.HostedZone?.Id ?? '').replace('/hostedzone/', '');
    await expect(open({ zone: 'twice.example', record: 'twice.example' })).rejects.toThrow(new RegExp(`several have this name: .*(${id(one)}|${id(two)}) \\(public\\).*Set router\\.route53\\.zone to the id`, 's'));
    expect((await open({ zone: named.zoneId })).router.name).toBe(`Route 53 record ${NAME}`);
  }); // prettier-ignore

  test('and a long life is said before anything waits for it', async () => {
    const weighted = (SetIdentifier: string): ResourceRecordSet => at('long', { Type: 'CNAME', TTL: 300, SetIdentifier, Weight: 50, ResourceRecords: [{ Value: named.addresses.blue }] });
    await change([['CREATE', weighted('blue')], ['CREATE', weighted('green')]]);
    const { notices, router } = await open({ record: `long.${ZONE}` });
    expect(notices).toEqual([expect.stringMatching(/lives 5m in caches.*Lower its TTL to 60 or less/)]);
    expect(await router.lingers(signal)).toBe(600_000);
  }); // prettier-ignore
});

describe('recovery to another region', () => {
  test('moves every user to the record of the region that serves, whose health is read there', async () => {
    const region = 'us-east-1';
    const { reference: image } = await world.publishImage({ repository: 'shop/web', tag: '1' }, region);
    const there = await stack(world, { stage: 'recovery', system: 'shop', desired: 2, image, region });
    const loadBalancers = { blue: { arn: stacks.blue.loadBalancerArn }, green: { arn: there.loadBalancerArn, region } };
    const identifiers = { blue: 'us-west-2', green: 'us-east-1' };
    await namesStack(world, { zone: 'bank.example', record: 'app.bank.example', loadBalancers, as: 'alias', identifiers });
    const { router, targets } = await open({ zone: 'bank.example', record: 'app.bank.example', colors: identifiers });
    expect(targets.nameOf('green')).toBe(there.loadBalancerName);
    expect(await targets.health('green', signal)).toMatchObject({ healthy: 2, total: 2 });
    expect(world.names.resolve('app.bank.example')).toMatchObject({ loadBalancerArn: stacks.blue.loadBalancerArn, setIdentifier: 'us-west-2' });
    await router.observe(signal);
    await router.restore('green', signal);
    expect(await router.observe(signal)).toEqual(splitGiving('green', 100));
    // Name servers follow when the change is in sync, not with the call.
    expect(world.names.resolve('app.bank.example')).toMatchObject({ setIdentifier: 'us-west-2' });
    await world.advance(31_000);
    expect(world.names.resolve('app.bank.example')).toMatchObject({ loadBalancerArn: there.loadBalancerArn, setIdentifier: 'us-east-1', life: 60_000 });
  }, 60_000);
}); // prettier-ignore

describe('the names of the sandbox', () => {
  test('are answered by weight, a draw for each question', async () => {
    await setWeights({ blue: 75, green: 25 });
    await world.advance(31_000);
    const answers = Array.from({ length: 1_000 }, () => world.names.resolve(NAME)?.setIdentifier);
    const green = answers.filter((each) => each === 'green').length;
    // Green has no healthy target and its alias is evaluated: Route 53 answers with blue alone.
    expect(green).toBe(0);
    expect(answers).not.toContain(undefined);
  });
}); // prettier-ignore
