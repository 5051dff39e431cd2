import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { matchers } from '../../src/adapters/http/matchers.ts';
import { GATE_SCHEMA, parseGate } from '../../src/domain/approval/gate-document.ts';
import { CHECKS_SCHEMA } from '../../src/domain/checks/checks-schema.ts';
import { parseChecks } from '../../src/domain/checks/parse.ts';
import type { JsonSchema } from '../../src/domain/json-schema.ts';
import { parsePolicy } from '../../src/domain/policy/parse-policy.ts';
import { POLICY_SCHEMA } from '../../src/domain/policy/policy-schema.ts';
import { complaintsOf, keysIn, mutantsOf, namesIn, validatorOf } from './schemas.ts';

interface Language {
  readonly name: string;
  readonly schema: JsonSchema;
  /** What the parser says against a document; nothing: it takes it. */
  readonly problems: (document: unknown) => readonly string[];
  /** Good ones, in which every key stands that there is. */
  readonly documents: readonly string[];
}

const languages: readonly Language[] = [
  {
    name: 'a policy',
    schema: POLICY_SCHEMA,
    problems(document) {
      const read = parsePolicy(document);
      return read.ok ? [] : read.problems.map(({ input, problem }) => `${input} ${problem}`);
    },
    documents: [
      'rules: ["error-rate > 5% for 2m"]',
      `
steps: [10%, 50, 100%]
bake: 5m
recheck: { after: 30s, for: 2m }
deadline: 30m
rollback-within: 2m
rules:
  - fail: health fails 4 in a row
  - fail: error-rate > 5% for 2m
    window: 1m
    min-samples: 50
    fast-fail: true
  - fail: error-rate > stable + 0.1pp
    test: { alpha: 0.01, min-events: 10 }
    max-uncertainty: 2pp
  - warn: p95 >= 1.5s
  - "warn: queue-depth > 100 for 5m"
on-inconclusive: hold
on-no-data: continue
no-data-timeout: 90s
interval: 15s
metrics:
  health: { from: probe, path: /ready, every: 2s, timeout: 1s }
  error-rate: { from: web, url: "https://m/{target-group}", value: $.rate, samples: $.n, headers: { X-Key: "\${KEY}" } }
  p50: { from: probe }
  p95: { from: probe }
  p99: { from: probe }
  mean: { from: probe }
  requests: { from: web, url: "\${METRICS}/n", value: $.n, timeout: 2s }
  queue-depth: { from: web, url: "https://m/q", value: $.depth }
`,
      `
rules: [error-rate > stable + 10%, p95 > stable + 50 ms, failures < stable - 1pp, requests < 1/s]
metrics:
  error-rate: { from: prometheus, url: "\${PROMETHEUS}", bad: 'http_requests_total{code=~"5..",color="{color}"}', total: 'http_requests_total{color="{color}"}', headers: { X-Scope: "1" }, timeout: 5s }
  p95: { from: prometheus, url: "http://p", histogram: 'seconds_bucket{color="{color}"}' }
  p99: { from: prometheus, url: "http://p", value: 'latency{color="{color}"}', samples: 'n{color="{color}"}' }
  mean: { from: cloudwatch, delay: 1m }
  requests: { from: cloudwatch }
  failures: { from: cloudwatch, bad: failed, total: "FILL(all, 0)", queries: { failed: { namespace: Shop, metric: Failures, stat: Sum, dimensions: { Color: "{color}" } }, all: { namespace: Shop, metric: Checkouts, dimensions: { Color: "{color}" } } } }
  depth: { from: cloudwatch, value: a, samples: b, queries: { a: { namespace: Shop, metric: Depth, stat: Maximum }, b: { namespace: Shop, metric: Depth, stat: SampleCount } } }
`,
      'rules: [error-rate > 5% for 2m]\nno-data-timeout: 3m\nmetrics: { error-rate: { from: cloudwatch, unanswered: errors } }',
      'steps: [5%, { to: 50, approve: gate.yml, within: 5m }, { to: 100% }]\nrules: [health fails 4 in a row]',
      'steps: 5,25,100\nrecheck: none\nrules: [{ fail: "requests < 1/s" }]\nmetrics: { requests: { from: web, url: "http://m", value: $ } }',
    ],
  },
  {
    name: 'the file of a gate',
    schema: GATE_SCHEMA,
    problems(document) {
      const read = parseGate(document);
      return read.ok ? [] : read.problems.map(({ input, problem }) => `${input} ${problem}`);
    },
    documents: [
      'approvers: [user:alice]',
      `
approvers: [user:alice, user:bob, team:acme/releasers]
minimum-approvals: 2
exclude: [commit-authors]
require-code: true
require-checks: [unit@github-actions, scan]
groups:
  - { name: security, approvers: [team:acme/security], minimum: 1, when: { paths: [infra/**], labels: [security] } }
  - { name: business, approvers: [user:carol] }
override-approvers: [team:acme/on-call]
windows:
  - { weekday: [mon, tue], at: "02:00", tz: America/New_York, duration: 2h }
  - { weekday: sun, nth: 2, at: "02:00", tz: UTC, duration: 90m }
  - { cron: "0 9 * * 1-5", tz: Europe/Berlin, duration: 8h }
outside-window: fail
freezes:
  - { from: "2026-12-20", to: "2027-01-04", tz: UTC, reason: end of the year, environments: [production] }
freeze-file: .github/freezes.yml
settle-for: 10s
label: approval
notify: [acme/everybody, alice]
`,
    ],
  },
  {
    name: 'a checks file',
    schema: CHECKS_SCHEMA,
    problems(document) {
      const read = parseChecks(document, matchers);
      return read.ok ? [] : read.problems.map(({ input, problem }) => `${input} ${problem}`);
    },
    documents: [
      'version: 1\nchecks: [{ name: health, get: / }]',
      `
version: 1
target: "\${TARGET}"
variables: { base: /api, retries: 3, dark: true }
secrets: [API_TOKEN]
defaults:
  timeout: 3s
  headers: { User-Agent: ours, X-Count: 3 }
  retry: { count: 5, interval: 2s, consecutive: 2 }
  follow-redirects: same-host
  expect: { status: "<400" }
checks:
  - name: several
    get: [/a, "{{ base }}/b", "\${PLACE}"]
    auth: { bearer: "\${API_TOKEN}" }
    timeout: 10s
    retry: { count: 3 }
    follow-redirects: [login.example.com]
    expect:
      status: [200, "201..204", 3xx]
      headers: { content-type: text/html, x-a: { equals: a, contains: [b, c], matches: "^d", exists: true } }
      body: { contains: hello, matches: "w.rld" }
      json:
        "$.status": healthy
        "$.count": 3
        "$.tags": [a, null]
        "$.inner": { equals: { a: 1 }, contains: a, matches: a, exists: true, at-least: 1, at-most: 3 }
      duration: 2s
      version: { header: x-app-version, equals: "1.4.0" }
    warn: { duration: 500ms, version: { json: $.version } }
  - { name: posts, post: /login, json: { user: smoke, roles: [a] }, headers: { X-Team: a } }
  - { name: puts, put: /text, body: hello }
  - { name: asks, head: / }
  - { name: deletes, delete: /it }
`,
      `
version: 1
variables: { user: smoke }
checks:
  - name: socket
    ws: /ws
    weight: 3
    addresses: every
    flow:
      - { receive: true, expect: { message: { contains: [a, b], matches: "^w", equals: welcome } } }
      - { send: hello, expect: { message: hello, duration: 100ms } }
      - { send: { a: 1 }, expect: { json: { "$.a": 1 } } }
      - { ping: true }
    expect: { certificate: { days-left: 14 } }
  - { name: hub, signalr: /hub, flow: [{ invoke: Ping, args: [1, a], expect: { result: pong, duration: 1s } }, { ping: true }] }
flows:
  shop:
    weight: 70
    flow:
      - { post: /login, json: { user: "{{ user }}" }, capture: { token: { json: $.token, secret: true }, id: $.id } }
      - { get: "/cart/{{ id }}", auth: { bearer: "{{ token }}" }, capture: { etag: { header: etag }, page: { matches: "page=(.)" } } }
      - think: 500ms..2s
      - { ws: /ws, flow: [{ send: "{{ etag }} {{ $uuid }}", capture: { seen: $.seen } }] }
      - { get: "/items?page={{ $randomNumber(1,50) }}", retry: { count: 2 } }
load:
  - name: quick
    closed: { count: 100, concurrency: 10, duration: 60s }
    get: /
    max-requests: 1000
    rules: [{ fail: error-rate > 1% }, "warn: mean > 2s"]
  - name: ramp
    scenarios: [shop, hub]
    phases: [{ duration: 60s, arrivals: 5/s }, { duration: 5m, arrivals: 5/s, ramp-to: 20/s }]
    concurrency: 500
    stable: "\${STABLE}"
    rules:
      - { fail: p95 > 500ms, scenario: shop }
      - { fail: service-p99 > stable + 10% }
`,
    ],
  },
];

describe.each(languages)('the schema of $name', ({ schema, problems, documents }) => {
  const validate = validatorOf(schema);
  const good = documents.map((text) => parse(text) as unknown);
  const mutants = good.flatMap(mutantsOf).map(({ change, document }) => ({
    change,
    parser: problems(document),
    schema: complaintsOf(validate, document),
  }));

  test('knows no key that the good documents of this test leave out', () => {
    const used = new Set(good.flatMap((document) => [...keysIn(document)]));
    expect([...namesIn(schema)].filter((name) => !used.has(name))).toEqual([]);
  });

  test('takes the good ones, as the parser does', () => {
    expect(good.map((document) => ({ parser: problems(document), schema: complaintsOf(validate, document) }))).toEqual(
      good.map(() => ({ parser: [], schema: [] })),
    );
  });

  test('takes whatever the parser takes, with any one place of them changed', () => {
    const taken = mutants.filter(({ parser }) => parser.length === 0);
    expect(taken.length).toBeGreaterThan(100);
    expect(taken.filter(({ schema: complaints }) => complaints.length > 0)).toEqual([]);
  });

  test('refuses every key that the parser does not know', () => {
    const unknown = mutants.filter(({ parser }) =>
      parser.some((problem) => / is not a (known key|key of this place)$/.test(problem)),
    );
    expect(unknown.length).toBeGreaterThan(20);
    expect(unknown.filter(({ schema: complaints }) => complaints.length === 0)).toEqual([]);
  });

  test('refuses most of what the parser refuses, so that an editor is of use', () => {
    // What one place says of another is beyond a schema.
    const beyond = new RegExp(
      [
        'uses the variable',
        'is neither a flow nor a check',
        'is no scenario of this load',
        'does not rise in whole percent',
        'does not end with 100%',
        'has no step below 100%',
        'cannot tell stable from the candidate',
        'cannot be met:',
        'is shorter than the interval of the measurements',
      ].join('|'),
    );
    const refused = mutants.filter(({ parser }) => parser.some((problem) => !beyond.test(problem)));
    const missed = refused.filter(({ schema: complaints }) => complaints.length === 0);
    expect(missed.length / refused.length).toBeLessThan(0.03);
  });
});
