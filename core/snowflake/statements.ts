import { currentViewSql } from './current-view.ts';
import { identifier, literal, qualified } from './identifier.ts';
import { allowedLocationsSql, fileFormatSql, integrationSql, pipeSql, stageSql } from './load-objects.ts';
import type { SnowflakeObjects } from './objects.ts';
import { rawTableSql } from './raw-table.ts';

export type StatementKind =
  | 'database'
  | 'schema'
  | 'storage integration'
  | 'allowed locations'
  | 'file format'
  | 'stage'
  | 'table'
  | 'pipe'
  | 'view';

export interface Statement {
  readonly kind: StatementKind;
  /** The object it makes, dotted, without quotes. */
  readonly name: string;
  /** One statement, without a semicolon. */
  readonly sql: string;
}

/**
 * The SQL that makes everything Firn owns, each statement after those it depends on. Running all of it again changes
 * nothing: objects with state are made only where they are missing, and only the view is replaced.
 */
export function statements(objects: SnowflakeObjects): readonly Statement[] {
  const { database, rawSchema, viewSchema, integration, fileFormat } = objects;
  const schema = (name: string, comment: string): Statement => ({
    kind: 'schema',
    name: `${database}.${name}`,
    sql: `CREATE SCHEMA IF NOT EXISTS ${qualified(database, name)}\n  COMMENT = ${literal(comment)}`,
  });
  return [
    {
      kind: 'database',
      name: database,
      sql: `CREATE DATABASE IF NOT EXISTS ${identifier(database)}\n  COMMENT = ${literal(`Firn ${objects.environment}.`)}`,
    },
    schema(rawSchema, 'Rows as Firn exported them, and the objects that load them.'),
    schema(viewSchema, 'What to query: the newest version of each record.'),
    { kind: 'storage integration', name: integration, sql: integrationSql(objects) },
    { kind: 'allowed locations', name: integration, sql: allowedLocationsSql(objects) },
    { kind: 'file format', name: `${database}.${rawSchema}.${fileFormat}`, sql: fileFormatSql(objects) },
    ...objects.entities.flatMap((entity): Statement[] => [
      { kind: 'stage', name: `${database}.${rawSchema}.${entity.stage}`, sql: stageSql(objects, entity) },
      { kind: 'table', name: `${database}.${rawSchema}.${entity.table}`, sql: rawTableSql(objects, entity) },
      { kind: 'pipe', name: `${database}.${rawSchema}.${entity.pipe}`, sql: pipeSql(objects, entity) },
      { kind: 'view', name: `${database}.${viewSchema}.${entity.table}`, sql: currentViewSql(objects, entity) },
    ]),
  ];
}
