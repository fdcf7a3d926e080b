/** How an invocation ended. A handler's failure is a value here: mappings decide by it, only `invoke` throws it. */
export type Outcome =
  | { readonly kind: 'success'; readonly requestId: string; readonly payload: string }
  | {
      readonly kind: 'failure';
      readonly requestId: string;
      /** `error`: the handler threw; `timeout`: killed at its deadline; `crash`: the environment died. */
      readonly reason: 'error' | 'timeout' | 'crash';
      readonly name: string;
      readonly message: string;
      readonly stack: string;
    };

export type Failure = Extract<Outcome, { kind: 'failure' }>;

/** A failed invocation as `failures` of the embedded cloud lists it. */
export interface InvocationFailure {
  readonly functionName: string;
  readonly requestId: string;
  /** Access key id of the execution environment that failed. */
  readonly principal: string;
  readonly reason: Failure['reason'];
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  /** Milliseconds since the epoch, on the embedded cloud's clock. */
  readonly at: number;
}

/** Largest request and largest response of one invocation, in bytes (Lambda quota: 6 MB each way). */
export const PAYLOAD_LIMIT = 6 * 1024 * 1024;

/** The failure as an error, with the name and the stack it had inside the handler. */
export function errorOf(functionName: string, failure: Failure): Error {
  const error = new Error(`${functionName}: ${failure.message}`);
  error.name = failure.name;
  if (failure.stack !== '') error.stack = failure.stack;
  return error;
}
