import { describe, expect, test } from '@jest/globals';
import { readColors, readRouter } from '../../../actions/blue-green/src/inputs/router.ts';
import { type Request, spec, toRequest } from '../../../actions/blue-green/src/inputs.ts';
import type { InputsOf } from '../../../src/domain/inputs.ts';

type Values = InputsOf<typeof spec>;

const DIGEST = `sha256:${'a'.repeat(64)}`;

/** Values of all inputs, read from texts as the runtime reads them; YAML is given as its value. */
function valuesOf(given: Readonly<Record<string, unknown>>): Values {
  const read = Object.entries(spec).map(([name, field]) => {
    const value = given[name] ?? field.fallback;
    if (value === undefined) return [name, undefined] as const;
    const result = field.read(value);
    if (!result.ok) throw new Error(`${name} ${result.problem}`);
    return [name, result.value] as const;
  });
  return Object.fromEntries(read) as Values;
}

const MINIMUM = {
  cluster: 'shop',
  services: { blue: 'shop-blue', green: 'shop-green' },
  router: { alb: { listener: 'shop-alb', port: 443 }, colors: { blue: 'tg-blue', green: 'tg-green' } },
  image: `r.example.com/shop@${DIGEST}`,
  rules: 'error-rate > 5% for 2m',
};

function requestOf(more: Readonly<Record<string, unknown>> = {}): Request {
  const read = toRequest(valuesOf({ ...MINIMUM, ...more }));
  expect(read).toMatchObject({ ok: true });
  return (read as { value: Request }).value;
}
function problemsOf(more: Readonly<Record<string, unknown>>): readonly string[] {
  const read = toRequest(valuesOf({ ...MINIMUM, ...more }));
  expect(read).toMatchObject({ ok: false });
  return (read as unknown as { problems: { input: string; problem: string }[] }).problems.map(
    ({ input, problem }) => `${input} ${problem}`,
  );
}

describe('a request', () => {
  test('needs little: the rest has its usual value', () => {
    expect(requestOf()).toMatchObject({
      mode: 'run', dryRun: 'no', minHealthy: 'desired', desiredCount: undefined, oldDesired: 0, drain: 300_000, timeout: 900_000,
      onStale: 'rollback', onCancel: 'rollback', candidate: undefined, checks: undefined,
      policy: { kind: 'given', policy: { steps: [10, 50, 100], bake: 300_000 } },
    });
  }); // prettier-ignore

  test('takes steps and bake beside rules, as one policy', () => {
    const { policy } = requestOf({ steps: '5,100', bake: '90s' });
    expect(policy).toMatchObject({
      policy: { steps: [5, 100], bake: 90_000, rules: [{ text: 'error-rate > 5% for 2m', level: 'fail' }] },
    });
  });

  test('reads rules from a list of sluice.yml as from lines', () => {
    const rules = ['health fails 4 in a row', 'warn: p95 > 800ms for 10m'];
    expect(requestOf({ rules })).toEqual(requestOf({ rules: rules.join('\n') }));
  });

  test('composes the image from the images of the build', () => {
    const images = { web: { repository: 'team/shop', digest: DIGEST } };
    expect(requestOf({ image: undefined, images, registry: 'r.example.com' }).image).toBe(
      `r.example.com/team/shop@${DIGEST}`,
    );
  });

  test('reaches the candidate by headers on the URL of the users', () => {
    const { candidate } = requestOf({ url: 'https://shop.example.com', 'candidate-headers': { 'X-Color': '{color}' } });
    expect(candidate).toMatchObject({ url: 'https://shop.example.com', headers: { 'x-color': '{color}' } });
  });

  test('reaches the candidate by a URL of its own', () => {
    expect(requestOf({ 'candidate-url': 'https://{color}.shop.example.com/' }).candidate).toEqual({
      url: 'https://{color}.shop.example.com',
      headers: {},
    });
  });

  test.each(['finish', 'rollback', 'status'])('%s needs neither image nor policy', (mode) => {
    expect(requestOf({ mode, image: undefined, rules: undefined })).toMatchObject({
      mode,
      image: undefined,
      policy: { kind: 'none' },
    });
  });
});

describe('a request is refused', () => {
  test.each([
    { name: 'without an image', more: { image: undefined }, says: 'image is missing: mode run releases one' },
    { name: 'with an image and images', more: { images: { web: { repository: 'a', digest: DIGEST } } }, says: 'image excludes images' },
    { name: 'with images and no registry', more: { image: undefined, images: { web: { repository: 'a', digest: DIGEST } } }, says: 'registry is missing' },
    { name: 'without rules or a policy', more: { rules: undefined }, says: 'policy is missing: mode run judges by one' },
    { name: 'with a policy and rules', more: { policy: 'p.yml' }, says: 'rules is given beside policy' },
    { name: 'with rules that are none', more: { rules: 'error-rate is high' }, says: 'rules[0].fail is not a rule' },
    { name: 'with checks that cannot reach the candidate', more: { checks: 'checks.yml', url: 'https://shop.example.com' }, says: 'checks cannot be run on the candidate before it has traffic' },
    { name: 'with headers and no URL', more: { 'candidate-headers': { 'x-color': 'green' } }, says: 'candidate-headers has no URL to be sent to' },
    { name: 'with the URL of the users as that of the candidate', more: { url: 'https://shop.example.com', 'candidate-url': 'https://shop.example.com' }, says: 'candidate-url is the url of the users, where the weights decide who answers' },
    { name: 'with a header that reaches one color for good', more: { url: 'https://shop.example.com', 'candidate-headers': { 'x-color': 'green' } }, says: 'candidate-headers says nothing of the color' },
    { name: 'with a URL that reaches one color for good', more: { 'candidate-url': 'https://shop.example.com:8443' }, says: 'candidate-url says nothing of the color' },
    { name: 'with credentials in a URL', more: { 'candidate-url': 'https://user:secret@shop.example.com' }, says: 'candidate-url is not a base URL' },
  ])('$name', ({ more, says }) => {
    expect(problemsOf(more).join('\n')).toContain(says);
  }); // prettier-ignore

  test('with every problem at once', () => {
    const problems = problemsOf({ image: undefined, rules: undefined, 'candidate-headers': { 'x-color': 'green' } });
    expect(problems).toHaveLength(3);
  });

  test('that names no place of the traffic, or two kinds of them, or one of them twice', () => {
    const router = { alb: { listener: 'shop', port: 443 }, colors: { blue: 'b', green: 'g' } };
    expect(problemsOf({ router: undefined })).toContain('router is missing');
    expect(problemsOf({ router, routes: [router] })).toContain('routes is given beside router');
    expect(spec.routes.read([router, router])).toMatchObject({ ok: false, problem: '[1] is the same place as [0]' });
    expect(spec.routes.read([router, { alb: {} }])).toMatchObject({
      ok: false,
      problem: '[1] colors is not a mapping',
    });
    expect(spec.routes.read([])).toMatchObject({ ok: false, problem: 'is not a list of routers' });
    expect(spec.routes.read([router])).toEqual({
      ok: true,
      value: [{ alb: { listener: 'shop', port: 443, rule: undefined }, colors: router.colors }],
    });
  });

  test('that wants an approval and names an image by itself, or no environment', () => {
    const problems = problemsOf({ 'require-approval': true }).join('\n');
    expect(problems).toContain('images is missing: with require-approval');
    expect(problems).toContain('environment is missing: an approval is given for one environment');
  });

  test('for a misspelt mode, with the nearest', () => {
    expect(spec.mode.read('shfit')).toMatchObject({ ok: false, nearest: 'shift' });
  });
});

describe('a router', () => {
  const colors = { blue: 'a', green: 'b' };
  test.each([
    { name: 'by name and port', value: { alb: { listener: 'web', port: 443 }, colors }, alb: { listener: 'web', port: 443, rule: undefined } },
    { name: 'by name, port and priority', value: { alb: { listener: 'web', port: 443, rule: 10 }, colors }, alb: { listener: 'web', port: 443, rule: '10' } },
    { name: 'by the default action', value: { alb: { listener: 'web', rule: 'default' }, colors }, alb: { listener: 'web', port: undefined, rule: 'default' } },
    { name: 'by the ARN of a rule alone', value: { alb: { rule: 'arn:aws:elasticloadbalancing:eu-west-1:1:listener-rule/app/web/1/2/3' }, colors }, alb: { listener: undefined } },
  ])('is read $name', ({ value, alb }) => {
    expect(readRouter(value)).toMatchObject({ ok: true, value: { alb, colors } });
  }); // prettier-ignore

  test('of Route 53 is read with its zone, its record and what tells the health', () => {
    const route53 = { zone: 'shop.example', record: 'app.shop.example' };
    expect(readRouter({ route53, colors })).toEqual({ ok: true, value: { route53: { ...route53, targets: undefined }, colors } });
    const targets = { blue: 'tg-blue', green: 'tg-green' };
    expect(readRouter({ route53: { ...route53, targets }, colors })).toMatchObject({ value: { route53: { targets } } });
  }); // prettier-ignore

  test.each([
    { name: 'text', value: 'web', says: 'is not a mapping' },
    { name: 'no alb', value: { colors }, says: 'has no alb' },
    { name: 'no colors', value: { alb: { listener: 'web' } }, says: 'colors is not a mapping' },
    { name: 'one color', value: { alb: { listener: 'web' }, colors: { blue: 'a' } }, says: 'colors has no green' },
    { name: 'one name for both', value: { alb: { listener: 'web' }, colors: { blue: 'a', green: 'a' } }, says: 'colors has the same name for both colors' },
    { name: 'no listener', value: { alb: { port: 443 }, colors }, says: 'has no alb.listener' },
    { name: 'a port that is none', value: { alb: { listener: 'web', port: 'https' }, colors }, says: 'has an alb.port that is no port' },
    { name: 'a rule that is none', value: { alb: { listener: 'web', rule: 'first' }, colors }, says: 'has an alb.rule that is no rule' },
    { name: 'an unknown key', value: { alb: { listner: 'web' }, colors }, says: 'has the unknown key listner' },
    { name: 'two routers', value: { alb: { listener: 'web' }, route53: { zone: 'a.b', record: 'a.b' }, colors }, says: 'has both alb and route53' },
    { name: 'no zone', value: { route53: { record: 'app.shop.example' }, colors }, says: 'has no route53.zone' },
    { name: 'no record', value: { route53: { zone: 'shop.example' }, colors }, says: 'has no route53.record' },
    { name: 'one target group', value: { route53: { zone: 'a.b', record: 'a.b', targets: { blue: 'x' } }, colors }, says: 'route53.targets has no green' },
    { name: 'a key of the other router', value: { route53: { zone: 'a.b', record: 'a.b', port: 1 }, colors }, says: 'has the unknown key port' },
    { name: 'a router of a later version', value: { ingress: {} }, says: 'names ingress, which is not supported in this version' },
  ])('is refused for $name', ({ value, says }) => {
    expect(readRouter(value)).toMatchObject({ ok: false, problem: expect.stringContaining(says) });
  }); // prettier-ignore

  test('names the nearest color', () => {
    expect(readColors({ blue: 'a', gren: 'b' })).toMatchObject({ ok: false, nearest: 'green' });
  });
});

describe('deploy: none', () => {
  const BARE = { deploy: 'none', cluster: undefined, services: undefined, image: undefined };

  test('needs no service and no image', () => {
    expect(requestOf(BARE)).toMatchObject({ deploy: 'none', ecs: undefined, image: undefined });
  });

  test('keeps services that are given, to be scaled', () => {
    expect(requestOf({ deploy: 'none', image: undefined })).toMatchObject({
      ecs: { cluster: 'shop', services: MINIMUM.services },
    });
  });

  test.each([
    { name: 'a cluster without services', given: { ...BARE, cluster: 'shop' }, says: ['services is missing'] },
    {
      name: 'services without a cluster',
      given: { ...BARE, services: MINIMUM.services },
      says: ['cluster is missing'],
    },
    {
      name: 'nothing where ECS deploys',
      given: { cluster: undefined, services: undefined },
      says: ['cluster is missing', 'services is missing'],
    },
    {
      name: 'a color to go to in a release',
      given: { 'to-color': 'green' },
      says: ['to-color says nothing to mode run'],
    },
  ])('refuses $name', ({ given, says }) => {
    expect(problemsOf(given)).toEqual(says);
  });
});

test.each([
  { name: 'without the color', health: 'https://shop.example/health' },
  { name: 'with a password', health: 'https://a:b@{color}.shop.example/' },
  { name: 'of another scheme', health: 'ftp://{color}.shop.example/' },
])('a URL of health $name is refused', ({ health }) => {
  const router = {
    route53: { zone: 'shop.example', record: 'shop.example', health },
    colors: { blue: 'a', green: 'b' },
  };
  expect(readRouter(router)).toMatchObject({ ok: false, problem: expect.stringContaining('route53.health') });
});
