import { type Instant, formatInstant } from '../../../../src/domain/duration.ts';
import type { Report } from '../../../../src/domain/report.ts';

/** What execute/notices found; its result fits it. */
export interface NoticeEnding {
  readonly environment: string;
  readonly window: { readonly from: Instant; readonly to: Instant } | undefined;
  readonly sent: { readonly name: string } | undefined;
  readonly issue: { readonly number: number; readonly url: string } | undefined;
  readonly mode: 'act' | 'plan';
}

export function noticesReport({ environment, window, sent, issue, mode }: NoticeEnding): Report {
  const when =
    window === undefined ? 'no window within 400 days' : `the next window opens at ${formatInstant(window.from)}`;
  const headline =
    sent === undefined
      ? `No notice is due for ${environment}: ${when}`
      : `${mode === 'plan' ? 'Would tell' : 'Told'} people of ${environment}, ${sent.name} before: ${when}`;
  const notice =
    sent === undefined || window === undefined
      ? ''
      : JSON.stringify({
          environment,
          lead: sent.name,
          from: formatInstant(window.from),
          to: formatInstant(window.to),
        });
  return {
    conclusion: 'success',
    outcome: mode === 'plan' ? 'planned' : sent === undefined ? 'nothing-due' : 'notified',
    headline,
    changed: mode === 'act' && sent !== undefined,
    outputs: {
      notice,
      approval: '',
      'approved-by': '',
      override: 'false',
      'review-url': '',
      record: '',
      'record-sha256': '',
      'issue-number': issue === undefined ? '' : String(issue.number),
      'issue-url': issue?.url ?? '',
      'request-id': '',
      'images-sha256': '',
      'policy-sha256': '',
    },
    summary: [
      { kind: 'heading', text: `Notices for ${environment}` },
      { kind: 'text', text: headline },
    ],
  };
}
