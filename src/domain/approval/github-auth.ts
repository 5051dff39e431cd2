import { type InputProblem, secret, text } from '../inputs.ts';

/** How a gate speaks to GitHub: by a token that it was given, or as an App, whose token is renewed while waiting. */
export type GitHubAuth =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'app'; readonly appId: string; readonly privateKey: string };

export const appInputs = {
  'app-id': text({
    description:
      'Id of a GitHub App whose token is used instead, and renewed while waiting; it can read teams. Needs `private-key`. Example: `123456`.',
  }),
  'private-key': secret({ description: 'The private key of the App, the whole .pem file.' }),
} as const;

interface AuthValues {
  readonly token: string | undefined;
  readonly 'app-id': string | undefined;
  readonly 'private-key': string | undefined;
}

/** undefined: there is neither. */
export function authOf(values: AuthValues): GitHubAuth | undefined {
  if (values['app-id'] !== undefined)
    return { kind: 'app', appId: values['app-id'], privateKey: values['private-key'] ?? '' };
  return values.token === undefined ? undefined : { kind: 'token', token: values.token };
}

export function authProblems(values: AuthValues): readonly InputProblem[] {
  const [id, key] = [values['app-id'], values['private-key']];
  if ((id === undefined) === (key === undefined)) return [];
  return [
    id === undefined
      ? { input: 'app-id', problem: 'is missing beside private-key', accepted: 'the id of the App' }
      : { input: 'private-key', problem: 'is missing beside app-id', accepted: 'the .pem file of the App' },
  ];
}
