import type { Scaling, Suspended } from '../../src/domain/shift/scaling.ts';
import type { Autoscaling } from '../../src/ports/autoscaling.ts';

export interface FakeAutoscaling extends Autoscaling {
  /** By service name; one that is not here is not scaled. */
  readonly services: Map<string, Suspended>;
  /** `shop-blue: in+scheduled`, or `shop-blue: nothing`: every write through the port. */
  readonly writes: readonly string[];
  /** The next calls of this method fail with this, once each. */
  fail(method: 'read' | 'suspend', ...errors: readonly Error[]): void;
}

/** Autoscaling in memory. It knows no service until it is told of one. */
export function fakeAutoscaling(): FakeAutoscaling {
  const services = new Map<string, Suspended>();
  const writes: string[] = [];
  const failures: Record<string, Error[]> = {};
  const due = (method: string, signal: AbortSignal): void => {
    signal.throwIfAborted();
    const failure = failures[method]?.shift();
    if (failure) throw failure;
  };
  return {
    services,
    writes,
    fail: (method, ...errors) => void (failures[method] = [...(failures[method] ?? []), ...errors]),
    async read(refs, signal) {
      due('read', signal);
      return refs.map(({ service }): Scaling => services.get(service) ?? 'none');
    },
    async suspend({ service }, suspended, signal) {
      due('suspend', signal);
      services.set(service, suspended);
      const words = Object.entries({ in: suspended.scaleIn, out: suspended.scaleOut, scheduled: suspended.scheduled });
      writes.push(`${service}: ${words.flatMap(([word, is]) => (is ? [word] : [])).join('+') || 'nothing'}`);
    },
  };
}
