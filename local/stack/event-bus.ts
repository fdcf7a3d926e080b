import { compilePattern } from '../events.ts';

/** Where a rule sends an event (JSON text). */
export type Deliver = (event: string) => void;

/** The default event bus of the stack's account. */
export interface EventBus {
  /** Adds a rule; throws when its pattern cannot be honoured. */
  addRule(name: string, pattern: unknown, targets: readonly Deliver[]): void;
  /** Sends an event to the targets of every rule that matches it. */
  publish(event: unknown): void;
}

/** A bus without rules. */
export function createEventBus(): EventBus {
  const rules: { matches: (event: unknown) => boolean; targets: readonly Deliver[] }[] = [];
  return {
    addRule(name, pattern, targets) {
      try {
        rules.push({ matches: compilePattern(pattern), targets });
      } catch (error) {
        throw new Error(`rule ${name}: ${(error as Error).message}`);
      }
    },
    publish(event) {
      const matching = rules.filter((rule) => rule.matches(event));
      if (matching.length === 0) return;
      const json = JSON.stringify(event);
      for (const rule of matching) for (const deliver of rule.targets) deliver(json);
    },
  };
}
