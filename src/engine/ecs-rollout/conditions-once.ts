import type { DeployConditions } from '../../ports/deploy-conditions.ts';

/**
 * The same conditions for several services of one release, which is planned as a whole before each of them begins: what was
 * asked for already is not asked for again. What could not be known is, because it may be known by then.
 */
export function conditionsOnce(conditions: DeployConditions): DeployConditions {
  const answers = new Map<string, Promise<unknown>>();
  const once =
    <Key, A>(name: keyof DeployConditions, ask: (key: Key, signal: AbortSignal) => Promise<A>) =>
    async (key: Key, signal: AbortSignal): Promise<A> => {
      const question = `${name} ${JSON.stringify(key)}`;
      const asked = (answers.get(question) as Promise<A> | undefined) ?? ask(key, signal);
      answers.set(question, asked);
      try {
        const answer = await asked;
        if (isUnknown(answer)) answers.delete(question);
        return answer;
      } catch (thrown) {
        answers.delete(question);
        throw thrown;
      }
    };
  return {
    reference: once('reference', conditions.reference),
    image: once('image', conditions.image),
    alarms: once('alarms', conditions.alarms),
    role: once('role', conditions.role),
    freeAddresses: once('freeAddresses', conditions.freeAddresses),
    fargateQuota: once('fargateQuota', conditions.fargateQuota),
  };
}

const isUnknown = (answer: unknown): boolean =>
  typeof answer === 'object' && answer !== null && 'kind' in answer && answer.kind === 'unknown';
