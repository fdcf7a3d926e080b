/** One verb of the `firn` command. */
export interface Verb {
  /** What `firn <verb> --help` prints. */
  readonly usage: string;
  /**
   * Does the work and returns the exit code: 0 fine, 1 the data has a problem. Throws a UsageError, exit code 2, for
   * arguments that do not fit.
   */
  run(args: readonly string[]): Promise<number>;
}
