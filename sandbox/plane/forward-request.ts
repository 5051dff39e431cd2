import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import type { Dispatcher } from 'undici';
import { returnedHeaders } from './headers.ts';
import { endingOfFailure, errorPage, sendOwn, statusForFailure } from './own-answers.ts';
import type { Ending } from './recorder.ts';
import type { Chosen } from './target-groups.ts';

export interface Forwarding {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Path and query. */
  readonly target: string;
  readonly headers: string[];
  readonly to: Chosen;
  /** Whether the connection ends with this answer, asked when the answer begins. */
  readonly last: () => boolean;
  /** Called exactly once. */
  readonly record: (ending: Ending) => void;
}

/**
 * Sends a request on and streams the answer back, both at the pace of the slower side. undici carries it: kept
 * connections cost it two thirds of what node:http's agent takes, and it looks whether an idle one still lives.
 */
export function forwardRequest(forwarding: Forwarding): void {
  const { request, response, record } = forwarding;
  const started = performance.now();
  let over = false;
  let answered: Extract<Ending, { kind: 'answered' }> | undefined;
  let upstream: Dispatcher.DispatchController | undefined;

  function end(ending: Ending): void {
    over = true;
    record(ending);
  }

  response.once('close', () => {
    if (over) return;
    end(answered ?? { kind: 'client-closed' });
    upstream?.abort(new Error('the client left'));
  });

  const body = bodyOf(request);
  forwarding.to.connections.dispatch(
    {
      method: request.method as Dispatcher.HttpMethod,
      path: forwarding.target,
      headers: forwarding.headers,
      body,
    },
    {
      onRequestStart(controller) {
        upstream = controller;
        if (over) controller.abort(new Error('the client left'));
      },
      onResponseStart(_controller, status, headers, statusText) {
        if (status < 200) return;
        answered = { kind: 'answered', status, responseTime: performance.now() - started };
        const closing = forwarding.last() ? ['connection', 'close'] : [];
        response.writeHead(status, statusText, [...returnedHeaders(headers), ...closing]);
      },
      onResponseData(controller, chunk) {
        if (response.write(chunk)) return;
        controller.pause();
        response.once('drain', () => controller.resume());
      },
      onResponseEnd() {
        if (answered !== undefined && !over) end(answered);
        response.end();
      },
      onResponseError(_controller, error) {
        if (over) return;
        const status = statusForFailure(error);
        end(
          status === 400
            ? { kind: 'answered', status, responseTime: performance.now() - started }
            : endingOfFailure(error),
        );
        // Half an answer must not look like a whole one: the client sees a reset.
        if (response.headersSent) response.destroy();
        else sendOwn(response, errorPage(status));
      },
    },
  );
}

/**
 * Behind a stream of its own: undici destroys the body of a request that failed, and with it the client would lose its
 * connection before it read the 502. What the target no longer takes is read and dropped, so that the connection lives on.
 */
function bodyOf(request: IncomingMessage): PassThrough | null {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  const empty = encoding === undefined && (length === undefined || Number(length) === 0);
  if (empty) return null;
  const body = new PassThrough();
  body.on('error', () => undefined);
  body.once('close', () => request.unpipe(body).resume());
  request.once('error', () => body.destroy());
  return request.pipe(body);
}
