import { newEventId, putService, type Turn } from './turn.ts';

/** As many as DescribeServices keeps. */
const KEPT = 100;

/** Adds a service event, newest first. */
export function say(turn: Turn, serviceArn: string, message: string): void {
  const id = newEventId(turn);
  const service = turn.state.services[serviceArn];
  if (service === undefined) return;
  const events = [{ id, at: turn.now, message }, ...service.events].slice(0, KEPT);
  putService(turn, { ...service, events });
}
