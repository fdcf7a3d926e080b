/**
 * Faults that a test injects into the stand-ins. Every stand-in asks before it carries out a request and again after
 * it has committed but not yet answered. Each Lambda instance signs with an access key id of its own, so a fault can
 * single out one instance, and "killed after its n-th call" is a fact on the wire, not a mock in the handler.
 */
export interface Call {
  readonly service: 's3' | 'sqs' | 'dynamodb' | 'secretsmanager' | 'sts' | 'snowflake';
  /** The API's own name: `CopyObject`, `BatchWriteItem`, … */
  readonly operation: string;
  /** Access key id that signed the request (`anonymous` when unsigned). */
  readonly principal: string;
}

export type Fault =
  /** Answered with the service's own throttling error, nothing carried out. */
  | { readonly kind: 'throttle' }
  /** Answered with this error, nothing carried out. */
  | { readonly kind: 'error'; readonly status: number; readonly code: string }
  /** BatchWriteItem only: from the n-th request of the batch on (0-based) all come back as UnprocessedItems. */
  | { readonly kind: 'unprocessed'; readonly from: number }
  /** Carried out, but the connection breaks before the answer. Only meaningful after the commit. */
  | { readonly kind: 'lostReply' };

export type FaultHook = (call: Call, phase: 'before' | 'after') => Fault | undefined | Promise<Fault | undefined>;

/** Access key id in an AWS signature version 4 Authorization header, or `anonymous`. */
export function principalOf(authorization: string | undefined): string {
  return /Credential=([^/]+)\//.exec(authorization ?? '')?.[1] ?? 'anonymous';
}
