/** What a person got wrong in calling a command: printed without a stack trace, exit code 2. */
export class UsageError extends Error {}
