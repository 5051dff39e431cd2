// Virtual time for an unmodified bundle: loaded by `node --import` before it. Every wait of the product goes through
// node:timers/promises (the rule of the Clock port), so replacing that module's functions replaces all waits.
//
// Time stands still while anything happens and moves only to the next sleeper's end:
// - when no HTTP request is in flight and the event loop has nothing more to do, or
// - after STALL milliseconds of real time without any progress (a request that is never answered).
// One sleeper is woken at a time, by its end and then by the order of falling asleep, so that two runs are identical.
//
// Each request says when it was sent (x-sluice-now, epoch milliseconds; x-amz-date follows from Date). An answer may
// carry the same header with a later time: then it took that long.
import diagnostics from 'node:diagnostics_channel';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import timers from 'node:timers';
import timersPromises from 'node:timers/promises';
import { promisify } from 'node:util';

const START = Number(process.env['SLUICE_LOCKSTEP_FROM']);
const STALL = Number(process.env['SLUICE_LOCKSTEP_STALL'] ?? 250);
/** Global timers are limits (of a connection, of a signal's budget), not waits: they stay real, the long ones shorter. */
const TIMER_SCALE = Number(process.env['SLUICE_TIMER_SCALE'] ?? 0.1);
const LONG = 1_000;
/** Turns of the event loop without anything new before it counts as idle: callbacks of sockets and promises need some. */
const QUIET_TURNS = 5;
const HEADER = 'x-sluice-now';
if (!Number.isFinite(START)) throw new TypeError('SLUICE_LOCKSTEP_FROM is not a number of epoch milliseconds');
for (const name of ['SLUICE_LOCKSTEP_FROM', 'SLUICE_LOCKSTEP_STALL', 'SLUICE_TIMER_SCALE']) delete process.env[name];

const real = {
  setTimeout: globalThis.setTimeout,
  setInterval: globalThis.setInterval,
  setImmediate: globalThis.setImmediate,
  now: performance.now.bind(performance),
  Date: globalThis.Date,
};

let now = START;
let fellAsleep = 0;
/** In the order of waking. */
const sleepers = [];
const inFlight = new Set();
const shortTimers = new Set();
let generation = 0;
let lastProgress = real.now();
let settling = false;

function progress() {
  generation += 1;
  lastProgress = real.now();
  settle();
}

/** Watches the event loop until it is quiet, then moves time. */
function settle() {
  if (settling || sleepers.length === 0) return;
  settling = true;
  let seen = generation;
  let quiet = 0;
  const turn = () => {
    if (generation !== seen) [seen, quiet] = [generation, 0];
    quiet += 1;
    if (sleepers.length === 0 || inFlight.size > 0) settling = false;
    else if (quiet < QUIET_TURNS) real.setImmediate(turn);
    else if (isBusy()) {
      settling = false;
      real.setTimeout(settle, 1);
    } else {
      settling = false;
      wakeNext();
    }
  };
  real.setImmediate(turn);
}

/** Work that says nothing when it is done: files, name look-ups, child processes, and short timers such as a retry's pause. */
function isBusy() {
  for (const timer of shortTimers) if (timer._destroyed || !timer.hasRef()) shortTimers.delete(timer);
  return (
    shortTimers.size > 0 ||
    process.getActiveResourcesInfo().some((name) => /^FSReq|^GetAddrInfo|^ProcessWrap$/.test(name))
  );
}

function wakeNext() {
  const sleeper = sleepers.shift();
  if (sleeper === undefined) return;
  now = Math.max(now, sleeper.due);
  sleeper.wake();
  progress();
}

// It also keeps the process alive while somebody sleeps, as a real timer would.
const watchdog = real.setInterval(() => {
  const seen = generation;
  if (sleepers.length === 0 || real.now() - lastProgress < STALL) return;
  // What arrived while this process was busy itself comes first.
  let turns = 0;
  const turn = () => {
    if (generation !== seen) return;
    turns += 1;
    if (turns < QUIET_TURNS) real.setImmediate(turn);
    else wakeNext();
  };
  real.setImmediate(turn);
}, 25);
watchdog.unref();

function holdOpen() {
  if (sleepers.some(({ keepsAlive }) => keepsAlive)) watchdog.ref();
  else watchdog.unref();
}

function fallAsleep(delay, wake, keepsAlive) {
  // As Node: nothing is shorter than 1 ms, so a loop of empty waits still moves on.
  const length = Number(delay) >= 1 ? Math.trunc(Number(delay)) : 1;
  const sleeper = { due: now + length, order: (fellAsleep += 1), wake, keepsAlive };
  const after = sleepers.findIndex(({ due }) => due > sleeper.due);
  sleepers.splice(after < 0 ? sleepers.length : after, 0, sleeper);
  holdOpen();
  progress();
  return () => {
    const index = sleepers.indexOf(sleeper);
    if (index >= 0) sleepers.splice(index, 1);
    holdOpen();
    progress();
  };
}

class AbortError extends Error {
  constructor(cause) {
    super('The operation was aborted', { cause });
    this.name = 'AbortError';
    this.code = 'ABORT_ERR';
  }
}

function sleep(delay, value, options = {}) {
  const { signal, ref = true } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new AbortError(signal.reason));
    const abort = () => {
      forget();
      reject(new AbortError(signal.reason));
    };
    const wake = () => {
      signal?.removeEventListener('abort', abort);
      holdOpen();
      resolve(value);
    };
    const forget = fallAsleep(delay, wake, ref);
    signal?.addEventListener('abort', abort, { once: true });
  });
}

timersPromises.setTimeout = sleep;
timersPromises.setInterval = async function* interval(delay, value, options) {
  for (;;) yield await sleep(delay, value, options);
};
Object.defineProperty(timersPromises.scheduler, 'wait', {
  value: (delay, options) => sleep(delay, undefined, options),
});

const scaled = (delay) => (Number(delay) >= LONG ? Math.ceil(Number(delay) * TIMER_SCALE) : delay);

function setTimeoutScaled(callback, delay, ...args) {
  if (typeof callback !== 'function' || Number(delay) >= LONG) return real.setTimeout(callback, scaled(delay), ...args);
  const timer = real.setTimeout(
    (...given) => {
      shortTimers.delete(timer);
      progress();
      callback(...given);
    },
    delay,
    ...args,
  );
  if (Number(delay) > 0) shortTimers.add(timer);
  return timer;
}
Object.defineProperty(setTimeoutScaled, promisify.custom, { value: sleep });
const setIntervalScaled = (callback, delay, ...args) => real.setInterval(callback, scaled(delay), ...args);
Object.assign(timers, { setTimeout: setTimeoutScaled, setInterval: setIntervalScaled });
Object.assign(globalThis, { setTimeout: setTimeoutScaled, setInterval: setIntervalScaled });
const abortAfter = AbortSignal.timeout.bind(AbortSignal);
AbortSignal.timeout = (delay) => abortAfter(scaled(delay));
const { setTimeout: setSocketTimeout } = net.Socket.prototype;
net.Socket.prototype.setTimeout = function setTimeout(delay, ...args) {
  return setSocketTimeout.call(this, scaled(delay), ...args);
};

const VirtualDate = new Proxy(real.Date, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now] : args, newTarget === VirtualDate ? target : newTarget),
  apply: () => new real.Date(now).toString(),
  get: (target, key, receiver) => (key === 'now' ? virtualNow : Reflect.get(target, key, receiver)),
});
const virtualNow = () => now;
real.Date.prototype.constructor = VirtualDate;
globalThis.Date = VirtualDate;
Object.defineProperty(performance, 'now', { value: () => now - START });
Object.defineProperty(performance, 'timeOrigin', { value: START });
syncBuiltinESMExports();

function begun(request) {
  inFlight.add(request);
  progress();
}

function over(request) {
  if (inFlight.delete(request)) progress();
}

/** The answer says when it was given. */
function answeredAt(text) {
  const moment = Number(text);
  if (moment > now) now = moment;
  progress();
}

diagnostics.subscribe('http.client.request.created', ({ request }) => {
  if (!request.headersSent) request.setHeader(HEADER, String(now));
  begun(request);
  // Emitted when the answer was read to its end, and when the request failed or was aborted.
  request.once('close', () => over(request));
});
diagnostics.subscribe('http.client.response.finish', ({ response }) => answeredAt(response.headers[HEADER]));
diagnostics.subscribe('undici:request:create', ({ request }) => {
  request.addHeader(HEADER, String(now));
  // A connection that becomes a WebSocket has no end that would be told here.
  if (!request.upgrade) begun(request);
});
diagnostics.subscribe('undici:request:headers', ({ response: { headers } }) => {
  // Names and values in turn; over HTTP/2 an object.
  if (!Array.isArray(headers)) return answeredAt(headers[HEADER]);
  const index = headers.findIndex((name, position) => position % 2 === 0 && String(name).toLowerCase() === HEADER);
  answeredAt(index < 0 ? undefined : String(headers[index + 1]));
});
diagnostics.subscribe('undici:request:trailers', ({ request }) => over(request));
diagnostics.subscribe('undici:request:error', ({ request }) => over(request));
