/**
 * Everything about a table that is not its items: what dynalite does not know of (stream, TTL, backups, protection,
 * encryption) is remembered here, and joined into its descriptions.
 */
import { type Answer, type Exchange, type Json, ServiceError } from '../aws-json.ts';
import type { Clock } from '../clock.ts';
import type { Engine } from './engine.ts';
import { createStream, type TableStream, type ViewType } from './stream.ts';
import {
  backups,
  changed,
  checkStreamChange,
  checkTtlChange,
  describe,
  type TableNote,
  throughput,
} from './table-note.ts';

export interface Tables {
  /** The operations of the control plane that need more than dynalite. */
  readonly operations: Readonly<Record<string, (input: Json, exchange: Exchange) => Promise<Answer | Json>>>;
  names(): readonly string[];
  stream(tableName: string): TableStream | undefined;
  /** TTL attribute by table, where TTL is on. */
  ttlAttributes(): readonly (readonly [tableName: string, attribute: string])[];
}

export interface TablesOptions {
  readonly clock: Clock;
  readonly region: string;
  readonly accountId: string;
  readonly shardCount: number;
}

const toDynalite = [
  'TableName',
  'AttributeDefinitions',
  'KeySchema',
  'LocalSecondaryIndexes',
  'GlobalSecondaryIndexes',
  'BillingMode',
  'ProvisionedThroughput',
];
const remembered = ['StreamSpecification', 'SSESpecification', 'DeletionProtectionEnabled', 'TableClass'];

/** The tables of an engine, which is empty. */
export function openTables(engine: Engine, options: TablesOptions): Tables {
  const notes = new Map<string, TableNote>();
  const streams = new Map<string, TableStream>();
  const nowSeconds = () => Math.floor(options.clock.now() / 1000);

  function startStream(table: string, view: ViewType | undefined): void {
    if (view) streams.set(table, createStream({ ...options, table, view }));
    else streams.delete(table);
  }
  function write(table: string, note: TableNote): void {
    if (note.view !== streams.get(table)?.view) startStream(table, note.view);
    notes.set(table, note);
  }
  function noteOf(input: Json): TableNote {
    const note = notes.get(nameOf(input));
    if (note) return note;
    throw new ServiceError(
      'ResourceNotFoundException',
      `Requested resource not found: Table: ${nameOf(input)} not found`,
    );
  }
  /** Hands the request to dynalite and joins what we remember into `member` of its reply. */
  async function forward(
    exchange: Exchange,
    member: string,
    note: () => TableNote | undefined,
  ): Promise<Answer | Json> {
    const answer = await engine.handle(exchange);
    const known = note();
    if (answer.status !== 200 || !known) return answer;
    const description = (JSON.parse(answer.body) as Json)[member] as Json;
    return { [member]: describe(description, known, streams.get(String(description['TableName']))) };
  }

  const operations: Tables['operations'] = {
    async CreateTable(input, exchange) {
      refuseOthers('CreateTable', input, [...toDynalite, ...remembered, ...throughput, 'Tags']);
      const table = nameOf(input);
      const note = changed(
        {
          createdAt: nowSeconds(),
          protected: false,
          view: undefined,
          ttlAttribute: undefined,
          recoveryDays: undefined,
          kept: {},
        },
        input,
      );
      const settled = engine.settled(table);
      const answer = await engine.handle(exchange);
      if (answer.status !== 200) return answer;
      await settled;
      write(table, note);
      const { TableDescription: description } = JSON.parse(answer.body) as { TableDescription: Json };
      if (input['Tags']) await tag(engine, exchange, description['TableArn'], input['Tags']);
      return { TableDescription: describe(description, note, streams.get(table)) };
    },
    DescribeTable: (input, exchange) => forward(exchange, 'Table', () => notes.get(nameOf(input))),
    async UpdateTable(input, exchange) {
      refuseOthers('UpdateTable', input, [...toDynalite, ...remembered, ...throughput]);
      const table = nameOf(input);
      checkStreamChange(input, noteOf(input));
      const note = changed(noteOf(input), input);
      if (input['BillingMode'] || input['ProvisionedThroughput']) {
        const settled = engine.settled(table);
        const answer = await engine.handle(exchange);
        if (answer.status !== 200) return answer;
        await settled;
      }
      write(table, note);
      const asked = { headers: targeted(exchange, 'DescribeTable'), body: json({ TableName: table }) };
      const { Table: description } = JSON.parse((await engine.handle(asked)).body) as { Table: Json };
      return { TableDescription: describe(description, note, streams.get(table)) };
    },
    async DeleteTable(input, exchange) {
      const table = nameOf(input);
      const note = notes.get(table);
      if (note?.protected) {
        const message = `Table ${table} cannot be deleted as it is currently protected against deletion. Disable deletion protection first.`;
        throw new ServiceError('ValidationException', message);
      }
      const settled = engine.settled(table);
      const reply = await forward(exchange, 'TableDescription', () => note);
      if ('status' in reply && reply['status'] !== 200) return reply;
      await settled;
      notes.delete(table);
      streams.delete(table);
      return reply;
    },
    async UpdateTimeToLive(input) {
      const note = noteOf(input);
      const wish = (input['TimeToLiveSpecification'] ?? {}) as { AttributeName?: string; Enabled?: boolean };
      checkTtlChange(note, wish);
      write(nameOf(input), { ...note, ttlAttribute: wish.Enabled ? wish.AttributeName : undefined });
      return { TimeToLiveSpecification: wish };
    },
    async DescribeTimeToLive(input) {
      const { ttlAttribute } = noteOf(input);
      return {
        TimeToLiveDescription: ttlAttribute
          ? { TimeToLiveStatus: 'ENABLED', AttributeName: ttlAttribute }
          : { TimeToLiveStatus: 'DISABLED' },
      };
    },
    async UpdateContinuousBackups(input) {
      const wish = (input['PointInTimeRecoverySpecification'] ?? {}) as Json;
      const days = wish['PointInTimeRecoveryEnabled'] ? Number(wish['RecoveryPeriodInDays'] ?? 35) : undefined;
      write(nameOf(input), { ...noteOf(input), recoveryDays: days });
      return { ContinuousBackupsDescription: backups(days) };
    },
    async DescribeContinuousBackups(input) {
      return { ContinuousBackupsDescription: backups(noteOf(input).recoveryDays) };
    },
  };

  return {
    operations,
    names: () => [...notes.keys()],
    stream: (table) => streams.get(table),
    ttlAttributes: () =>
      [...notes].flatMap(([table, { ttlAttribute }]) => (ttlAttribute ? [[table, ttlAttribute] as const] : [])),
  };
}

/** dynalite drops what it does not know without a word; a parameter that would get lost is refused instead. */
function refuseOthers(operation: string, input: Json, known: readonly string[]): void {
  const others = Object.keys(input).filter((name) => !known.includes(name));
  if (others.length === 0) return;
  const message = `${operation}: ${others.join(', ')} is not supported by the local DynamoDB. Leave it out.`;
  throw new ServiceError('ValidationException', message);
}

async function tag(engine: Engine, exchange: Exchange, arn: unknown, tags: unknown): Promise<void> {
  await engine.handle({ headers: targeted(exchange, 'TagResource'), body: json({ ResourceArn: arn, Tags: tags }) });
}

function targeted({ headers }: Exchange, operation: string): Exchange['headers'] {
  return { ...headers, 'x-amz-target': `DynamoDB_20120810.${operation}` };
}

function json(document: Json): Buffer {
  return Buffer.from(JSON.stringify(document));
}

/** The table that a request is about. Tables are named by themselves or by their ARN. */
export function nameOf(input: Json): string {
  const name = String(input['TableName'] ?? input['ResourceArn'] ?? '');
  return name.slice(name.lastIndexOf('/') + 1);
}
