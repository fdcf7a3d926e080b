import { createHash, createPublicKey, verify } from 'node:crypto';
import type { Clock } from '../clock.ts';

/** A JWT is valid for an hour at most, whatever its `exp` says (Snowflake docs: SQL API, authenticating). */
const LONGEST_MS = 3_600_000;
/** How far ahead the signer's clock may be. */
const SKEW_MS = 60_000;

interface Claims {
  readonly iss?: unknown;
  readonly sub?: unknown;
  readonly iat?: unknown;
  readonly exp?: unknown;
}

/** Whether a JWT proves that its bearer holds the user's private key. */
export function provesKey(token: string, account: string, user: string, publicKeyPem: string, clock: Clock): boolean {
  const [header = '', payload = '', signature = '', ...more] = token.split('.');
  if (more.length > 0 || signature === '') return false;
  const key = createPublicKey(publicKeyPem);
  if (!verify('RSA-SHA256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url')))
    return false;
  const subject = `${jwtAccount(account)}.${user.toUpperCase()}`;
  const digest = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64');
  const claims = readClaims(payload);
  return claims?.sub === subject && claims.iss === `${subject}.SHA256:${digest}` && isCurrent(claims, clock);
}

/** The account as claims name it: no region, upper case; a global account loses what follows its first hyphen. */
function jwtAccount(account: string): string {
  return (account.includes('.global') ? account.split('-')[0] : account.split('.')[0])?.trim().toUpperCase() ?? '';
}

function readClaims(payload: string): Claims | undefined {
  try {
    return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Claims;
  } catch {
    return undefined;
  }
}

/**
 * A signer in a worker lives by the clock, one in the main thread by the machine's time, which the clock is ahead of
 * after a skip. A token is current if it is by either.
 */
function isCurrent({ iat, exp }: Claims, clock: Clock): boolean {
  if (typeof iat !== 'number' || typeof exp !== 'number') return false;
  const [issued, expires] = [milliseconds(iat), milliseconds(exp)];
  const now = clock.now();
  const skipped = Number(Atomics.load(new BigInt64Array(clock.offset), 0));
  const until = Math.min(expires, issued + LONGEST_MS);
  return [now, now - skipped].some((time) => issued <= time + SKEW_MS && time < until);
}

/** Claims are in seconds; the Node driver sends milliseconds, and Snowflake takes both. */
function milliseconds(claim: number): number {
  return claim > 1e11 ? claim : claim * 1000;
}
