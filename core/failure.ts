/**
 * The two kinds of error that are thrown (the third kind, input that will never work, is a value: see quarantine).
 * `retryable`: may work later, and everything unknown. `config`: nothing works until someone changes something.
 * Discriminate on `kind` and `code`, not on the class: bundles may hold it twice.
 */
export class Failure extends Error {
  readonly kind: 'retryable' | 'config';
  /** Dotted, stable: `copy.sourceKeepsChanging`. */
  readonly code: string;
  constructor(kind: 'retryable' | 'config', code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'Failure';
    this.kind = kind;
    this.code = code;
  }
}

export function retryable(code: string, message: string, cause?: unknown): Failure {
  return new Failure('retryable', code, message, cause === undefined ? undefined : { cause });
}

export function misconfigured(code: string, message: string): Failure {
  return new Failure('config', code, message);
}
