import { batches } from './batches.ts';
import { DecodeError } from './codes.ts';
import type { DecodeLimits } from './format.ts';
import type { RandomAccess } from './random-access.ts';
import { columnNumber, richText } from './xlsx-cells.ts';
import { builtInKind, kindOfFormat, type NumberKind } from './xlsx-dates.ts';
import { scanElements } from './xml-elements.ts';
import { localName } from './xml-names.ts';
import { parseXmlRow, type XmlObject, type XmlShape, type XmlValue } from './xml-row.ts';
import { utf8Xml } from './xml-text.ts';
import { listZip, openZipMember, type ZipMember } from './zip.ts';

/** A workbook with what all its sheets share. */
export interface Workbook {
  readonly is1904: boolean;
  readonly kinds: readonly NumberKind[];
  readonly strings: readonly string[];
  readonly sheet: { readonly name: string; readonly bytes: AsyncIterable<Uint8Array> };
}

/** Workbook, relationships and styles are read whole; those of real workbooks are a hundredth of this. */
const MAX_PART_BYTES = 16 * 1024 * 1024;

/** What the texts that cells share may take in memory, with what V8 adds to each. */
const MAX_STRINGS_BYTES = 256 * 1024 * 1024;
const STRING_OVERHEAD_BYTES = 64;

/** Elements as objects in which everything that may be repeated is looked for as a list. */
export const sheetShape: XmlShape = {
  attributePrefix: '@',
  textName: '#text',
  keepsPrefixes: false,
  lists: new Map(),
  maxDepth: 64,
};

type Parts = ReadonlyMap<string, ZipMember>;

/** Opens a workbook and one sheet of it. Throws as {@link listZip} does, and what `decodeXlsx` says. */
export async function openWorkbook(
  file: RandomAccess,
  wanted: string | number | undefined,
  limits: DecodeLimits,
): Promise<Workbook> {
  await refuseOle(file);
  const parts = new Map<string, ZipMember>();
  for await (const member of listZip(file)) parts.set(partName(member.path), member);
  const root = relationsOf(await readPart(file, parts, '_rels/.rels'), '');
  const path = root.find(({ type }) => type === 'officeDocument')?.target ?? 'xl/workbook.xml';
  if (path.endsWith('.bin')) throw unsupported('it is a binary workbook (.xlsb): save it as .xlsx');
  const workbook = await readPart(file, parts, path);
  if (!workbook) throw corrupt('it is a zip archive without a workbook inside');
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const related = relationsOf(await readPart(file, parts, `${folder}_rels/${path.slice(folder.length)}.rels`), folder);
  const targetOf = (type: string) => related.find((each) => each.type === type)?.target ?? '';
  const sheet = chooseSheet(workbook, related, wanted);
  const member = parts.get(sheet.target);
  if (!member) throw corrupt(`the sheet '${sheet.name}' is missing in it`);
  const flag = String(objectOf(workbook['workbookPr'])['@date1904'] ?? '');
  return {
    is1904: flag === '1' || flag === 'true',
    kinds: kindsOf((await readPart(file, parts, targetOf('styles'))) ?? {}),
    strings: await readStrings(file, parts.get(targetOf('sharedStrings')), limits),
    sheet: { name: sheet.name, bytes: utf8Xml(openZipMember(file, member), undefined) },
  };
}

/** Rightmost column that a sheet says it has, from what stands before its rows; 0 when it does not say. */
export function dimensionOf(head: string): number {
  const reference = /<(?:\w+:)?dimension\s[^>]*?ref\s*=\s*["'][A-Z$0-9]+:([A-Z$]+)\d+["']/.exec(head)?.[1];
  return reference ? columnNumber(reference) + 1 : 0;
}

interface Sheet {
  readonly name: string;
  readonly target: string;
  readonly isHidden: boolean;
}

function chooseSheet(workbook: XmlObject, related: readonly Relation[], wanted: string | number | undefined): Sheet {
  const sheets: Sheet[] = [];
  for (const element of listOf(objectOf(workbook['sheets'])['sheet'])) {
    const { '@name': name = '', '@id': id, '@state': state } = objectOf(element);
    const relation = related.find((each) => each.id === id);
    // Charts are sheets to people, and have no rows.
    if (relation?.type === 'worksheet') {
      sheets.push({
        name: String(name),
        target: relation.target,
        isHidden: state === 'hidden' || state === 'veryHidden',
      });
    }
  }
  const found =
    wanted === undefined
      ? (sheets.find(({ isHidden }) => !isHidden) ?? sheets[0])
      : sheets.find(({ name }, index) => name === wanted || index + 1 === wanted);
  if (found) return found;
  const which = typeof wanted === 'string' ? `named '${wanted}'` : `number ${wanted}`;
  const has = sheets.length === 1 ? '1 sheet' : `${sheets.length} sheets`;
  throw new DecodeError(
    'decode.noSheet',
    wanted === undefined ? 'the workbook has no sheet' : `the workbook has ${has}, none ${which}`,
  );
}

interface Relation {
  readonly id: string;
  /** The last word of its type's address, which strict and transitional documents have in common. */
  readonly type: string;
  readonly target: string;
}

function relationsOf(document: XmlObject | undefined, folder: string): readonly Relation[] {
  return listOf(document?.['Relationship']).map((element) => {
    const { '@Id': id, '@Type': type, '@Target': target } = objectOf(element);
    const path = String(target ?? '');
    return {
      id: String(id ?? ''),
      type: String(type ?? '').replace(/^.*\//, ''),
      target: partName(path.startsWith('/') ? path : resolved(folder + path)),
    };
  });
}

function resolved(path: string): string {
  const steps: string[] = [];
  for (const step of path.split('/')) {
    if (step === '..') steps.pop();
    else if (step !== '.') steps.push(step);
  }
  return steps.join('/');
}

/** Names of parts are compared without case (ECMA-376 part 2 §6.2.2.3). */
function partName(path: string): string {
  return path.replaceAll('\\', '/').replace(/^\//, '').toLowerCase();
}

/** What each style shows numbers as. */
function kindsOf(styles: XmlObject): readonly NumberKind[] {
  const codes = new Map<string, string>();
  for (const format of listOf(objectOf(styles['numFmts'])['numFmt'])) {
    const { '@numFmtId': id, '@formatCode': code } = objectOf(format);
    codes.set(String(id), String(code ?? ''));
  }
  return listOf(objectOf(styles['cellXfs'])['xf']).map((style) => {
    const id = String(objectOf(style)['@numFmtId'] ?? '0');
    const code = codes.get(id);
    return code === undefined ? builtInKind(Number(id)) : kindOfFormat(code);
  });
}

async function readStrings(
  file: RandomAccess,
  member: ZipMember | undefined,
  limits: DecodeLimits,
): Promise<readonly string[]> {
  const strings: string[] = [];
  if (!member) return strings;
  let held = 0;
  const scanner = scanElements(
    {
      isRow: (path) => path.length === 2 && localName(path[1] as string) === 'si',
      take(_, view, { start, end }) {
        const item = parseXmlRow(view.toString('utf8', start, end), sheetShape);
        if (!('row' in item)) throw corrupt(`shared text ${strings.length} cannot be read`);
        strings.push(richText(item.row));
        held += end - start + STRING_OVERHEAD_BYTES;
        if (held <= MAX_STRINGS_BYTES) return;
        const message = `the texts that cells share take more than ${MAX_STRINGS_BYTES} bytes: save the sheet as CSV`;
        throw new DecodeError('decode.tooLarge', message);
      },
    },
    limits,
  );
  for await (const { bad } of batches(utf8Xml(openZipMember(file, member), undefined), limits, scanner, 64 * 1024)) {
    if (bad.length > 0) throw corrupt(`a shared text is longer than ${limits.maxRowBytes} bytes`);
  }
  return strings;
}

/** Root element of a part; undefined when there is no such part. */
async function readPart(file: RandomAccess, parts: Parts, path: string): Promise<XmlObject | undefined> {
  const member = parts.get(partName(path));
  if (!member) return undefined;
  if (member.sizeBytes > MAX_PART_BYTES) {
    throw new DecodeError('decode.tooLarge', `the workbook's ${path} takes more than ${MAX_PART_BYTES} bytes`);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of utf8Xml(openZipMember(file, member), undefined)) chunks.push(Buffer.from(chunk));
  const parsed = parseXmlRow(Buffer.concat(chunks).toString(), sheetShape);
  if ('row' in parsed) return parsed.row;
  throw corrupt(`its ${path} cannot be read: ${parsed.what}`);
}

/** What Excel encrypts, and what it wrote until 2003, is an OLE compound file. */
async function refuseOle(file: RandomAccess): Promise<void> {
  const head = file.sizeBytes < 8 ? new Uint8Array() : await file.read(0, 8);
  if (Buffer.from(head).toString('hex') !== 'd0cf11e0a1b11ae1') return;
  throw unsupported(
    'it has a password, or is a workbook of Excel 97 to 2003 (.xls): save it as .xlsx without a password',
  );
}

function objectOf(value: XmlValue | undefined): XmlObject {
  const first = Array.isArray(value) ? value[0] : value;
  return typeof first === 'object' && first !== null ? first : {};
}

function listOf(value: XmlValue | undefined): readonly XmlValue[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value as XmlValue];
}

function corrupt(reason: string): DecodeError {
  return new DecodeError('decode.corruptXlsx', `the workbook is damaged: ${reason}`);
}

function unsupported(reason: string): DecodeError {
  return new DecodeError('decode.unsupportedXlsx', `the workbook cannot be read: ${reason}`);
}
