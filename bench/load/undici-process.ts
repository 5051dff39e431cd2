// What undici costs when nothing is done with an answer: the floor of a load that is built on it.
import { Client, type Dispatcher } from 'undici';
import { measured } from './generator-process.ts';

interface Load {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
}
const { url, connections, seconds } = JSON.parse(process.argv[2] ?? '{}') as Load;

let answers = 0;
const clients = Array.from({ length: connections }, () => new Client(url, { headersTimeout: 0, bodyTimeout: 0 }));
const headers = ['accept', '*/*', 'user-agent', 'bench'];
const request: Dispatcher.DispatchOptions = { method: 'GET', path: '/', headers };
for (const client of clients) {
  const again = (): void => void client.dispatch(request, handler);
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: () => undefined,
    onResponseStart: () => undefined,
    onResponseData: () => undefined,
    onResponseEnd() {
      answers += 1;
      again();
    },
    onResponseError: (_controller, error) => {
      throw error;
    },
  };
  again();
}
await measured(seconds, () => answers);
process.exit(0);
