import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTable } from '../../adapters/dynamodb.ts';
import { connectSnowflake, type SnowflakeConnection } from '../../adapters/snowflake.ts';
import type { DevReport } from '../../cli/dev-report.ts';
import { listUploads } from '../../cli/uploads.ts';
import { root } from '../../deploy/folders.ts';
import { lines } from '../support/pipeline.ts';

const fixtures = join(root, 'test', 'fixtures', 'fault-sources');

type Program = ChildProcessByStdio<null, Readable, Readable>;

interface Running {
  readonly report: DevReport;
  readonly child: Program;
}

/** Starts `firn dev` as a program of its own. */
function start(args: readonly string[], sources = fixtures): Program {
  return spawn(process.execPath, [join(root, 'cli', 'firn.js'), 'dev', ...args], {
    env: { ...process.env, FIRN_SOURCES: sources },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

const children: Program[] = [];

/** Starts `firn dev --json`, and waits for its one line. */
async function up(...args: readonly string[]): Promise<Running> {
  const child = start(['--json', ...args]);
  children.push(child);
  const errors = text(child.stderr);
  let line = '';
  for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    line += chunk;
    if (line.includes('\n')) break;
  }
  if (!line.endsWith('\n')) throw new Error(`firn dev is not up: ${line}${await errors}`);
  return { report: JSON.parse(line) as DevReport, child };
}

/** Runs `firn dev` to its end. */
async function refused(args: readonly string[], sources?: string) {
  const child = start(args, sources);
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  const [code] = (await once(child, 'exit')) as [number];
  return { code, stdout: await stdout, stderr: await stderr };
}

/** Asks again and again until there is an answer; vitest bounds how long. */
async function until<T>(ask: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    await setTimeout(50);
  }
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

function listens(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Clients as anybody would make them from what `firn dev` printed. */
function clientsOf({ endpoints, region, credentials, table }: DevReport) {
  const s3 = new S3Client({ region, credentials, endpoint: endpoints.s3, forcePathStyle: true });
  const sqs = new SQSClient({ region, credentials, endpoint: endpoints.sqs });
  const dynamodb = new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb });
  const documents = DynamoDBDocumentClient.from(dynamodb);
  return {
    sqs,
    put: (Bucket: string, Key: string, Body: string) => s3.send(new PutObjectCommand({ Bucket, Key, Body })),
    async records(pk: string) {
      const values = { ':pk': pk };
      const query = { TableName: table, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: values };
      return (await documents.send(new QueryCommand(query))).Items ?? [];
    },
    uploads: (sources: readonly string[]) =>
      listUploads(openTable(dynamodb, table), sources, Date.now() - 86_400_000, Date.now()),
    close() {
      for (const client of [s3, sqs, dynamodb]) client.destroy();
    },
  };
}

const countOf = async (warehouse: SnowflakeConnection, table: string) =>
  Number((await warehouse.query(`SELECT COUNT(*) AS N FROM ${table}`))[0]?.['N']);

let dir: string;
let ports: string[];
let running: Running;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'firn-dev-test-'));
  const names = ['s3', 'sqs', 'dynamodb', 'snowflake', 'secrets', 'sts'];
  const free = await freePorts(names.length);
  ports = names.map((name, at) => `${name}=${free[at]}`);
  running = await up('--ports', ports.join(','), '--keep', join(dir, 'kept'));
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(dir, { recursive: true, force: true });
});

describe('firn dev', () => {
  it('ingests what any client puts, and answers by every endpoint that it prints', async () => {
    const { report } = running;
    const clients = clientsOf(report);
    const source = report.sources.find(({ id }) => id === 'orders-till');
    await clients.put(source?.bucket ?? '', `${source?.prefix}first.ndjson`, lines({ id: 'A-1', rev: 1, total: 2.5 }));

    const [record] = await until(async () => {
      const found = await clients.records('R#order#A-1');
      return found.length > 0 && found;
    });
    const warehouse = await connectSnowflake(report.snowflake);
    const loaded = await until(async () => (await countOf(warehouse, source?.warehouseTable ?? '')) || undefined);
    const [upload] = await until(async () => {
      const uploads = await clients.uploads(['orders-till']);
      return uploads.every(({ closed }) => closed) && uploads;
    });
    const queue = await clients.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: report.queues[0]?.url ?? '', AttributeNames: ['QueueArn'] }),
    );
    await warehouse.close();
    clients.close();

    expect(record).toMatchObject({ sourceId: 'orders-till', payload: { total: 2.5 } });
    expect(loaded).toBe(1);
    expect(upload).toMatchObject({ objectKey: 'till/first.ndjson', state: 'loaded', loaded: 1 });
    expect(queue.Attributes?.['QueueArn']).toContain(report.queues[0]?.name);
    expect(Object.values(report.endpoints).map((url) => new URL(url).hostname)).toEqual(Array(6).fill('127.0.0.1'));
  });

  it('names a port that is in use, and how to choose another', async () => {
    const { code, stdout, stderr } = await refused(['--ports', ports.join(',')]);

    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain(new URL(running.report.endpoints.sqs).port);
    expect(stderr).toContain('--port-base');
    expect(stderr).not.toContain('    at ');
  });

  it('leaves a kept folder to the process that has it', async () => {
    const { code, stderr } = await refused(['--port-base', '0', '--keep', join(dir, 'kept')]);

    expect(code).toBe(1);
    expect(stderr).toContain(`in use by process ${running.report.pid}`);
  });

  it('tells mistakes of the sources before anything starts', async () => {
    const sources = join(dir, 'mistaken');
    await mkdir(sources);
    await writeFile(join(sources, 'orders.ts'), 'export default 1;\n');

    const { code, stderr } = await refused([], sources);

    expect(code).toBe(1);
    expect(stderr).toContain('orders.ts');
    expect(stderr).toContain('defineSource');
  });

  it('refuses arguments that it does not know, with exit code 2', async () => {
    const { code, stderr } = await refused(['--ports', 's3=80,ftp=21']);

    expect(code).toBe(2);
    expect(stderr).toContain('ftp=21');
    expect(stderr).toContain('firn dev --help');
  });

  it('goes on after being killed in the middle, with nothing lost and nothing twice, and stops when told to', async () => {
    const rowCount = 4_000;
    const rows = Array.from({ length: rowCount }, (_, at) => ({ id: `B-${at}`, rev: 1, total: at }));
    const again = () => up('--ports', ports.join(','), '--keep', join(dir, 'kept'));
    const end = async ({ child, report }: Running, signal: NodeJS.Signals) => {
      const ended = once(child, 'exit');
      process.kill(report.pid, signal);
      return ended;
    };
    const { bucket = '', warehouseTable = '' } = running.report.sources.find(({ id }) => id === 'orders-till') ?? {};

    let clients = clientsOf(running.report);
    await clients.put(bucket, 'till/big.ndjson', lines(...rows));
    await until(async () => (await clients.records('R#order#B-0')).length > 0);
    await end(running, 'SIGKILL');
    clients.close();

    running = await again();
    let warehouse = await connectSnowflake(running.report.snowflake);
    await until(async () => (await countOf(warehouse, warehouseTable)) > 1);
    await warehouse.close();
    await end(running, 'SIGKILL');

    running = await again();
    clients = clientsOf(running.report);
    const uploads = await until(async () => {
      const found = await clients.uploads(['orders-till']);
      return found.every(({ closed }) => closed) && found;
    });
    warehouse = await connectSnowflake(running.report.snowflake);
    const counted = await countOf(warehouse, warehouseTable);
    const sums = await warehouse.query(`SELECT SUM(PAYLOAD:total::NUMBER(38,2)) AS S FROM ${warehouseTable}`);
    const records = await clients.records(`R#order#B-${rowCount - 1}`);
    await warehouse.close();
    clients.close();
    const stopped = await end(running, 'SIGINT');
    const listening = await Promise.all(Object.values(running.report.endpoints).map(listens));

    expect(stopped).toEqual([0, null]);
    expect(listening).toEqual(Array(6).fill(false));
    expect(uploads.map(({ objectKey, rowsRead, accepted, loaded }) => [objectKey, rowsRead, accepted, loaded])).toEqual(
      [
        ['till/first.ndjson', 1, 1, 1],
        ['till/big.ndjson', rowCount, rowCount, rowCount],
      ],
    );
    expect(counted).toBe(rowCount + 1);
    expect(Number(sums[0]?.['S'])).toBe((rowCount * (rowCount - 1)) / 2 + 2.5);
    expect(records).toHaveLength(1);
  });
});
