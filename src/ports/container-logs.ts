/** Where one container of one task wrote to. */
export interface LogPlace {
  readonly group: string;
  readonly stream: string;
  /** Absent: the region of the service. */
  readonly region?: string;
}

export type LogTail =
  | { readonly kind: 'lines'; readonly lines: readonly string[] }
  /** Nothing can be shown; `why` is a clause. */
  | { readonly kind: 'absent'; readonly why: string };

/** What containers printed. Help, never judgement: what cannot be read is an answer, not an error. */
export interface ContainerLogs {
  /** The last lines, oldest first. */
  lastLines(place: LogPlace, count: number, signal: AbortSignal): Promise<LogTail>;
}
