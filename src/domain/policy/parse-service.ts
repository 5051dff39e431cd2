import { nearestOf } from '../inputs.ts';
import { type Mapping, mappingAt, refuse, textAt } from './document.ts';

/** The URL of a service, with the placeholders that may stand in it. */
export function readUrl(entry: Mapping, placeholders: readonly string[]): string {
  const url = textAt(entry, 'url');
  if (url === undefined) {
    if (entry.values['url'] === undefined) refuse(entry, 'url', { problem: 'is missing', accepted: 'http(s) URL' });
    return '';
  }
  for (const [, name = ''] of url.matchAll(/(?<!\$)\{([^}]*)\}/g)) {
    if (placeholders.includes(name)) continue;
    const nearest = nearestOf(name, placeholders);
    refuse(entry, 'url', {
      problem: `has the placeholder {${name}}`,
      accepted: placeholders.length === 0 ? 'none' : placeholders.map((each) => `{${each}}`).join(', '),
      ...(nearest ? { nearest } : {}),
    });
  }
  if (!/^(https?:\/\/|\$\{)/.test(url)) refuse(entry, 'url', { problem: 'is not an http or https URL' });
  return url;
}

export function readHeaders(entry: Mapping): Readonly<Record<string, string>> {
  const headers = mappingAt(entry, 'headers');
  if (headers === undefined) return {};
  const read = Object.keys(headers.values).map((name) => [name.toLowerCase(), textAt(headers, name) ?? ''] as const);
  return Object.fromEntries(read);
}

/** Without one of these a source asks the same of both colors, and cannot tell stable from the candidate. */
export const ofColor = (text: string): boolean => /\{(color|target-group)\}/.test(text);
