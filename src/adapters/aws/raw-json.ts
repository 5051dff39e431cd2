import { Buffer } from 'node:buffer';
import type { DescribeTaskDefinitionCommand, RegisterTaskDefinitionCommand } from '@aws-sdk/client-ecs';

export type Json = Readonly<Record<string, unknown>>;

/**
 * The SDK drops every member that its release does not know, in answers and in requests alike (seen with client-ecs
 * 3.1162). A task definition that is read and registered again would silently lose a field that is newer than this
 * bundle. So its JSON is taken off the wire on the way in and put onto it on the way out.
 */
export function keepRawAnswer(command: DescribeTaskDefinitionCommand): () => Json {
  let raw: Json | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as { statusCode: number; body: unknown };
      const bytes = await collect(response.body);
      response.body = bytes;
      if (response.statusCode === 200) raw = JSON.parse(bytes.toString('utf8')) as Json;
      return result;
    },
    // Inside the deserializer, which reads the body after this.
    { step: 'deserialize', priority: 'low', name: 'keepRawAnswer' },
  );
  return () => raw ?? {};
}

/** Sends `body` as it is, in place of what the serializer made of the command's input. */
export function sendRawRequest(command: RegisterTaskDefinitionCommand, body: Json): void {
  command.middlewareStack.add(
    (next) => (args) => {
      (args.request as { body: unknown }).body = JSON.stringify(body);
      return next(args);
    },
    // After the serializer, before the content length and the signature.
    { step: 'serialize', priority: 'low', name: 'sendRawRequest' },
  );
}

async function collect(body: unknown): Promise<Buffer> {
  if (body instanceof Uint8Array) return Buffer.from(body);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
