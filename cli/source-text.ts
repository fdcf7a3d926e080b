import type { Format } from '../core/decode/format.ts';
import type { Path } from '../core/fields/field.ts';
import type { Inferred, InferredField, Option } from '../core/fields/inferred.ts';
import type { Origin } from '../core/source/source.ts';

/** What a source file says. */
export interface SourceDraft {
  readonly from: Pick<Origin, 'bucket' | 'prefix' | 'suffix'>;
  readonly format: Format | undefined;
  readonly entity: string;
  readonly key: readonly string[];
  readonly version: string | undefined;
  readonly fields: readonly InferredField[];
}

/** A piece of TypeScript: a text, a call, or a literal with members that go on lines of their own when it is long. */
type Code =
  | string
  | { readonly call: string; readonly args: readonly Code[] }
  | { readonly members: readonly (readonly [string, Code])[] }
  | { readonly items: readonly Code[] };

const lineWidth = 120;

/** The formatter breaks lists of several objects with several members, however short. */
function isOpened(code: Code): boolean {
  if (typeof code === 'string') return false;
  if ('call' in code) return code.args.some(isOpened);
  if ('members' in code) return code.members.some(([, each]) => isOpened(each));
  const open = (each: Code) => typeof each === 'object' && 'members' in each && each.members.length > 1;
  return (code.items.length > 1 && code.items.every(open)) || code.items.some(isOpened);
}

/** Formats whose factory in a source file is called otherwise than the format. */
const factories: Readonly<Record<string, string>> = { json: 'jsonDocument' };

/** The text of a source file, laid out as the formatter would. */
export function sourceText(draft: SourceDraft): string {
  const { from, format, entity, key, version, fields } = draft;
  const { bucket } = from;
  const origin: (readonly [string, Code])[] = [
    ['bucket', typeof bucket === 'string' ? quoted(bucket) : { call: 'ours', args: [quoted(bucket.ours)] }],
    ...(from.prefix ? ([['prefix', quoted(from.prefix)]] as const) : []),
    ...(from.suffix ? ([['suffix', quoted(from.suffix)]] as const) : []),
  ];
  const config: (readonly [string, Code])[] = [
    ['from', { members: origin }],
    ...(format ? ([['format', formatCode(format)]] as const) : []),
    ['entity', quoted(entity)],
    ...(key.length > 0 ? ([['key', key.length === 1 ? quoted(key[0] ?? '') : literal(key)]] as const) : []),
    ...(version === undefined ? [] : ([['version', quoted(version)]] as const)),
  ];
  const lines = config.map(([name, code]) => `  ${name}: ${print(code, 2, name.length + 3)},\n`);
  const body = fields.map((field) => `    ${field.name}: ${print(fieldCode(field), 4, field.name.length + 3)},\n`);
  const names = [...factoriesOf(draft)].sort();
  const imports = print({ members: names.map((name) => [name, '']) }, 0, 'import '.length + " from 'firn';".length);
  return `import ${imports} from 'firn';\n\nexport default defineSource({\n${lines.join('')}  fields: {\n${body.join('')}  },\n});\n`;
}

/** What the file imports. */
function factoriesOf({ from, format, fields }: SourceDraft): ReadonlySet<string> {
  const names = new Set(['defineSource', ...fields.flatMap(kindsOf)]);
  if (format) names.add(factories[format.name] ?? format.name);
  if (typeof from.bucket !== 'string') names.add('ours');
  return names;
}

function kindsOf({ kind, of, fields = [] }: Inferred): readonly string[] {
  return [kind, ...(of ? kindsOf(of) : []), ...fields.flatMap(kindsOf)];
}

/** A format by its factory, with the options that it holds. */
export function formatCode({ name, ...options }: Format): Code {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return {
    call: factories[name] ?? name,
    args: given.length === 0 ? [] : [{ members: given.map(([option, value]) => [option, literal(value)]) }],
  };
}

function fieldCode(field: InferredField): Code {
  const isNamed = field.from === field.name;
  // Options come behind the path, so that where there are some the path is written out.
  const isScalar = field.kind !== 'list' && field.kind !== 'object';
  const hasOptions = field.optional || Object.keys(field.options ?? {}).length > 0;
  return typeCode(field, isNamed && !(isScalar && hasOptions) ? undefined : field.from, field.optional);
}

function typeCode({ kind, options = {}, of, fields = [] }: Inferred, from: Path | undefined, optional: boolean): Code {
  const common: (readonly [string, Code])[] = optional ? [['optional', 'true']] : [];
  if (kind === 'list' || kind === 'object') {
    const inner: Code =
      kind === 'object'
        ? { members: fields.map((field) => [field.name, fieldCode(field)]) }
        : of
          ? typeCode(of, undefined, of.optional)
          : { call: 'json', args: [] };
    const where: (readonly [string, Code])[] = from === undefined ? [] : [['from', literal(from)]];
    const members = [...where, ...common];
    return { call: kind, args: members.length === 0 ? [inner] : [inner, { members }] };
  }
  const given: (readonly [string, Code])[] = Object.entries(options).map(([name, value]) => [name, option(value)]);
  const members = [...given, ...common];
  if (members.length === 0) return { call: kind, args: from === undefined ? [] : [literal(from)] };
  return { call: kind, args: [from === undefined ? 'undefined' : literal(from), { members }] };
}

const option = (value: Option): Code => literal(value);

function literal(value: unknown): Code {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return { items: value.map(literal) };
  if (typeof value === 'object' && value !== null)
    return { members: Object.entries(value).map(([name, each]) => [name, literal(each)]) };
  return String(value);
}

/** A text in single quotes, in double ones where that saves escapes. */
function quoted(text: string): string {
  const escaped = JSON.stringify(text).slice(1, -1);
  const count = (quote: string) => text.split(quote).length - 1;
  if (count("'") > count('"')) return `"${escaped}"`;
  return `'${escaped.replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

/** Code on one line where it fits, from this column of the line on and with a comma behind it. */
function print(code: Code, indent: number, before: number): string {
  const flat = flatten(code);
  if (typeof code === 'string') return flat;
  if (indent + before + widthOf(flat) <= lineWidth && !isOpened(code)) return flat;
  const inside = ' '.repeat(indent + 2);
  const end = ' '.repeat(indent);
  if ('members' in code) {
    const lines = code.members.map(([name, each]) => {
      if (each === '') return `${inside}${name},\n`;
      return `${inside}${property(name)}: ${print(each, indent + 2, name.length + 3)},\n`;
    });
    return `{\n${lines.join('')}${end}}`;
  }
  if ('items' in code)
    return `[\n${code.items.map((each) => `${inside}${print(each, indent + 2, 1)},\n`).join('')}${end}]`;
  return printCall(code, indent, before);
}

/** A call whose last argument alone is long keeps the others on its line; else each goes on a line of its own. */
function printCall(
  { call, args }: { readonly call: string; readonly args: readonly Code[] },
  indent: number,
  before: number,
): string {
  const last = args.at(-1);
  const others = args.slice(0, -1).map((each) => `${flatten(each)}, `);
  const head = `${call}(${others.join('')}`;
  const isHugged = args.slice(0, -1).every((each) => typeof each === 'string') && typeof last === 'object';
  if (isHugged && indent + before + head.length + 1 <= lineWidth) {
    return 'call' in last
      ? `${head}${printCall(last, indent, before + head.length)})`
      : `${head}${print(last, indent, lineWidth)})`;
  }
  const inside = ' '.repeat(indent + 2);
  const lines = args.map((each) => `${inside}${print(each, indent + 2, 1)},\n`);
  return `${call}(\n${lines.join('')}${' '.repeat(indent)})`;
}

function flatten(code: Code): string {
  if (typeof code === 'string') return code;
  if ('call' in code) return `${code.call}(${code.args.map(flatten).join(', ')})`;
  if ('items' in code) return `[${code.items.map(flatten).join(', ')}]`;
  const members = code.members.map(([name, each]) => (each === '' ? name : `${property(name)}: ${flatten(each)}`));
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}

function property(name: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? name : quoted(name);
}

/** Columns that a text takes: letters of Chinese, Japanese and Korean take two. */
function widthOf(text: string): number {
  let width = 0;
  for (const char of text)
    width += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/.test(char) ? 2 : 1;
  return width;
}
