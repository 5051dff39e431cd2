import type { Ports as GatePorts } from '../../../../src/engine/approval/ports.ts';

/** The record file of the workspace; `read` gives undefined while there is none. */
export interface RecordFile {
  read(): Promise<string | undefined>;
  write(text: string): Promise<void>;
}

export interface Ports extends GatePorts {
  readonly recordFile: RecordFile | undefined;
  /** Told as soon as the request is open, so that `post` can close it when this process is killed. */
  readonly onOpened: (issue: number) => void;
}
