import type { Template } from '../../../../src/domain/checks/document.ts';
import { readTargetHeaders } from '../../../../src/domain/checks/load.ts';
import type { InputProblem } from '../../../../src/domain/inputs.ts';

export interface Candidate {
  readonly url: string;
  readonly headers: Readonly<Record<string, Template>>;
}

interface Given {
  readonly url: string | undefined;
  readonly 'candidate-url': string | undefined;
  readonly 'candidate-headers': Candidate['headers'] | undefined;
}

export function readHeaders(value: unknown) {
  const read = readTargetHeaders(value);
  if (read.ok) return read;
  const problem = read.problems.map((each) => `${each.input} ${each.problem}`).join('; ');
  // A header may hold a secret that its writer should not have put there.
  return { ok: false as const, problem, accepted: '{ X-Color: "{color}" }', given: 'hidden' as const };
}

/** Where the candidate alone answers; what is wrong with it goes to `problems`. */
export function candidateOf(values: Given, problems: InputProblem[]): Candidate | undefined {
  const headers = values['candidate-headers'] ?? {};
  const url = values['candidate-url'] ?? (Object.keys(headers).length > 0 ? values.url : undefined);
  if (url === undefined) {
    if (values['candidate-headers'] !== undefined)
      problems.push({
        input: 'candidate-headers',
        problem: 'has no URL to be sent to',
        accepted: 'candidate-url, or url',
      });
    return undefined;
  }
  if (url === values.url && Object.keys(headers).length === 0) {
    const problem = 'is the url of the users, where the weights decide who answers, not the candidate alone';
    problems.push({
      input: 'candidate-url',
      given: url,
      problem,
      accepted: 'a URL of each color, or url with candidate-headers',
    });
  } else if (!url.includes('{color}') && !JSON.stringify(headers).includes('{color}')) {
    // The colors change with every release: the next one would be judged by the requests of the color that serves.
    problems.push({
      input: values['candidate-url'] === undefined ? 'candidate-headers' : 'candidate-url',
      problem: 'says nothing of the color, and the candidate is the other one in every release',
      accepted: '{color} in candidate-url or in a header: { X-Color: "{color}" }',
    });
  }
  const parsed = URL.parse(url.replaceAll('{color}', 'blue'));
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.username !== '' || parsed.password !== '') {
    problems.push({
      input: 'candidate-url',
      given: url,
      problem: 'is not a base URL',
      accepted: 'http://host or https://host, without credentials',
    });
  }
  return { url: url.replace(/\/+$/, ''), headers };
}
