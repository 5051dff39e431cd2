import { type Captured, readCaptures } from './capture.ts';
import type { Exchange, SocketPart, Template } from './document.ts';
import { readJson, readMessageExpectation, readResultExpectation } from './expectation.ts';
import { type Place, complain, fieldsOf, itemsOf, readText } from './place.ts';
import { type Grammar, readTemplate } from './template.ts';

export interface ExchangeGrammar {
  readonly grammar: Grammar;
  readonly protocol: SocketPart['protocol'];
  readonly captured: Captured | undefined;
}

export const WEBSOCKET_KEYS = ['send', 'receive', 'ping', 'expect', 'capture'] as const;
export const SIGNALR_KEYS = ['invoke', 'args', 'ping', 'expect', 'capture'] as const;

/** What is said on an open WebSocket, one turn after the other. */
export const readExchanges = (place: Place, how: ExchangeGrammar): readonly Exchange<Template>[] =>
  itemsOf(place).flatMap((item) => {
    const exchange = how.protocol === 'signalr' ? readInvocation(item, how) : readMessage(item, how);
    return exchange === undefined ? [] : [exchange];
  });

function readMessage(place: Place, how: ExchangeGrammar): Exchange<Template> | undefined {
  const { grammar } = how;
  const { send, receive, ping, ...fields } = fieldsOf(place, { known: WEBSOCKET_KEYS });
  const [given, ...more] = [send, receive, ping].filter((part) => part !== undefined);
  if (given === undefined || more.length > 0)
    return complain({ ...place, value: undefined }, 'is not one turn', { accepted: 'one of send, receive, ping' });
  const rest = readRest(place, fields, how);
  if (send) {
    const value = typeof send.value === 'string' ? readTemplate(send, send.value, grammar) : readJson(send, grammar);
    return {
      kind: 'send',
      body: typeof value === 'string' ? { kind: 'text', text: value } : { kind: 'json', value },
      ...rest,
    };
  }
  if (!isTrue(given)) return undefined;
  return { kind: receive ? 'receive' : 'ping', ...rest };
}

function readInvocation(place: Place, how: ExchangeGrammar): Exchange<Template> | undefined {
  const { grammar } = how;
  const { invoke, args, ping, ...fields } = fieldsOf(place, { known: SIGNALR_KEYS });
  if ((invoke === undefined) === (ping === undefined))
    return complain({ ...place, value: undefined }, 'is not one turn', { accepted: 'either invoke or ping' });
  const rest = readRest(place, fields, how);
  if (ping) return isTrue(ping) ? { kind: 'ping', ...rest } : undefined;
  const method = invoke && readText(invoke);
  if (invoke === undefined || method === undefined) return undefined;
  if (args && !Array.isArray(args.value)) complain(args, 'is not a list');
  const values =
    args && Array.isArray(args.value)
      ? args.value.map((value: unknown, index) => readJson({ ...args, value, path: [...args.path, index] }, grammar))
      : [];
  return { kind: 'invoke', method: readTemplate(invoke, method, grammar), args: values, ...rest };
}

function isTrue(place: Place): boolean {
  if (place.value !== true) complain(place, 'is not true', { accepted: 'true' });
  return place.value === true;
}

function readRest(
  place: Place,
  { expect, capture }: { readonly expect?: Place; readonly capture?: Place },
  { grammar, protocol, captured }: ExchangeGrammar,
): Pick<Exchange<Template>, 'expect' | 'captures' | 'at'> {
  if (capture && captured === undefined)
    complain({ ...capture, value: undefined }, 'has nobody who uses it', { accepted: 'in the steps of a flow' });
  const read = protocol === 'signalr' ? readResultExpectation : readMessageExpectation;
  return {
    at: place.path,
    captures: capture && captured ? readCaptures(capture, grammar, captured) : [],
    ...(expect ? { expect: read(expect, grammar) } : {}),
  };
}
