import { putService, putServiceDeployment, type Turn, wake } from './turn.ts';
import type { Event, Service, ServiceDeployment } from './types.ts';

/** CloudWatch says how an alarm stands; services that name it are looked at. */
export function setAlarm(turn: Turn, { name, alarm }: Event & { readonly kind: 'alarm-set' }): void {
  const others = turn.state.alarms.filter((one) => one !== name);
  turn.state = { ...turn.state, alarms: alarm === 'ALARM' ? [...others, name] : others };
  for (const { arn, configuration } of Object.values(turn.state.services))
    if (configuration.alarms?.names.includes(name) === true) wake(turn, arn);
}

/** A rolling deployment that has alarms is judged by them for a while after its tasks are steady. A roll back is not. */
export function awaitsAlarms(turn: Turn, service: Service, current: ServiceDeployment | undefined): boolean {
  if (service.configuration.alarms === undefined || current?.status !== 'IN_PROGRESS' || current.native !== undefined)
    return false;
  const until = current.alarmsUntil ?? turn.now + turn.state.pace.alarmBake;
  if (until <= turn.now) return false;
  if (current.alarmsUntil === undefined) putServiceDeployment(turn, { ...current, alarmsUntil: until });
  const seen = turn.state.services[service.arn] ?? service;
  putService(turn, { ...seen, scheduleAt: Math.min(seen.scheduleAt ?? until, until) });
  return true;
}
