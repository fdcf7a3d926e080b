import { zipSync } from 'fflate';

/** A zip of these members, in this order; the same bytes on every day. */
export function zipOf(members: Readonly<Record<string, string | Uint8Array>>): Uint8Array {
  const content = Object.entries(members).map(([path, body]) => [path, new Uint8Array(Buffer.from(body))] as const);
  return zipSync(Object.fromEntries(content), { mtime: new Date(2026, 0, 1) });
}
