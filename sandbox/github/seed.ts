import { appKey } from './app-token.ts';
import type { Grants } from './world.ts';

export const JOB_APP = 15_368;
export const OWN_APP = { id: 4_242, slug: 'sluice-gate', installation: 2 };
export const APP_GRANTS: Grants = {
  issues: 'write',
  actions: 'read',
  contents: 'read',
  checks: 'read',
  pull_requests: 'read',
  members: 'read',
};
/** The job's own token never reads the members of an organisation. */
export const JOB_GRANTS: Grants = {
  issues: 'write',
  actions: 'read',
  contents: 'read',
  checks: 'read',
  pull_requests: 'read',
};

/** What emulate begins with: people with their tokens, the repository, and the two apps. */
export function emulatorSeed(owner: string, name: string, personal: Readonly<Record<string, string>>) {
  const logins = Object.keys(personal);
  const permissions = { issues: 'write', actions: 'read', metadata: 'read' };
  const appOf = (id: number, slug: string, installation: number) => ({
    app_id: id,
    slug,
    name: slug,
    private_key: appKey(),
    permissions,
    events: [],
    installations: [{ installation_id: installation, account: owner, permissions }],
  });
  return {
    tokens: Object.fromEntries(logins.map((login) => [personal[login], { login, scopes: ['repo'] }])),
    github: {
      users: logins.map((login) => ({ login })),
      orgs: [{ login: owner, members: logins.map((login) => ({ login })) }],
      repos: [{ owner, name, auto_init: true }],
      apps: [appOf(JOB_APP, 'github-actions', 1), appOf(OWN_APP.id, OWN_APP.slug, OWN_APP.installation)],
    },
  };
}
