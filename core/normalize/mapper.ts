import { attributeJson, type Fields, Problem } from '../fields/field.ts';
import { compileFields, type FieldReader, type FileFacts } from '../fields/read.ts';
import { keyFields, type SourceConfig } from '../source/source.ts';
import { recordKey } from '../table/key.ts';
import { instantVersion, numberVersion } from '../table/version.ts';

/** A row that fits: its key (undefined without a declared one), version digits and payload as DynamoDB JSON. */
export interface Mapped {
  readonly key: string | undefined;
  readonly business: string | undefined;
  readonly payload: string;
}

/** A row that does not fit: everything that is wrong with it. */
export interface Unfit {
  readonly problems: readonly FieldProblem[];
}

export interface FieldProblem {
  readonly field: string;
  readonly code: string;
  readonly message: string;
}

/** `latest`: digits of the greatest version that a timestamp may give. */
export type Map = (row: unknown, file: FileFacts, latest: string) => Mapped | Unfit;

/** A version later than a day after the object's LastModified would hold its record for good: refused. */
const versionLeadMs = 24 * 60 * 60 * 1000;

/** Digits of the greatest version that rows of an object may claim. */
export function latestVersion(lastModifiedMs: number): string {
  return instantVersion(new Date(lastModifiedMs + versionLeadMs).toISOString());
}

/**
 * The mapping of a source compiled once for rows of one shape (`columns` for delimited text). The function returned
 * reads, types and checks a row's fields and writes its payload, without keeping anything of it.
 */
export function compileMap(config: SourceConfig<string, Fields>, columns?: readonly string[]): Map {
  const readers = compileFields(config.fields, columns);
  const keys = keyFields(config).map((name) => readers.findIndex((reader) => reader.name === name));
  const versioned = config.version === undefined ? -1 : readers.findIndex((reader) => reader.name === config.version);
  const kind = config.version === undefined ? undefined : config.fields[config.version]?.kind;
  const texts: (string | null | undefined)[] = new Array(readers.length).fill(undefined);
  return (row, file, latest) => {
    let problems: FieldProblem[] | undefined;
    let payload = '';
    for (let index = 0; index < readers.length; index += 1) {
      const reader = readers[index] as FieldReader;
      const read = reader.read(row, file);
      if (read instanceof Problem) {
        problems ??= [];
        problems.push({ field: reader.name, code: read.code, message: read.message });
        continue;
      }
      texts[index] = read;
      if (read === undefined) continue;
      const value = read === null ? '{"NULL":true}' : attributeJson(reader.attribute, read);
      payload += payload === '' ? reader.prefix + value : `,${reader.prefix}${value}`;
    }
    if (problems) return { problems };
    const found: FieldProblem[] = [];
    const key = keys.length === 0 ? undefined : keyOf(keys, texts, readers, found);
    const business = versioned < 0 ? undefined : versionOf(texts[versioned], kind, latest, config.version ?? '', found);
    return found.length > 0 ? { problems: found } : { key, business, payload: `{"M":{${payload}}}` };
  };
}

function keyOf(
  keys: readonly number[],
  texts: readonly (string | null | undefined)[],
  readers: readonly FieldReader[],
  problems: FieldProblem[],
): string {
  const values = keys.map((index) => texts[index] ?? '');
  for (const [place, value] of values.entries()) {
    if (value !== '') continue;
    const field = readers[keys[place] ?? -1]?.name ?? '';
    problems.push({ field, code: 'field.missing', message: 'is part of the key and must not be empty' });
  }
  return recordKey(values);
}

function versionOf(
  text: string | null | undefined,
  kind: string | undefined,
  latest: string,
  field: string,
  problems: FieldProblem[],
): string | undefined {
  if (text === undefined || text === null) {
    problems.push({ field, code: 'version.missing', message: 'is the version of the record and must not be empty' });
    return undefined;
  }
  if (kind === 'integer') return numberVersion(text);
  const digits = instantVersion(text);
  if (digits > latest) {
    const message = 'is the version of the record and lies more than a day after the object was last modified';
    problems.push({ field, code: 'version.future', message });
  }
  return digits;
}
