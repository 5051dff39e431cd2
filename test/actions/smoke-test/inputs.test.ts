import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runBundle } from '../../harness/run-bundle.ts';
import { type Application, TOKEN, startApplication } from './application.ts';

let application: Application;
let smoke: Application['smoke'];
beforeAll(async () => {
  application = await startApplication();
  ({ smoke } = application);
});
afterAll(() => application.server.close());

describe('a secret', () => {
  const checks = `
version: 1
checks:
  - name: me
    get: /me
    auth: { bearer: "\${API_TOKEN}" }
    expect: { status: 200, json: { "$.seen": nobody } }
`;

  test('of the environment is sent, and shown nowhere but in the line that masks it', async () => {
    const temp = await mkdtemp(join(tmpdir(), 'smoke-'));
    const run = await smoke({}, checks, { env: { API_TOKEN: TOKEN, RUNNER_TEMP: temp } });
    const file = await readFile(run.outputs['results'] ?? '', 'utf8');
    await rm(temp, { recursive: true });
    expect(run.stdout).toContain('$.seen is "Bearer ***", expected "nobody"');
    expect(run.commands).toContainEqual(expect.objectContaining({ name: 'add-mask' }));
    const shown = run.stdout.split('\n').filter((line) => !line.startsWith('::add-mask::'));
    expect([...shown, run.stderr, run.summary, file, JSON.stringify(run.outputs)].join('\n')).not.toContain(TOKEN);
  });

  test('that is not set is named with its check and line, before any request', async () => {
    const run = await smoke({ url: 'http://127.0.0.1:9' }, checks, { env: { API_TOKEN: '' } });
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input', changed: 'false' } });
    expect(run.stdout).toContain(
      'checks.yml:6:13 checks[0].auth.bearer: needs the environment variable API_TOKEN, which is not set (check me)',
    );
    expect(run.stdout).not.toContain('checks against');
  });

  test('may come as a line of check-secrets, and wins over the environment', async () => {
    const lines = { 'check-secrets': `OTHER=value-of-other\nAPI_TOKEN=${TOKEN}\n` };
    const run = await smoke(lines, checks.replace('$.seen": nobody', '$.host": { exists: true }'), {
      env: { API_TOKEN: 'another' },
    });
    expect(run).toMatchObject({ exitCode: 0, outputs: { verdict: 'pass' } });
    const masked = run.commands.filter(({ name }) => name === 'add-mask').map(({ data }) => data);
    expect(masked).toEqual(expect.arrayContaining([TOKEN, 'value-of-other']));
  });

  test('that is no line of check-secrets is refused by its number and not repeated', async () => {
    const run = await smoke({ paths: '/me', 'check-secrets': 'A=b\nhunter2 is my token' });
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input' } });
    expect(run.stdout).toContain('check-secrets: has something else than NAME=value in line 2');
    const shown = run.stdout.split('\n').filter((line) => !line.startsWith('::add-mask::'));
    expect(shown.join('\n')).not.toContain('hunter2');
  });

  test('in a header of the input comes from the environment too', async () => {
    const headers = '{ Authorization: "Bearer ${API_TOKEN}" }';
    const run = await smoke({ paths: '/me', 'expect-status': '200', headers }, undefined, {
      env: { API_TOKEN: TOKEN },
    });
    expect(run).toMatchObject({ exitCode: 0, outputs: { verdict: 'pass' } });
  });

  test.each([
    {
      name: 'under its name',
      headers: '{"Authorization":"Bearer abcdef"}',
      message: 'headers.Authorization: is a secret written into the file',
    },
    { name: 'without a name', headers: 'Bearer abcdef', message: 'headers: is not a mapping' },
  ])('in plain text in the input headers is refused and not repeated: $name', async ({ headers, message }) => {
    const run = await smoke({ paths: '/me', headers });
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input' } });
    expect(run.stdout).toContain(message);
    expect([run.stdout, run.stderr, run.summary].join()).not.toContain('abcdef');
  });
});

describe('input that cannot be used', () => {
  test('is named all at once, with the lines of the file', async () => {
    const checks = `version: 1
checks:
  - name: health
    get: /health
    expcet: { status: 200 }
  - name: socket
    socketio: /ws
  - name: page
    get: /
    timeout: 10
`;
    const run = await smoke({}, checks);
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input' } });
    const [annotation] = run.annotations;
    expect(annotation?.message.split('\n')).toEqual([
      'The checks of checks.yml cannot be used, 3 problems:',
      expect.stringMatching(
        /^ {2}checks\.yml:5:5 checks\[0\]\.expcet: is not a key of this place\. .*Did you mean expect\?$/,
      ),
      '  checks.yml:7:5 checks[1].socketio: is not supported by this version.',
      expect.stringMatching(/^ {2}checks\.yml:10:5 checks\[2\]\.timeout: "10" is not a duration\./),
      'Nothing was touched.',
    ]);
  });

  test('is named together with what the file needs of the environment and of the inputs, and with what its load cannot show', async () => {
    const checks = `version: 1
checks:
  - name: me
    get: /me
    expcet: { status: 200 }
    auth: { bearer: "\${GONE}" }
  - name: version
    get: /health
    expect:
      version: { header: x-version }
      certificate: { days-left: 14 }
flows:
  shop:
    flow:
      - { get: /cart, headers: { x-cart: "\${NEITHER}" }, expect: { version: { json: $.v } } }
load:
  - name: few
    closed: { count: 20, concurrency: 2 }
    get: "/?key=\${LOST}"
    rules:
      - fail: error-rate > 0%
      - fail: error-rate > 5%
      - warn: p95 > stable + 10%
`;
    const run = await smoke({}, checks);
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input' } });
    const [annotation, ...more] = run.annotations;
    expect(more).toEqual([]);
    const said = annotation?.message.split('\n').slice(1, -1) ?? [];
    expect(said.map((line) => /checks\.yml:\d+:\d+ \S+ .*?[.,](?= |$)/.exec(line)?.[0])).toEqual([
      'checks.yml:5:5 checks[0].expcet: is not a key of this place.',
      'checks.yml:6:13 checks[0].auth.bearer: needs the environment variable GONE,',
      'checks.yml:15:34 flows.shop.flow[0].headers.x-cart: needs the environment variable NEITHER,',
      'checks.yml:19:5 load[0].get: needs the environment variable LOST,',
      'checks.yml:10:7 checks[1].expect.version: is compared with the input expect-version,',
      'checks.yml:15:68 flows.shop.flow[0].expect.version: is compared with the input expect-version,',
      'checks.yml:11:7 checks[1].expect.certificate: wants a certificate of an address without TLS (check version).',
      'checks.yml:22:9 load[0].rules[1]: "fail: error-rate > 5%" cannot be shown by this load: it needs 59 answers,',
      'checks.yml:23:9 load[0].rules[2]: "warn: p95 > stable + 10%" is compared with the stable release,',
    ]);
    expect(annotation?.message).toContain('`env: GONE: ...` on the step, or a line GONE=... of check-secrets');
    expect(annotation?.message).toContain(
      'and 20 are planned. Accepted: a count of 59 or more, or a rule that claims less',
    );
  });

  test('is named in a dry run, too, and by the words of the short form', async () => {
    const few = {
      paths: '/health',
      load: '20 requests at 2',
      'load-rules': 'fail: error-rate > 5%',
      'dry-run': 'true',
    };
    const run = await smoke({ ...few, 'expect-version': 'a' });
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input' } });
    expect(run.annotations[0]?.message.split('\n').slice(1, -1)).toEqual([
      expect.stringMatching(
        /^ {2}load-rules: "fail: error-rate > 5%" cannot be shown by this load: it needs 59 answers/,
      ),
      expect.stringMatching(/^ {2}expect-version: "a" is looked for by no check/),
    ]);
  });

  test('is a file that is not there and a baseline that is none, both at once', async () => {
    const run = await runBundle({
      action: 'smoke-test',
      inputs: { url: application.url, checks: 'no.yml', baseline: 'last.json' },
      files: { 'last.json': '{}' },
    });
    expect(run.annotations).toEqual([
      expect.objectContaining({
        title: 'smoke-test: unusable input',
        message: expect.stringMatching(
          /checks: "no\.yml" is not in the workspace \/\S+\.[^]*baseline: "last\.json" is not a result file/,
        ) as unknown as string,
      }),
    ]);
  });

  test.each([
    { name: 'nothing to check', inputs: {}, message: 'checks: is missing, and so are paths and websocket' },
    {
      name: 'a file that is not there',
      inputs: { checks: 'no.yml' },
      message: 'checks: "no.yml" is not in the workspace',
    },
    { name: 'no target', inputs: { url: '', paths: '/health' }, message: 'url: is required' },
    { name: 'a target with credentials', inputs: { url: 'http://a:b@127.0.0.1', paths: '/' }, message: 'url' },
    { name: 'a path without its slash', inputs: { paths: 'health' }, message: 'paths: "health" is not a path' },
    {
      name: 'a status that is none',
      inputs: { paths: '/', 'expect-status': 'ok' },
      message: 'expect-status: "ok" is not a status',
    },
    {
      name: 'a duration without unit',
      inputs: { paths: '/', timeout: '30' },
      message: 'timeout: "30" is not a duration',
    },
    { name: 'a host with a scheme', inputs: { paths: '/', host: 'https://a' }, message: 'host: "https://a"' },
    {
      name: 'a version that nobody looks for',
      inputs: { paths: '/', 'expect-version': 'a' },
      message: 'expect-version: "a" is looked for by no check',
    },
    {
      name: 'rules of a load that is not there',
      inputs: { paths: '/', 'load-rules': 'fail: nonsense' },
      message: 'load-rules: has no load to judge',
    },
    {
      name: 'a place of the version with nothing to compare',
      inputs: { paths: '/', 'version-from': 'header:x-version', 'expect-version': '' },
      message: 'expect-version: is missing or empty, so that `version-from` has nothing to be compared with',
    },
    {
      name: 'a place of the version that is none',
      inputs: { paths: '/', 'version-from': 'body' },
      message: 'version-from: "body" is not a place of a version',
    },
  ])('is refused: $name', async ({ inputs, message }) => {
    const run = await smoke(inputs);
    expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input' } });
    expect(run.stdout).toContain(message);
  });

  test('is told once, where a load runs the flow that has it, too', async () => {
    const flows = 'flows: { shop: { flow: [{ get: "/", auth: { bearer: "${NOT_SET}" } }] } }';
    const loads =
      'load: [{ name: it, closed: { count: 100, concurrency: 2 }, scenarios: [shop], rules: ["fail: error-rate > 0%"] }]';
    const run = await smoke({}, `version: 1\n${flows}\n${loads}\n`);
    expect(run.stdout.match(/needs the environment variable NOT_SET/g)).toHaveLength(1);
  });

  test('is a version in the file that nobody expects', async () => {
    const run = await smoke(
      {},
      'version: 1\nchecks: [{ name: health, get: /health, expect: { version: { json: $.version } } }]\n',
    );
    expect(run.stdout).toContain(
      'checks.yml:2:50 checks[0].expect.version: is compared with the input expect-version, which is missing (check health)',
    );
  });
});

test('a dry run makes no request and shows what it would do, without secrets', async () => {
  const run = await smoke(
    { url: 'http://127.0.0.1:9', 'dry-run': 'true' },
    'version: 1\nsecrets: [API_TOKEN]\nchecks: [{ name: me, get: "/me?t=${API_TOKEN}", retry: { count: 3 } }]\n',
    { env: { API_TOKEN: TOKEN } },
  );
  expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'planned', verdict: '', results: '' } });
  expect(run.stdout).toContain(
    'me: GET http://127.0.0.1:9/me?t=***, expects status <400; 3 tries, 5s apart, timeout 10s',
  );
  expect(run.summary).not.toContain(TOKEN);
});
