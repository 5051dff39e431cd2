import { Agent, request } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http';
import { type Answer, awsError, errorAnswer } from './wire/answer.ts';
import type { ApiCall } from './wire/call.ts';
import { notModelled } from './wire/errors.ts';
import { objectOf, treeOfXml, type TreeObject } from './wire/tree.ts';

/** Whose state in moto an own call of the front means. */
export interface Account {
  /** An access key that moto knows as one of this account. */
  readonly accessKey: string;
  readonly region: string;
}

export type MotoJson =
  | { readonly ok: true; readonly output: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly code: string; readonly message: string };

export interface Moto {
  /** The call as it came; whatever moto cannot do comes back as a clear AWS error, never as its HTML page. */
  forward(call: ApiCall): Promise<Answer>;
  /** An own call in AWS's JSON protocol. `target`: `AmazonEC2ContainerServiceV20141113.DescribeTaskDefinition`. */
  json(account: Account, target: string, input: unknown): Promise<MotoJson>;
  /** An own call in the Query protocol; fields are flat: `TargetGroupArns.member.1`. Fails when moto refuses. */
  query(account: Account, service: string, fields: Readonly<Record<string, string>>): Promise<TreeObject>;
  /** The same for a service whose answer is read otherwise: its text. */
  queryText(account: Account, service: string, fields: Readonly<Record<string, string>>): Promise<string>;
  close(): void;
}

interface Raw {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export function motoClient(port: number): Moto {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });

  const send = (method: string, path: string, headers: OutgoingHttpHeaders, body: Buffer | string): Promise<Raw> =>
    new Promise((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port, agent, method, path, headers }, (incoming) => {
        const pieces: Buffer[] = [];
        incoming.on('data', (piece: Buffer) => pieces.push(piece));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 500,
            headers: kept(incoming.headers as Record<string, string>, method),
            body: Buffer.concat(pieces),
          }),
        );
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });

  const own = (account: Account, signingName: string, headers: OutgoingHttpHeaders, body: string): Promise<Raw> =>
    send(
      'POST',
      '/',
      { ...headers, ...credentials(account, signingName), 'content-length': Buffer.byteLength(body) },
      body,
    );

  async function queryText(
    account: Account,
    service: string,
    fields: Readonly<Record<string, string>>,
  ): Promise<string> {
    const body = new URLSearchParams(fields).toString();
    const raw = await own(account, service, { 'content-type': 'application/x-www-form-urlencoded' }, body);
    const text = raw.body.toString('utf8');
    if (raw.status >= 300) throw new Error(`moto refused ${service}:${fields['Action']}: ${text.slice(0, 500)}`);
    return text;
  }

  return {
    async forward(call) {
      const { host: _host, connection: _connection, 'transfer-encoding': _chunked, ...headers } = call.headers;
      const raw = await send(call.method, call.url, { ...headers, 'content-length': call.body.length }, call.body);
      return answerOf(call, raw);
    },
    async json(account, target, input) {
      const service = JSON_SERVICES[target.split('.')[0] ?? ''] ?? 'ecs';
      const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
      const raw = await own(account, service, headers, JSON.stringify(input));
      const output = JSON.parse(raw.body.toString('utf8')) as Record<string, unknown>;
      if (raw.status < 300) return { ok: true, output };
      const code = String(output['__type'] ?? 'Unknown')
        .split('#')
        .at(-1) as string;
      return { ok: false, code, message: String(output['message'] ?? output['Message'] ?? '') };
    },
    async query(account, service, fields) {
      const tree = treeOfXml(await queryText(account, service, fields));
      return objectOf(objectOf(tree[`${fields['Action']}Response`])[`${fields['Action']}Result`]);
    },
    queryText,
    close: () => agent.destroy(),
  };
}

const JSON_SERVICES: Readonly<Record<string, string>> = {
  AmazonEC2ContainerServiceV20141113: 'ecs',
  AmazonEC2ContainerRegistry_V20150921: 'ecr',
};

/** moto takes service, region and account from here and checks no signature. */
const credentials = ({ accessKey, region }: Account, signingName: string): OutgoingHttpHeaders => ({
  authorization: `AWS4-HMAC-SHA256 Credential=${accessKey}/20260101/${region}/${signingName}/aws4_request, SignedHeaders=host, Signature=0`,
});

const DROPPED = new Set(['connection', 'transfer-encoding', 'content-length', 'date', 'server', 'keep-alive']);
/** What belongs to the connection with moto stays there; the length of a HEAD's absent body belongs to the object. */
const kept = (headers: Record<string, string>, method: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) => !DROPPED.has(name) || (method === 'HEAD' && name === 'content-length')),
  );

function answerOf(call: ApiCall, raw: Raw): Answer {
  const html = (raw.headers['content-type'] ?? '').startsWith('text/html') && call.service !== 's3';
  if (raw.status >= 500 || (html && raw.status >= 400)) {
    return errorAnswer(call, notModelled(call, `${call.service}:${call.operation} (or this use of it)`));
  }
  if (raw.status >= 400) return { ...raw, error: errorCodeOf(raw) };
  return raw;
}

function errorCodeOf(raw: Raw): string {
  const text = raw.body.toString('utf8');
  const code = /<Code>([^<]+)<\/Code>/.exec(text)?.[1] ?? /"__type"\s*:\s*"(?:[^"#]*#)?([^"]+)"/.exec(text)?.[1];
  return code ?? raw.headers['x-amzn-errortype'] ?? `HTTP ${raw.status}`;
}

/** An error that moto's answer to an own call carries, for the client whose call needed it. */
export const errorOfMoto = (failed: { readonly code: string; readonly message: string }): ReturnType<typeof awsError> =>
  awsError(failed.code, failed.message);
