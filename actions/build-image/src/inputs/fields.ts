import { hours, minutes } from '../../../../src/domain/duration.ts';
import { SCAN_LIMITS_ACCEPTED, readScanLimits } from '../../../../src/domain/image-scan/limits.ts';
import { imagesInput, registryInput } from '../../../../src/domain/image-inputs.ts';
import {
  count,
  duration,
  flag,
  list,
  matching,
  oneOf,
  secret,
  structure,
  text,
} from '../../../../src/domain/inputs.ts';
import { awsInputs, stageInputs } from '../../../../src/domain/stage-inputs.ts';

/** Where the image goes, and what it is called. */
const naming = {
  mode: oneOf(['build', 'promote', 'cleanup'], {
    description:
      '`build` builds, pushes and verifies; `promote` copies a digest to other names over the registry API, without an engine; `cleanup` removes old images.',
    fallback: 'build',
  }),
  repository: list({
    description:
      'Image names without tag, one a line; with their host, or below `registry`. The first is the one of `images`. Example: `ghcr.io/acme/shop`.',
    required: true,
  }),
  registry: registryInput,
  name: matching({
    description:
      'Name of the service in the `images` output. Default: the last part of the repository. Example: `api`.',
    shape: /[A-Za-z0-9][A-Za-z0-9._-]{0,127}/,
    accepts: 'name',
    accepted: 'letters, digits, ., _ and -, such as api',
  }),
  tags: text({
    description:
      'Tags, one rule a line, in the language of docker/metadata-action: `type=ref,event=branch`, `type=semver,pattern={{version}}`, `type=sha`, `type=raw,value=x`, `type=match`, `type=edge`, `type=schedule`, `type=pep440`. Example: `type=ref,event=branch`.',
    fallback: 'type=schedule\ntype=ref,event=branch\ntype=ref,event=tag\ntype=ref,event=pr',
  }),
  flavor: text({
    description:
      'What holds for all tags: `latest=auto|true|false`, `prefix=`, `suffix=` (each with `,onlatest=true`), `changed=hash|keep`. Example: `latest=false`.',
  }),
  'identity-tag': text({
    description:
      'The tag that never moves, under which the image is pushed and found again by a re-run; `{{version}}` is the first of `tags`. Example: `{{version}}`.',
    fallback: 'sha-{{full_sha}}',
  }),
  'default-branch': text({
    description: 'Default branch, where the event does not say it. Example: `main`.',
  }),
};

/** What is built. */
const building = {
  context: text({
    description: 'Folder that is sent to the engine, from the workspace. Example: `web`.',
    fallback: '.',
  }),
  file: text({ description: 'Path of the Dockerfile, from the workspace. Example: `web/Dockerfile`.' }),
  target: text({ description: 'Stage of the Dockerfile at which the build ends. Example: `runtime`.' }),
  'build-args': text({
    description:
      'Build arguments, one `NAME=value` a line; `NAME` alone is taken from the environment. They stand in the history of the image, so a name that looks like a secret is refused. Example: `RUN_ID=42`.',
  }),
  'public-build-args': list({
    description:
      'Names of build arguments that look like a secret and that everybody may know, one a line: what is compiled into a web page. Example: `VITE_MAPS_API_KEY`.',
  }),
  labels: text({
    description: 'Labels beside those of the OCI, one `key=value` a line; they win. Example: `team=shop`.',
  }),
  annotations: text({
    description:
      'Annotations of the manifest, one `key=value` a line (of several platforms: of the index too). Needs buildx. Example: `team=shop`.',
  }),
  platforms: list({
    description: 'Platforms, one a line; more than one needs buildx. Example: `linux/amd64`.',
  }),
  pull: flag({
    description: 'Whether base images are always pulled anew; such a build is always made, whatever is there.',
    fallback: 'false',
  }),
  'no-cache': flag({
    description: 'Whether the build uses no cache; such a build is always made, whatever is there.',
    fallback: 'false',
  }),
  secrets: secret({
    description:
      'Secrets of the build, one `ID=value` a line, a value of several lines in double quotes; for `RUN --mount=type=secret`. Malformed and empty ones are errors. Example: `npm=...`.',
  }),
  'secret-envs': list({
    description: 'Secrets from variables of the step, one `ID=VARIABLE` a line. Example: `npm=NPM_TOKEN`.',
  }),
  'secret-files': list({ description: 'Secrets from files, one `ID=path` a line. Example: `npmrc=.npmrc`.' }),
  'cache-from': text({
    description: 'Where the build finds layers, one a line, as buildx takes it. Example: `type=gha,scope=web`.',
  }),
  'cache-to': text({
    description:
      'Where it leaves them, one a line; a fault of the cache never fails the build. Example: `type=gha,scope=web,mode=max`.',
  }),
  provenance: oneOf(['none', 'min', 'max'], {
    description:
      'Provenance beside the image, which makes an index of it (Lambda and basic scans of ECR do not take one). `max` holds the build arguments. Needs buildx.',
    fallback: 'none',
  }),
  sbom: flag({
    description: 'Whether an SBOM is attached, which makes an index of the image. Needs buildx.',
    fallback: 'false',
  }),
  'extra-args': text({
    description: 'More arguments of the build, one `--option=value` a line. Example: `--add-host=db:10.0.0.5`.',
  }),
  engine: oneOf(['auto', 'buildx', 'buildkit', 'legacy'], {
    description:
      'What builds: buildx where it works, else the BuildKit of an old client. `legacy` has to be chosen: it knows neither secrets nor platforms.',
    fallback: 'auto',
  }),
  push: flag({
    description: 'Whether the image is pushed; `false` builds only, for pull requests from forks.',
    fallback: 'true',
  }),
  reuse: oneOf(['same-source', 'never'], {
    description:
      'Whether an image of the same commit and the same inputs that is there under `identity-tag` is taken without a build. Default: `same-source`, where files of the context that the commit has not, such as what a step before has made, count as inputs; where it is given, they do not.',
  }),
};

/** What stands between a pushed image and its tags. */
const scanning = {
  scan: oneOf(['none', 'ecr', 'trivy'], {
    description:
      'Scan before the tags are set: `ecr` waits for the findings of ECR (basic or enhanced), `trivy` runs Trivy. Every platform is scanned by its digest. Default: none, and then no other input of a scan may be given.',
  }),
  'scan-max': structure(
    {
      description:
        'Most findings per severity; one that is not named has no limit, one that is unknown counts as high. Default: `{ critical: 0, high: 0 }`. Example: `{ critical: 0, high: 0, medium: 20 }`.',
    },
    SCAN_LIMITS_ACCEPTED,
    readScanLimits,
  ),
  'scan-only-fixed': flag({ description: 'Whether only findings count for which there is a fix.', fallback: 'false' }),
  'scan-ignore': text({
    description:
      'YAML file of findings that are accepted, each with id, reason, owner and expires (90 days at most), read from the default branch. Needs `token`. Example: `.github/scan-ignore.yml`.',
  }),
  'compare-image': text({
    description:
      'Image that runs in production, by digest or by the tag that its promotion sets: only findings that it does not have count against the limits. A tag that is not there yet is a first release: all count. Example: `ghcr.io/acme/shop:production`.',
  }),
  'scan-timeout': duration({
    description: 'How long the findings may take.',
    fallback: '10m',
    min: minutes(1),
    max: hours(2),
  }),
  'on-scan-error': oneOf(['fail', 'warn'], {
    description: 'What happens when no verdict can be had: the step fails, or goes on with a warning.',
    fallback: 'fail',
  }),
  'trivy-version': text({ description: 'Release of Trivy, without v. Example: `0.69.1`.' }),
  'trivy-sha256': text({
    description:
      'SHA-256 of its archive for this machine (`trivy_VERSION_Linux-64bit.tar.gz`, or ARM64), checked before anything of it runs.',
  }),
  'trivy-url': text({
    description: 'Where releases of Trivy are, when not at GitHub. Example: `https://mirror.example.com/trivy`.',
    fallback: 'https://github.com/aquasecurity/trivy/releases/download',
  }),
};

/** Of the modes that build nothing. */
const keeping = {
  source: text({
    description: 'For `promote`: the image that is copied, by digest. Example: `ghcr.io/acme/shop@sha256:...`.',
  }),
  images: imagesInput(
    'For `promote`: the `images` output of the build in the place of `source`. For `cleanup`: images that are never removed.',
  ),
  'keep-images': count({
    description: 'For `cleanup`: how many of the newest images stay, whatever their age.',
    fallback: '10',
    min: 1,
    max: 10_000,
  }),
  'older-than': duration({
    description: 'For `cleanup`: younger images stay.',
    fallback: '30d',
    min: hours(1),
    max: hours(24 * 3650),
  }),
  'untagged-older-than': duration({
    description:
      'For `cleanup`: images without a tag that no index names go when they are older than this, and do not count among `keep-images`. Default: they are images like others. Example: `7d`.',
    min: hours(1),
    max: hours(24 * 3650),
  }),
  'keep-tags': list({
    description: 'For `cleanup`: images with such a tag stay; `*` stands for anything. Example: `v*`.',
    fallback: 'latest\nproduction\nstaging\ndevelopment\n*buildcache*',
  }),
};

export const spec = {
  ...naming,
  ...building,
  ...scanning,
  ...keeping,
  token: secret({
    description:
      'Token of the job: logs in to ghcr.io (`packages: write`) and reads `scan-ignore` (`contents: read`). Default: the token of the job.',
  }),
  ...awsInputs,
  ...stageInputs,
} as const;
