import { readFile } from 'node:fs/promises';

/** Where an entity's export files go: its pipe's queue. */
export interface Channel {
  /** The `load=<n>` that the pipe reads. */
  readonly load: number;
  /** The SQS queue of the pipe, in Snowflake's account. */
  readonly queueArn: string;
}

/** What a deployment must know of its Snowflake account. */
export interface SnowflakeFile {
  readonly account: string;
  readonly user: string;
  readonly role: string;
  /** The warehouse that reconcile's questions run in; the user's default one when absent. */
  readonly warehouse?: string;
  /** Snowflake's own IAM user, one per Snowflake account. */
  readonly iamUserArn: string;
  readonly externalId: string;
  /** The Secrets Manager secret with reconcile's private key; without it reconcile cannot ask Snowflake. */
  readonly secretArn?: string;
  /** By entity. */
  readonly channels: Readonly<Record<string, Channel>>;
}

/**
 * Reads `deploy/snowflake/<stage>.json`; undefined when there is none.
 *
 * @throws when it is no JSON, or naming everything in it that is missing or of the wrong shape
 */
export async function readSnowflakeFile(file: string): Promise<SnowflakeFile | undefined> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new Error(`${file} cannot be read: ${cause.message}`, { cause });
  });
  if (text === undefined) return undefined;
  const remedy = 'Mend it, or take the file away for a stack without Snowflake.';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${file} is no JSON. ${remedy}`, { cause });
  }
  const problems = problemsOf(value);
  if (problems.length > 0) throw new Error(`${file}: ${problems.join('; ')}. ${remedy}`);
  return value as SnowflakeFile;
}

function problemsOf(value: unknown): string[] {
  if (!isObject(value)) return ['not an object'];
  const texts = ['account', 'user', 'role', 'iamUserArn', 'externalId'];
  const problems = texts
    .filter((name) => typeof value[name] !== 'string' || value[name] === '')
    .map((name) => `\`${name}\` is not a text`);
  const { secretArn, warehouse, channels } = value;
  if (warehouse !== undefined && typeof warehouse !== 'string') problems.push('`warehouse` is not a text');
  if (secretArn !== undefined && typeof secretArn !== 'string') problems.push('`secretArn` is not a text');
  if (!isObject(channels)) return [...problems, '`channels` is not an object'];
  for (const [entity, channel] of Object.entries(channels)) {
    const { load, queueArn } = isObject(channel) ? channel : {};
    if (!Number.isInteger(load) || Number(load) < 1) problems.push(`\`channels.${entity}.load\` is not 1 or more`);
    if (typeof queueArn !== 'string' || !queueArn.startsWith('arn:')) {
      problems.push(`\`channels.${entity}.queueArn\` is not an ARN`);
    }
  }
  return problems;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
