import type { JsonObject } from './types.ts';

/**
 * Members of a service that are kept and shown, and are those of a service revision: a change of one starts a deployment
 * (SDK documentation of UpdateService), and a rollback, which goes to an earlier revision, brings them back with it
 * (developerguide: service-revision-property).
 */
export const DEPLOYED_SETTINGS = [
  'networkConfiguration',
  'platformVersion',
  'serviceRegistries',
  'serviceConnectConfiguration',
  'volumeConfigurations',
  'vpcLatticeConfigurations',
] as const;

/** The settings of a service whose PRIMARY deployment has `revision`: tag settings, for one, are of no revision. */
export function settingsWith(service: JsonObject, revision: JsonObject): JsonObject {
  const others = Object.entries(service).filter(([name]) => !DEPLOYED_SETTINGS.some((each) => each === name));
  const deployed = DEPLOYED_SETTINGS.flatMap((name) => (revision[name] === undefined ? [] : [[name, revision[name]]]));
  return Object.fromEntries([...others, ...deployed]) as JsonObject;
}
