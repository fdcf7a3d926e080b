import { readMessage } from '../origin/candidate.ts';

/** What a message in the normalize queue asks for: an object that landed, or one part of one. */
export type Work =
  | { readonly kind: 'landed'; readonly key: string }
  | { readonly kind: 'part'; readonly key: string; readonly revision: number; readonly part: number };

/** Reads the body of a message in the normalize queue: whatever tells of a landing object, or a part. */
export function readWork(body: string): readonly Work[] | { readonly unreadable: string } {
  const part = readPart(body);
  if (part) return [part];
  const message = readMessage(body);
  if (message.kind === 'unreadable') return { unreadable: message.reason };
  return message.kind === 'test' ? [] : message.candidates.map(({ key }) => ({ kind: 'landed', key }));
}

/** The message that asks for this work; `readWork` reads it. */
export function workMessage(work: Extract<Work, { kind: 'part' }>): string {
  return JSON.stringify({ v: 1, ...work });
}

function readPart(body: string): Work | undefined {
  if (!body.includes('"part"')) return undefined;
  try {
    const { v, kind, key, revision, part } = JSON.parse(body) as Readonly<Record<string, unknown>>;
    if (v !== 1 || kind !== 'part' || typeof key !== 'string') return undefined;
    return isCount(revision) && isCount(part) ? { kind, key, revision, part } : undefined;
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
