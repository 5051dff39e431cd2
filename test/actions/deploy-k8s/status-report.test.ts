import { expect, test } from '@jest/globals';
import { type ShownStatus, statusReport } from '../../../actions/deploy-k8s/src/report.ts';
import type { Request } from '../../../actions/deploy-k8s/src/request.ts';
import type { ReleaseRecord } from '../../../src/domain/kubernetes/release-record.ts';
import { deployment } from '../../domain/kubernetes/objects.ts';

const request = { mode: 'status', app: 'web' } as Request;
const record = (revision: number, phase: ReleaseRecord['phase']): ReleaseRecord => ({
  schema: 1,
  app: 'web',
  revision,
  release: `v${revision}`,
  run: `${revision}/1`,
  phase,
  startedAt: '',
  digest: '',
  objects: [],
  before: [],
  images: [],
});
const object = deployment('web', { app: 'a/b:1' });
const status = (more: Partial<ShownStatus> = {}): ShownStatus => ({
  serving: record(1, 'deployed'),
  unfinished: undefined,
  left: undefined,
  answers: 'unknown',
  records: [],
  objects: [{ object, live: object, state: { kind: 'ready' } }],
  ...more,
});
const unfinished = record(2, 'applying');
const SERVES = 'web serves release v1 (revision 1), all ready';

test.each([
  ['what serves', status(), `${SERVES}.`],
  [
    'how it differs from what was released',
    status({
      objects: [{ object, live: object, state: { kind: 'ready' }, differs: 'image of app is a/b:hotfix, not a/b:1' }],
    }),
    `${SERVES}; 1 of 1 objects differ from it (Deployment shop/web: image of app is a/b:hotfix, not a/b:1).`,
  ],
  [
    'a release that is under way',
    status({ unfinished, answers: 'yes' }),
    `${SERVES}; release v2 (revision 2) is applying by run 2/1.`,
  ],
  [
    'a release that was left half done',
    status({ unfinished, answers: 'no' }),
    `${SERVES}; release v2 (revision 2) is unfinished (applying): its run 2/1 does not answer; the next deploy or mode: rollback takes it back or ends it.`,
  ],
  [
    'that what stands is a bad release',
    status({ left: record(2, 'failed') }),
    `${SERVES}; release v2 (revision 2) failed and stands; mode: rollback goes back to v1.`,
  ],
  [
    'what stands of a first release that was left half done',
    status({
      serving: undefined,
      unfinished: record(1, 'applying'),
      answers: 'no',
      objects: [
        { object, live: object, state: { kind: 'waiting', for: 'pods' } },
        { object: { ...object, metadata: { name: 'late' } }, live: undefined, state: { kind: 'missing' } },
      ],
    }),
    'web has no release here that came up: of v1 1 of 2 objects stand (Deployment shop/web); release v1 (revision 1) is unfinished (applying): its run 1/1 does not answer; the next deploy or mode: rollback takes it back or ends it.',
  ],
  [
    'what to do about a first release that failed and was left',
    status({ serving: undefined, left: record(1, 'failed') }),
    'web has no release here that came up: of v1 1 of 1 objects stand (Deployment shop/web); release v1 (revision 1) failed and stands; mode: rollback takes it away; or release a set that is good.',
  ],
  ['that there is nothing', status({ serving: undefined, objects: [] }), 'web has no release here.'],
  [
    'that nobody knows whether a run goes on',
    status({ unfinished, answers: 'unknown' }),
    `${SERVES}; release v2 (revision 2) is unfinished (applying): whether its run 2/1 goes on is not known.`,
  ],
])('the headline of a status says %s', (_name, given, headline) => {
  expect(statusReport(given, request).headline).toBe(headline);
});
