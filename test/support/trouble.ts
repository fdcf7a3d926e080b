import type { Fault } from '../../local/faults.ts';
import type { Bench, SeenCall, Trouble } from './pipeline.ts';

/** Trouble that says whether it struck: a test that injects a fault checks that it did. */
export interface Counted {
  readonly trouble: Trouble;
  struck(): number;
}

/** Ends the instance of `by` that makes the n-th call (from 1) that fits, once it is carried out; its reply is lost. */
export function killAfter(
  bench: Bench,
  by: string,
  n: number,
  fits: (call: SeenCall) => boolean = () => true,
): Counted {
  let calls = 0;
  return {
    struck: () => (calls >= n ? 1 : 0),
    async trouble(call, phase) {
      if (phase !== 'after' || call.by !== by || !fits(call)) return undefined;
      calls += 1;
      if (calls !== n) return undefined;
      await bench.kill(call);
      return { kind: 'lostReply' };
    },
  };
}

/** Answers the first `times` calls that fit with a fault. Lost replies strike after the commit, the rest before. */
export function strike(fits: (call: SeenCall) => boolean, fault: Fault, times = 1): Counted {
  const phaseOfFault = fault.kind === 'lostReply' ? 'after' : 'before';
  let struck = 0;
  return {
    struck: () => struck,
    trouble(call, phase) {
      if (phase !== phaseOfFault || struck >= times || !fits(call)) return undefined;
      struck += 1;
      return fault;
    },
  };
}

/** Several troubles at once: the first that strikes a call decides. */
export function all(...troubles: readonly Counted[]): Counted {
  return {
    struck: () => troubles.filter((each) => each.struck() > 0).length,
    async trouble(call, phase) {
      for (const each of troubles) {
        const fault = await each.trouble(call, phase);
        if (fault) return fault;
      }
      return undefined;
    },
  };
}

/** What a call is, without whose it is: `s3.PutObject`. */
export function kindOf({ service, operation }: Pick<SeenCall, 'service' | 'operation'>): string {
  return `${service}.${operation}`;
}
