/** What an action says when it ends: a value. The runtime alone turns it into outputs, summary, annotations and exit code. */
export interface Report {
  /** `failure` makes the step red. */
  readonly conclusion: 'success' | 'failure';
  /** One word of the action's closed list, e.g. `rolled-back`. */
  readonly outcome: string;
  /** The verdict in one line, with numbers and units. */
  readonly headline: string;
  readonly changed: boolean;
  /** Beside `outcome`, `changed`, `started-at` and `finished-at`, which the runtime adds. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: readonly Section[];
  readonly annotations?: readonly Annotation[];
}

export type Section =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'table'; readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] }
  /** Untrusted text (logs, events): shown in a fence, never interpreted. */
  | { readonly kind: 'verbatim'; readonly text: string }
  | { readonly kind: 'mermaid'; readonly source: string };

export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice';
  readonly title: string;
  readonly message: string;
  /** Path in the user's workspace. */
  readonly file?: string;
  readonly line?: number;
}
