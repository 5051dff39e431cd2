// A module of ours that re-exports a few names of a large package, bundled by itself. ncc would take the whole package and
// run all of it at every start; esbuild takes the names.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Replaces the module by itself and what it uses; gives the folders of the packages that ended up in it. */
export async function bundleShare(root, path, external) {
  const { metafile } = await build({
    entryPoints: [path],
    outfile: path,
    allowOverwrite: true,
    bundle: true,
    external,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    metafile: true,
    logLevel: 'error',
    absWorkingDir: root,
    // What is CommonJS inside asks for modules of Node by require, which a module does not have.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(import.meta.url);",
    },
    plugins: [withoutSideEffects],
  });
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0),
  );
  const folders = used.map(([input]) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]);
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}

/** What these packages do when they are loaded is to define things: what nobody uses may be left out. */
const withoutSideEffects = {
  name: 'without-side-effects',
  setup(plugin) {
    plugin.onResolve({ filter: /.*/ }, async ({ path, pluginData, ...rest }) => {
      if (pluginData === 'resolved') return undefined;
      return { ...(await plugin.resolve(path, { ...rest, pluginData: 'resolved' })), sideEffects: false };
    });
  },
};

/** ncc lists the packages that it bundled; those inside a share are no longer packages to it. Same form: name, licence, text. */
export function addLicences(root, file, folders) {
  const listed = readFileSync(file, 'utf8');
  const missing = folders.flatMap((folder) => {
    const { name, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    if (listed.startsWith(`${name}\n`) || listed.includes(`\n\n${name}\n`)) return [];
    const text = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
    if (text === undefined) throw new Error(`${folder} is bundled and has no licence file`);
    return [`${name}\n${license}\n${readFileSync(join(root, folder, text), 'utf8').trim()}\n`];
  });
  writeFileSync(file, [listed.trimEnd(), ...missing].join('\n\n').trim() + '\n');
}
