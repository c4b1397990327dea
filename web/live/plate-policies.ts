import type { PolicyCounts } from '../worker/question.ts';
import { polling } from './polling.ts';
import { ask } from './session-client.ts';

/** Policies change seldom, and the server makes a new picture of them for who asks. */
const EVERY_MS = 15_000;

/** Tells what policies come to on each plate, now and when that changes. Where nothing is known of policies plates say nothing. */
export function followPlatePolicies(tell: (policed: PolicyCounts) => void): void {
  let told = '{}';
  const watch = polling(
    EVERY_MS,
    async () => {
      const policed = await ask({ about: 'policy-counts' });
      const text = JSON.stringify(policed);
      if (text === told) return;
      told = text;
      tell(policed);
    },
    () => {},
  );
  watch();
}
