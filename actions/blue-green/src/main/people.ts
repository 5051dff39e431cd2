import { parseGate } from '../../../../src/domain/approval/gate-document.ts';
import { InvalidInput } from '../../../../src/domain/inputs.ts';
import type { Policy } from '../../../../src/domain/policy/policy.ts';
import type { ActionTools } from '../../../../src/runtime/action.ts';
import type { Ports as GatePorts } from '../../../../src/engine/approval/ports.ts';
import { checkGate } from '../../../../src/engine/approval/prepare.ts';
import { documentOf } from '../../../../src/runtime/read-document.ts';
import { runPlace } from '../../../../src/runtime/run-identity.ts';
import type { Ports } from '../execute/acting.ts';
import { asksPeople } from '../goal.ts';
import type { Request } from '../inputs.ts';
import { type Gates, NO_GATES, askProblems, gatesOf } from '../inputs/gate.ts';

/** The approvals inside the steps, where this mode gets to them: whoever can never be passed is refused before anything is touched. */
export async function gatesFor(
  request: Request,
  { gates }: Policy,
  tools: ActionTools & Pick<Ports, 'people'>,
): Promise<Gates> {
  if (gates.length === 0 || !asksPeople(request)) return NO_GATES;
  const problems = askProblems(request.asks);
  if (problems.length > 0) throw new InvalidInput('The approvals inside the steps', problems);
  const rules = await Promise.all(gates.map(({ file }) => documentOf({ path: file, name: 'gate' }, parseGate, tools)));
  const opened = gatesOf(gates, rules, request.asks);
  const people = await tools.people();
  for (const each of opened.rules.values()) await checkGate(each, runPlace(tools), people, tools.signal);
  return opened;
}

export async function peopleOf({ asks }: Request, tools: ActionTools): Promise<GatePorts> {
  const [{ gateAccess }, { sha256 }, { systemRandom }, { valueOfYaml }] = await Promise.all([
    import('../../../../src/adapters/github/gate-access.ts'),
    import('../../../../src/adapters/system/digest.ts'),
    import('../../../../src/adapters/system/random.ts'),
    import('../../../../src/runtime/read-yaml.ts'),
  ]);
  const { clock, log } = tools;
  return { ...gateAccess(asks.auth, tools), clock, log, sha256, random: systemRandom(), parseYaml: valueOfYaml };
}
