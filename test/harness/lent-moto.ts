import { LENT_AT } from '../../sandbox/cloud.ts';
import { lendMoto, type Lender } from '../../sandbox/moto/lend.ts';
import { startMoto } from '../../sandbox/moto/process.ts';

let lender: Lender | undefined;

/** Jest calls it before the first suite. Nothing starts before a suite asks for it: most run without a cloud. */
export default async function setUp(): Promise<void> {
  lender = await lendMoto((ended) => startMoto((line) => console.log(line), ended));
  process.env[LENT_AT] = lender.path;
}

export const tearDown = async (): Promise<void> => lender?.stop();
