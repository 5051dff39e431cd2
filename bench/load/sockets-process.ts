// What bare sockets cost that send the same bytes and read nothing of the answers: the floor of any load in this process.
import { type OnReadOpts, connect } from 'node:net';
import { measured } from './generator-process.ts';

interface Load {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
}
const { url, connections, seconds } = JSON.parse(process.argv[2] ?? '{}') as Load;
const { hostname, port, host } = new URL(url);
const request = Buffer.from(
  `GET / HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\naccept: */*\r\nuser-agent: bench\r\n\r\n`,
);
const buffer = Buffer.allocUnsafeSlow(65_536);

let answers = 0;
for (let index = 0; index < connections; index++) {
  // A short answer comes in one piece.
  const again = (): boolean => {
    answers += 1;
    socket.write(request);
    return true;
  };
  const onread: OnReadOpts = { buffer, callback: again };
  const socket = connect({ host: hostname, port: Number(port), noDelay: true, onread }, () => socket.write(request));
}
await measured(seconds, () => answers);
process.exit(0);
