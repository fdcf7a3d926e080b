import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectSnowflake, type SnowflakeConnection } from '../../adapters/snowflake.ts';
import { copyHistorySql, pageAfter, parseCopyHistory } from '../../core/snowflake/copy-history.ts';
import {
  describeIntegrationSql,
  notificationChannelSql,
  parseIntegration,
  parseNotificationChannel,
} from '../../core/snowflake/notification-channel.ts';
import { type EntityObjects, type SnowflakeObjects, snowflakeObjects } from '../../core/snowflake/objects.ts';
import { statements } from '../../core/snowflake/statements.ts';
import { type Clock, createClock } from '../../local/clock.ts';
import type { FaultHook } from '../../local/faults.ts';
import { type LocalS3, startS3 } from '../../local/s3/server.ts';
import { type LocalSnowflake, type SnowflakeOptions, startSnowflake } from '../../local/snowflake/server.ts';

const region = 'eu-west-1';
const bucket = 'firn-dev-export';
const queueArn = 'arn:aws:sqs:eu-west-1:000000000000:sf-snowpipe-AIDA-standin';
const account = 'FIRN-LOCAL';
const DAY = 86_400_000;
const keys = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const objects = snowflakeObjects({
  environment: 'dev',
  entities: [
    { name: 'order', load: 1 },
    { name: 'machine-reading', load: 2 },
  ],
  exportBucket: bucket,
  roleArn: 'arn:aws:iam::111122223333:role/firn-dev-snowflake',
  externalId: 'firn-dev-3f9c1b7e',
});

/** The queue that Snowflake owns, as much of it as the stand-in asks for. */
function createQueue() {
  const waiting: { body: string; receiptHandle: string }[] = [];
  const taken = new Set<string>();
  let wake = () => {};
  let sent = 0;
  return {
    arn: queueArn,
    send(body: string) {
      waiting.push({ body, receiptHandle: String(++sent) });
      wake();
    },
    receive(max: number) {
      const messages = waiting.splice(0, max);
      for (const { receiptHandle } of messages) taken.add(receiptHandle);
      return messages;
    },
    remove: (receiptHandle: string) => void taken.delete(receiptHandle),
    whenAvailable: async () => {
      if (waiting.length === 0)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    },
    unacknowledged: () => waiting.length + taken.size,
  };
}

let clock: Clock;
let dir: string;
let s3: LocalS3;
let client: S3Client;
let queue: ReturnType<typeof createQueue>;
let snowflake: LocalSnowflake;
let connections: SnowflakeConnection[];
let fault: FaultHook;
let s3Fault: FaultHook;

beforeEach(async () => {
  clock = createClock();
  dir = await mkdtemp(join(tmpdir(), 'firn-snowflake-'));
  queue = createQueue();
  connections = [];
  fault = () => undefined;
  s3Fault = () => undefined;
  s3 = await startS3({
    clock,
    dir: join(dir, 's3'),
    region,
    faults: (call, phase) => s3Fault(call, phase),
    onNotification: (_, body) => queue.send(body),
  });
  await s3.createBucket(bucket, { notifications: [{ queueArn, events: ['s3:ObjectCreated:*'], prefix: 'export/' }] });
  client = new S3Client({
    endpoint: s3.endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId: 'exporter', secretAccessKey: 'x' },
  });
  snowflake = await start();
});

afterEach(async () => {
  for (const each of connections) await each.close();
  await snowflake.close();
  client.destroy();
  await s3.close();
  await rm(dir, { recursive: true, force: true });
});

function start(options: Partial<SnowflakeOptions> = {}): Promise<LocalSnowflake> {
  return startSnowflake({
    clock,
    s3: { endpoint: s3.endpoint, region },
    account,
    users: [
      { name: 'deployer', password: 'right', role: 'ACCOUNTADMIN' },
      { name: 'firn', publicKeyPem: keys.publicKey },
    ],
    queue,
    faults: (call, phase) => fault(call, phase),
    ...options,
  });
}

async function restart(options: Partial<SnowflakeOptions>): Promise<void> {
  for (const each of connections.splice(0)) await each.close();
  await snowflake.close();
  snowflake = await start(options);
}

async function connect(): Promise<SnowflakeConnection> {
  const connection = await connectSnowflake({ account, user: 'deployer', password: 'right', accessUrl: snowflake.url });
  connections.push(connection);
  return connection;
}

async function apply(connection: SnowflakeConnection, made: SnowflakeObjects = objects): Promise<string[]> {
  const said: string[] = [];
  for (const { sql } of statements(made)) said.push(String((await connection.query(sql))[0]?.['status']));
  return said;
}

async function put(key: string, body: string | Uint8Array): Promise<void> {
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
}

/** Lets Snowpipe finish, skipping whatever it waits for. */
async function settle(): Promise<void> {
  while (!snowflake.idle()) {
    const next = clock.nextTimer();
    if (next !== undefined) clock.skipTo(next);
    await turn();
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await turn();
}

interface Line {
  key?: string;
  version?: string;
  event?: string;
  deleted?: boolean;
  sortKey?: string;
  /** JSON text. */
  payload?: string;
}

function line({
  key = 'A-1',
  version = '1',
  event = version,
  deleted = false,
  sortKey = 'shop',
  payload = '{}',
}: Line) {
  const fixed = {
    EVENT_ID: event,
    RECORD_KEY: key,
    SORT_KEY: sortKey,
    SOURCE_ID: 'shop',
    VERSION: version,
    DIGEST: 'd',
  };
  const rest = { UPLOAD_ID: 'u', ROW_NO: '0', DELETED: deleted };
  return `${JSON.stringify({ ...fixed, ...rest }).slice(0, -1)},"PAYLOAD":${payload}}\n`;
}

const orders = (name: string) => `export/entity=order/load=1/dt=2026-11-21/${name}`;

async function history(connection: SnowflakeConnection) {
  const since = new Date(clock.now() - 13 * DAY).toISOString();
  const rows = await connection.query(copyHistorySql({ database: 'FIRN_DEV', schema: 'RAW', table: 'ORDERS', since }));
  return rows.map(parseCopyHistory);
}

async function count(connection: SnowflakeConnection, from: string): Promise<unknown> {
  return (await connection.query(`SELECT COUNT(*) AS N FROM ${from}`))[0]?.['N'];
}

async function pipeStatus(connection: SnowflakeConnection): Promise<Record<string, unknown>> {
  const [row] = await connection.query("SELECT SYSTEM$PIPE_STATUS('FIRN_DEV.RAW.ORDERS_PIPE_1') AS STATUS");
  return JSON.parse(String(row?.['STATUS'])) as Record<string, unknown>;
}

describe('login', () => {
  test('a wrong password is refused with what to check', async () => {
    const attempt = connectSnowflake({ account, user: 'deployer', password: 'wrong', accessUrl: snowflake.url });
    await expect(attempt).rejects.toThrow(
      /Logging in to Snowflake account FIRN-LOCAL as deployer.*390100.*Check user and password/s,
    );
  });

  test('a user without a password cannot log in with an empty one', async () => {
    const attempt = connectSnowflake({ account, user: 'firn', password: '', accessUrl: snowflake.url });
    await expect(attempt).rejects.toThrow(/Logging in/);
  });

  test('a key pair logs in, with the role of its user', async () => {
    const connection = await connectSnowflake({
      account,
      user: 'firn',
      privateKeyPem: keys.privateKey,
      role: 'firn_reader',
      accessUrl: snowflake.url,
    });
    connections.push(connection);
    expect(await connection.query('SELECT CURRENT_USER() AS U, CURRENT_ROLE() AS R')).toEqual([
      { U: 'FIRN', R: 'FIRN_READER' },
    ]);
  });

  test('a key pair still logs in after the clock has been moved by days', async () => {
    clock.skipTo(clock.now() + 3 * DAY);
    const connection = await connectSnowflake({
      account,
      user: 'firn',
      privateKeyPem: keys.privateKey,
      accessUrl: snowflake.url,
    });
    connections.push(connection);
    expect(await connection.query('SELECT 1 AS ONE')).toEqual([{ ONE: '1' }]);
  });

  test("another key's token is refused", async () => {
    const other = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const attempt = connectSnowflake({
      account,
      user: 'firn',
      privateKeyPem: other.privateKey,
      accessUrl: snowflake.url,
    });
    await expect(attempt).rejects.toThrow(/by key pair: JWT token is invalid.*390144.*RSA_PUBLIC_KEY_FP/s);
  });
});

describe("Firn's own objects", () => {
  test('applying all statements a second time changes nothing', async () => {
    const connection = await connect();
    const first = await apply(connection);
    // The database brings its PUBLIC schema along.
    expect(first.filter((status) => status.endsWith('already exists, statement succeeded.'))).toEqual([
      'PUBLIC already exists, statement succeeded.',
    ]);
    await put(orders('a.ndjson'), line({}));
    await settle();
    const before = await connection.query('SHOW PIPES IN DATABASE FIRN_DEV');
    clock.skipTo(clock.now() + DAY);

    const second = await apply(connection);

    const kinds = statements(objects).map(({ kind }) => kind);
    const replaced = second.filter((status) => !status.endsWith('already exists, statement succeeded.'));
    expect(replaced).toHaveLength(kinds.filter((kind) => kind === 'view' || kind === 'allowed locations').length);
    expect(await connection.query('SHOW PIPES IN DATABASE FIRN_DEV')).toEqual(before);
    expect(await count(connection, 'FIRN_DEV.PUBLIC.ORDERS')).toBe('1');
    expect(before.map((row) => row['name'])).toEqual(['MACHINE_READINGS_PIPE_2', 'ORDERS_PIPE_1']);
  });

  test('a pipe tells its notification channel, the integration its trust', async () => {
    const connection = await connect();
    await apply(connection);
    const [orderEntity] = objects.entities;
    const [pipe] = await connection.query(notificationChannelSql(objects, orderEntity as EntityObjects));
    expect(parseNotificationChannel(pipe ?? {})).toEqual({ pipe: 'FIRN_DEV.RAW.ORDERS_PIPE_1', queueArn });
    expect(parseIntegration(await connection.query(describeIntegrationSql(objects)))).toEqual({
      userArn: expect.stringMatching(/^arn:aws:iam::\d{12}:user\//),
      externalId: 'firn-dev-3f9c1b7e',
      roleArn: 'arn:aws:iam::111122223333:role/firn-dev-snowflake',
    });
  });

  test('a stage outside the allowed locations is refused', async () => {
    const connection = await connect();
    await apply(connection);
    const stage = "CREATE STAGE FIRN_DEV.RAW.OTHER URL = 's3://elsewhere/' STORAGE_INTEGRATION = FIRN_DEV_S3";
    await expect(connection.query(stage)).rejects.toThrow(/'s3:\/\/elsewhere\/' is not allowed by integration/);
  });

  test('a warehouse in a file is found again with its rows, pipes and load history', async () => {
    const file = join(dir, 'warehouse.duckdb');
    await restart({ file });
    await apply(await connect());
    await put(orders('a.ndjson'), line({}));
    await settle();
    await restart({ file });
    const connection = await connect();
    expect(await count(connection, 'FIRN_DEV.PUBLIC.ORDERS')).toBe('1');
    await put(orders('a.ndjson'), line({ key: 'A-2' }));
    await put(orders('b.ndjson'), line({ key: 'A-3' }));
    await settle();
    expect(await connection.query('SELECT RECORD_KEY FROM FIRN_DEV.PUBLIC.ORDERS ORDER BY 1')).toEqual([
      { RECORD_KEY: 'A-1' },
      { RECORD_KEY: 'A-3' },
    ]);
  });
});

describe('auto-ingest', () => {
  test('a file under the prefix of a stage loads, and its evidence names the whole key', async () => {
    const connection = await connect();
    await apply(connection);
    await put(orders('a b+c.ndjson'), line({ payload: '{"total":"1"}' }) + line({ key: 'A-2' }));
    await put('export/entity=order/load=10/dt=2026-11-21/other.ndjson', line({ key: 'A-9' }));
    await settle();
    expect(await history(connection)).toEqual([
      {
        fileName: orders('a b+c.ndjson'),
        status: 'Loaded',
        rowCount: 2,
        rowParsed: 2,
        errorCount: 0,
        firstError: undefined,
        lastLoadTime: expect.stringMatching(/^\d{4}-.*Z$/),
      },
    ]);
    const raw = await connection.query(
      'SELECT FILE_NAME, FILE_ROW, SCANNED_AT FROM FIRN_DEV.RAW.ORDERS ORDER BY FILE_ROW',
    );
    expect(raw).toEqual([
      { FILE_NAME: orders('a b+c.ndjson'), FILE_ROW: '1', SCANNED_AT: expect.any(Date) },
      { FILE_NAME: orders('a b+c.ndjson'), FILE_ROW: '2', SCANNED_AT: expect.any(Date) },
    ]);
    expect(queue.unacknowledged()).toBe(0);
  });

  test('gzip and zstd are found by their first bytes, whatever the file is called', async () => {
    const connection = await connect();
    await apply(connection);
    await put(orders('a.ndjson'), gzipSync(line({ key: 'zipped' })));
    await put(orders('b.ndjson'), zstdCompressSync(line({ key: 'squeezed' })));
    await settle();
    expect(await connection.query('SELECT RECORD_KEY FROM FIRN_DEV.PUBLIC.ORDERS ORDER BY 1')).toEqual([
      { RECORD_KEY: 'squeezed' },
      { RECORD_KEY: 'zipped' },
    ]);
  });

  test('a changed file under an old name is ignored for 14 days, and loaded again after them', async () => {
    const connection = await connect();
    await apply(connection);
    await put(orders('a.ndjson'), line({ key: 'first' }));
    await settle();
    await put(orders('a.ndjson'), line({ key: 'second' }));
    await settle();
    expect(await count(connection, 'FIRN_DEV.RAW.ORDERS')).toBe('1');
    clock.skipTo(clock.now() + 14 * DAY);
    await put(orders('a.ndjson'), line({ key: 'third' }));
    await settle();
    expect(await connection.query('SELECT RECORD_KEY FROM FIRN_DEV.RAW.ORDERS ORDER BY 1')).toEqual([
      { RECORD_KEY: 'first' },
      { RECORD_KEY: 'third' },
    ]);
  });

  test('a failed file burns its name; the corrected rows load under another', async () => {
    const connection = await connect();
    await apply(connection);
    await put(orders('a.ndjson'), `${line({})}{"EVENT_ID": "2", "RECORD_KEY"\n`);
    await settle();
    expect(await history(connection)).toMatchObject([
      {
        fileName: orders('a.ndjson'),
        status: 'Load failed',
        rowCount: 0,
        errorCount: 1,
        firstError: expect.stringMatching(/Error parsing JSON/),
      },
    ]);
    await put(orders('a.ndjson'), line({}));
    await settle();
    expect(await count(connection, 'FIRN_DEV.RAW.ORDERS')).toBe('0');
    await put(orders('a-corrected.ndjson'), line({}));
    await settle();
    expect(await count(connection, 'FIRN_DEV.RAW.ORDERS')).toBe('1');
  });

  test.each([
    ['members that match no column', '{"eventid":"1","recordkey":"k"}\n', /NULL result in a non-nullable column/],
    ['a duplicate member', `{"a":1,"a":2}\n`, /duplicate object attribute "a"/],
    [
      'a duplicate member inside the payload',
      line({ payload: '{"x":{"y":1,"y":2}}' }),
      /duplicate object attribute "y"/,
    ],
    ['invalid UTF-8', Buffer.concat([Buffer.from(line({ key: 'x' })), Buffer.from([0xff])]), /Invalid UTF8/],
    ['half a surrogate pair', line({ payload: '{"a":"\\ud800"}' }), /invalid escape/],
    ['a bare NaN', line({ payload: '{"a":NaN}' }), /Error parsing JSON/],
    ['a flag that is no boolean', line({}).replace('false', '"maybe"'), /Boolean value 'maybe'/],
  ])('%s fails the whole file', async (_, body, message) => {
    const connection = await connect();
    await apply(connection);
    await put(orders('a.ndjson'), body);
    await settle();
    expect(await history(connection)).toMatchObject([
      { status: 'Load failed', rowCount: 0, firstError: expect.stringMatching(message) },
    ]);
    expect(await count(connection, 'FIRN_DEV.RAW.ORDERS')).toBe('0');
  });

  test('members match columns in any case, and what has no column is dropped', async () => {
    const connection = await connect();
    await apply(connection);
    await put(
      orders('a.ndjson'),
      line({}).replace('"RECORD_KEY"', '"record_key"').replace('{', '{"EXTRA":1,"FILE_NAME":"forged",'),
    );
    await settle();
    expect(await connection.query('SELECT RECORD_KEY, FILE_NAME FROM FIRN_DEV.RAW.ORDERS')).toEqual([
      { RECORD_KEY: 'A-1', FILE_NAME: orders('a.ndjson') },
    ]);
  });

  test('only files notified after the pipe exists load', async () => {
    const connection = await connect();
    await put(orders('early.ndjson'), line({ key: 'early' }));
    await apply(connection);
    await put(orders('late.ndjson'), line({ key: 'late' }));
    await settle();
    expect(await connection.query('SELECT RECORD_KEY FROM FIRN_DEV.RAW.ORDERS')).toEqual([{ RECORD_KEY: 'late' }]);
  });

  test('overlapping pipes load a file twice, and the view shows its rows once', async () => {
    const connection = await connect();
    await apply(connection);
    const [, copy] =
      statements(objects).flatMap(({ kind, sql }) => (kind === 'pipe' ? [sql.split('\nAS\n')] : []))[0] ?? [];
    await connection.query(`CREATE PIPE IF NOT EXISTS FIRN_DEV.RAW.SECOND AUTO_INGEST = TRUE AS ${copy}`);
    await put(orders('a.ndjson'), line({}));
    await settle();
    expect(await count(connection, 'FIRN_DEV.RAW.ORDERS')).toBe('2');
    expect(await count(connection, 'FIRN_DEV.PUBLIC.ORDERS')).toBe('1');
  });

  test('a split load shows its first rows while the rest is in progress', async () => {
    await restart({ loading: { splitRows: 2, delayMs: () => 60_000 } });
    const connection = await connect();
    await apply(connection);
    await put(orders('a.ndjson'), [1, 2, 3, 4, 5].map((each) => line({ key: `A-${each}` })).join(''));
    await until(() => clock.nextTimer() !== undefined);
    clock.skipTo(clock.now() + 60_000);
    await until(async () => (await count(connection, 'FIRN_DEV.RAW.ORDERS')) !== '0');
    expect(await count(connection, 'FIRN_DEV.RAW.ORDERS')).toBe('2');
    expect(await history(connection)).toMatchObject([{ status: 'Load in progress', lastLoadTime: undefined }]);
    await settle();
    expect(await history(connection)).toMatchObject([{ status: 'Loaded', rowCount: 5 }]);
    expect(await count(connection, 'FIRN_DEV.RAW.ORDERS')).toBe('5');
  });

  test('files that wait together load in any order', async () => {
    await restart({ loading: { delayMs: () => 3_600_000, shuffle: () => 0.99 } });
    const connection = await connect();
    await apply(connection);
    for (const name of ['a', 'b', 'c']) await put(orders(`${name}.ndjson`), line({ key: name }));
    await until(async () => (await pipeStatus(connection))['pendingFileCount'] === 3);
    clock.skipTo(clock.now() + 7_200_000);
    await settle();
    const rows = await connection.query('SELECT RECORD_KEY FROM FIRN_DEV.RAW.ORDERS');
    expect(rows.map((row) => row['RECORD_KEY'])).toEqual(['a', 'c', 'b']);
  });

  test('a file that cannot be read just now is tried again', async () => {
    const connection = await connect();
    await apply(connection);
    let refused = 0;
    s3Fault = ({ principal, operation }, phase) =>
      principal === 'snowflake' && operation === 'GetObject' && phase === 'before' && refused++ < 2
        ? { kind: 'throttle' }
        : undefined;
    await put(orders('a.ndjson'), line({}));
    await settle();
    expect(refused).toBe(3);
    expect(await history(connection)).toMatchObject([{ status: 'Loaded', rowCount: 1 }]);
  });

  test('a file that is gone before it loads is a failed load', async () => {
    await restart({ loading: { delayMs: () => 60_000 } });
    const connection = await connect();
    await apply(connection);
    await put(orders('a.ndjson'), line({}));
    await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: orders('a.ndjson') }));
    await settle();
    expect(await history(connection)).toMatchObject([
      { status: 'Load failed', firstError: expect.stringMatching(/was not found/) },
    ]);
  });

  test('history comes in pages, each continuing where the last one ended', async () => {
    const connection = await connect();
    await apply(connection);
    const names = ['a', 'b', 'c', 'd', 'e'].map((name) => orders(`${name}.ndjson`));
    for (const name of names) await put(name, line({ key: name }));
    await settle();
    const page = {
      database: 'FIRN_DEV',
      schema: 'RAW',
      table: 'ORDERS',
      since: new Date(clock.now() - DAY).toISOString(),
      limit: 2,
    };
    const seen: string[] = [];
    let after: ReturnType<typeof pageAfter>;
    do {
      const rows = await connection.query(copyHistorySql({ ...page, ...(after && { after }) }));
      seen.push(...rows.map((row) => parseCopyHistory(row).fileName));
      after = rows.length < 2 ? undefined : pageAfter(rows.at(-1) ?? {});
    } while (after);
    expect(seen.sort()).toEqual(names);
  });

  test('SYSTEM$PIPE_STATUS tells what waits and what came last', async () => {
    const connection = await connect();
    await apply(connection);
    await put(orders('a.ndjson'), line({}));
    await settle();
    expect(await pipeStatus(connection)).toMatchObject({
      executionState: 'RUNNING',
      pendingFileCount: 0,
      lastIngestedFilePath: 'dt=2026-11-21/a.ndjson',
      notificationChannelName: queueArn,
    });
  });
});

describe('queries', () => {
  let connection: SnowflakeConnection;
  const one = async (expression: string) =>
    (await connection.query(`SELECT ${expression} AS V FROM FIRN_DEV.PUBLIC.ORDERS WHERE RECORD_KEY = 'A-1'`))[0]?.[
      'V'
    ];

  beforeEach(async () => {
    connection = await connect();
    await apply(connection);
    const payload =
      '{"big":12345678901234567890123456789012345678,"price":12345678901234567890123456789.123456789,"small":0.1,' +
      '"tiny":0.000000001,"text":"it\'s","nothing":null,"yes":true,"at":"2026-03-01T23:30:00.123Z","x y":{"z":[10,{"w":"deep"}]},' +
      '"odd*key":7,"coded":"\\u0001n5","tricky":["\\"\\u0001n",1],"quoted\\"key":8}';
    await put(
      orders('a.ndjson'),
      line({ payload }) +
        line({ key: 'A-2', payload: '{"small":2.5,"text":"b"}' }) +
        line({ key: 'A-3', payload: '{"small":7.4,"text":"b"}' }),
    );
    await settle();
  });

  test('numbers are exact to 38 digits, cast and uncast', async () => {
    expect(await one('PAYLOAD:big::NUMBER(38,0)')).toBe('12345678901234567890123456789012345678');
    expect(await one('PAYLOAD:price::NUMBER(38,9)')).toBe('12345678901234567890123456789.123456789');
    expect(await one('PAYLOAD:tiny::NUMBER(38,9)')).toBe('0.000000001');
    expect(await one('PAYLOAD:big::VARCHAR')).toBe('12345678901234567890123456789012345678');
    expect(await one('PAYLOAD:price')).toBe('12345678901234567890123456789.123456789');
    expect(await one('PAYLOAD')).toContain(
      '"big":12345678901234567890123456789012345678,"price":12345678901234567890123456789.123456789',
    );
    expect(await one('PAYLOAD::VARCHAR')).toContain('"price":12345678901234567890123456789.123456789');
    expect(await one('PAYLOAD:big::NUMBER(38,0) - 1')).toBe('12345678901234567890123456789012345677');
  });

  test('paths reach members, elements and quoted names, and tell JSON null from nothing', async () => {
    expect(await one('PAYLOAD:"x y".z[1].w::VARCHAR')).toBe('deep');
    expect(await one(`PAYLOAD:"x y"['z'][0]::NUMBER`)).toBe('10');
    expect(await one('PAYLOAD:"odd*key"::NUMBER(3,1)')).toBe('7.0');
    expect(await one('PAYLOAD:"quoted""key"::NUMBER')).toBe('8');
    expect(await one('PAYLOAD:text::VARCHAR')).toBe("it's");
    expect(await one('PAYLOAD:coded::VARCHAR')).toBe('\u0001n5');
    expect(await one('PAYLOAD:coded')).toBe('"\\u0001n5"');
    expect(JSON.parse(String(await one('PAYLOAD::VARCHAR')))).toMatchObject({
      coded: '\u0001n5',
      tricky: ['"\u0001n', 1],
    });
    expect(await one('PAYLOAD:yes::BOOLEAN')).toBe(true);
    expect(await one('PAYLOAD:nothing IS NULL')).toBe(false);
    expect(await one('PAYLOAD:nothing::VARCHAR IS NULL')).toBe(true);
    expect(await one('PAYLOAD:absent IS NULL')).toBe(true);
    expect(await one('PAYLOAD:Text IS NULL')).toBe(true);
    expect(await one('CAST(PAYLOAD:small AS NUMBER(38,2))')).toBe('0.10');
  });

  test('dates and times come as the driver expects them', async () => {
    expect(await one('PAYLOAD:at::TIMESTAMP_TZ')).toEqual(new Date('2026-03-01T23:30:00.123Z'));
    expect(await one('PAYLOAD:at::TIMESTAMP_NTZ')).toEqual(new Date('2026-03-01T23:30:00.123Z'));
    expect(await one('PAYLOAD:at::DATE')).toEqual(new Date('2026-03-01T00:00:00Z'));
    expect(await one("DATE_TRUNC('month', PAYLOAD:at::TIMESTAMP_NTZ)")).toEqual(new Date('2026-03-01T00:00:00Z'));
    expect(await one("TO_DATE('1969-12-31')")).toEqual(new Date('1969-12-31T00:00:00Z'));
    expect(await one("'1969-12-31T23:59:59.5Z'::TIMESTAMP_TZ")).toEqual(new Date('1969-12-31T23:59:59.5Z'));
    expect(await one('DATEADD(hour, -1, CURRENT_TIMESTAMP()) < CURRENT_TIMESTAMP')).toBe(true);
  });

  test('grouping, common tables, joins, windows and binds work together', async () => {
    const rows = await connection.query(
      `-- totals by text; ':x' in a comment is no path
       WITH priced AS (SELECT RECORD_KEY, PAYLOAD:text::VARCHAR AS text, PAYLOAD:small AS small FROM FIRN_DEV.PUBLIC.ORDERS)
       SELECT p.text, COUNT(*) AS n, SUM(p.small::NUMBER(38,2)) AS total, IFF(COUNT(*) > ?, 'many', 'one') AS size
       FROM priced p JOIN FIRN_DEV.RAW.ORDERS r ON r.RECORD_KEY = p.RECORD_KEY
       WHERE p.text <> ? GROUP BY p.text ORDER BY total DESC LIMIT 10`,
      [1, "x'; DROP TABLE y --"],
    );
    expect(rows).toEqual([
      { TEXT: 'b', N: '2', TOTAL: '9.90', SIZE: 'many' },
      { TEXT: "it's", N: '1', TOTAL: '0.10', SIZE: 'one' },
    ]);
    const ranked = await connection.query(
      `SELECT RECORD_KEY, ROUND(AVG(PAYLOAD:small::NUMBER(38,2)), 1) FROM FIRN_DEV.PUBLIC.ORDERS GROUP BY RECORD_KEY
       QUALIFY ROW_NUMBER() OVER (ORDER BY RECORD_KEY DESC) = 1`,
    );
    expect(ranked).toEqual([{ RECORD_KEY: 'A-3', 'ROUND(AVG(PAYLOAD:SMALL::NUMBER(38,2)),1)': expect.anything() }]);
  });

  test('the view shows the newest version of a record and hides what was deleted', async () => {
    await put(
      orders('b.ndjson'),
      line({ version: '3', payload: '{"n":3}' }) +
        line({ version: '2', payload: '{"n":2}' }) +
        line({ version: '3', sortKey: 'shop#other', payload: '{"n":9}' }) +
        line({ key: 'A-2', version: '5', deleted: true, payload: 'null' }),
    );
    await settle();
    const rows = await connection.query(
      "SELECT RECORD_KEY, SORT_KEY, VERSION, PAYLOAD:n::NUMBER AS N FROM FIRN_DEV.PUBLIC.ORDERS WHERE RECORD_KEY <> 'A-3' ORDER BY 2",
    );
    expect(rows).toEqual([
      { RECORD_KEY: 'A-1', SORT_KEY: 'shop', VERSION: '3', N: '3' },
      { RECORD_KEY: 'A-1', SORT_KEY: 'shop#other', VERSION: '3', N: '9' },
    ]);
  });

  test.each([
    [
      'MERGE INTO FIRN_DEV.RAW.ORDERS T USING X ON 1 = 1',
      /Unsupported feature 'MERGE INTO'.*stand-in does not support it/,
    ],
    ["INSERT INTO FIRN_DEV.RAW.ORDERS VALUES ('secret')", /Unsupported feature 'INSERT INTO'/],
    ['DROP TABLE FIRN_DEV.RAW.ORDERS', /Unsupported feature 'DROP TABLE'/],
    ['CREATE OR REPLACE TABLE FIRN_DEV.RAW.ORDERS (A VARCHAR)', /Unsupported feature 'CREATE OR REPLACE TABLE'/],
    ['CREATE OR REPLACE PIPE FIRN_DEV.RAW.P AS COPY INTO X FROM @Y', /Unsupported feature 'CREATE OR REPLACE PIPE'/],
    [
      'COPY INTO FIRN_DEV.RAW.ORDERS FROM @FIRN_DEV.RAW.ORDERS_STAGE_1',
      /Unsupported feature 'COPY INTO outside a pipe'/,
    ],
    ['SELECT * FROM FIRN_DEV.RAW.ORDERS, LATERAL FLATTEN(INPUT => PAYLOAD) F', /Unsupported feature 'LATERAL'/],
    ["SELECT * FROM read_csv('/etc/passwd')", /Unsupported feature 'table function READ_CSV'/],
    ["SELECT * FROM '/etc/passwd'", /Unsupported feature 'FROM/],
    ["SELECT read_text('/etc/passwd')", /Unknown function READ_TEXT/],
    [
      'SELECT PAYLOAD:small FROM FIRN_DEV.RAW.ORDERS ORDER BY PAYLOAD:small',
      /Unsupported feature 'VARIANT without a cast'/,
    ],
    ['SELECT 1 FROM FIRN_DEV.RAW.ORDERS WHERE PAYLOAD:small > 1', /Unsupported feature 'VARIANT without a cast'/],
    ['SELECT SUM(PAYLOAD:small) FROM FIRN_DEV.RAW.ORDERS', /Unsupported feature 'VARIANT without a cast'/],
    ['SELECT * FROM FIRN_DEV.RAW.MISSING', /Object 'FIRN_DEV.RAW.MISSING' does not exist or not authorized/],
    ['SELECT * FROM ORDERS_NOWHERE.X.Y', /does not exist or not authorized/],
    ['SELECT MISSING FROM FIRN_DEV.RAW.ORDERS', /invalid identifier 'MISSING'/],
    ['SELECT "payload" FROM FIRN_DEV.RAW.ORDERS', /invalid identifier '"payload"'/],
    ['SELECT PAYLOAD:text::NUMBER FROM FIRN_DEV.RAW.ORDERS', /Cast|cast|convert/],
    ['SELECT 1; SELECT 2', /statement count/],
    ["SELECT 'open", /never closed/],
    ['', /Empty SQL statement|sqlText/],
  ])('%s is refused', async (sql, message) => {
    await expect(connection.query(sql)).rejects.toThrow(message);
  });

  test('an error says what ran, the code and what to do, and never a value', async () => {
    const failure = connection.query("SELECT 'secret'::NUMBER");
    await expect(failure).rejects.toThrow(/^Running SELECT in Snowflake: .*SQL state 22018.*TRY_CAST\.$/s);
    await expect(failure).rejects.not.toThrow(/secret/);
  });

  test('an injected failure reaches the caller with its code', async () => {
    fault = ({ operation, principal }, phase) =>
      phase === 'before' && operation === 'Query' && principal === 'DEPLOYER'
        ? { kind: 'error', status: 200, code: '000629' }
        : undefined;
    await expect(connection.query('SELECT 1')).rejects.toThrow(/000629/);
  });
});
