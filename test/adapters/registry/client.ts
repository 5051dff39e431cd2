import { imageRegistry } from '../../../src/adapters/registry/registry.ts';
import { systemRandom } from '../../../src/adapters/system/random.ts';
import { type Duration, instant } from '../../../src/domain/duration.ts';
import type { CredentialsSource, ImageRegistry } from '../../../src/ports/image-registry.ts';
import { recordingLog } from '../../fakes/log.ts';

/** What every client was told to mask, and how long it was to wait. */
export const masked: string[] = [];
export const slept: number[] = [];
export const nobody: CredentialsSource = () => Promise.resolve(undefined);

/** The adapter, on a clock that stands. */
export function client(host: string, credentials: CredentialsSource = nobody): ImageRegistry {
  const clock = {
    now: () => instant(0),
    sleep: (length: Duration) => Promise.resolve(void slept.push(length)),
  };
  const tools = {
    clock,
    random: systemRandom(),
    log: recordingLog(),
    mask: (value: string) => void masked.push(value),
  };
  return imageRegistry({ host, credentials }, tools);
}
