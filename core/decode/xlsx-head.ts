/** Names with which Office documents begin: their writers differ in which file comes first. */
const officeNames = /^(?:\[Content_Types\]\.xml|_rels\/|docProps\/|xl\/|customXml\/)/;

/** What a workbook has, and a text document or a plain archive has not. */
const workbookNames = /^xl\//;

const HEADER_BYTES = 30;

/**
 * Whether an object that begins with these bytes (some KiB of them) is an Excel workbook rather than a zip archive of
 * files. The first members in the head decide: all must be an Office document's, and those that Word and PowerPoint
 * have instead of `xl/` must not be among them.
 */
export function looksLikeXlsx(head: Uint8Array): boolean {
  const names = firstNames(Buffer.from(head.buffer, head.byteOffset, head.length));
  const [first] = names;
  if (first === undefined || !officeNames.test(first)) return false;
  if (names.some((name) => workbookNames.test(name))) return true;
  // Only `_rels/` or the like in sight, because what comes first is long: content types name the kind of document.
  return first === '[Content_Types].xml' && names.every((name) => officeNames.test(name));
}

/** Names of the members that begin in the head, as far as each says where the next one lies. */
function firstNames(head: Buffer): readonly string[] {
  const names: string[] = [];
  let at = 0;
  while (at >= 0 && at + HEADER_BYTES <= head.length && head.readUInt32LE(at) === 0x04034b50) {
    const nameEnd = at + HEADER_BYTES + head.readUInt16LE(at + 26);
    if (nameEnd > head.length) break;
    names.push(head.toString('latin1', at + HEADER_BYTES, nameEnd));
    const sizesFollow = (head.readUInt16LE(at + 6) & 8) !== 0;
    const next = nameEnd + head.readUInt16LE(at + 28) + head.readUInt32LE(at + 18);
    at = sizesFollow ? head.indexOf('PK\x03\x04', nameEnd, 'latin1') : next;
  }
  return names;
}
