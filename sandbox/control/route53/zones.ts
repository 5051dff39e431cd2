import { type RecordSet, byName } from './records.ts';

/** One hosted zone: what the API shows, and what name servers answered at some moment. */
export interface Zone {
  readonly id: string;
  /** With its dot. */
  readonly name: string;
  records: readonly RecordSet[];
  /** What name servers answer from some moment on, oldest first. */
  readonly versions: Version[];
}

interface Version {
  readonly at: number;
  readonly records: readonly RecordSet[];
}

export interface Change {
  readonly id: string;
  readonly submittedAt: number;
  readonly insyncAt: number;
}

/** The hosted zones of one account and the changes that were made to them. */
export interface Zones {
  get(id: string): Zone | undefined;
  all(): readonly Zone[];
  add(id: string, zone: { readonly name: string; readonly records: readonly RecordSet[] }): void;
  /** The API shows the records at once; name servers when the change is in sync. */
  change(zone: Zone, records: readonly RecordSet[]): Change;
  changeOf(id: string): Change | undefined;
  /** What name servers answer from now. */
  published(zone: Zone): readonly RecordSet[];
}

export function openZones({ now, syncWithin }: { now(): number; readonly syncWithin: number }): Zones {
  const zones = new Map<string, Zone>();
  const changes = new Map<string, Change>();
  return {
    get: (id) => zones.get(id),
    all: () => [...zones.values()],
    add(id, { name, records }) {
      const sorted = records.toSorted(byName);
      zones.set(id, { id, name, records: sorted, versions: [{ at: 0, records: sorted }] });
    },
    change(zone, records) {
      const sorted = records.toSorted(byName);
      const submittedAt = now();
      const number = String(changes.size + 1).padStart(13, '0');
      const change = { id: `C${number}`, submittedAt, insyncAt: submittedAt + syncWithin };
      changes.set(change.id, change);
      zone.records = sorted;
      zone.versions.push({ at: change.insyncAt, records: sorted });
      return change;
    },
    changeOf: (id) => changes.get(id),
    published(zone) {
      const moment = now();
      while ((zone.versions[1]?.at ?? Number.POSITIVE_INFINITY) <= moment) zone.versions.shift();
      return zone.versions[0]?.records ?? [];
    },
  };
}
