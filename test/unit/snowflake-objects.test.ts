import { describe, expect, test } from 'vitest';
import { copyHistorySql, pageAfter, parseCopyHistory } from '../../core/snowflake/copy-history.ts';
import { identifier, literal, qualified } from '../../core/snowflake/identifier.ts';
import { parseIntegration, parseNotificationChannel } from '../../core/snowflake/notification-channel.ts';
import { snowflakeObjects } from '../../core/snowflake/objects.ts';
import { RAW_COLUMNS } from '../../core/snowflake/raw-table.ts';
import { statements } from '../../core/snowflake/statements.ts';
import { tableName } from '../../core/snowflake/table-name.ts';

const input = {
  environment: 'dev-anna',
  entities: [{ name: 'order', load: 3 }],
  exportBucket: 'firn-dev-export',
  roleArn: 'arn:aws:iam::111122223333:role/firn',
  externalId: "o'brien",
};

describe('table names', () => {
  test.each([
    ['order', 'ORDERS'],
    ['machine-reading', 'MACHINE_READINGS'],
    ['category', 'CATEGORIES'],
    ['day', 'DAYS'],
    ['address', 'ADDRESSES'],
    ['status', 'STATUSES'],
    ['branch', 'BRANCHES'],
    ['box', 'BOXES'],
    ['analysis', 'ANALYSES'],
    ['news', 'NEWS'],
    ['sensor2', 'SENSOR2S'],
  ])('the table of %s is %s', (entity, table) => {
    expect(tableName(entity)).toBe(table);
  });

  test('an entity whose plural is a reserved word is refused', () => {
    expect(() => tableName('row')).toThrow(/ROWS is a reserved word in Snowflake\. Rename the entity/);
    expect(() => tableName('value')).toThrow(/VALUES is a reserved word/);
  });

  test('an entity that is no lower-case name is refused', () => {
    for (const entity of ['Order', 'a_b', '', 'a--b', '1st'])
      expect(() => tableName(entity)).toThrow(/lower-case words/);
  });

  test('entities that would share a table are refused together', () => {
    const entities = ['order', 'orders', 'box', 'boxes', 'till'].map((name) => ({ name, load: 1 }));
    expect(() => snowflakeObjects({ ...input, entities })).toThrow(
      /order and orders \(ORDERS\).*box and boxes \(BOXES\)/,
    );
  });

  test('a load that is no whole number from 1 is refused', () => {
    expect(() => snowflakeObjects({ ...input, entities: [{ name: 'order', load: 0 }] })).toThrow(/its load is 0/);
  });
});

describe('quoting', () => {
  test('a name is quoted, and refused when it would need its quotes', () => {
    expect(qualified('FIRN_DEV', 'RAW', 'ORDERS')).toBe('"FIRN_DEV"."RAW"."ORDERS"');
    for (const name of ['orders', 'A B', 'A"', '1A', '', 'A'.repeat(256)])
      expect(() => identifier(name)).toThrow(/no plain upper-case/);
  });

  test('a literal doubles quotes and backslashes', () => {
    expect(literal("a'b\\c")).toBe("'a''b\\\\c'");
  });
});

describe('statements', () => {
  const made = statements(snowflakeObjects(input));
  const sqlOf = (kind: string) => made.find((each) => each.kind === kind)?.sql ?? '';

  test('each follows what it depends on', () => {
    const kinds = ['database', 'schema', 'schema', 'storage integration', 'allowed locations', 'file format'];
    expect(made.map(({ kind }) => kind)).toEqual([...kinds, 'stage', 'table', 'pipe', 'view']);
    expect(made.at(-2)?.name).toBe('FIRN_DEV_ANNA.RAW.ORDERS_PIPE_3');
  });

  test('nothing that holds data, trust or load history is ever replaced', () => {
    for (const { kind, sql } of made) {
      if (kind === 'view') expect(sql).toMatch(/^CREATE OR REPLACE SECURE VIEW \S+\n {2}COPY GRANTS/);
      else expect(sql).toMatch(/^(CREATE [A-Z ]+ IF NOT EXISTS|ALTER STORAGE INTEGRATION) /);
    }
  });

  test('every prefix ends in a slash', () => {
    expect(sqlOf('stage')).toContain("URL = 's3://firn-dev-export/export/entity=order/load=3/'");
    expect(sqlOf('storage integration')).toContain("STORAGE_ALLOWED_LOCATIONS = ('s3://firn-dev-export/export/')");
  });

  test('values are quoted as literals', () => {
    expect(sqlOf('storage integration')).toContain("STORAGE_AWS_EXTERNAL_ID = 'o''brien'");
  });

  test('the pipe matches by name from the root of its own stage, and skips bad files', () => {
    expect(sqlOf('pipe')).toContain('FROM @"FIRN_DEV_ANNA"."RAW"."ORDERS_STAGE_3"\nFILE_FORMAT');
    expect(sqlOf('pipe')).toContain('MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE');
    expect(sqlOf('pipe')).toMatch(/ON_ERROR = SKIP_FILE$/);
    expect(sqlOf('pipe')).toContain('SCANNED_AT = METADATA$START_SCAN_TIME');
  });

  test('every column that a file must fill is NOT NULL, so that a wrong file fails', () => {
    const nullable = RAW_COLUMNS.filter(({ type }) => !type.endsWith('NOT NULL')).map(({ name }) => name);
    expect(nullable).toEqual(['PAYLOAD', 'FILE_NAME', 'FILE_ROW', 'SCANNED_AT']);
  });

  test('a new load changes stage and pipe, and nothing else', () => {
    const next = statements(snowflakeObjects({ ...input, entities: [{ name: 'order', load: 4 }] }));
    const changed = next.filter(({ sql }) => !made.some((each) => each.sql === sql));
    expect(changed.map(({ kind }) => kind)).toEqual(['stage', 'pipe']);
  });
});

describe('load evidence', () => {
  const row = {
    FILE_NAME: 'dt=2026-11-21/a.ndjson.gz',
    STAGE_LOCATION: 's3://firn-dev-export/export/entity=order/load=1/',
    STATUS: 'Load failed',
    ROW_COUNT: '0',
    ROW_PARSED: '12',
    ERROR_COUNT: '1',
    FIRST_ERROR_MESSAGE: 'Error parsing JSON',
    LAST_LOAD_TIME: new Date('2026-11-21T08:00:00.123Z'),
  };

  test('names the file by its whole key', () => {
    expect(parseCopyHistory(row)).toEqual({
      fileName: 'export/entity=order/load=1/dt=2026-11-21/a.ndjson.gz',
      status: 'Load failed',
      rowCount: 0,
      rowParsed: 12,
      errorCount: 1,
      firstError: 'Error parsing JSON',
      lastLoadTime: '2026-11-21T08:00:00.123Z',
    });
  });

  test('a stage at the root of a bucket adds nothing to the key', () => {
    expect(parseCopyHistory({ ...row, STAGE_LOCATION: 's3://bucket/' }).fileName).toBe('dt=2026-11-21/a.ndjson.gz');
  });

  test('a load in progress has no time and no counts yet, and paging ends there', () => {
    const open = {
      ...row,
      STATUS: 'Load in progress',
      ROW_COUNT: null,
      FIRST_ERROR_MESSAGE: null,
      LAST_LOAD_TIME: null,
    };
    expect(parseCopyHistory(open)).toMatchObject({ rowCount: 0, firstError: undefined, lastLoadTime: undefined });
    expect(pageAfter(open)).toBeUndefined();
  });

  test('a row without a status, or with a count that is none, is an error and not a zero', () => {
    expect(() => parseCopyHistory({ ...row, STATUS: null })).toThrow(/no STATUS/);
    expect(() => parseCopyHistory({ ...row, ROW_COUNT: 'many' })).toThrow(/ROW_COUNT is many/);
  });

  test('the query quotes what it continues after', () => {
    const after = { lastLoadTime: '2026-11-21T08:00:00.000Z', stageLocation: 's3://b/', fileName: "it's" };
    const sql = copyHistorySql({
      database: 'FIRN_DEV',
      schema: 'RAW',
      table: 'ORDERS',
      since: '2026-11-20T00:00:00Z',
      after,
      limit: 5,
    });
    expect(sql).toContain("TABLE_NAME => 'FIRN_DEV.RAW.ORDERS', START_TIME => '2026-11-20T00:00:00Z'::TIMESTAMP_LTZ");
    expect(sql).toContain("FILE_NAME > 'it''s'");
    expect(sql).toMatch(/LIMIT 5$/);
  });
});

describe('what apply learns', () => {
  test('a pipe without a channel says what to do', () => {
    const row = { name: 'P', database_name: 'D', schema_name: 'S', notification_channel: '' };
    expect(() => parseNotificationChannel(row)).toThrow(/pipe D\.S\.P: it has none.*run the statements/);
    expect(parseNotificationChannel({ ...row, notification_channel: 'arn:q' })).toEqual({
      pipe: 'D.S.P',
      queueArn: 'arn:q',
    });
  });

  test('an integration without a user is no S3 integration', () => {
    expect(() => parseIntegration([{ property: 'ENABLED', property_value: 'true' }])).toThrow(
      /no STORAGE_AWS_IAM_USER_ARN/,
    );
  });
});
