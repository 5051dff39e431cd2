import { randomUUID } from 'node:crypto';
import type { AwsError } from '../ecs/types.ts';
import type { ApiCall, Protocol } from './call.ts';
import { escaped, type TreeObject, xmlOfTree } from './tree.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
  /** For the call log; undefined when the call went well. */
  readonly error?: string;
}

export const awsError = (code: string, message: string, status = 400): AwsError => ({
  kind: 'error',
  code,
  message,
  status,
});

const JSON_TYPE = { 'content-type': 'application/x-amz-json-1.1' };
const XML_TYPE = { 'content-type': 'text/xml' };

export const jsonAnswer = (output: unknown): Answer => ({
  status: 200,
  headers: { ...JSON_TYPE, 'x-amzn-requestid': randomUUID() },
  body: JSON.stringify(output),
});

export function queryAnswer(operation: string, result: TreeObject): Answer {
  const id = randomUUID();
  const space = 'http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/';
  const inner = `<${operation}Result>${xmlOfTree(result)}</${operation}Result>`;
  return {
    status: 200,
    headers: { ...XML_TYPE, 'x-amzn-requestid': id },
    body: `<${operation}Response xmlns="${space}">${inner}<ResponseMetadata><RequestId>${id}</RequestId></ResponseMetadata></${operation}Response>`,
  };
}

/** The error in the words of the call's protocol, so that its SDK reads code and message. */
export function errorAnswer(call: Pick<ApiCall, 'protocol'>, error: AwsError): Answer {
  const id = randomUUID();
  const { code, message, status } = error;
  return { status, error: code, ...WRITERS[call.protocol]({ code, message, id, status }) };
}

interface Said {
  readonly code: string;
  readonly message: string;
  readonly id: string;
  readonly status: number;
}
type Writer = (said: Said) => Pick<Answer, 'headers' | 'body'>;

const WRITERS: Readonly<Record<Protocol, Writer>> = {
  json: ({ code, message, id }) => ({
    headers: { ...JSON_TYPE, 'x-amzn-requestid': id },
    body: JSON.stringify({ __type: code, message }),
  }),
  'rest-json': ({ code, message, id }) => ({
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': code, 'x-amzn-requestid': id },
    body: JSON.stringify({ message }),
  }),
  query: ({ code, message, id, status }) => ({
    headers: { ...XML_TYPE, 'x-amzn-requestid': id },
    body: `<ErrorResponse><Error><Type>${status < 500 ? 'Sender' : 'Receiver'}</Type><Code>${escaped(code)}</Code><Message>${escaped(message)}</Message></Error><RequestId>${id}</RequestId></ErrorResponse>`,
  }),
  'ec2-query': ({ code, message, id }) => ({
    headers: XML_TYPE,
    body: `<Response><Errors><Error><Code>${escaped(code)}</Code><Message>${escaped(message)}</Message></Error></Errors><RequestID>${id}</RequestID></Response>`,
  }),
  'rest-xml': ({ code, message, id }) => ({
    headers: { 'content-type': 'application/xml', 'x-amz-request-id': id },
    // S3 reads the outer element, Route 53 the inner one: a document that both understand.
    body: `<ErrorResponse><Code>${escaped(code)}</Code><Message>${escaped(message)}</Message><Error><Type>Sender</Type><Code>${escaped(code)}</Code><Message>${escaped(message)}</Message></Error><RequestId>${id}</RequestId></ErrorResponse>`,
  }),
  cbor: ({ code, message, id }) => ({
    headers: { 'content-type': 'application/cbor', 'smithy-protocol': 'rpc-v2-cbor', 'x-amzn-requestid': id },
    body: Buffer.concat([Buffer.of(0xa2), cborText('__type'), cborText(code), cborText('message'), cborText(message)]),
  }),
};

/** RFC 8949 text string with a two-byte length: all that an error document needs. */
function cborText(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([Buffer.of(0x79, bytes.length >> 8, bytes.length & 0xff), bytes]);
}
