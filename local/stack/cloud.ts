import type { Clock } from '../clock.ts';
import type { FaultHook } from '../faults.ts';
import type { InvocationFailure } from '../lambda/outcome.ts';
import type { LocalRole } from '../sts/server.ts';
import type { Override } from './create.ts';
import type { ForeignBucket } from './foreign-buckets.ts';
import type { LocalDynamoDb, LocalS3, LocalSqs, Ports, Services } from './services.ts';

export interface CloudOptions {
  /** Holds `cloudformation-template-update-stack.json` and the functions' packages, as `sls package` leaves them. */
  readonly packageDir: string;
  /** A folder for objects and unpacked functions, new or empty unless its data is kept. */
  readonly dataDir: string;
  /** Goes on with what an earlier run left in `dataDir`, and keeps what a later run needs. */
  readonly keep?: boolean;
  readonly clock?: Clock;
  /** `eu-central-1` unless given. */
  readonly region?: string;
  /** `111122223333` unless given. */
  readonly accountId?: string;
  /** `firn-local` unless given. */
  readonly stackName?: string;
  readonly ports?: Ports;
  readonly faults?: FaultHook;
  /** False switches off everything that runs by the time of day. */
  readonly schedules?: boolean;
  /** Values by secret name. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Variables that every function gets on top of its own, and that win over them. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Buckets that the stack does not make. */
  readonly foreignBuckets?: readonly ForeignBucket[];
  /** Roles of other accounts. */
  readonly foreignRoles?: readonly LocalRole[];
  /** Changes resolved properties before a resource is created; for tests that tune sizes. */
  readonly overrides?: Override;
  /** Every line that a handler writes. */
  readonly onLog?: (functionName: string, line: string) => void;
  /** Every invocation that failed. */
  readonly onFailure?: (failure: InvocationFailure) => void;
  /** Whether a queue ARN that is not here exists elsewhere: notifications to it are accepted and forgotten. */
  readonly foreignQueue?: (arn: string) => boolean;
  /** Stand-ins that run already; the caller closes them. Their clock is the cloud's clock. */
  readonly services?: Services;
  /** For tests: how many records the first retry of a failed stream batch carries. */
  readonly retryEdge?: (size: number) => number;
}

/** A stack that runs on this machine. */
export interface Cloud {
  readonly clock: Clock;
  readonly endpoints: {
    readonly s3: string;
    readonly sqs: string;
    readonly dynamodb: string;
    readonly secrets: string;
    readonly sts: string;
  };
  readonly outputs: Readonly<Record<string, string>>;
  /** The value of `Ref`: a bucket's, table's or function's name, a queue's URL. */
  physicalId(logicalId: string): string;
  /** The value of `Fn::GetAtt`. */
  attribute(logicalId: string, name: string): string;
  readonly s3: LocalS3;
  readonly sqs: LocalSqs;
  readonly dynamodb: LocalDynamoDb;
  /**
   * Calls a function by name, logical id or label (`copy` for `CopyLambdaFunction`) and waits for its result.
   * Rejects with the handler's own error.
   */
  invoke(functionLogicalOrName: string, event: unknown): Promise<unknown>;
  /** Ends the execution environment that signs with this access key id. Resolves when it is gone. */
  kill(principal: string): Promise<void>;
  /** True when nothing runs and nothing is due later. */
  idle(): boolean;
  /** Resolves when everything that was set in motion has ended; skips the clock over windows, timeouts and back-offs. */
  settle(extraIdle?: () => boolean): Promise<void>;
  /** Resolves when nothing has run for `quietMs` of real time, at the clock's own pace, or when the signal aborts. */
  calm(quietMs: number, signal: AbortSignal, extraIdle?: () => boolean): Promise<void>;
  /** Resolves when an invocation starts or ends. */
  stirred(): Promise<void>;
  /** Dead-letter queues that hold messages. */
  deadLetters(): readonly { readonly queue: string; readonly count: number }[];
  /** The latest failed invocations, oldest first, at most a thousand. */
  readonly failures: readonly InvocationFailure[];
  /** Takes up no more work, lets what runs end for up to `graceMs` of real time (0 unless given), then ends everything. */
  close(graceMs?: number): Promise<void>;
}
