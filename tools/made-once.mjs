// Files that are made once and then used by every process of this clone. Synchronous, so that a suite can tell before its
// first test whether what it needs is there.
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Calls `make` unless `path` is there; one process makes while the others wait. `make` writes elsewhere and renames. */
export function madeOnce(path, make) {
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  const lock = `${path}.lock`;
  while (!taken(lock)) pause(200);
  try {
    if (!existsSync(path)) make();
    return path;
  } finally {
    rmSync(lock, { force: true });
  }
}

const pause = (length) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, length);

/** A lock whose holder has died is taken over. */
function taken(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (holderIsDead(lock)) rmSync(lock, { force: true });
    return false;
  }
}

function holderIsDead(lock) {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    // Empty for the moment between its creation and its first byte.
    if (pid === 0) return Date.now() - statSync(lock).mtimeMs > 10_000;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}
