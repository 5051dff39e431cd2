import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Cloud, startCloud } from '../../sandbox/cloud.ts';
import { SIGINT, SIGTERM, again, post, postOfLater, reconcile, watch } from './blue-green-endings.ts';
import { ALL, nameOf, pointNamed, pointsOf, problemsOf } from './blue-green-points.ts';
import { byNames, byRule } from './blue-green-victims.ts';

/*
 * What ends a shift is killed at its API calls, too, and so is a release that moves weights of DNS. By default a sample is
 * tried, one way to go on for each point; SLUICE_ALL_POINTS=1 tries every point with every way.
 */
const MINUTES = 60_000;
/** Until a change of Route 53 is everywhere here, and answers of before are forgotten. */
const SPREAD = 90_000;

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ clock: 'lock-step' });
}, 2 * MINUTES);
afterAll(() => cloud?.stop());

const elb = 'elasticloadbalancing';
const SAMPLED = [
  { victim: byRule({ mode: 'rollback' }), sample: [`${elb}:ModifyRule#1`, 'ecs:UpdateService#1'], endings: [reconcile, postOfLater, again] },
  { victim: byRule({ mode: 'finish' }), sample: ['ecs:UpdateService#1'], endings: [again, reconcile, postOfLater] },
  { victim: byNames({ mode: 'run' }), sample: [4, 6, 8].map((nth) => `route53:ChangeResourceRecordSets#${nth}`), endings: [watch(SPREAD), post, again] },
  { victim: byNames({ mode: 'rollback' }), sample: ['route53:ChangeResourceRecordSets#2'], endings: [reconcile, again, postOfLater] },
]; // prettier-ignore
const ALL_ONLY = [
  { victim: byNames({ mode: 'run' }), sample: [], endings: [SIGINT, SIGTERM] },
  { victim: byNames({ mode: 'finish' }), sample: [], endings: [again, reconcile, postOfLater] },
];

test.each(ALL ? [...SAMPLED, ...ALL_ONLY] : SAMPLED)('$victim.name, killed at an API call, comes to an end that users can live with', async ({ victim, sample, endings }) => {
  const points = ALL ? await pointsOf(cloud, victim) : sample.map(pointNamed);
  expect(await problemsOf({ cloud, victim, points, sample: points.map(nameOf), endings })).toEqual([]);
}, 60 * MINUTES); // prettier-ignore
