import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { actionNames, readContract } from '../../tools/docs/action-contract.ts';
import { type BundleResult, runBundle } from '../harness/run-bundle.ts';
import { ROOT } from '../rules/tracked.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const IMAGES = `{"web":{"repository":"shop/web","digest":"${DIGEST}"}}`;
/** A token of the gate, one of the checks, one of AWS. */
const SECRETS = ['ghs_hunter21', 'hunter22', 'hunter23'];

const FILE = `stages:
  defaults:
    region: us-west-2
    cluster: "{stage}-shop"
    registry: registry.example.com
    url: http://127.0.0.1:9
  staging:
    environment: staging
    service: shop
    services: { blue: "{stage}-blue", green: "{stage}-green" }
    router: { alb: { listener: shop }, colors: { blue: shop-blue, green: shop-green } }
    drain: 90s
    paths: [/health, "/{stage}"]
    headers: { Authorization: "Bearer \${API_TOKEN}" }
    approvers: ["user:alice", "user:bob"]
    minimum-approvals: 2
`;

interface Case {
  readonly action: string;
  readonly inputs: Readonly<Record<string, string>>;
  /** Lines that must be among those of the dry run. */
  readonly lines: readonly string[];
}

const cases: readonly Case[] = [
  {
    action: 'approval-gate',
    inputs: { images: IMAGES, token: SECRETS[0] ?? '', 'minimum-approvals': '1' },
    lines: [
      'environment: staging  (sluice.yml:8:5 stages.staging.environment)',
      'approvers: ["user:alice","user:bob"]  (sluice.yml:15:5 stages.staging.approvers)',
      'minimum-approvals: 1  (input)',
      'timeout: 5h30m  (default)',
      'token: ***  (input)',
    ],
  },
  {
    action: 'blue-green',
    inputs: { images: IMAGES, rules: 'health fails 2 in a row' },
    lines: [
      'mode: run  (default)',
      'cluster: staging-shop  (sluice.yml:4:5 stages.defaults.cluster)',
      'services: {"blue":"staging-blue","green":"staging-green"}  (sluice.yml:10:5 stages.staging.services)',
      'drain: 90s  (sluice.yml:12:5 stages.staging.drain)',
      'rules: health fails 2 in a row  (input)',
      'policy: not given',
    ],
  },
  {
    action: 'build-image',
    inputs: { repository: 'ghcr.io/acme/shop', token: SECRETS[0] ?? '', tags: 'type=raw,value=edge' },
    lines: [
      'mode: build  (default)',
      'repository: ghcr.io/acme/shop  (input)',
      'no-cache: false  (default)',
      'token: ***  (input)',
      'region: us-west-2  (sluice.yml:3:5 stages.defaults.region)',
    ],
  },
  {
    action: 'deploy-ecs',
    inputs: { images: IMAGES, cluster: 'other' },
    lines: [
      'cluster: other  (input)',
      'service: shop  (sluice.yml:9:5 stages.staging.service)',
      'region: us-west-2  (sluice.yml:3:5 stages.defaults.region)',
      'timeout: 20m  (default)',
      'desired-count: not given',
    ],
  },
  {
    action: 'deploy-k8s',
    inputs: { manifests: 'k8s', app: 'shop', token: SECRETS[0] ?? '', server: 'https://127.0.0.1:9' },
    lines: [
      'mode: deploy  (default)',
      'token: ***  (input)',
      'region: us-west-2  (sluice.yml:3:5 stages.defaults.region)',
      'url: http://127.0.0.1:9  (sluice.yml:6:5 stages.defaults.url)',
    ],
  },
  {
    action: 'smoke-test',
    inputs: { 'check-secrets': `API_TOKEN=${SECRETS[1]}` },
    lines: [
      'url: http://127.0.0.1:9  (sluice.yml:6:5 stages.defaults.url)',
      'paths: ["/health","/staging"]  (sluice.yml:13:5 stages.staging.paths)',
      'headers: {"Authorization":"Bearer ${API_TOKEN}"}  (sluice.yml:14:5 stages.staging.headers)',
      'check-secrets: ***  (input)',
      'timeout: 10s  (default)',
    ],
  },
];

/** Stands for every cloud: the inputs are printed before it is asked, and it lets nobody in. */
let nobody: Server;
let address = '';
beforeAll(async () => {
  nobody = createServer((request, response) => {
    request.resume();
    response.writeHead(403, { 'content-type': 'text/plain' }).end('no');
  });
  await new Promise<void>((listening) => nobody.listen(0, '127.0.0.1', listening));
  address = `http://127.0.0.1:${(nobody.address() as AddressInfo).port}`;
});
afterAll(() => {
  nobody.closeAllConnections();
  nobody.close();
});

const dryRun = ({ action, inputs }: Case, file = FILE): Promise<BundleResult> =>
  runBundle({
    action,
    inputs: { ...inputs, stage: 'staging', 'dry-run': 'true' },
    files: { 'sluice.yml': file },
    env: {
      AWS_ENDPOINT_URL: address,
      AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
      AWS_SECRET_ACCESS_KEY: SECRETS[2],
      GITHUB_API_URL: address,
      API_TOKEN: SECRETS[1],
    },
  });

/** What the run says of its inputs, line by line. */
function resolvedLines({ stdout }: BundleResult): readonly string[] {
  // Between the two commands that keep the runner from reading it.
  const [, block = ''] = /Inputs, as they are resolved\n::stop-commands::.*\n([\s\S]*?)\n::/.exec(stdout) ?? [];
  return block.split('\n');
}

describe.each(cases)('a dry run of $action', (each) => {
  let result: BundleResult;
  beforeAll(async () => {
    result = await dryRun(each);
  });

  test('prints every input of it once, with its value and where that comes from', async () => {
    const { spec } = await readContract(ROOT, each.action);
    const lines = resolvedLines(result);
    expect(lines.map((line) => line.slice(0, line.indexOf(':')))).toEqual(Object.keys(spec));
    const origin =
      /^[\w-]+: (not given|.+ {2}\((input|default|sluice\.yml:\d+:\d+ stages\.(defaults|staging)\.[\w-]+)\))$/;
    expect(lines.filter((line) => !origin.test(line))).toEqual([]);
    expect(lines).toEqual(expect.arrayContaining([...each.lines]));
  });

  test('changes nothing, and says so', () => {
    expect(result.outputs).toMatchObject({ changed: 'false' });
  });

  test('shows no secret, wherever it came from', () => {
    const shown = result.stdout.split('\n').filter((line) => !line.startsWith('::add-mask::'));
    const all = [
      ...shown,
      result.stderr,
      result.summary,
      ...Object.values(result.outputs),
      ...Object.values(result.state),
    ];
    expect(SECRETS.filter((secret) => all.join('\n').includes(secret))).toEqual([]);
  });
});

describe('a secret in the wrong place is refused without being repeated', () => {
  const stage = (line: string): string => `${FILE}    ${line}\n`;
  test.each<{
    readonly name: string;
    readonly action: string;
    readonly inputs?: Record<string, string>;
    readonly file?: string;
    readonly says: RegExp;
  }>([
    {
      name: 'a URL',
      action: 'smoke-test',
      inputs: { url: 'https://alice:hunter24@shop' },
      says: /url: has credentials in it/,
    },
    {
      name: 'a URL in the file',
      action: 'blue-green',
      file: stage('candidate-url: "https://alice:hunter24@shop:bad"'),
      says: /candidate-url: "https:\/\/\*\*\*@shop:bad" is not a base URL/,
    },
    {
      name: 'a header of the candidate',
      action: 'blue-green',
      inputs: { 'candidate-headers': '{ Authorization: Bearer hunter24 }' },
      says: /candidate-headers: headers\.Authorization is a secret written into the file/,
    },
    {
      name: 'a header of the target',
      action: 'smoke-test',
      inputs: { headers: 'Authorization: Bearer hunter24' },
      says: /headers\.Authorization: is a secret written into the file/,
    },
    {
      name: 'a line of check-secrets',
      action: 'smoke-test',
      inputs: { 'check-secrets': 'API_TOKEN hunter24' },
      says: /check-secrets: has something else than NAME=value in line 1/,
    },
    {
      name: 'a misspelt key of the file',
      action: 'approval-gate',
      file: stage('tokn: hunter24'),
      says: /sluice\.yml:17:5 stages\.staging\.tokn: is not an input of any action/,
    },
    {
      name: 'a token in the file',
      action: 'approval-gate',
      file: stage('token: hunter24'),
      says: /sluice\.yml:17:5 stages\.staging\.token: is not read from a stage/,
    },
  ])('$name', async ({ action, inputs = {}, file = FILE, says }) => {
    const usual = cases.find((each) => each.action === action)?.inputs;
    const result = await dryRun({ action, inputs: { ...usual, ...inputs }, lines: [] }, file);
    expect(result).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input', changed: 'false' } });
    expect(result.annotations[0]?.message).toMatch(says);
    const shown = result.stdout.split('\n').filter((line) => !line.startsWith('::add-mask::'));
    expect([...shown, result.stderr, result.summary].join('\n')).not.toContain('hunter24');
  });
});

test('no action is left out', () => {
  expect(cases.map(({ action }) => action).sort()).toEqual(actionNames(ROOT).sort());
});
