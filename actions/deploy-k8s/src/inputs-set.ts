import { readCheckSecrets } from '../../../src/domain/checks/target-inputs.ts';
import { type ImageValues, imageOf } from '../../../src/domain/image-inputs.ts';
import { isRegistry, pinnedReference } from '../../../src/domain/image-reference.ts';
import {
  type Checked,
  type InputProblem,
  type InputsOf,
  bad,
  count,
  flag,
  good,
  list,
  listMatching,
  matching,
  oneOf,
  secret,
  structure,
  text,
} from '../../../src/domain/inputs.ts';
import { type ImageRule, readImageRules } from '../../../src/domain/kubernetes/image-rules.ts';
import { isKept } from '../../../src/domain/kubernetes/object.ts';
import { type Placeholders, checkPlaceholders } from '../../../src/domain/kubernetes/placeholders.ts';
import type { SetWish } from './request.ts';

/** What is deployed, and how strictly. */
export const setInputs = {
  manifests: list({
    description:
      'Files, folders (what lies directly in them) and globs with manifests, from the workspace. Example: `deploy/k8s`.',
    from: 'stage',
  }),
  kustomize: text({
    description:
      'Folder of a kustomization; needs `kubectl` or `kustomize` on the runner. Example: `deploy/overlays/production`.',
    from: 'stage',
  }),
  helm: text({
    description:
      'Folder of a Helm chart, rendered with `helm template`; needs `helm` on the runner. Its hooks are named and not run. Example: `deploy/chart`.',
    from: 'stage',
  }),
  'helm-values': list({
    description: 'Values files for `helm`. Example: `deploy/values-production.yml`.',
    from: 'stage',
  }),
  'image-rules': list({
    description:
      'Where images go, one rule a line: `Deployment/web:app=IMAGE` (one container), `app=IMAGE` (by name of the container), `IMAGE` (by its repository). IMAGE is a reference or the name of an entry of `images`. One that matches nothing is an error. Example: `Deployment/web:app=api`.',
    from: 'stage',
  }),
  placeholders: structure(
    {
      description:
        'Values for `{{NAME}}` in the manifests, as YAML; one that is not declared is an error. `IMAGE_TAG` is known from `pinned-tag`. Example: `{ HOST: shop.example.com }`.',
      from: 'stage',
      shape: {
        type: 'object',
        propertyNames: { pattern: '^[A-Z][A-Z0-9_]*$' },
        additionalProperties: { type: ['string', 'number', 'boolean'] },
      },
    },
    'names with values',
    (value) => {
      const accepted = '{ NAME: value } with names in capitals';
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        return { ok: false, problem: 'is not a list of names with values', accepted };
      const wrong = Object.entries(value).find(
        ([name, each]) => !/^[A-Z][A-Z0-9_]*$/.test(name) || typeof each === 'object',
      );
      if (wrong !== undefined)
        return { ok: false, problem: `has the entry ${wrong[0]}, which is no placeholder`, accepted };
      return { ok: true, value: Object.fromEntries(Object.entries(value).map(([name, each]) => [name, String(each)])) };
    },
  ),
  'pinned-tag': matching({
    description:
      'What `{{IMAGE_TAG}}` becomes: the `pinned-tag` output of the build. Without it tag and digest of the only entry of `images`, or of `image-name`. Example: `1.4.0@sha256:...`.',
    shape: /[A-Za-z0-9_][\w.-]{0,127}(?:@sha256:[0-9a-f]{64})?/,
    accepts: 'a tag with a digest',
    accepted: 'TAG@sha256:<64 hex>',
  }),
  'secret-values': secret({
    description:
      'Values for `${NAME}` in the Secrets of the set, one `NAME=value` a line, a value of several lines in double quotes (`""` is a quote in it); they are masked. Example: a secret with the line `API_KEY=...`.',
  }),
  'secret-env': listMatching({
    description:
      "Names of variables of the step's `env` that `${NAME}` in the Secrets is filled from too, masked. No other variable is read, and never those of the runner and of credentials. Example: `TLS_KEY`.",
    shape: /(?!(?:INPUT|STATE|ACTIONS|GITHUB|RUNNER|AWS)_|KUBECONFIG$)[A-Za-z_][A-Za-z0-9_]*/,
    accepts: 'a name of a variable',
    accepted: 'names like TLS_KEY; none of INPUT_, STATE_, ACTIONS_, GITHUB_, RUNNER_, AWS_, and not KUBECONFIG',
  }),
  'field-conflicts': oneOf(['fail', 'force', 'yield'], {
    description:
      'What happens to fields that another manager owns: `fail` shows them, `force` takes them, `yield` leaves them, though never an image: what is not deployed is not released. The replicas of an autoscaler are left in any case.',
    from: 'stage',
    fallback: 'fail',
  }),
  replace: list({
    description:
      'Kinds that are deleted and made again when a field that cannot change changes; of others that is an error. Never namespaces, definitions and volumes. Example: `Job`.',
    from: 'stage',
  }),
  prune: oneOf(['none', 'delete'], {
    description:
      'What happens to objects of this app that are not in the set any more: `delete` takes them away once everything is healthy; never namespaces, definitions and volumes.',
    from: 'stage',
    fallback: 'none',
  }),
  'prune-limit': count({
    description:
      'More objects than this are not pruned in one run; nor, with a limit of up to 10, are more than 3 that are more than 30 % of the set. A larger limit rules alone.',
    from: 'stage',
    fallback: '10',
    min: 1,
    max: 1_000,
  }),
  'require-digest': flag({
    description: 'With `true`, every image of the set must be named by a digest.',
    from: 'stage',
    fallback: 'false',
  }),
  'restart-on-config': flag({
    description:
      'With `true`, pods start again when a ConfigMap or Secret of the set that they read changes: its hash stands in their template.',
    from: 'stage',
    fallback: 'true',
  }),
};

export type SetValues = InputsOf<typeof setInputs> & ImageValues & { readonly app: string | undefined };

export function setOf(values: SetValues): Checked<SetWish> {
  const problems: InputProblem[] = [];
  const { manifests, kustomize, helm, images, registry } = values;
  if ((manifests ?? []).length === 0 && kustomize === undefined && helm === undefined)
    problems.push({
      input: 'manifests',
      problem: 'is missing',
      accepted: 'files, folders or globs; or kustomize; or helm',
    });
  const rules = rulesOf(values);
  if (!rules.ok) problems.push(...rules.problems);
  const placeholders = placeholdersOf(values);
  problems.push(...checkPlaceholders(placeholders));
  const kept = (values.replace ?? []).filter((kind) => isKept({ kind }));
  if (kept.length > 0)
    problems.push({
      input: 'replace',
      given: kept.join(', '),
      problem: 'is never deleted: what is in it would be lost',
      accepted: 'other kinds, like Job; give the object another name instead',
    });
  const secrets = readCheckSecrets(values['secret-values'] ?? '');
  if (!secrets.ok) problems.push(...secrets.problems.map((each) => ({ ...each, input: 'secret-values' })));
  if (
    images !== undefined &&
    (registry === undefined || !isRegistry(registry)) &&
    values['pinned-tag'] === undefined &&
    rules.ok
  )
    problems.push({
      input: 'registry',
      problem: 'is missing: images has repositories without it',
      accepted: 'the host of the registry',
    });
  if (problems.length > 0 || !rules.ok || !secrets.ok) return bad(...problems);
  return good({
    files: manifests ?? [],
    kustomize,
    helm:
      helm === undefined ? undefined : { chart: helm, values: values['helm-values'] ?? [], name: values.app ?? 'app' },
    rules: rules.value,
    placeholders,
    secretValues: secrets.value,
    secretEnv: values['secret-env'] ?? [],
    conflicts: values['field-conflicts'],
    replace: values.replace ?? [],
    prune: values.prune,
    pruneLimit: values['prune-limit'],
    requireDigest: values['require-digest'] ? 'yes' : 'no',
    restartOnConfig: values['restart-on-config'] ? 'yes' : 'no',
  });
}

/** `image` and each entry of `images` are rules by repository; `image-rules` say more exactly where one goes. */
function rulesOf(values: SetValues): Checked<readonly ImageRule[]> {
  const { images, registry, image } = values;
  const named = (name: string): string | undefined => {
    const entry = images?.[name];
    return entry === undefined || registry === undefined ? undefined : pinnedReference(entry, registry);
  };
  const single = image === undefined ? good(undefined) : imageOf(values);
  if (!single.ok) return single;
  const lines = values['image-rules'] ?? [];
  const written = new Set(lines.map((line) => line.slice(line.lastIndexOf('=') + 1)));
  // An entry that a rule names goes where the rule says; so does one that fills a placeholder.
  const entries = values['pinned-tag'] !== undefined || registry === undefined ? [] : Object.keys(images ?? {});
  const wanted = values['image-name'] === undefined ? entries : entries.filter((name) => name === values['image-name']);
  const byRepository = wanted.filter((name) => !written.has(name)).flatMap((name) => named(name) ?? []);
  return readImageRules([...lines, ...byRepository, ...(single.value === undefined ? [] : [single.value])], named);
}

function pinnedTagOf({ images = {}, 'image-name': name }: SetValues): string | undefined {
  const entries = Object.entries(images).filter(([service]) => name === undefined || service === name);
  const [[, entry] = []] = entries;
  return entries.length === 1 && entry?.tag !== undefined ? `${entry.tag}@${entry.digest}` : undefined;
}

/** IMAGE_TAG is known without being declared: the build hands it on. */
function placeholdersOf(values: SetValues): Placeholders {
  const pinned = values['pinned-tag'] ?? pinnedTagOf(values);
  return new Map([
    ...(pinned === undefined ? [] : [['IMAGE_TAG', pinned] as const]),
    ...Object.entries(values.placeholders ?? {}),
  ]);
}
