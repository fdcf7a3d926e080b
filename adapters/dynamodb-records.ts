import {
  BatchWriteItemCommand,
  type BatchWriteItemCommandInput,
  type DynamoDBClient,
  PutItemCommand,
  type PutItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { mapBounded } from '../core/bounded.ts';
import type { AttributeValue } from '../core/export/row-text.ts';
import { type Failure, retryable } from '../core/failure.ts';
import type { Put } from '../core/table/record-item.ts';
import type { WriteOutcome } from '../core/table/table.ts';
import { errorName, isThrottling } from './aws-error.ts';

/**
 * Writes records. The puts are DynamoDB JSON already, so the SDK's own serializer, which costs three times the whole
 * mapping, is passed by: a middleware puts the finished text in place of the body it made. Everything else (endpoint,
 * signature, retries, sockets) stays the SDK's.
 */
export interface RecordLimits {
  /** Requests under way at once. */
  readonly puts: number;
  readonly batches: number;
  /** Tries of a batch that comes back unprocessed or throttled, beyond the SDK's own. */
  readonly tries: number;
  readonly pauseMs: (attempt: number) => number;
}

export const defaultRecordLimits: RecordLimits = {
  puts: 48,
  batches: 8,
  tries: 12,
  // Full jitter keeps workers that were throttled together from coming back together.
  pauseMs: (attempt) => Math.random() * Math.min(5_000, 25 * 2 ** attempt),
};

/** BatchWriteItem takes 25 puts and 16 MB; 25 items of 400 KB are 10 MB. */
const batchSize = 25;
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export async function writeRecords(
  client: DynamoDBClient,
  tableName: string,
  puts: readonly Put[],
  mode: 'newest' | 'always',
  limits: RecordLimits = defaultRecordLimits,
): Promise<readonly WriteOutcome[]> {
  if (mode === 'newest') return mapBounded(puts, limits.puts, (put) => putNewest(client, tableName, put, limits));
  const batches = Array.from({ length: Math.ceil(puts.length / batchSize) }, (_, n) =>
    puts.slice(n * batchSize, (n + 1) * batchSize),
  );
  const outcomes = await mapBounded(batches, limits.batches, (batch) => putAlways(client, tableName, batch, limits));
  return outcomes.flat();
}

/** One item that the service finds invalid fails its whole batch: then each is put alone, and only that one is refused. */
async function putAlways(
  client: DynamoDBClient,
  tableName: string,
  puts: readonly Put[],
  limits: RecordLimits,
): Promise<readonly WriteOutcome[]> {
  try {
    await putBatch(client, tableName, puts, limits);
    return puts.map(() => 'written');
  } catch (error) {
    if (!isInvalid(error)) throw error;
    return mapBounded(puts, puts.length, (put) => putNewest(client, tableName, put, limits));
  }
}

function isInvalid(error: unknown): boolean {
  return errorName(error) === 'ValidationException';
}

async function putNewest(
  client: DynamoDBClient,
  tableName: string,
  put: Put,
  limits: RecordLimits,
): Promise<WriteOutcome> {
  const body =
    `{"TableName":${JSON.stringify(tableName)},"Item":${put.item},` +
    `"ConditionExpression":"attribute_not_exists(pk) OR version < :v",` +
    `"ExpressionAttributeValues":{":v":{"S":"${put.version}"}},"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}`;
  for (let attempt = 0; ; attempt += 1) {
    try {
      await client.send(
        withBody(new PutItemCommand({ TableName: tableName, Item: {} } satisfies PutItemCommandInput), body),
      );
      return 'written';
    } catch (error) {
      if (errorName(error) === 'ConditionalCheckFailedException') return standing(put, error);
      if (isInvalid(error)) return 'refused';
      if (!isThrottling(error) || attempt >= limits.tries) throw failed(tableName, error);
      await pause(limits.pauseMs(attempt));
    }
  }
}

/** Why a put was refused: what stands in the table is this very record, or a newer one, or contradicts it. */
function standing(put: Put, error: unknown): WriteOutcome {
  const item = (error as { Item?: Readonly<Record<string, AttributeValue>> }).Item;
  const version = item?.['version']?.S;
  if (version === undefined) {
    const message = 'Writing a record failed: the table refused it and did not show the item in its way.';
    throw retryable('table.noOldItem', message, error);
  }
  if (version !== put.version) return 'stale';
  return item?.['digest']?.S === put.digest ? 'written' : 'contradiction';
}

async function putBatch(
  client: DynamoDBClient,
  tableName: string,
  puts: readonly Put[],
  limits: RecordLimits,
): Promise<void> {
  let requests = puts.map((put) => `{"PutRequest":{"Item":${put.item}}}`);
  for (let attempt = 0; ; attempt += 1) {
    const body = `{"RequestItems":{${JSON.stringify(tableName)}:[${requests.join(',')}]}}`;
    const command = withBody(
      new BatchWriteItemCommand({ RequestItems: {} } satisfies BatchWriteItemCommandInput),
      body,
    );
    try {
      const { UnprocessedItems } = await client.send(command);
      const left = UnprocessedItems?.[tableName] ?? [];
      if (left.length === 0) return;
      const keys = new Set(left.map(({ PutRequest: put }) => `${put?.Item?.['pk']?.S}\n${put?.Item?.['sk']?.S}`));
      const unprocessed = puts.filter((put) => keys.has(`${put.pk}\n${put.sk}`));
      requests = unprocessed.map((put) => `{"PutRequest":{"Item":${put.item}}}`);
    } catch (error) {
      if (isInvalid(error)) throw error;
      if (!isThrottling(error) || attempt >= limits.tries) throw failed(tableName, error);
    }
    if (attempt >= limits.tries) {
      const message = `Writing ${requests.length} records to table ${tableName} failed: still unprocessed after ${attempt + 1} tries.`;
      throw retryable('table.unprocessed', message);
    }
    await pause(limits.pauseMs(attempt));
  }
}

function failed(tableName: string, error: unknown): Failure {
  const name = errorName(error);
  return retryable(
    'table.writeFailed',
    `Writing records to table ${tableName} failed: ${name}. The upload is tried again.`,
    error,
  );
}

/** The little of the SDK's middleware types that is needed here; its own differ for each command. */
interface Stack {
  add(
    middleware: (next: (step: Step) => Promise<unknown>) => (step: Step) => Promise<unknown>,
    options: { readonly step: 'build'; readonly priority: 'low'; readonly name: string },
  ): void;
}

interface Step {
  readonly request: { body: unknown; readonly headers: Record<string, string> };
}

/** The command with this JSON text as its body: put in place after the SDK has built the request, before it signs it. */
function withBody<C extends { readonly middlewareStack: unknown }>(command: C, body: string): C {
  const bytes = Buffer.from(body);
  (command.middlewareStack as Stack).add(
    (next) => (step) => {
      step.request.body = bytes;
      step.request.headers['content-length'] = String(bytes.length);
      return next(step);
    },
    { step: 'build', priority: 'low', name: 'firnFinishedBody' },
  );
  return command;
}
