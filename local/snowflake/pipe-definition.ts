import type { Pipe } from './catalogue.ts';
import { fullName, nameInText, type Session, type Warehouse } from './context.ts';
import { checkProperties, pairsProperty, parseProperties, textProperty } from './properties.ts';
import { doesNotExist, SqlError, syntaxError, unsupported } from './sql-error.ts';
import type { Token } from './sql-tokens.ts';
import type { TokenCursor } from './token-cursor.ts';

const METADATA = new Set(['METADATA$FILENAME', 'METADATA$FILE_ROW_NUMBER', 'METADATA$START_SCAN_TIME']);

/**
 * Reads what follows the name of a new pipe: `AUTO_INGEST = TRUE … AS COPY INTO …`. A pipe is fixed once made
 * (Snowflake docs: ALTER PIPE), so everything it refers to is checked here.
 */
export function parsePipe(
  cursor: TokenCursor,
  session: Session,
  warehouse: Warehouse,
  source: (rest: readonly Token[]) => string,
): Omit<Pipe, 'createdAt'> {
  const properties = parseProperties(cursor);
  checkProperties('CREATE PIPE', properties, { AUTO_INGEST: ['TRUE'], COMMENT: 'any' });
  if (!properties.has('AUTO_INGEST')) throw unsupported('CREATE PIPE without AUTO_INGEST = TRUE');
  cursor.expect('AS');
  const definition = source(cursor.rest());
  const copy = parseCopy(cursor, session, warehouse);
  return { ...copy, definition, comment: textProperty(properties, 'COMMENT') ?? '' };
}

function parseCopy(cursor: TokenCursor, session: Session, warehouse: Warehouse) {
  const { objects } = warehouse.catalogue;
  cursor.expect('COPY', 'INTO');
  const table = fullName(cursor.name(), session);
  const target = objects.table.get(table);
  if (!target) throw doesNotExist('Table', table);
  cursor.expect('FROM');
  if (cursor.looksAt('('))
    throw unsupported('COPY transformation', 'Match columns by name; a SELECT disables VALIDATE_PIPE_LOAD.');
  cursor.expect('@');
  const stage = fullName(cursor.name(), session);
  if (!objects.stage.has(stage)) throw doesNotExist('Stage', stage);
  if (cursor.looksAt('/'))
    throw unsupported('path behind the stage of a pipe', 'Give the pipe a stage of its own and read from its root.');
  const properties = parseProperties(cursor);
  cursor.end();
  refuseInPipe(properties);
  checkProperties('COPY INTO of a pipe', properties, {
    FILE_FORMAT: 'any',
    MATCH_BY_COLUMN_NAME: ['CASE_INSENSITIVE'],
    INCLUDE_METADATA: 'any',
    // The default of a pipe; a bulk COPY would abort instead (Snowflake docs: COPY INTO <table>).
    ON_ERROR: ['SKIP_FILE'],
  });
  if (!properties.has('MATCH_BY_COLUMN_NAME')) throw unsupported('COPY INTO without MATCH_BY_COLUMN_NAME');
  checkFileFormat(properties, session, warehouse);
  for (const { name, type } of target.columns) {
    if (!/^(VARCHAR|BOOLEAN|VARIANT|FLOAT|NUMBER\(.*|TIMESTAMP_LTZ)$/.test(type.name))
      throw unsupported(`loading column ${name} of type ${type.name}`);
  }
  return { table, stage, onError: 'SKIP_FILE' as const, metadata: metadataColumns(properties, target.columns) };
}

/** Options that belong to a bulk COPY alone (Snowflake docs: CREATE PIPE). */
function refuseInPipe(properties: ReadonlyMap<string, unknown>): void {
  for (const option of ['FILES', 'SIZE_LIMIT', 'PURGE', 'FORCE', 'RETURN_FAILED_ONLY', 'VALIDATION_MODE'])
    if (properties.has(option)) throw syntaxError(`option ${option} is not allowed in the COPY statement of a pipe`);
}

function checkFileFormat(
  properties: Parameters<typeof pairsProperty>[0],
  session: Session,
  { catalogue }: Warehouse,
): void {
  const format = pairsProperty(properties, 'FILE_FORMAT')?.get('FORMAT_NAME');
  if (format?.kind !== 'string') throw unsupported('COPY INTO without FILE_FORMAT = (FORMAT_NAME = …)');
  const name = fullName(nameInText(format.text), session);
  if (!catalogue.objects.fileFormat.has(name)) throw doesNotExist('File format', name);
}

function metadataColumns(
  properties: Parameters<typeof pairsProperty>[0],
  columns: readonly { readonly name: string }[],
) {
  const pairs = [...(pairsProperty(properties, 'INCLUDE_METADATA') ?? [])];
  return Object.fromEntries(
    pairs.map(([name, value]) => {
      const metadata = value.kind === 'list' ? '' : value.text.toUpperCase();
      if (!METADATA.has(metadata)) throw unsupported(`${metadata} in INCLUDE_METADATA`);
      if (!columns.some((each) => each.name === name))
        throw new SqlError('000904', '42000', `SQL compilation error: invalid identifier '${name}'.`);
      return [name, metadata];
    }),
  );
}
