// One set-up at a time per clone: two terminals that start together must not both run `npm ci` in the same folder.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupProblem } from './problem.mjs';

const PATIENCE_MS = 15 * 60_000;

/** Runs `work` while holding the lock file; waits for a living holder (and says so), takes over from a dead one. */
export async function withLock(path, work, say = (line) => console.error(line)) {
  await take(path, say);
  const release = () => rmSync(path, { force: true });
  process.on('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}

async function take(path, say) {
  mkdirSync(dirname(path), { recursive: true });
  const started = Date.now();
  let said = false;
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw new SetupProblem(`Cannot write ${path}: ${error.message}`, { cause: error });
    }
    const holder = holderOf(path);
    if (holder === 'dead') rmSync(path, { force: true });
    else if (Date.now() - started > PATIENCE_MS)
      throw new SetupProblem(
        `Another set-up (process ${holder}) holds ${path} for more than 15 minutes; end it or delete the file.`,
      );
    else {
      if (!said) say(`Waiting for another set-up of this clone (process ${holder}) ...`);
      said = true;
      await sleep(200);
    }
  }
}

/** The process that holds the lock; `dead` when it is gone, or when it ended between making the file and writing its number. */
function holderOf(path) {
  try {
    const text = readFileSync(path, 'utf8');
    if (!/^\d+$/.test(text)) return Date.now() - statSync(path).mtimeMs > 5_000 ? 'dead' : 'unknown';
    return isAlive(Number(text)) ? text : 'dead';
  } catch {
    return 'unknown';
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
