import type { InvocationFailure } from '../local/lambda/outcome.ts';
import type { Pipeline } from '../local/pipeline.ts';

/** What a handler logs of a failure, as far as it matters here. */
interface Logged {
  readonly level?: unknown;
  readonly event?: unknown;
  readonly kind?: unknown;
  readonly message?: unknown;
  readonly reason?: unknown;
  readonly messageId?: unknown;
}

export interface FailureWatch {
  onLog(functionName: string, line: string): void;
  onFailure(failure: Pick<InvocationFailure, 'functionName' | 'reason' | 'message'>): void;
}

const mostTold = 1_000;

/** Says each failure once, as one line with what to do: as its handler logged it, or as the environment died. */
export function createFailureWatch(say: (line: string) => void): FailureWatch {
  const told = new Set<string>();
  return {
    onLog(functionName, line) {
      const logged = errorIn(line);
      if (logged === undefined) return;
      const text = firstLine(String(logged.message ?? logged.reason ?? logged.event));
      if (told.size >= mostTold) told.clear();
      told.add(`${functionName} ${text}`);
      // The batch as a whole, after each of its messages had a line of its own.
      if (text.endsWith('each is logged with its reason.')) return;
      const again = logged.messageId !== undefined && logged.kind !== 'config';
      say(`failed: ${functionName}: ${sentence(text)}${again ? ' It is tried again in a minute.' : ''}`);
    },
    onFailure({ functionName, reason, message }) {
      // Handlers log what they throw.
      const text = firstLine(message);
      if (reason === 'error' && told.has(`${functionName} ${text}`)) return;
      say(`failed: ${functionName}: ${sentence(text)} It is tried again; mend its cause if that goes on.`);
    },
  };
}

function errorIn(line: string): Logged | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const logged = JSON.parse(line) as Logged;
    return logged.level === 'error' ? logged : undefined;
  } catch {
    return undefined;
  }
}

/** Lines for the queues of dead letters that hold more than when asked last. */
export function createDeadLetterWatch({ cloud }: Pick<Pipeline, 'cloud'>): () => readonly string[] {
  const known = new Map<string, number>();
  return () =>
    cloud.deadLetters().flatMap(({ queue, count }) => {
      const before = known.get(queue) ?? 0;
      known.set(queue, count);
      if (count <= before) return [];
      const url = cloud.sqs.urlOf(cloud.sqs.queues().find((arn) => arn.endsWith(`:${queue}`)) ?? queue);
      const look = `aws sqs receive-message --queue-url ${url} --endpoint-url ${cloud.endpoints.sqs}`;
      return [`given up: ${queue} holds ${count}. Mend the cause and put the object again; to look at it: ${look}`];
    });
}

const sentence = (text: string): string => (text.endsWith('.') ? text : `${text}.`);

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
